/* kernel/base/heap.c: alignment, zeroing, statistics, fault injection, bad pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "test/unit/child.h"

static bool all_zero(const u8 *p, u64 len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

static void test_sizes(void **s)
{
	for (size_t size = 0; size <= 20000; size += 1 + size / 7) {
		u8 *p = heap_alloc(size), *q = heap_alloc(size);

		assert_non_null(p);
		assert_int_equal((uptr)p % 16, 0);
		assert_true(all_zero(p, size) && all_zero(q, size));
		assert_true(p + size <= q || q + size <= p);
		memset(p, 0xff, size);
		memset(q, 0xff, size);
		heap_free(p);
		p = heap_alloc(size);			/* the same again: scrubbed */
		assert_true(all_zero(p, size));
		heap_free(p);
		heap_free(q);
	}
	assert_int_equal(heap_stats().count, 0);
	assert_int_equal(heap_stats().used, 0);
}

static void test_alignment(void **s)
{
	for (size_t align = 1; align <= 4096; align *= 2)
		for (size_t size = 1; size < 9000; size = size * 3 + 1) {
			void *p[5];

			for (u32 i = 0; i < ARRAY_LEN(p); i++) {
				p[i] = heap_alloc_aligned(size, align);
				assert_int_equal((uptr)p[i] % align, 0);
				memset(p[i], 1, size);
			}
			for (u32 i = 0; i < ARRAY_LEN(p); i++)
				heap_free(p[i]);
		}
	assert_int_equal(heap_stats().count, 0);
}

static void test_too_big(void **s)
{
	assert_null(heap_alloc(SIZE_MAX));
	assert_null(heap_alloc((PAGE_SIZE << PAGE_ORDER_MAX) + 1));
	assert_int_equal(heap_stats().count, 0);
}

static void test_strdup(void **s)
{
	char *p = heap_strdup("hello"), *q = heap_strdup("");

	assert_string_equal(p, "hello");
	assert_string_equal(q, "");
	heap_free(p);
	heap_free(q);
	heap_free(NULL);
}

static void test_stats(void **s)
{
	struct heap_stats before = heap_stats(), st;
	u8 *p = heap_alloc(100), *q = heap_alloc(100000);

	st = heap_stats();
	assert_int_equal(st.count, before.count + 2);
	assert_in_range(st.used - before.used, 100100, 100000 * 2);
	assert_true(st.peak >= st.used);
	assert_true(st.pages >= st.used);
	heap_free(p);
	heap_free(q);
	st = heap_stats();
	assert_int_equal(st.count, before.count);
	assert_int_equal(st.used, before.used);
	assert_true(st.peak > st.used);
}

static void test_memory_comes_back(void **s)
{
	enum { N = 3000 };
	static void *p[N];
	u64 free0;

	heap_free(heap_alloc(500));
	free0 = page_stats(NODE_ANY).free;
	for (u32 i = 0; i < N; i++)
		p[i] = heap_alloc(500);
	assert_true(page_stats(NODE_ANY).free < free0 - N * 500);
	for (u32 i = 0; i < N; i++)
		heap_free(p[(i * 7) % N]);
	assert_true(page_stats(NODE_ANY).free >= free0 - 2 * 16384);
}

static void test_fault_injection(void **s)
{
	void *p;

	heap_fail_after(3);
	p = heap_alloc(10);
	assert_non_null(p);
	heap_free(p);
	p = heap_alloc(100000);
	assert_non_null(p);
	heap_free(p);
	assert_null(heap_alloc(10));
	p = heap_alloc(10);
	assert_non_null(p);
	heap_free(p);
	heap_fail_after(1);
	assert_null(heap_strdup("x"));
	heap_fail_after(1);
	heap_fail_after(0);
	p = heap_alloc(10);
	assert_non_null(p);
	heap_free(p);
}

static void test_random_walk(void **s)
{
	enum { LIVE = 500 };
	struct { u8 *p; size_t size; u8 mark; } live[LIVE] = { 0 };

	srand(2);
	for (u32 step = 0; step < 50000; step++) {
		u32 i = (u32)rand() % LIVE;
		size_t size = (size_t)rand() % (1u << (4 + rand() % 11));

		if (live[i].p) {
			for (size_t k = 0; k < live[i].size; k++)
				assert_int_equal(live[i].p[k], live[i].mark);
			heap_free(live[i].p);
			live[i].p = NULL;
			continue;
		}
		live[i].p = heap_alloc(size);
		assert_true(all_zero(live[i].p, size));
		live[i].size = size;
		live[i].mark = (u8)step;
		memset(live[i].p, live[i].mark, size);
	}
	for (u32 i = 0; i < LIVE; i++)
		heap_free(live[i].p);
	assert_int_equal(heap_stats().count, 0);
}

static void *hammer(void *arg)
{
	for (u32 i = 0; i < 20000; i++) {
		size_t size = 16 + (i * 37) % 3000;
		u8 *p = heap_alloc(size);

		if (!p || !all_zero(p, size))
			return "bad";
		memset(p, (int)(uptr)arg, size);
		heap_free(p);
	}
	return NULL;
}

static void test_two_threads(void **s)
{
	pthread_t t[2];
	void *result;

	for (uptr i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, hammer, (void *)(i + 1)), 0);
	for (u32 i = 0; i < 2; i++) {
		pthread_join(t[i], &result);
		assert_null(result);
	}
	assert_int_equal(heap_stats().count, 0);
}

static void free_twice(void)
{
	void *p = heap_alloc(40), *keep = heap_alloc(40);

	heap_free(p);
	heap_free(p);
	heap_free(keep);
}

static void free_twice_large(void)
{
	void *p = heap_alloc(100000);

	heap_free(p);
	heap_free(p);
}

static void free_inside(void)
{
	heap_free((u8 *)heap_alloc(100) + 16);
}

static void free_inside_large(void)
{
	heap_free((u8 *)heap_alloc(100000) + 4096);
}

static void free_stack(void)
{
	u8 here[64];

	heap_free(here);
}

static void free_slab_itself(void)
{
	heap_free((void *)((uptr)heap_alloc(16) & ~16383ul));
}

static void bad_alignment(void)
{
	heap_alloc_aligned(10, 24);
}

static void test_bad_pointers_panic(void **s)
{
	void (*const bad[])(void) = {
		free_twice, free_twice_large, free_inside, free_inside_large, free_stack,
		free_slab_itself, bad_alignment,
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		struct child c = child_run(bad[i]);

		assert_int_equal(c.status, 70);
		assert_non_null(strstr(c.err, "PANIC"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_strdup),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_memory_comes_back),
		cmocka_unit_test(test_fault_injection),
		cmocka_unit_test(test_random_walk),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_bad_pointers_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
