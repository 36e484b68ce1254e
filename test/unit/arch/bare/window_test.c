/* arch/bare/window.c: spans never overlap or touch, whatever comes and goes in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "arch/bare/window.c"
#include "test/unit/child.h"

#define BASE GIB(1024)

static struct window w;

static int setup(void **s)
{
	w = (struct window){ .base = BASE, .end = BASE + GIB(64) };
	return 0;
}

static void expect_apart(void)
{
	u64 end = w.base;

	for (u32 i = 0; i < w.count; i++) {
		assert_true(w.span[i].va >= end);
		end = w.span[i].va + w.span[i].len + GUARD;
		assert_true(end <= w.end);
	}
}

static void test_first_fit(void **s)
{
	u64 a = window_take(&w, MIB(3), MIB(2)), b = window_take(&w, PAGE_SIZE, MIB(2));

	assert_true(a == BASE);
	assert_true(b == BASE + MIB(6));
	window_give(&w, a);
	assert_true(window_take(&w, MIB(5), MIB(2)) == BASE + MIB(10));
	assert_true(window_take(&w, MIB(4), MIB(2)) == a);
	expect_apart();
}

/* A large alignment jumps over spans that come later. */
static void test_alignment_beyond_the_next(void **s)
{
	u64 large;

	assert_true(window_take(&w, MIB(256), MIB(2)) == BASE);
	assert_true(window_take(&w, MIB(256), MIB(2)) != 0);
	large = window_take(&w, GIB(1), GIB(1));
	assert_true(large == BASE + GIB(1));
	assert_true(window_take(&w, MIB(256), MIB(2)) == BASE + 2 * MIB(258));
	assert_true(window_take(&w, GIB(1), GIB(1)) == BASE + GIB(3));
	expect_apart();
}

static void test_owner(void **s)
{
	u64 a = window_take(&w, MIB(2), MIB(2)), b = window_take(&w, MIB(4), MIB(2));
	int x, y;

	window_set_owner(&w, b, &y);
	window_set_owner(&w, a, &x);
	assert_ptr_equal(window_owner(&w, a, MIB(2)), &x);
	assert_ptr_equal(window_owner(&w, b, MIB(4)), &y);
	window_give(&w, a);
	assert_ptr_equal(window_owner(&w, b, MIB(4)), &y);
}

static void test_full(void **s)
{
	assert_true(window_take(&w, 0, MIB(2)) == 0);
	assert_true(window_take(&w, GIB(64), MIB(2)) == 0);	/* no guard left */
	assert_true(window_take(&w, UINT64_MAX, MIB(2)) == 0);
	for (u32 i = 0; i < WINDOW_SPANS; i++)
		assert_true(window_take(&w, PAGE_SIZE, MIB(2)) != 0);
	assert_true(window_take(&w, PAGE_SIZE, MIB(2)) == 0);
	assert_int_equal(w.count, WINDOW_SPANS);
}

static void test_random(void **s)
{
	srand(5);
	for (u32 i = 0; i < 20000; i++) {
		u64 len = PAGE_SIZE * (u64)(1 + rand() % 600000);

		if (rand() % 2)
			window_take(&w, len, len >= GIB(1) ? GIB(1) : MIB(2));
		else if (w.count)
			window_give(&w, w.span[(u32)rand() % w.count].va);
		expect_apart();
	}
}

static void give_unknown(void)
{
	window_give(&w, BASE + MIB(2));
}

static void test_unknown(void **s)
{
	assert_true(window_take(&w, MIB(8), MIB(2)) == BASE);
	assert_int_equal(child_run(give_unknown).status, 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_fit, setup),
		cmocka_unit_test_setup(test_alignment_beyond_the_next, setup),
		cmocka_unit_test_setup(test_owner, setup),
		cmocka_unit_test_setup(test_full, setup),
		cmocka_unit_test_setup(test_random, setup),
		cmocka_unit_test_setup(test_unknown, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
