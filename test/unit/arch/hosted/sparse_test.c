/* arch/hosted/sparse.c: the fill everywhere, writes that stick, and what all that costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "arch/mem.h"

#define PIECE	(MIB(4) + SPARSE_ALIGN)
#define PIECES	4
#define LEN	(PIECES * PIECE)
#define WORDS	(PIECE / sizeof(u64))

static const u64 fill[PIECES] = { 0xdead0000beef, 0, UINT64_MAX, 1 };

/* Memory that is this process's alone. */
static u64 anonymous_kib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	unsigned long kib = 0;
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu kB", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void expect_fill(const u64 *p)
{
	for (u32 i = 0; i < PIECES; i++)
		for (u64 k = 0; k < WORDS; k++)
			if (p[i * WORDS + k] != fill[i])
				fail_msg("piece %u, word %lu: %#lx", i, k, p[i * WORDS + k]);
}

static void test_fill(void **s)
{
	u64 before = anonymous_kib(), *p = arch_sparse_alloc(LEN, fill, PIECES);

	assert_non_null(p);
	assert_int_equal((uptr)p % PAGE_SIZE, 0);
	expect_fill(p);
	/* 16 MiB that were only read; an eighth of that is the sanitizer's. */
	assert_true(anonymous_kib() < before + LEN / 4 / 1024);
	arch_sparse_free(p, LEN);
}

static void test_write(void **s)
{
	u64 *p = arch_sparse_alloc(LEN, fill, PIECES), *q = arch_sparse_alloc(LEN, fill, PIECES);

	assert_non_null(p);
	assert_non_null(q);
	arch_sparse_adopt(p);
	for (u64 at = 0; at < LEN / 8; at += WORDS / 8) {
		assert_true(arch_sparse_touch(p, p + at));
		assert_int_equal(p[at], fill[at / WORDS]);
		p[at] = at + 7;
		assert_true(arch_sparse_touch(p, p + at));
	}
	for (u64 at = 0; at < LEN / 8; at += WORDS / 8) {
		assert_int_equal(p[at], at + 7);
		assert_int_equal(p[at + 1], fill[at / WORDS]);
	}
	expect_fill(q);
	arch_sparse_reset(p, LEN);
	expect_fill(p);
	assert_true(arch_sparse_touch(p, p + LEN / 8 - 1));
	p[LEN / 8 - 1] = 3;
	assert_int_equal(p[LEN / 8 - 1], 3);
	arch_sparse_free(p, LEN);
	expect_fill(q);
	arch_sparse_free(q, LEN);
}

/* The memory of an array that was written all over is not lost, and the next one is clean. */
static void test_again(void **s)
{
	u64 before = anonymous_kib(), *p;

	for (u32 i = 0; i < 8; i++) {
		p = arch_sparse_alloc(LEN, fill, PIECES);
		assert_non_null(p);
		expect_fill(p);
		for (u64 at = 0; at < LEN / 8; at += PAGE_SIZE / 8)
			p[at] = ~p[at];
		arch_sparse_free(p, LEN);
	}
	assert_true(anonymous_kib() < before + 256);
}

static void test_large(void **s)
{
	static const u64 poison[2] = { 42, 43 };
	u64 before = anonymous_kib(), *p = arch_sparse_alloc(GIB(8), poison, 2);

	assert_non_null(p);
	assert_int_equal(p[0], 42);
	assert_int_equal(p[GIB(4) / 8 - 1], 42);
	assert_int_equal(p[GIB(4) / 8], 43);
	p[GIB(7) / 8] = 1;
	assert_int_equal(p[GIB(7) / 8 + 1], 43);
	assert_true(anonymous_kib() < before + 256);
	arch_sparse_free(p, GIB(8));
}

/* More fills than the process remembers. */
static void test_many_fills(void **s)
{
	u64 *p[40];

	for (u64 i = 0; i < ARRAY_LEN(p); i++) {
		u64 value = i + 1000;

		p[i] = arch_sparse_alloc(MIB(3), &value, 1);
		assert_non_null(p[i]);
	}
	for (u64 i = 0; i < ARRAY_LEN(p); i++) {
		assert_int_equal(p[i][0], i + 1000);
		assert_int_equal(p[i][MIB(3) / 8 - 1], i + 1000);
		arch_sparse_free(p[i], MIB(3));
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_many_fills),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
