/* kernel/base/gclock.c with a host clock that the test winds, and with one that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "arch/clock.h"
#include "arch/smp.h"
#include "kernel/base/cpu.h"
#include "kernel/base/gclock.h"

static ns_t host, programmed;

void arch_timer_set(ns_t deadline)
{
	programmed = deadline;
}

void arch_cpu_kick(struct cpu *c)
{
}

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

/* ---- counting ------------------------------------------------------------------------------ */

static u64 instructions;
static u32 armed, fired;
static struct gclock counting;

static u64 count(const struct gclock *c)
{
	return instructions;
}

static void note_armed(struct gclock *c)
{
	armed++;
}

static void note_fired(struct timer *t)
{
	fired++;
}

/* A guest's timer as they all are: it looks whether it is time, and arms itself again. */
static void fire_every_100(struct timer *t)
{
	fired++;
	gclock_arm(&counting, t, gclock_now(&counting) + 100);
}

static int start_counting(void **s)
{
	memset(cpus, 0, sizeof(cpus));
	cpu_count = 1;
	cpu_self = &cpus[0];
	memset(&counting, 0, sizeof(counting));
	instructions = armed = fired = 0;
	programmed = NS_NEVER;
	host = 12345;
	gclock_start_counting(&counting, count, note_armed);
	return 0;
}

static void test_counts(void **s)
{
	assert_true(gclock_counts(&counting));
	assert_int_equal(gclock_now(&counting), 0);
	instructions = 700;
	host += NS_PER_SEC;
	assert_int_equal(gclock_now(&counting), 700);
	gclock_freeze(&counting);
	host += NS_PER_SEC;
	instructions = 701;
	assert_int_equal(gclock_now(&counting), 701);
	gclock_thaw(&counting);
	assert_int_equal(gclock_now(&counting), 701);
	assert_true(gclock_counts(&counting));
	gclock_start(&counting, 5);
	assert_false(gclock_counts(&counting));
	assert_int_equal(gclock_now(&counting), 5);
}

static void test_counted_timers(void **s)
{
	struct timer a = { .fire = note_fired }, b = { .fire = note_fired };

	gclock_arm(&counting, &a, 50);
	gclock_arm(&counting, &b, 60);
	assert_int_equal(armed, 2);
	assert_int_equal(programmed, NS_NEVER);		/* none of the host's business */
	assert_int_equal(timer_next(), NS_NEVER);
	gclock_fire(&counting);
	instructions = 49;
	gclock_fire(&counting);
	assert_int_equal(fired, 0);
	instructions = 50;
	gclock_fire(&counting);
	assert_int_equal(fired, 1);
	assert_true(gclock_has_timers(&counting));
	timer_cancel(&b);
	assert_false(gclock_has_timers(&counting));
	instructions = 100;
	gclock_fire(&counting);
	assert_int_equal(fired, 1);
}

static void test_skips(void **s)
{
	struct timer t = { .fire = fire_every_100 };

	assert_false(gclock_skip(&counting));
	assert_int_equal(gclock_now(&counting), 0);
	gclock_arm(&counting, &t, 30);
	for (u32 i = 0; i < 10; i++) {
		instructions++;
		assert_true(gclock_skip(&counting));
		gclock_fire(&counting);
		assert_int_equal(fired, i + 1);
		assert_int_equal(gclock_now(&counting), 30 + 100 * i);
	}
	instructions += 500;			/* late: no time is taken back */
	assert_true(gclock_skip(&counting));
	assert_int_equal(gclock_now(&counting), 930 + 500);
	timer_cancel(&t);
}

/* One that went to the guest's queue can go back to the host's. */
static void test_timer_moves(void **s)
{
	struct timer t = { .fire = note_fired };

	gclock_arm(&counting, &t, 30);
	timer_arm(&t, 99);
	assert_false(gclock_has_timers(&counting));
	assert_int_equal(programmed, 99);
	gclock_arm(&counting, &t, 30);
	assert_int_equal(timer_next(), NS_NEVER);
	timer_cancel(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_with_the_host),
		cmocka_unit_test(test_freeze_and_thaw),
		cmocka_unit_test(test_early_timer_rearms),
		cmocka_unit_test(test_saturates),
		cmocka_unit_test(test_frozen_timer_does_not_spin),
		cmocka_unit_test_setup(test_counts, start_counting),
		cmocka_unit_test_setup(test_counted_timers, start_counting),
		cmocka_unit_test_setup(test_skips, start_counting),
		cmocka_unit_test_setup(test_timer_moves, start_counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
