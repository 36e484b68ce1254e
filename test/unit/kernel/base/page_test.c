/*
 * kernel/base/page.c over ranges of its own: exact accounting, and a random walk against a
 * map of who owns which page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/mem.h"
#include "kernel/base/page.h"
#include "test/unit/child.h"

#define ARENA_PAGES 4096u

static u8 *arena;		/* 16 MiB at a multiple of 16 MiB */
static u64 arena_free;		/* after the book's own page */
static u32 grow_calls;

bool arch_ram_grow(u64 len)
{
	grow_calls++;
	return false;
}

static int setup(void **s)
{
	u8 *p = mmap(NULL, 2 * ARENA_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	arena = (u8 *)ALIGN_UP((uptr)p, ARENA_PAGES * PAGE_SIZE);
	memset(arena, 0xa5, ARENA_PAGES * PAGE_SIZE);	/* as firmware leaves it */
	page_add_range(arena, ARENA_PAGES * PAGE_SIZE, 0);
	arena_free = (ARENA_PAGES - 1) * PAGE_SIZE;
	return 0;
}

static bool all_zero(const u8 *p, u64 len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

static void test_accounting(void **s)
{
	struct page_stats st = page_stats(NODE_ANY);

	assert_int_equal(st.total, arena_free);
	assert_int_equal(st.free, arena_free);
	assert_int_equal(st.largest, ARENA_PAGES / 2 * PAGE_SIZE);
	assert_int_equal(page_stats(1).total, 0);
	assert_int_equal(page_stats(0).total, arena_free);
}

/* A scrubbed block that joins one still dirty from firmware makes a dirty block. */
static void test_clean_joins_dirty(void **s)
{
	void *p = page_alloc(10, NODE_ANY), *q = page_alloc(10, NODE_ANY), *r;

	page_free(q, 10);
	r = page_alloc(11, NODE_ANY);
	assert_true(all_zero(r, PAGE_SIZE << 11));
	page_free(r, 11);
	page_free(p, 10);
}

static void test_alloc_is_zeroed_and_aligned(void **s)
{
	void *p[11];

	for (u32 o = 0; o < ARRAY_LEN(p); o++) {
		p[o] = page_alloc(o, NODE_ANY);
		assert_non_null(p[o]);
		assert_int_equal((uptr)p[o] % (PAGE_SIZE << o), 0);
		assert_true(all_zero(p[o], PAGE_SIZE << o));
		assert_int_equal(page_order(p[o]), o);
		memset(p[o], 0x5a, PAGE_SIZE << o);
	}
	assert_int_equal(page_order((u8 *)p[3] + PAGE_SIZE), PAGE_NO_BLOCK);
	assert_int_equal(page_order((u8 *)p[3] + 8), PAGE_NO_BLOCK);
	assert_int_equal(page_order(&grow_calls), PAGE_NO_BLOCK);
	for (u32 o = 0; o < ARRAY_LEN(p); o++)
		page_free(p[o], o);
	assert_int_equal(page_order(p[3]), PAGE_NO_BLOCK);
	test_accounting(s);		/* everything merged again */
}

static void test_exhaustion(void **s)
{
	u32 before = grow_calls;
	void *p, *list = NULL;
	u32 n = 0;

	assert_null(page_alloc(PAGE_ORDER_MAX, NODE_ANY));
	assert_null(page_alloc(PAGE_ORDER_MAX + 1, NODE_ANY));
	assert_int_equal(grow_calls, before + 1);
	while ((p = page_alloc(0, 5))) {		/* no such node here: any will do */
		assert_true(all_zero(p, PAGE_SIZE));
		*(void **)p = list;
		list = p;
		n++;
	}
	assert_int_equal(n, ARENA_PAGES - 1);
	assert_int_equal(page_stats(NODE_ANY).free, 0);
	assert_int_equal(page_stats(NODE_ANY).largest, 0);
	for (; list; list = p) {
		p = *(void **)list;
		page_free(list, 0);
	}
	test_accounting(s);
}

/* Owner byte per page: blocks never overlap, come zeroed, and keep what was written. */
static void test_random_walk(void **s)
{
	enum { LIVE = 200 };
	struct { u8 *p; u32 order; u8 mark; } live[LIVE] = { 0 };
	static u8 owner[ARENA_PAGES];
	u64 used = 0;

	srand(1);
	for (u32 step = 0; step < 20000; step++) {
		u32 i = (u32)rand() % LIVE, order = (u32)__builtin_ctz((u32)rand() | 0x80);
		u64 len = PAGE_SIZE << live[i].order, first = (u64)(live[i].p - arena) / PAGE_SIZE;

		if (live[i].p) {
			for (u64 k = 0; k < len; k += PAGE_SIZE)
				assert_int_equal(live[i].p[k], live[i].mark);
			memset(owner + first, 0, len / PAGE_SIZE);
			page_free(live[i].p, live[i].order);
			live[i].p = NULL;
			used -= len;
		} else if ((live[i].p = page_alloc(order, NODE_ANY))) {
			len = PAGE_SIZE << order;
			first = (u64)(live[i].p - arena) / PAGE_SIZE;
			assert_true(first >= 1 && first + len / PAGE_SIZE <= ARENA_PAGES);
			assert_true(all_zero(owner + first, len / PAGE_SIZE));
			assert_true(all_zero(live[i].p, len));
			live[i].order = order;
			live[i].mark = (u8)(1 + step % 255);
			memset(owner + first, 1, len / PAGE_SIZE);
			for (u64 k = 0; k < len; k += PAGE_SIZE)
				live[i].p[k] = live[i].mark;
			used += len;
		}
		assert_int_equal(page_stats(0).free, arena_free - used);
	}
	for (u32 i = 0; i < LIVE; i++)
		if (live[i].p)
			page_free(live[i].p, live[i].order);
	test_accounting(s);
}

static void free_twice(void)
{
	void *p = page_alloc(1, NODE_ANY);

	page_free(p, 1);
	page_free(p, 1);
}

static void free_wrong_order(void)
{
	page_free(page_alloc(1, NODE_ANY), 0);
}

static void free_middle(void)
{
	page_free((u8 *)page_alloc(1, NODE_ANY) + PAGE_SIZE, 0);
}

static void free_foreign(void)
{
	page_free((void *)0x1000, 0);
}

static void free_unaligned(void)
{
	page_free((u8 *)page_alloc(0, NODE_ANY) + 16, 0);
}

static void test_bad_frees_panic(void **s)
{
	void (*const bad[])(void) = {
		free_twice, free_wrong_order, free_middle, free_foreign, free_unaligned,
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		struct child c = child_run(bad[i]);

		assert_int_equal(c.status, 70);
		assert_non_null(strstr(c.err, "PANIC"));
		assert_non_null(strstr(c.err, "page_free("));
	}
}

/* Last, for it changes the totals: odd ranges on another node. */
static void test_many_ranges_and_nodes(void **s)
{
	u8 *p = mmap(NULL, MIB(4), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 pages = 0;
	u8 *at = p, *got;

	page_add_range(p, PAGE_SIZE, 2);		/* too small for its own book */
	assert_int_equal(page_stats(2).total, 0);
	for (u32 i = 0; i < 20; i++, at += 16 * PAGE_SIZE) {
		page_add_zeroed(at + PAGE_SIZE, (2 + i % 7) * PAGE_SIZE, 2);
		pages += 1 + i % 7;
	}
	assert_int_equal(page_stats(2).total, pages * PAGE_SIZE);
	assert_int_equal(page_stats(NODE_ANY).total, arena_free + pages * PAGE_SIZE);
	for (u64 i = 0; i < pages; i++) {
		got = page_alloc(0, 2);
		assert_true(got >= p && got < p + MIB(4));
	}
	got = page_alloc(0, 2);				/* spills over to node 0 */
	assert_true(got >= arena && got < arena + ARENA_PAGES * PAGE_SIZE);
	page_free(got, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accounting),
		cmocka_unit_test(test_clean_joins_dirty),
		cmocka_unit_test(test_alloc_is_zeroed_and_aligned),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_random_walk),
		cmocka_unit_test(test_bad_frees_panic),
		cmocka_unit_test(test_many_ranges_and_nodes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
