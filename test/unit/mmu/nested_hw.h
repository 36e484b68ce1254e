/*
 * Hardware that translates through second-level tables, for nested_test.c: walkers that know the
 * bits from the manuals and nothing of mmu/fmt_*.c; CPUs that remember all they may (leaves,
 * whether allowed or not, and pointers to tables) until they are told to forget it; physical memory
 * that is in pieces. Everything that a real CPU would take amiss fails the test.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/mem.h"
#include "kernel/base/page.h"
#include "mmu/nested.h"

#define CPUS		3
#define TLB_MAX		192		/* translations that a CPU remembers */

enum format { EPT, NPT, S2, FORMATS };

static u64 seed = 0x9e3779b97f4a7c15ull;
static u64 rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed >> 8;
}

/* ---- physical memory ---- */

#define HOST		0x500000000000ull	/* guest RAM's addresses; nothing is there */
#define TABLES		BIT(47)			/* tables are at their virtual address + this */

/* By host address. The last ends where nothing is contiguous. */
static const struct piece { u64 host, len; hpa_t phys; } pieces[] = {
	{ HOST, GIB(3) + MIB(64), GIB(64) },			/* as good as it gets */
	{ HOST + GIB(3) + MIB(64), MIB(64), GIB(10) + MIB(6) },	/* aligned to 2 MiB */
	{ HOST + GIB(3) + MIB(128), MIB(31), GIB(11) + 0x3000 },	/* to 4 KiB only */
	{ HOST + GIB(3) + MIB(159), MIB(1), GIB(12) },		/* half of 2 MiB */
	{ HOST + GIB(3) + MIB(160), MIB(33), GIB(12) + MIB(4) },
	{ HOST + GIB(3) + MIB(193), MIB(63), GIB(13) + MIB(1) },
};
#define HOST_LEN	(GIB(3) + MIB(256))

static const struct piece *piece_of(u64 host)
{
	for (u32 i = 0; i < ARRAY_LEN(pieces); i++)
		if (host - pieces[i].host < pieces[i].len)
			return &pieces[i];
	return NULL;
}

hpa_t arch_virt_to_phys(const void *p)
{
	const struct piece *at = piece_of((u64)p);

	return at ? (u64)p - at->host + at->phys : (u64)p + TABLES;
}

u64 arch_phys_span(const void *p, u64 len)
{
	const struct piece *at = piece_of((u64)p);

	return at ? MIN(len, at->host + at->len - (u64)p) : len;
}

void *arch_phys_to_virt(hpa_t pa)
{
	return (void *)(pa - TABLES);
}

/* A table that is somebody's; whoever walks into free memory is wrong. */
static _Atomic u64 *table_at(hpa_t pa)
{
	assert_true(pa & TABLES);
	assert_int_equal(pa % PAGE_SIZE, 0);
	return (_Atomic u64 *)(pa - TABLES);
}

/* ---- walks ---- */

struct step { hpa_t table; gpa_t base; u64 span; };	/* a table, what it serves */

struct result {
	bool present, write;
	gpa_t base;
	u64 size;
	hpa_t hpa;		/* of base */
	_Atomic u64 *slot;
	u32 steps;
	struct step step[4];
};

struct hw {
	enum format format;
	struct nested *n;
	u32 bits;
	bool tracked, forced;
};

/* Does this entry count, is it a leaf, is it well formed? Level 0 maps 4 KiB. */
static bool ept_entry(const struct hw *h, u64 e, u32 level, bool *leaf, bool *write)
{
	static const u64 low[] = { 0, 0x1ff000, 0x3ffff000 };

	if ((e & 7) == 0)
		return false;
	*leaf = level == 0 || e >> 7 & 1;
	*write = e >> 1 & 1;
	assert_true(e & 1);				/* readable: else a misconfiguration */
	assert_true(e & 4);
	if (!*leaf) {
		assert_int_equal(e & 0xf8, 0);
		assert_true(*write);
		return true;
	}
	assert_true(level < 3);
	assert_int_equal(e >> 3 & 7, 6);		/* write-back */
	assert_int_equal(e >> 6 & 1, h->forced);
	assert_int_equal(e & low[level], 0);
	return true;
}

