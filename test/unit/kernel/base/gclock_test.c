/* kernel/base/gclock.c with a host clock that the test winds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "kernel/base/gclock.h"

static ns_t host;

ns_t arch_clock_ns(void)
{
	return host;
}

static void test_runs_with_the_host(void **s)
{
	struct gclock c;

	host = 1000;
	gclock_start(&c, 5);
	assert_int_equal(gclock_now(&c), 5);
	host += 70;
	assert_int_equal(gclock_now(&c), 75);
	assert_int_equal(gclock_host(&c, 75), host);
	assert_int_equal(gclock_host(&c, 100), host + 25);
	assert_int_equal(gclock_host(&c, 0), 995);
}

static void test_freeze_and_thaw(void **s)
{
	struct gclock c;

	host = 1000;
	gclock_start(&c, 0);
	host = 1500;
	gclock_freeze(&c);
	host = 9000;
	assert_int_equal(gclock_now(&c), 500);
	gclock_freeze(&c);			/* again: no change */
	assert_int_equal(gclock_now(&c), 500);
	assert_int_equal(gclock_host(&c, 500 + NS_PER_SEC), 9000 + NS_PER_SEC);
	gclock_thaw(&c);
	assert_int_equal(gclock_now(&c), 500);
	host = 9050;
	assert_int_equal(gclock_now(&c), 550);
	gclock_thaw(&c);			/* again: no change */
	assert_int_equal(gclock_now(&c), 550);
	assert_int_equal(gclock_host(&c, 600), 9100);
}

/* A timer that was armed before a pause fires early and re-arms itself for the rest. */
static void test_early_timer_rearms(void **s)
{
	struct gclock c;
	ns_t armed;

	host = 0;
	gclock_start(&c, 0);
	armed = gclock_host(&c, 100);
	host = 40;
	gclock_freeze(&c);
	host = 90;
	gclock_thaw(&c);
	host = armed;
	assert_true(gclock_now(&c) < 100);
	armed = gclock_host(&c, 100);
	assert_int_equal(armed, 150);
	host = armed;
	assert_int_equal(gclock_now(&c), 100);
}

static void test_saturates(void **s)
{
	struct gclock c;

	host = 1000;
	gclock_start(&c, 0);
	assert_int_equal(gclock_host(&c, NS_NEVER), NS_NEVER);
	assert_int_equal(gclock_host(&c, NS_NEVER - 5), NS_NEVER);
	gclock_start(&c, 5000);			/* guest ahead of the host */
	assert_int_equal(gclock_host(&c, 10), 0);
	assert_int_equal(gclock_host(&c, 5000), 1000);
	gclock_freeze(&c);
	assert_int_equal(gclock_host(&c, NS_NEVER), NS_NEVER);
	assert_int_equal(gclock_host(&c, 10), 1000 + NS_PER_MS);
}

/* A guest's timer that is due in a nanosecond, paused: it must not keep the host busy. */
static void test_frozen_timer_does_not_spin(void **s)
{
	struct gclock c;
	u32 fired = 0;

	host = 0;
	gclock_start(&c, 0);
	host = 99;
	gclock_freeze(&c);
	while (host < NS_PER_SEC && fired < 10000) {
		host = gclock_host(&c, 100);
		fired++;
	}
	assert_true(fired <= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_with_the_host),
		cmocka_unit_test(test_freeze_and_thaw),
		cmocka_unit_test(test_early_timer_rearms),
		cmocka_unit_test(test_saturates),
		cmocka_unit_test(test_frozen_timer_does_not_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
