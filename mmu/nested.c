/*
 * Second-level page tables: see nested.h. Formats are data (fmt_*.c); the walk down (entry_find,
 * leaf_enter) and the walk over everything (table_visit) are here, once.
 *
 * The hardware walks the tables at any time and may set bits in leaves meanwhile, so entries are
 * atomic, what could carry such a bit is taken out by exchange, and a table is filled before it is
 * linked. Tables that are taken out wait for the flush in a list through their first entries: as
 * the address of a page such a link has no bit that makes an entry present.
 */
#include "mmu/nested.h"

#include "arch/mem.h"
#include "kernel/base/page.h"

/* ---- entries ---- */

static u32 level_shift(u32 level)
{
	return PAGE_SHIFT + NESTED_INDEX_BITS * level;
}

static u64 level_size(u32 level)
{
	return BIT(level_shift(level));
}

static bool entry_is_present(const struct nested *n, u64 e)
{
	return e & n->fmt->present;
}

static bool entry_is_leaf(const struct nested *n, u64 e, u32 level)
{
	return entry_is_present(n, e) &&
	       (level == 0 || (e & n->fmt->kind) == n->fmt->kind_block);
}

static bool entry_is_table(const struct nested *n, u64 e, u32 level)
{
	return entry_is_present(n, e) && !entry_is_leaf(n, e, level);
}

static _Atomic u64 *table_of(const struct nested *n, u64 e)
{
	return arch_phys_to_virt(e & n->fmt->address);
}

static _Atomic u64 *entry_slot(const struct nested *n, _Atomic u64 *table, u32 level, gpa_t gpa)
{
	u64 index = gpa >> level_shift(level);

	return &table[table == n->root ? index : index % NESTED_ENTRIES];
}

/* Where the walk to @gpa ends: at a leaf or at nothing; @level says how far down. */
static _Atomic u64 *entry_find(const struct nested *n, gpa_t gpa, u32 *level)
{
	_Atomic u64 *table = n->root, *slot;

	for (*level = n->top; ; --*level) {
		u64 e = atomic_load(slot = entry_slot(n, table, *level, gpa));

		if (!entry_is_table(n, e, *level))
			return slot;
		table = table_of(n, e);
	}
}

/* Bits of a leaf that the CPU sets. */
static u64 tracked_bits(const struct nested *n)
{
	return n->setup.tracked ? n->fmt->dirty : 0;
}

static u64 leaf_make(const struct nested *n, hpa_t hpa, u32 level, u64 rights)
{
	const struct nested_format *f = n->fmt;
	u64 memory = n->setup.forced ? f->memory_forced : f->memory;

	/* A dirty bit that nobody will ask for is set now: the CPU need not do it. */
	return hpa | (level ? f->block : f->page) | memory | rights | (f->dirty & ~tracked_bits(n));
}

/* ---- flushes ---- */

/* What was taken away and not yet flushed. */
struct change {
	struct nested_flush flush;	/* nothing while ->len is 0 */
	_Atomic u64 *tables;		/* to be freed after it */
};

/* Entries are aligned to what they map, so steps of the smallest one hit all others. */
static void change_note(struct change *c, gpa_t gpa, u64 size)
{
	struct nested_flush *f = &c->flush;
	gpa_t end = gpa + size;

	if (f->len == 0)
		*f = (struct nested_flush){ .gpa = gpa, .len = size, .step = size };
	end = MAX(end, f->gpa + f->len);
	f->gpa = MIN(f->gpa, gpa);
	f->len = end - f->gpa;
	f->step = MIN(f->step, size);
}

static void change_finish(struct nested *n, struct change *c)
{
	if (c->flush.len != 0) {
		c->flush.all = c->flush.len / c->flush.step > NESTED_FLUSH_MAX;
		atomic_fetch_add(&n->generation, 1);
		atomic_fetch_add_explicit(&n->flushes, 1, memory_order_relaxed);
		n->setup.flush(n->setup.ctx, &c->flush);
	}
	while (c->tables) {
		_Atomic u64 *table = c->tables;

		c->tables = (_Atomic u64 *)(uptr)atomic_load(table);
		page_free((void *)table, 0);
		n->tables--;
	}
}

