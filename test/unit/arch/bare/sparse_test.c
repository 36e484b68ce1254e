/*
 * arch/bare/sparse.c over tables that nothing walks but this test, and a TLB of its own for each
 * CPU that keeps whatever it may. Compiled under other names: the process has sparse arrays too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "kernel/base/page.h"

/* The page allocator, which fails when pages_left gets to 0. */
static u32 pages_left = UINT32_MAX;

static void *page_or_none(u32 order, u32 node)
{
	return pages_left && pages_left-- ? page_alloc(order, node) : NULL;
}

#define page_alloc		page_or_none
#define arch_sparse_alloc	bare_sparse_alloc
#define arch_sparse_free	bare_sparse_free
#define arch_sparse_touch	bare_sparse_touch
#define arch_sparse_reset	bare_sparse_reset
#define arch_sparse_adopt	bare_sparse_adopt
#include "arch/bare/sparse.c"

#define VALID	BIT(0)
#define WRITE	BIT(1)
#define TABLE	BIT(2)

static u64 gibs[SLOTS];			/* entries of level 2 of the whole window */
static u32 forgot;

/* ---- two CPUs' TLBs: a cache of leaves by page number -------------------------------------- */

#define TLB 4096
static struct { u64 va, entry; } tlb[2][TLB];

static u32 tlb_slot(u64 va)
{
	return va / PAGE_SIZE % TLB;
}

static void tlb_forget(u32 cpu)
{
	for (u32 i = 0; i < TLB; i++)
		tlb[cpu][i].va = 0;
}

u64 map_leaf(hpa_t page, u32 prot)
{
	return page | VALID | (prot & PROT_W ? WRITE : 0);
}

u64 map_table(const u64 *table)
{
	return (u64)table | VALID | TABLE;
}

u64 *map_gib(u64 va)
{
	return &gibs[(va - SPARSE_WINDOW) / GIB(1)];
}

void map_set(u64 *entry, u64 value, u64 va)
{
	*entry = value;
	if (tlb[cpu_self->id][tlb_slot(va)].va == va)
		tlb[cpu_self->id][tlb_slot(va)].va = 0;
}

void map_adopt(void)
{
	tlb_forget(cpu_self->id);
}

void map_forget(void)
{
	tlb_forget(0);
	tlb_forget(1);
	forgot++;
}

/* The leaf for @va, as this CPU sees it; 0: not mapped. */
static u64 leaf_of(u64 va)
{
	u64 page = ALIGN_DOWN(va, PAGE_SIZE), entry = *map_gib(va);
	u32 slot = tlb_slot(va);

	if (tlb[cpu_self->id][slot].va == page)
		return tlb[cpu_self->id][slot].entry;
	for (u32 level = 2; level-- && entry; )
		entry = pointee(entry)[index_of(va, level)];
	assert_true(!entry || (entry & (VALID | TABLE)) == VALID);
	tlb[cpu_self->id][slot].va = page;
	tlb[cpu_self->id][slot].entry = entry;
	return entry;
}

static u64 *word_of(const u64 *at)
{
	u64 leaf = leaf_of((u64)at);

	return leaf ? &pointee(leaf)[(u64)at % PAGE_SIZE / 8] : NULL;
}

static u64 load(const u64 *at)
{
	assert_non_null(word_of(at));
	return *word_of(at);
}

static void store(u64 *at, u64 value)
{
	assert_true(leaf_of((u64)at) & WRITE);
	*word_of(at) = value;
}

static void run_on(u32 cpu)
{
	cpu_self = &cpus[cpu];
	cpu_self->id = cpu;
}

/* ---- tests --------------------------------------------------------------------------------- */

static u64 memory_before;

static u64 memory_used(void)
{
	struct page_stats p = page_stats(NODE_ANY);

	return p.total - p.free - heap_stats().pages;
}

static int setup(void **s)
{
	run_on(0);
	tlb_forget(0);
	tlb_forget(1);
	memory_before = memory_used();
	return 0;
}

/* Everything goes back. */
static int teardown(void **s)
{
	assert_int_equal(memory_used(), memory_before);
	assert_null(fills);
	for (u32 i = 0; i < SLOTS; i++) {
		assert_null(slots[i]);
		assert_int_equal(gibs[i], 0);
	}
	return 0;
}

#define PIECE	(MIB(4) + SPARSE_ALIGN)
#define LEN	(4 * PIECE)

static const u64 fill[4] = { 0xdead0000beef, 0, UINT64_MAX, 0xdead0000beef };

static void expect_fill(const u64 *p)
{
	for (u64 at = 0; at < LEN; at += PAGE_SIZE) {
		assert_int_equal(load(p + at / 8), fill[at / PIECE]);
		assert_int_equal(load(p + at / 8 + 511), fill[at / PIECE]);
		assert_false(leaf_of((u64)p + at) & WRITE);
	}
}

static void test_fill(void **s)
{
	u64 *p = arch_sparse_alloc(LEN, fill, 4), *q = arch_sparse_alloc(LEN, fill, 4);

	assert_non_null(p);
	assert_non_null(q);
	expect_fill(p);
	expect_fill(q);
	assert_null(word_of(p + LEN / 8));
	/* Three fills of three pages; each array a table, and tables of pages where pieces meet. */
	assert_true(memory_used() - memory_before <= (3 * 3 + 2 * (1 + 4)) * PAGE_SIZE);
	arch_sparse_free(p, LEN);
	expect_fill(q);
	arch_sparse_free(q, LEN);
}

