/*
 * Linear page table: what translated code looks addresses up in, in front of the software TLB.
 * One array of addends for each kind of access, indexed by the low bits of the guest page number,
 * without tags. For a guest address va with index i
 *
 *	offset = va + table[i]		offset < ram_size ?  memory at ram + offset : slow path
 *
 * and this one comparison is exact: see "why" below. The arrays are sparse (arch_sparse_alloc), so
 * they cost memory where pages were entered. There are LPT_SLOTS of them, one for each of the most
 * recent TLB keys (ASID and kind of access): a change of address space or privilege flushes
 * nothing.
 *
 * Owned by one CPU, like the TLB, and always a subset of what the TLB may answer: tlb.c calls
 * the flushes below whenever it forgets something itself.
 */
#pragma once

/*
 * Why. An index covers a window of 2^bits pages that is at least twice as large as RAM. The addend
 * entered for a page takes another page of the same index to an offset that differs by a multiple
 * of the window, so outside RAM. An empty entry adds half the window to indices of the lower half
 * and nothing to those of the upper half: bit (bits + 11) of the offset is then always set, which
 * is outside RAM too, whatever the upper bits of va are.
 */
#include "kernel/base/err.h"
#include "mmu/view.h"

#define LPT_SLOTS	8
#define LPT_MAYBE	4096		/* bits */
#define LPT_BITS_MIN	20	/* a 32-bit shift makes this index */
#define LPT_BITS_MAX	27	/* the write array must be in reach of a 32-bit displacement */

struct lpt_slot {
	u32 key;		/* the TLB's; 0: none */
	u32 count;		/* of filled[] */
	u64 *table;		/* the read array; the write array follows */
	u32 *filled;		/* indices entered since the slot was emptied, perhaps twice */
	struct view *view;	/* in which pages are mapped, too; or NULL */
	u64 maybe[LPT_MAYBE / 64];	/* by their low bits: for flushes by address */
};

struct lpt {
	u8 *ram;		/* host memory that offsets count from */
	u64 ram_size;		/* bytes, at most half the window */
	u32 bits;
	u32 victim;
	struct lpt_slot slot[LPT_SLOTS], *now;
	u64 fills, flushes;	/* statistics */
};

/*
 * For @ram_size bytes of guest memory at @ram, with @views or without; E_NOMEM, E_RANGE: more than
 * 256 GiB.
 */
must_check err_t lpt_init(struct lpt *l, u8 *ram, u64 ram_size, bool views);
void lpt_fini(struct lpt *l);

/* The calling CPU uses it from now on: before the others below, when that may be news. */
void lpt_adopt(struct lpt *l);
/* Make @key's slot the present one, taking over the oldest if it has none. */
void lpt_select(struct lpt *l, u32 key);
/*
 * Enter the page of @va, which @host is a byte of, for reading or writing in the present slot.
 * Nothing happens if it is not in RAM, there is no memory for the table, or the slot's key was
 * forgotten since it was selected.
 */
void lpt_fill(struct lpt *l, gva_t va, const u8 *host, bool write);
/* The same, and map it in the slot's view, which there is. */
void lpt_fill_view(struct lpt *l, gva_t va, const u8 *host, bool write);

/* Pages that views have lost, all in all: how much of what is mapped there was mapped in vain. */
u32 lpt_lost(const struct lpt *l);

void lpt_flush_page(struct lpt *l, gva_t va);	/* in every slot */
void lpt_flush_key(struct lpt *l, u32 key);
void lpt_flush_all(struct lpt *l);
void lpt_protect_va(struct lpt *l, gva_t va);	/* no writing there, in every slot */
/* Withdraw write permission everywhere from the page at @host. */
void lpt_protect(struct lpt *l, const u8 *host);

static inline u64 lpt_index(const struct lpt *l, gva_t va)
{
	return va >> PAGE_SHIFT & MASK(l->bits);
}

/* Bytes from the read array to the write array. */
static inline u32 lpt_write_offset(const struct lpt *l)
{
	return 8u << l->bits;
}