/* ---- visits: all leaves in a piece of the address space ---- */

struct visit {
	struct nested *n;
	gpa_t first, last;
	void (*leaf)(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa);
	bool cut;			/* tables that serve nothing outside the piece go */
	struct change change;
};

static void table_visit(struct visit *v, _Atomic u64 *table, u32 level, gpa_t base);

static void table_cut(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	_Atomic u64 *table = table_of(v->n, atomic_exchange(slot, 0));

	atomic_store(table, (uptr)v->change.tables);
	v->change.tables = table;
	change_note(&v->change, gpa, level_size(level));	/* CPUs remember tables too */
}

static void entry_visit(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	u64 e = atomic_load(slot);

	if (!entry_is_present(v->n, e))
		return;
	if (entry_is_leaf(v->n, e, level)) {
		v->leaf(v, slot, level, gpa);
		return;
	}
	table_visit(v, table_of(v->n, e), level - 1, gpa);
	if (v->cut && gpa >= v->first && gpa + level_size(level) - 1 <= v->last)
		table_cut(v, slot, level, gpa);
}

static void table_visit(struct visit *v, _Atomic u64 *table, u32 level, gpa_t base)
{
	u64 count = NESTED_ENTRIES << (table == v->n->root ? v->n->root_order : 0);
	u64 i = v->first > base ? (v->first - base) >> level_shift(level) : 0;

	for (; i < count && base + i * level_size(level) <= v->last; i++)
		entry_visit(v, &table[i], level, base + i * level_size(level));
}

static void dirty_note(const struct nested *n, u64 e, u32 level, gpa_t gpa)
{
	gpa_t end = gpa + level_size(level);

	if (!(e & tracked_bits(n)) || !n->space->logging)
		return;
	for (; gpa < end; gpa += PAGE_SIZE) {
		const struct range *r = space_find(n->space, gpa);

		if (r)
			range_mark_dirty(r, gpa);
	}
}

static void leaf_cut(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	dirty_note(v->n, atomic_exchange(slot, 0), level, gpa);
	change_note(&v->change, gpa, level_size(level));
}

static void leaf_clean(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	u64 bits = tracked_bits(v->n);

	if (!(atomic_load(slot) & bits))
		return;
	dirty_note(v->n, atomic_fetch_and(slot, ~bits), level, gpa);
	change_note(&v->change, gpa, level_size(level));
}

/* Large leaves are protected even if the CPU tracks them: it would not say which page it was. */
static void leaf_protect(struct visit *v, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	const struct nested *n = v->n;

	if (!(atomic_load(slot) & n->fmt->write) || (tracked_bits(n) && level == 0))
		return;
	atomic_fetch_and(slot, ~(n->fmt->write | tracked_bits(n)));
	change_note(&v->change, gpa, level_size(level));
}

static void nested_visit(struct visit *v)
{
	lock_take(&v->n->lock);
	table_visit(v, v->n->root, v->n->top, 0);
	change_finish(v->n, &v->change);
	lock_drop(&v->n->lock);
}

void nested_unmap(struct nested *n, gpa_t gpa, u64 len)
{
	struct visit v = { .n = n, .first = gpa, .last = gpa + len - 1, .leaf = leaf_cut,
			   .cut = true };

	if (len == 0)
		return;
	if (v.last < gpa)
		v.last = UINT64_MAX;
	nested_visit(&v);
}

void nested_take_dirty(struct nested *n)
{
	struct visit v = { .n = n, .last = UINT64_MAX, .leaf = leaf_clean };

	if (tracked_bits(n))
		nested_visit(&v);
}

