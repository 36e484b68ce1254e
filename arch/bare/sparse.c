/*
 * Sparse arrays on bare metal, in a window of their own. Untouched, a page is the one page that
 * holds nothing but the fill, read-only; a table full of such entries is the fill's too, and so
 * is a table full of such tables: a GiB that reads as one value costs one entry. To touch a page
 * is to take private copies of what of this is on the way to it. An array begins at a GiB.
 *
 * A touched page is another page than before, and only the CPU that uses the array forgets the
 * old one at once: interrupting all others 4096 times for a table of 16 MiB is not worth it when
 * they do not look there. They forget when they adopt the array. Pages that a reset frees may
 * still be known elsewhere, unused; tables are freed after all CPUs have forgotten them, because
 * hardware walks tables uninvited.
 */
#include "arch/bare/map.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define LEVELS	3		/* page, table of pages, table of those */
#define SLOTS	((SPARSE_WINDOW_END - SPARSE_WINDOW) / GIB(1))
#define SLOTS_ROW 512		/* map_gib() gives entries in rows */

struct fill {
	struct fill *next;
	u64 value;
	u32 refs;
	u64 *page[LEVELS];	/* by level, and the entry that points to it */
	u64 entry[LEVELS];
};

struct sparse {
	u64 va, len, piece;
	u64 *gib;		/* its entries of level 2 */
	u32 cpu;		/* who uses it */
	u32 pieces;
	struct fill *fill[];
};

static struct lock sparse_lock;
static struct fill *fills;
static struct sparse *slots[SLOTS];	/* by GiB; its own are read without the lock */

static u64 level_size(u32 level)
{
	return PAGE_SIZE << (9 * level);
}

static u32 index_of(u64 va, u32 level)
{
	return va >> (PAGE_SHIFT + 9 * level) & (MAP_ENTRIES - 1);
}

static u64 *pointee(u64 entry)
{
	return (u64 *)(entry & MAP_ADDR);
}

static struct fill *fill_at(const struct sparse *a, u64 va)
{
	return a->fill[(va - a->va) / a->piece];
}

/* ---- fills ------------------------------------------------------------------------------- */

static void fill_free(struct fill *f)
{
	for (u32 i = 0; i < LEVELS; i++)
		if (f->page[i])
			page_free(f->page[i], 0);
	heap_free(f);
}

static struct fill *fill_make(u64 value)
{
	struct fill *f = heap_alloc(sizeof(*f));
	u64 word = value;

	if (!f)
		return NULL;
	*f = (struct fill){ .value = value, .refs = 1 };
	for (u32 i = 0; i < LEVELS; i++) {
		f->page[i] = page_alloc(0, NODE_ANY);
		if (!f->page[i]) {
			fill_free(f);
			return NULL;
		}
		for (u32 k = 0; k < MAP_ENTRIES; k++)
			f->page[i][k] = word;
		word = i ? map_table(f->page[i]) : map_leaf((hpa_t)f->page[0], PROT_R);
		f->entry[i] = word;
	}
	return f;
}

static struct fill *fill_find(u64 value)
{
	struct fill *f;

	lock_take(&sparse_lock);
	for (f = fills; f && f->value != value; f = f->next)
		;
	if (f)
		f->refs++;
	lock_drop(&sparse_lock);
	return f;
}

static struct fill *fill_get(u64 value)
{
	struct fill *f = fill_find(value);

	if (f || !(f = fill_make(value)))
		return f;
	lock_take(&sparse_lock);		/* if another CPU was as quick, there are two */
	f->next = fills;
	fills = f;
	lock_drop(&sparse_lock);
	return f;
}