static bool npt_entry(const struct hw *h, u64 e, u32 level, bool *leaf, bool *write)
{
	static const u64 low[] = { 0x80, 0x1ff000, 0x3ffff000 };	/* PAT, not "large" */

	if ((e & 1) == 0)
		return false;
	*leaf = level == 0 || e >> 7 & 1;
	*write = e >> 1 & 1;
	assert_true(e & 4);				/* user */
	assert_int_equal(e & (BIT(63) | 0x18), 0);	/* executable, cached */
	assert_true(*leaf || *write);
	if (*leaf) {
		assert_true(level < 3);
		assert_int_equal(e & low[level], 0);
	}
	return true;
}

static bool s2_entry(const struct hw *h, u64 e, u32 level, bool *leaf, bool *write)
{
	static const u64 low[] = { 0, 0x1ff000, 0x3ffff000 };

	if ((e & 1) == 0)
		return false;
	*leaf = level == 0 || !(e & 2);
	*write = true;
	assert_int_equal(e >> 48, 0);			/* executable; no DBM, no contiguous */
	if (!*leaf)
		return true;
	*write = e >> 7 & 1;
	assert_true(level > 0 || e & 2);		/* bit 1 clear is reserved */
	assert_true(level < 3);
	assert_int_equal(e >> 2 & 15, h->forced ? 6 : 15);
	assert_true(e >> 6 & 1);			/* readable */
	assert_int_equal(e >> 8 & 3, 3);
	assert_true(e >> 10 & 1);			/* access flag */
	assert_int_equal(e & low[level], 0);
	return true;
}

static bool (*const entry_read[])(const struct hw *h, u64 e, u32 level, bool *leaf, bool *write) = {
	ept_entry, npt_entry, s2_entry
};

/* The root's table and level, from the register's value and the width as the manuals say. */
static hpa_t root_read(const struct hw *h, u32 *level)
{
	u64 root = nested_root(h->n);

	*level = 3;
	if (h->format == EPT)
		assert_int_equal(root & 0xfff, h->tracked ? 0x5e : 0x1e);
	if (h->format == EPT)
		return root & ~0xfffull;
	if (h->format == S2) {		/* start at level 2, 1 or 0 (here 1, 2, 3) */
		u32 own;

		*level = h->bits <= 34 ? 1 : h->bits <= 43 ? 2 : 3;
		own = 12 + 9 * (*level + 1);
		assert_int_equal(root & ((h->bits > own ? PAGE_SIZE << (h->bits - own) :
						     PAGE_SIZE) - 1), 0);
		assert_int_equal(h->n->top, *level);
	}
	assert_int_equal(root & 0xfff, 0);
	return root;
}

static struct result walk(const struct hw *h, gpa_t gpa)
{
	struct result r = { 0 };
	hpa_t table;
	u32 level;
	bool leaf;

	if (gpa >> h->bits)
		return r;
	for (table = root_read(h, &level); ; level--) {
		u32 shift = 12 + 9 * level;
		u64 index = r.steps ? gpa >> shift & 511 : gpa >> shift, e;

		r.size = BIT(shift);
		r.base = gpa & ~(r.size - 1);
		r.step[r.steps++] = (struct step){ table, gpa & ~(512 * r.size - 1), 512 * r.size };
		r.slot = &table_at(table)[index];
		e = atomic_load(r.slot);
		r.present = entry_read[h->format](h, e, level, &leaf, &r.write);
		if (!r.present)
			return r;
		table = r.hpa = e & 0x000ffffffffff000ull;
		if (leaf)
			return r;
	}
}

