/*
 * Views on bare metal: FVP's own page tables for what the guest maps. Each view has half a TiB of
 * the addresses that nothing else uses, at a TiB, so the half between two of them is the guard; and
 * tables of its own below the host's second level.
 *
 * Only the CPU that uses a view looks there, so only it forgets what is unmapped. Emptying keeps
 * the tables for what comes next, unless they have become many: those are freed after every CPU has
 * forgotten them, because hardware walks tables uninvited.
 */
#include "arch/bare/map.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"

#define STRIDE		TIB(1)
#define VIEWS		(TIB(128) / STRIDE)
#define TABLES		128		/* that an empty view keeps */
#define TABLES_MAX	2048		/* 8 MiB: a guest may touch a page of each 2 MiB */
_Static_assert(VIEW_SIZE + VIEW_GUARD <= STRIDE, "the rest of the stride is the guard");

static struct view_tables {
	u64 *gib;		/* entries of level 2; NULL: the view is free */
	u32 cpu;		/* who uses it */
	u32 tables;
} views[VIEWS];
static struct lock view_lock;

static struct view_tables *view_of(const u8 *at)
{
	return &views[((u64)at - HOST_VIEWS) / STRIDE];
}

static u32 index_of(u64 va, u32 level)
{
	return va >> (PAGE_SHIFT + 9 * level) & (MAP_ENTRIES - 1);
}

static u64 *pointee(u64 entry)
{
	return (u64 *)(entry & MAP_ADDR);
}

bool arch_views_are_cheap(void)
{
	return true;
}

u8 *arch_view_alloc(void)
{
	u64 va = 0;

	lock_take(&view_lock);
	for (u32 i = 0; i < VIEWS && !va; i++) {
		if (views[i].gib)
			continue;
		views[i] = (struct view_tables){ .gib = map_gib(HOST_VIEWS + i * STRIDE),
						 .cpu = cpu_self->id };
		if (!views[i].gib)
			break;
		va = HOST_VIEWS + i * STRIDE;
	}
	lock_drop(&view_lock);
	return (u8 *)va;
}

/* @level: of the entries in the table. */
static void table_free(u64 *table, u32 level)
{
	for (u32 i = 0; level && i < MAP_ENTRIES; i++)
		if (table[i])
			table_free(pointee(table[i]), level - 1);
	page_free(table, 0);
}

static void tables_free(struct view_tables *v, u64 va)
{
	u64 held[MAP_ENTRIES];

	for (u32 i = 0; i < MAP_ENTRIES; i++) {
		held[i] = v->gib[i];
		if (held[i])
			map_set(&v->gib[i], 0, va + i * GIB(1));
	}
	map_forget();
	for (u32 i = 0; i < MAP_ENTRIES; i++)
		if (held[i])
			table_free(pointee(held[i]), 1);
	v->tables = 0;
}

void arch_view_free(u8 *view)
{
	if (!view)
		return;
	tables_free(view_of(view), (u64)view);
	lock_take(&view_lock);
	view_of(view)->gib = NULL;
	lock_drop(&view_lock);
}

void arch_view_adopt(u8 *view)
{
	struct view_tables *v = view_of(view);

	if (v->cpu == cpu_self->id)
		return;
	map_adopt();
	v->cpu = cpu_self->id;
}

/* The entry of level 0 for @va, with tables made for it if @make; NULL: there is none. */
static u64 *leaf_of(struct view_tables *v, u64 va, bool make)
{
	u64 *entry = &v->gib[index_of(va, 2)];

	for (u32 level = 2; level--;) {
		if (!*entry && make) {
			u64 *table = v->tables < TABLES_MAX ? page_alloc(0, NODE_ANY) : NULL;

			if (!table)
				return NULL;
			v->tables++;
			map_set(entry, map_table(table), va);
		}
		if (!*entry)
			return NULL;
		entry = &pointee(*entry)[index_of(va, level)];
	}
	return entry;
}

bool arch_view_map(u8 *at, u8 *host, bool write, bool anew)
{
	struct view_tables *v = view_of(at);
	u64 va = (u64)at, *leaf = leaf_of(v, va, true);
	u64 value = map_leaf(arch_virt_to_phys(host), PROT_R | (write ? PROT_W : 0));

	assert(v->cpu == cpu_self->id);
	if (!leaf)
		return false;
	if (*leaf && pointee(*leaf) != pointee(value))
		map_set(leaf, 0, va);		/* break before make */
	map_set(leaf, value, va);
	return true;
}

void arch_view_unmap(u8 *at)
{
	u64 *leaf = leaf_of(view_of(at), (u64)at, false);

	if (leaf)
		map_set(leaf, 0, (u64)at);
}

void arch_view_protect(u8 *at)
{
	u64 *leaf = leaf_of(view_of(at), (u64)at, false);

	if (leaf && *leaf)
		map_set(leaf, map_leaf((hpa_t)pointee(*leaf), PROT_R), (u64)at);
}

static void leaves_clear(u64 *table, u32 level)
{
	for (u32 i = 0; i < MAP_ENTRIES; i++)
		if (!level)
			table[i] = 0;
		else if (table[i])
			leaves_clear(pointee(table[i]), level - 1);
}

void arch_view_empty(u8 *view)
{
	struct view_tables *v = view_of(view);

	if (v->tables > TABLES) {
		tables_free(v, (u64)view);
		return;
	}
	for (u32 i = 0; i < MAP_ENTRIES; i++)
		if (v->gib[i])
			leaves_clear(pointee(v->gib[i]), 1);
	/* One hart resets another: the CPU that knows what was there has to forget it as well. */
	if (v->cpu == cpu_self->id)
		map_forget_here();
	else
		map_forget();
}