static void fill_put(struct fill *f)
{
	struct fill **at;
	bool last;

	lock_take(&sparse_lock);
	last = !--f->refs;
	if (last) {
		for (at = &fills; *at != f; at = &(*at)->next)
			;
		*at = f->next;
	}
	lock_drop(&sparse_lock);
	if (last)
		fill_free(f);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static u64 slots_needed(u64 len)
{
	return len / GIB(1) + 1;	/* so there is always a hole behind it */
}

/* The first of @count free slots in one row, or SLOTS. */
static u64 slots_find(u64 count)
{
	u64 run = 0;

	for (u64 i = 0; i < SLOTS; i++) {
		if (i % SLOTS_ROW == 0)
			run = 0;
		run = slots[i] ? 0 : run + 1;
		if (run == count)
			return i + 1 - count;
	}
	return SLOTS;
}

static void slots_set(const struct sparse *a, struct sparse *value)
{
	u64 first = (a->va - SPARSE_WINDOW) / GIB(1);

	for (u64 i = 0; i < slots_needed(a->len); i++)
		slots[first + i] = value;
}

static bool slots_take(struct sparse *a)
{
	u64 first;

	lock_take(&sparse_lock);
	first = slots_find(slots_needed(a->len));
	if (first < SLOTS) {
		a->va = SPARSE_WINDOW + first * GIB(1);
		slots_set(a, a);
	}
	lock_drop(&sparse_lock);
	return first < SLOTS;
}

static void slots_give(struct sparse *a)
{
	lock_take(&sparse_lock);
	slots_set(a, NULL);
	lock_drop(&sparse_lock);
}

static struct sparse *sparse_of(const u64 *base)
{
	return slots[((u64)base - SPARSE_WINDOW) / GIB(1)];
}

/* ---- tables ------------------------------------------------------------------------------ */

/* Does the entry of @level for @va stand for one piece of the array and nothing else? */
static bool one_piece(const struct sparse *a, u32 level, u64 va)
{
	u64 at = va - a->va, last = at + level_size(level) - 1;

	return last < a->len && at / a->piece == last / a->piece;
}

/* Make the entry of @level for @va; false: no memory, and what there is hangs from *@entry. */
static bool tree_make(const struct sparse *a, u32 level, u64 va, u64 *entry)
{
	u64 *table;

	if (va - a->va >= a->len)
		return true;
	if (one_piece(a, level, va)) {
		*entry = fill_at(a, va)->entry[level];
		return true;
	}
	table = page_alloc(0, NODE_ANY);
	if (!table)
		return false;
	*entry = map_table(table);
	for (u32 i = 0; i < MAP_ENTRIES; i++)
		if (!tree_make(a, level - 1, va + i * level_size(level - 1), &table[i]))
			return false;
	return true;
}

/* Is @entry, of @level and for @va, the array's own? Then it points to a page or table of its. */
static bool is_private(const struct sparse *a, u32 level, u64 va, u64 entry)
{
	return entry && entry != fill_at(a, va)->entry[level];
}

static void tree_free(const struct sparse *a, u32 level, u64 va, u64 entry)
{
	u64 *page = pointee(entry);

	if (!is_private(a, level, va, entry))
		return;
	for (u32 i = 0; level && i < MAP_ENTRIES; i++)
		tree_free(a, level - 1, va + i * level_size(level - 1), page[i]);
	page_free(page, 0);
}

/* Private pages become the fill's again; private tables stay, for the next ones. */
static void tree_reset(const struct sparse *a, u32 level, u64 va, u64 *entry)
{
	u64 *page = pointee(*entry);

	if (!is_private(a, level, va, *entry))
		return;
	if (!level) {
		map_set(entry, fill_at(a, va)->entry[0], va);
		page_free(page, 0);
		return;
	}
	for (u32 i = 0; i < MAP_ENTRIES; i++)
		tree_reset(a, level - 1, va + i * level_size(level - 1), &page[i]);
}

/* ---- the contract -------------------------------------------------------------------------- */

static void sparse_free(struct sparse *a)
{
	for (u32 i = 0; i < a->pieces; i++)
		if (a->fill[i])
			fill_put(a->fill[i]);
	heap_free(a);
}

static struct sparse *sparse_make(u64 len, const u64 *fill, u32 pieces)
{
	struct sparse *a = heap_alloc(sizeof(*a) + pieces * sizeof(a->fill[0]));
	bool ok = true;

	if (!a)
		return NULL;
	*a = (struct sparse){ .len = len, .piece = len / pieces, .pieces = pieces,
			      .cpu = cpu_self->id };
	for (u32 i = 0; i < pieces; i++)
		ok &= !!(a->fill[i] = fill_get(fill[i]));
	if (ok && slots_take(a))
		return a;
	sparse_free(a);
	return NULL;
}

static bool sparse_map(struct sparse *a)
{
	bool ok = true;

	a->gib = map_gib(a->va);
	for (u64 at = 0; a->gib && ok && at < a->len; at += GIB(1))
		ok = tree_make(a, 2, a->va + at, &a->gib[at / GIB(1)]);
	return a->gib && ok;
}

u64 *arch_sparse_alloc(u64 len, const u64 *fill, u32 pieces)
{
	u64 piece = pieces ? len / pieces : 0;
	struct sparse *a;

	if (!piece || piece * pieces != len || piece % SPARSE_ALIGN ||
	    slots_needed(len) > SLOTS_ROW)
		return NULL;
	a = sparse_make(len, fill, pieces);
	if (!a)
		return NULL;
	if (sparse_map(a))
		return (u64 *)a->va;
	arch_sparse_free((u64 *)a->va, len);
	return NULL;
}

void arch_sparse_free(u64 *base, u64 len)
{
	struct sparse *a = base ? sparse_of(base) : NULL;
	u64 entry;

	if (!base)
		return;
	assert(a && a->va == (u64)base && a->len == len);
	for (u64 at = 0; a->gib && at < len; at += GIB(1)) {
		entry = a->gib[at / GIB(1)];
		map_set(&a->gib[at / GIB(1)], 0, a->va + at);
		map_forget();
		tree_free(a, 2, a->va + at, entry);
	}
	slots_give(a);
	sparse_free(a);
}

/* Private copies of all that is the fill's between @entry of @level and the page of @va. */
static bool page_make(const struct fill *f, u64 *entry, u32 level, u64 va)
{
	u64 *copy[LEVELS], value;

	for (u32 i = 0; i <= level; i++) {
		copy[i] = page_alloc(0, NODE_ANY);
		if (!copy[i]) {
			while (i--)
				page_free(copy[i], 0);
			return false;
		}
		memcpy(copy[i], f->page[i], PAGE_SIZE);
	}
	value = map_leaf((hpa_t)copy[0], PROT_R | PROT_W);
	for (u32 i = 1; i <= level; i++) {
		copy[i][index_of(va, i - 1)] = value;
		value = map_table(copy[i]);
	}
	map_set(entry, value, va);
	return true;
}

bool arch_sparse_touch(u64 *base, u64 *at)
{
	struct sparse *a = sparse_of(base);
	u64 va = ALIGN_DOWN((u64)at, PAGE_SIZE), *entry = &a->gib[(va - a->va) / GIB(1)];
	const struct fill *f = fill_at(a, va);
	u32 level = LEVELS - 1;

	while (*entry != f->entry[level]) {
		if (!level--)
			return true;
		entry = &pointee(*entry)[index_of(va, level)];
	}
	assert(a->cpu == cpu_self->id);
	return page_make(f, entry, level, va);
}

void arch_sparse_reset(u64 *base, u64 len)
{
	struct sparse *a = sparse_of(base);

	assert(a->len == len && a->cpu == cpu_self->id);
	for (u64 at = 0; at < len; at += GIB(1))
		tree_reset(a, 2, a->va + at, &a->gib[at / GIB(1)]);
}

void arch_sparse_adopt(u64 *base)
{
	struct sparse *a = sparse_of(base);

	if (a->cpu == cpu_self->id)
		return;
	map_adopt();
	a->cpu = cpu_self->id;
}