void nested_protect(struct nested *n)
{
	struct visit v = { .n = n, .last = UINT64_MAX, .leaf = leaf_protect };

	nested_visit(&v);
}

/* ---- faults ---- */

/* 2^@order empty tables, side by side; NULL: no memory, or too many. */
static _Atomic u64 *table_new(struct nested *n, u32 order)
{
	u32 count = 1u << order;
	void *table = NULL;

	if (n->setup.tables - n->tables >= count)
		table = page_alloc(order, NODE_ANY);
	if (table)
		n->tables += count;
	return table;
}

/* Empty an entry, whatever it is, and let everybody forget it. */
static void entry_break(struct nested *n, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	gpa_t base = ALIGN_DOWN(gpa, level_size(level));
	struct visit v = { .n = n, .first = base, .last = base + level_size(level) - 1,
			   .leaf = leaf_cut, .cut = true };

	entry_visit(&v, slot, level, base);
	change_finish(n, &v.change);
}

/* The pieces of the leaf @e of @level + 1. */
static void table_fill(const struct nested *n, _Atomic u64 *table, u64 e, u32 level)
{
	u64 rights = e & (n->fmt->write | tracked_bits(n));

	for (u32 i = 0; i < NESTED_ENTRIES; i++) {
		hpa_t hpa = (e & n->fmt->address) + i * level_size(level);

		atomic_store_explicit(&table[i], leaf_make(n, hpa, level, rights),
				      memory_order_relaxed);
	}
}

/* Put a table where there is nothing or a leaf. */
static bool table_enter(struct nested *n, _Atomic u64 *slot, u32 level, gpa_t gpa)
{
	_Atomic u64 *table = table_new(n, 0);
	u64 old = atomic_load(slot);

	if (!table)
		return false;
	if (entry_is_present(n, old)) {
		table_fill(n, table, old, level - 1);
		if (n->fmt->break_first)
			entry_break(n, slot, level, gpa);
	}
	atomic_store(slot, arch_virt_to_phys((void *)table) | n->fmt->table);
	return true;
}

/* The leaf allows more than it did. */
static void leaf_gain(struct nested *n, _Atomic u64 *slot, u32 level, gpa_t gpa, u64 e)
{
	struct change c = { 0 };

	atomic_fetch_or(slot, e);
	if (!n->fmt->flush_gains)
		return;
	change_note(&c, ALIGN_DOWN(gpa, level_size(level)), level_size(level));
	change_finish(n, &c);
}

/* False: no memory for the tables on the way. */
static bool leaf_enter(struct nested *n, gpa_t gpa, u32 level, u64 e)
{
	_Atomic u64 *table = n->root, *slot;
	u64 old;

	for (u32 at = n->top; at > level; at--) {
		slot = entry_slot(n, table, at, gpa);
		if (!entry_is_table(n, atomic_load(slot), at) && !table_enter(n, slot, at, gpa))
			return false;
		table = table_of(n, atomic_load(slot));
	}
	slot = entry_slot(n, table, level, gpa);
	old = atomic_load(slot);
	if (entry_is_leaf(n, old, level) && !((old ^ e) & n->fmt->address)) {
		leaf_gain(n, slot, level, gpa, e);
		return true;
	}
	if (entry_is_present(n, old))
		entry_break(n, slot, level, gpa);
	atomic_store(slot, e);
	return true;
}

/* Can one leaf map the @level-sized piece around @gpa, in memory and aligned on both sides? */
static bool leaf_fits(const struct range *r, gpa_t gpa, u32 level, hpa_t *hpa)
{
	u64 size = level_size(level);
	gpa_t base = ALIGN_DOWN(gpa, size);
	const u8 *host = r->host + (base - r->base);

	if (base < r->base || size > r->len - (base - r->base))
		return false;
	*hpa = arch_virt_to_phys(host);
	return *hpa % size == 0 && arch_phys_span(host, size) == size;
}

