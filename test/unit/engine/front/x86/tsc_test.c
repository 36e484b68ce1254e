/* When the TSC has which value: for the local APIC's deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/front/x86/state.h"

static struct x86_state state;
static struct gcpu g = { .st = &state };

static void nanoseconds_without_a_frequency(void **s)
{
	state = (struct x86_state){ 0 };
	assert_int_equal(x86_tsc_time(&g, 0), 0);
	assert_int_equal(x86_tsc_time(&g, 123456789012345), 123456789012345);
}

static void scaled_and_rounded_up(void **s)
{
	state = (struct x86_state){ .tsc_hz = 2500000000 };
	assert_int_equal(x86_tsc_time(&g, 2500000000), NS_PER_SEC);
	assert_int_equal(x86_tsc_time(&g, 1), 1);
	assert_int_equal(x86_tsc_time(&g, 5), 2);
	assert_int_equal(x86_tsc_time(&g, 6), 3);
	assert_int_equal(x86_tsc_time(&g, 2500000000ull * 86400 * 365), 86400 * 365 * NS_PER_SEC);
	assert_int_equal(x86_tsc_time(&g, UINT64_MAX), 7378697629483820646);
}

static void never_rather_than_wrap(void **s)
{
	state = (struct x86_state){ .tsc_hz = 500000000 };
	assert_int_equal(x86_tsc_time(&g, UINT64_MAX), NS_NEVER);
	assert_int_equal(x86_tsc_time(&g, UINT64_MAX / 2 - NS_PER_SEC),
			 UINT64_MAX - 2 * NS_PER_SEC - 1);
}

static void adjusted(void **s)
{
	state = (struct x86_state){ .tsc_adjust = 1000 };
	assert_int_equal(x86_tsc_time(&g, 1500), 500);
	assert_int_equal(x86_tsc_time(&g, 999), 0);
	state.tsc_adjust = (u64)-1000;
	assert_int_equal(x86_tsc_time(&g, 500), 1500);
}

static void survives_reset(void **s)
{
	state = (struct x86_state){ .tsc_hz = 2500000000, .tsc_adjust = 5 };
	x86_reset(&g);
	assert_int_equal(state.tsc_hz, 2500000000);
	assert_int_equal(state.tsc_adjust, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nanoseconds_without_a_frequency),
		cmocka_unit_test(scaled_and_rounded_up),
		cmocka_unit_test(never_rather_than_wrap),
		cmocka_unit_test(adjusted),
		cmocka_unit_test(survives_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