static u64 dirty_bit(const struct hw *h)
{
	return h->format == EPT && h->tracked ? BIT(9) : h->format == NPT ? BIT(6) : 0;
}

/* ---- CPUs ---- */

struct entry {
	gpa_t base;
	u64 size;
	hpa_t hpa;		/* of the page, or of the table */
	bool table, write, dirty;
};

struct cpu {
	u64 seen;
	bool inside;
	u32 count;
	struct entry tlb[TLB_MAX];
};
static struct cpu cpus[CPUS];

static void entry_drop(struct cpu *c, u32 i)
{
	c->tlb[i] = c->tlb[--c->count];
}

static void entry_add(struct cpu *c, struct entry e)
{
	if (c->count == TLB_MAX)
		entry_drop(c, (u32)(rnd() % TLB_MAX));
	c->tlb[c->count++] = e;
}

static void cpu_forget(struct cpu *c, gpa_t gpa)
{
	for (u32 i = 0; i < c->count; )
		if (gpa - c->tlb[i].base < c->tlb[i].size)
			entry_drop(c, i);
		else
			i++;
}

/* A CPU that flushes itself (x86) does so when it enters. */
static void cpu_enter(const struct hw *h, struct cpu *c)
{
	if (c->inside)
		return;
	c->inside = true;
	if (h->format != S2 && nested_enter(h->n, &c->seen))
		c->count = 0;
}

/* Walk and remember everything met on the way. A walk for a write sets the dirty bit. */
static struct result cpu_walk(const struct hw *h, struct cpu *c, gpa_t gpa, bool write)
{
	struct result r = walk(h, gpa);
	bool dirty = false;

	for (u32 i = 1; i < r.steps; i++)
		entry_add(c, (struct entry){ r.step[i].base, r.step[i].span, r.step[i].table,
					     .table = true });
	if (!r.present)
		return r;
	if (dirty_bit(h)) {
		if (write && r.write)
			atomic_fetch_or(r.slot, dirty_bit(h));
		dirty = atomic_load(r.slot) & dirty_bit(h);
	}
	entry_add(c, (struct entry){ r.base, r.size, r.hpa, .write = r.write, .dirty = dirty });
	return r;
}

/* Access memory: by what is remembered or, at random, by another walk. False: it faults. */
static bool cpu_access(const struct hw *h, struct cpu *c, gpa_t gpa, bool write, hpa_t *hpa)
{
	struct result r;

	cpu_enter(h, c);
	for (u32 i = 0; i < c->count; i++) {
		const struct entry *e = &c->tlb[i];

		if (e->table || gpa - e->base >= e->size)
			continue;
		if (write && e->write && !e->dirty && dirty_bit(h))
			continue;	/* it must note the write in the tables */
		if (write && !e->write && h->format != S2)
			continue;	/* x86 looks again before it faults */
		*hpa = e->hpa + (gpa - e->base);
		return !write || e->write;
	}
	r = cpu_walk(h, c, gpa, write);
	*hpa = r.hpa + (gpa - r.base);
	if (r.present && (!write || r.write))
		return true;
	if (h->format != S2)
		cpu_forget(c, gpa);	/* a fault of these makes the CPU forget */
	return false;
}

/* Addresses that the last operation was about: they are always looked at. */
static gpa_t hot[4];

/* Does this page of what was remembered still hold? @strict: even the leaf's size must. */
static void page_check(const struct hw *h, const struct entry *e, gpa_t gpa, bool flushing)
{
	struct result r = walk(h, gpa);
	bool strict = h->format == S2;		/* break before make */
	bool same = r.hpa + (gpa - r.base) == e->hpa + (gpa - e->base) &&
		    (!strict || r.size == e->size);

	if (flushing) {
		assert_true(!strict || !r.present || same);
		return;
	}
	assert_true(r.present && same);
	assert_true(r.write || !e->write);
	if (h->tracked && e->dirty)
		assert_true(atomic_load(r.slot) & dirty_bit(h));
}