/*
 * The largest leaf that a fault may enter where the walk ended at @found. While writes are logged
 * they take single pages, and what has been split stays so: pages that may be written are in there.
 */
static u32 leaf_level_max(const struct nested *n, enum access access, u32 found)
{
	if (!n->space->logging)
		return n->setup.leaf_level;
	return access == ACCESS_WRITE ? 0 : MIN(found, n->setup.leaf_level);
}

static bool leaf_may_write(const struct nested *n, const struct range *r, u32 level,
			   enum access access)
{
	if (r->kind != RANGE_RAM)
		return false;
	return !n->space->logging || access == ACCESS_WRITE || (tracked_bits(n) && level == 0);
}

static enum nested_result fault_resolve(struct nested *n, gpa_t gpa, enum access access)
{
	const struct range *r = gpa >> n->setup.ipa_bits ? NULL : space_find(n->space, gpa);
	u32 level;
	hpa_t hpa;
	u64 e;

	if (!r || r->kind == RANGE_MMIO)
		return NESTED_MMIO;
	if (r->kind == RANGE_ROM && access == ACCESS_WRITE)
		return NESTED_READONLY;
	e = atomic_load(entry_find(n, gpa, &level));
	if (entry_is_present(n, e) && (access != ACCESS_WRITE || e & n->fmt->write))
		return NESTED_MAPPED;		/* another CPU was faster */
	level = leaf_level_max(n, access, level);
	while (!leaf_fits(r, gpa, level, &hpa))
		if (level-- == 0)
			return NESTED_MMIO;	/* not even page aligned in the host */
	if (access == ACCESS_WRITE)
		range_mark_dirty(r, gpa);
	e = leaf_make(n, hpa, level, leaf_may_write(n, r, level, access) ? n->fmt->write : 0);
	return leaf_enter(n, gpa, level, e) ? NESTED_MAPPED : NESTED_NOMEM;
}

enum nested_result nested_fault(struct nested *n, gpa_t gpa, enum access access)
{
	enum nested_result result;

	lock_take(&n->lock);
	result = fault_resolve(n, gpa, access);
	lock_drop(&n->lock);
	atomic_fetch_add_explicit(&n->faults, 1, memory_order_relaxed);
	return result;
}

/* ---- the whole ---- */

err_t nested_init(struct nested *n, const struct nested_format *fmt, struct space *space,
		  const struct nested_setup *setup)
{
	u32 bits = setup->ipa_bits, top = fmt->levels - 1;

	if (bits < NESTED_BITS_MIN || bits > NESTED_BITS_MAX)
		return ERRF(E_RANGE, "%s: no guest physical addresses of %u bits", fmt->name, bits);
	if (setup->tracked && !fmt->dirty)
		return ERRF(E_UNSUPPORTED, "%s: CPUs do not track writes", fmt->name);
	while (bits > level_shift(top + 1) + fmt->joined)
		top++;
	*n = (struct nested){ .fmt = fmt, .space = space, .setup = *setup, .top = top };
	n->setup.leaf_level = MIN(setup->leaf_level, MIN(top, NESTED_LEAF_LEVELS - 1u));
	n->root_order = bits > level_shift(top + 1) ? bits - level_shift(top + 1) : 0;
	atomic_store(&n->generation, 1);	/* nobody has seen it: CPUs flush when they enter */
	n->root = table_new(n, n->root_order);
	return n->root ? OK : ERR(E_NOMEM);
}

void nested_fini(struct nested *n)
{
	if (!n->root)
		return;
	nested_unmap(n, 0, UINT64_MAX);
	page_free((void *)n->root, n->root_order);
	*n = (struct nested){ 0 };
}

u64 nested_root(const struct nested *n)
{
	return arch_virt_to_phys((const void *)n->root) | n->fmt->root |
	       (n->setup.tracked ? n->fmt->root_tracked : 0);
}