static void test_touch(void **s)
{
	u64 *p = arch_sparse_alloc(LEN, fill, 4), *q = arch_sparse_alloc(LEN, fill, 4), used;

	srand(3);
	expect_fill(p);
	for (u32 i = 0; i < 2000; i++) {
		u64 at = (u64)rand() % (LEN / PAGE_SIZE) * (PAGE_SIZE / 8);

		assert_true(arch_sparse_touch(p, p + at + 77));
		store(p + at + 77, at);
		assert_int_equal(load(p + at + 76), fill[at * 8 / PIECE]);
		used = memory_used();
		assert_true(arch_sparse_touch(p, p + at));
		assert_int_equal(load(p + at + 77), at);
		assert_int_equal(memory_used(), used);
	}
	expect_fill(q);
	arch_sparse_reset(p, LEN);
	expect_fill(p);
	assert_true(memory_used() - memory_before < 64 * PAGE_SIZE);
	assert_true(arch_sparse_touch(p, p));
	store(p, 1);
	arch_sparse_free(p, LEN);
	arch_sparse_free(q, LEN);
}

static void test_large(void **s)
{
	static const u64 two[2] = { 7, 8 };
	u64 *p = arch_sparse_alloc(GIB(8), two, 2), *at = p + GIB(5) / 8;

	assert_non_null(p);
	assert_int_equal(load(p), 7);
	assert_int_equal(load(p + GIB(4) / 8 - 1), 7);
	assert_int_equal(load(p + GIB(4) / 8), 8);
	assert_int_equal(load(p + GIB(8) / 8 - 1), 8);
	assert_null(word_of(p + GIB(8) / 8));
	assert_int_equal(memory_used() - memory_before, 2 * 3 * PAGE_SIZE);
	assert_true(arch_sparse_touch(p, at));
	store(at, 9);
	assert_int_equal(load(at), 9);
	assert_int_equal(load(at + MIB(2) / 8), 8);
	assert_int_equal(memory_used() - memory_before, (2 * 3 + 3) * PAGE_SIZE);
	arch_sparse_free(p, GIB(8));
}

/* A page that one CPU has touched is what the next one sees, and so on. */
static void test_adopt(void **s)
{
	u64 *p = arch_sparse_alloc(LEN, fill, 4);

	for (u32 turn = 0; turn < 8; turn++) {
		run_on(turn % 2);
		arch_sparse_adopt(p);
		for (u32 i = 0; i < 16; i++)
			assert_int_equal(load(p + i * 512), i < turn ? i + 100 : fill[0]);
		assert_true(arch_sparse_touch(p, p + turn * 512));
		store(p + turn * 512, turn + 100);
	}
	run_on(0);
	arch_sparse_adopt(p);
	arch_sparse_reset(p, LEN);
	run_on(1);
	arch_sparse_adopt(p);
	expect_fill(p);
	forgot = 0;
	arch_sparse_free(p, LEN);
	assert_true(forgot > 0);
}

static void test_many(void **s)
{
	u64 *p[64];

	for (u64 i = 0; i < ARRAY_LEN(p); i++) {
		u64 value = i % 5, len = GIB(i % 3) + MIB(1);

		p[i] = arch_sparse_alloc(len, &value, 1);
		assert_non_null(p[i]);
		assert_true(arch_sparse_touch(p[i], p[i] + len / 8 - 1));
		store(p[i] + len / 8 - 1, i + 1000);
	}
	for (u64 i = 0; i < ARRAY_LEN(p); i++) {
		u64 len = GIB(i % 3) + MIB(1);

		assert_int_equal(load(p[i]), i % 5);
		assert_int_equal(load(p[i] + len / 8 - 1), i + 1000);
		arch_sparse_free(p[i], len);
	}
}

static void test_window_full(void **s)
{
	static u64 *p[SLOTS];
	u64 value = 1;
	u32 n = 0;

	while ((p[n] = arch_sparse_alloc(GIB(510), &value, 1)))
		n++;
	assert_int_equal(n, SLOTS / SLOTS_ROW);
	while (n)
		arch_sparse_free(p[--n], GIB(510));
}

static void test_refusals(void **s)
{
	assert_null(arch_sparse_alloc(0, fill, 1));
	assert_null(arch_sparse_alloc(MIB(1), fill, 0));
	assert_null(arch_sparse_alloc(MIB(1), fill, 3));
	assert_null(arch_sparse_alloc(KIB(96), fill, 1));
	assert_null(arch_sparse_alloc(BIT(50), fill, 1));
	arch_sparse_free(NULL, 0);
}

/* Whichever allocation fails, nothing is lost. */
static void test_out_of_heap(void **s)
{
	u64 *p = NULL;

	for (u64 n = 1; !p; n++) {
		assert_true(n < 100);
		heap_fail_after(n);
		p = arch_sparse_alloc(LEN, fill, 4);
		heap_fail_after(0);
		if (!p)
			teardown(s);
	}
	arch_sparse_free(p, LEN);
}

static void test_out_of_pages(void **s)
{
	u64 *p = NULL;
	u32 n;

	for (n = 0; !p; n++) {
		assert_true(n < 100);
		pages_left = n;
		p = arch_sparse_alloc(LEN, fill, 4);
		pages_left = UINT32_MAX;
		if (!p)
			teardown(s);
	}
	for (n = 0; n < 2; n++) {	/* a table and a page */
		pages_left = n;
		assert_false(arch_sparse_touch(p, p));
		pages_left = UINT32_MAX;
		expect_fill(p);
	}
	pages_left = 2;
	assert_true(arch_sparse_touch(p, p));
	pages_left = UINT32_MAX;
	store(p, 1);
	arch_sparse_free(p, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_heap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_pages, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
