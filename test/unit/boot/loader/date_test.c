/* Civil dates against the C library's timegm, every day of four centuries, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "boot/loader/date.h"

static void agrees_with_libc(void **state)
{
	for (time_t t = 0; t < 400ll * 366 * 86400; t += 86400 + 3601) {
		struct tm d;

		gmtime_r(&t, &d);
		assert_true(date_to_unix((u32)d.tm_year + 1900, (u32)d.tm_mon + 1, (u32)d.tm_mday,
					 (u32)d.tm_hour, (u32)d.tm_min, (u32)d.tm_sec) == (u64)t);
	}
}

static void refuses_nonsense(void **state)
{
	assert_int_equal(date_to_unix(2000, 1, 1, 0, 0, 0), 946684800);
	assert_int_equal(date_to_unix(1969, 12, 31, 0, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 0, 1, 0, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 13, 1, 0, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 1, 0, 0, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 1, 32, 0, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 1, 1, 24, 0, 0), 0);
	assert_int_equal(date_to_unix(2000, 1, 1, 0, 60, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_libc),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