static void leaf_check(const struct hw *h, const struct entry *e, bool flushing)
{
	for (u32 i = 0; i < (e->size > PAGE_SIZE ? 16 : 1); i++) {
		gpa_t gpa = i < ARRAY_LEN(hot) ? ALIGN_DOWN(hot[i], PAGE_SIZE) : 0;

		if (gpa - e->base >= e->size)
			gpa = e->base + ALIGN_DOWN(rnd() % e->size, PAGE_SIZE);
		page_check(h, e, gpa, flushing);
	}
}

static bool table_is_linked(const struct hw *h, const struct entry *e)
{
	struct result r = walk(h, e->base);

	for (u32 i = 0; i < r.steps; i++)
		if (r.step[i].table == e->hpa && r.step[i].span == e->size)
			return true;
	return false;
}

/* A table that was taken out is there until the flush, and holds nothing that counts. */
static void table_check(const struct hw *h, const struct entry *e)
{
	_Atomic u64 *table = table_at(e->hpa);
	u32 level = e->size == MIB(2) ? 0 : e->size == GIB(1) ? 1 : 2;
	bool leaf, write;

	assert_int_equal(page_order((void *)table), 0);
	for (u32 i = 0; i < 512 && !table_is_linked(h, e); i++)
		assert_false(entry_read[h->format](h, atomic_load(&table[i]), level, &leaf,
						   &write));
}

/* After every operation: nothing stale is left with anybody who will not flush first. */
static void cpus_check(const struct hw *h)
{
	for (u32 i = 0; i < CPUS; i++) {
		const struct cpu *c = &cpus[i];

		if (h->format != S2 && c->seen != atomic_load(&h->n->generation)) {
			assert_false(c->inside);
			continue;
		}
		for (u32 k = 0; k < c->count; k++)
			if (c->tlb[k].table)
				assert_true(table_is_linked(h, &c->tlb[k]));
			else
				leaf_check(h, &c->tlb[k], false);
	}
}

/* ---- the flush, as the hardware's owner does it ---- */

static u32 flushes;
static struct nested_flush last_flush;
static void (*meanwhile)(const struct hw *h);	/* what other CPUs do until they are told */

static void hw_flush(void *ctx, const struct nested_flush *f)
{
	const struct hw *h = ctx;

	flushes++;
	last_flush = *f;
	assert_true(f->len > 0 && f->step >= PAGE_SIZE && f->gpa % f->step == 0);
	assert_int_equal(f->len % f->step, 0);
	assert_int_equal(f->all, f->len / f->step > NESTED_FLUSH_MAX);
	if (meanwhile)
		meanwhile(h);
	for (u32 i = 0; i < CPUS; i++)
		for (u32 k = 0; k < cpus[i].count; k++) {
			const struct entry *e = &cpus[i].tlb[k];

			if (h->format != S2 && cpus[i].seen + 1 != atomic_load(&h->n->generation))
				continue;	/* it is out and remembers things long gone */
			if (e->table)
				table_check(h, e);
			else
				leaf_check(h, e, true);
		}
	for (u32 i = 0; i < CPUS; i++) {
		cpus[i].inside = false;
		if (h->format != S2)
			continue;
		for (u64 off = 0; off < f->len && !f->all; off += f->step)
			cpu_forget(&cpus[i], f->gpa + off);
		if (f->all)
			cpus[i].count = 0;
	}
}

static const struct nested_format *const formats[] = { &ept_format, &npt_format, &s2_format };

/* Begin with empty tables and CPUs that know nothing. */
static err_t hw_start(struct hw *h, enum format format, struct nested *n, struct space *s,
		      struct nested_setup setup)
{
	setup.flush = hw_flush;
	setup.ctx = h;
	*h = (struct hw){ format, n, setup.ipa_bits, setup.tracked, setup.forced };
	memset(cpus, 0, sizeof(cpus));
	flushes = 0;
	return nested_init(n, formats[format], s, &setup);
}
