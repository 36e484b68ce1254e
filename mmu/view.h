/*
 * A view: a guest's address space as the host's own MMU maps it, for translated code that accesses
 * guest memory without looking anything up. VIEW_SIZE bytes of host addresses stand for the guest
 * addresses from -VIEW_SIZE / 2 up to VIEW_SIZE / 2, which are all of Sv39's; nothing is mapped at
 * first, and what the guest touches faults in (engine/back/jit/fault.c).
 *
 * Like the linear page table, whose slots have a view each if there are any, it belongs to one
 * guest CPU and never maps more than the software TLB may answer. What it maps is noted: so a flush
 * of what is not there costs no system call, and memory is bounded.
 */
#pragma once

#include "arch/mem.h"

struct view_page {
	u32 page;		/* number in the view, from 0 */
	u32 ram : 31;		/* number of the page in guest RAM */
	u32 write : 1;
};

struct view {
	u8 *base;		/* host address of guest address -VIEW_SIZE / 2 */
	u8 *ram;		/* host memory that page numbers count from */
	u32 lost;		/* pages that were mapped and no longer are, since it was made */
	u32 count;		/* pages mapped: */
	struct view_page *page;
	u16 *index;		/* hash table: number in ->page plus 1, or 0; linear probing */
};

/* NULL: the host has no addresses or memory left for one. */
struct view *view_new(u8 *ram);
void view_free(struct view *v);			/* NULL is fine */

/* Guest page of @va leads to the page at @offset in RAM. False: full, or no memory: empty it. */
bool view_map(struct view *v, gva_t va, u64 offset, bool write);
void view_unmap(struct view *v, gva_t va);
void view_protect_va(struct view *v, gva_t va);		/* no writing there */
void view_protect(struct view *v, u64 offset);		/* nor anywhere to this page of RAM */
void view_empty(struct view *v);

/* What a guest address is added to. */
static inline u8 *view_origin(const struct view *v)
{
	return v->base + VIEW_SIZE / 2;
}
