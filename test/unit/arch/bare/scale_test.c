/* Clock scaling against exact 128-bit division, at frequencies of real clocks and at the ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "arch/bare/scale.h"

static const u64 clocks[] = { 1,          32768,      1193182,       3579545,  10000000,
			      14318180,   19200000,   24000000,      62500000, 1000000000,
			      2594961234, 4999999999, 16000000000ull };

static void is_exact_over_a_hundred_days(void **state)
{
	for (u32 i = 0; i < ARRAY_LEN(clocks); i++) {
		struct scale s = scale_make(clocks[i], NS_PER_SEC);

		for (u64 seconds = 0; seconds < 100 * 86400; seconds = seconds * 3 + 1) {
			u64 count = clocks[i] * seconds + clocks[i] / 7;
			u64 exact = (u64)((u128)count * NS_PER_SEC / clocks[i]);
			u64 got = scale_apply(s, count);

			assert_true(got <= exact && exact - got <= 1);
		}
	}
}

static void is_exact_backwards(void **state)
{
	for (u32 i = 0; i < ARRAY_LEN(clocks); i++) {
		struct scale s = scale_make(NS_PER_SEC, clocks[i]);
		u64 ns = 86400 * NS_PER_SEC * 100 + 12345,
		    exact = (u64)((u128)ns * clocks[i] / NS_PER_SEC);

		assert_true(scale_apply(s, ns) <= exact && exact - scale_apply(s, ns) <= 1);
	}
}

static void never_runs_backwards(void **state)
{
	struct scale s = scale_make(2594961234, NS_PER_SEC);

	for (u64 count = 1ull << 50, last = 0; count < (1ull << 50) + 10000; count++) {
		u64 ns = scale_apply(s, count);

		assert_true(ns >= last);
		last = ns;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_exact_over_a_hundred_days),
		cmocka_unit_test(is_exact_backwards),
		cmocka_unit_test(never_runs_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
