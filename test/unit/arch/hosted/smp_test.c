/*
 * arch/hosted/{smp,clock,irq}.c together: CPUs that are threads, timers that reach busy and
 * idle ones, descriptors as interrupts. Times are lower bounds only: the machine may be busy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "arch/clock.h"
#include "arch/hosted/hosted.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "kernel/base/cpu.h"
#include "kernel/base/timer.h"

#define PATIENCE (20 * NS_PER_SEC)

static _Atomic u32 entered, kicked;

/* The other CPUs: idle, count kicks. */
static void entry(void)
{
	atomic_fetch_or(&entered, 1u << cpu_self->id);
	for (;;) {
		arch_cpu_idle();
		if (atomic_exchange(&cpu_self->pending, 0) & CPU_KICK)
			atomic_fetch_add(&kicked, 1);
		timer_run(arch_clock_ns());
	}
}

static int setup(void **s)
{
	cpu_count = 1;
	hosted_cpu_attach(0);
	return 0;
}

static bool wait_for(_Atomic u32 *v, u32 want)
{
	ns_t end = arch_clock_ns() + PATIENCE;
	struct timespec ms = { 0, 1000000 };

	while (atomic_load(v) != want && arch_clock_ns() < end)
		nanosleep(&ms, NULL);
	return atomic_load(v) == want;
}

static void test_clock(void **s)
{
	ns_t a = arch_clock_ns(), b;
	struct timespec ms = { 0, 2000000 };

	nanosleep(&ms, NULL);
	b = arch_clock_ns();
	assert_true(b - a >= 2000000);
	assert_true(arch_wall_seconds() > 1600000000);
}

static void test_bad_cpu_number(void **s)
{
	static const char *const bad[] = { "0", "65", "x", "", "-1" };

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		setenv("FVP_CPUS", bad[i], 1);
		assert_int_equal(arch_smp_start(entry), E_USAGE);
		assert_non_null(strstr(err_text(E_USAGE), "FVP_CPUS"));
	}
	assert_int_equal(cpu_count, 1);
}

static void test_start(void **s)
{
	setenv("FVP_CPUS", "3", 1);
	assert_int_equal(arch_smp_start(entry), OK);
	assert_int_equal(cpu_count, 3);
	assert_true(wait_for(&entered, 6));
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(cpus[i].id, i);
		assert_true(cpus[i].online);
	}
	assert_int_not_equal(cpus[1].hw_id, cpus[2].hw_id);
}

static void test_kick_wakes_idle(void **s)
{
	for (u32 i = 1; i <= 200; i++) {
		cpu_raise(&cpus[1], CPU_KICK);
		while (atomic_load(&kicked) != i)
			if (!wait_for(&kicked, i))
				fail();
	}
}

static void test_idle_returns_at_once_if_pending(void **s)
{
	atomic_store(&cpu_self->pending, CPU_INPUT);
	arch_cpu_idle();
	assert_int_equal(atomic_exchange(&cpu_self->pending, 0), CPU_INPUT);
	assert_false(cpu_self->idle);
}

static void test_timer_ends_idle(void **s)
{
	ns_t deadline = arch_clock_ns() + 20 * NS_PER_MS;

	arch_timer_set(deadline);
	arch_cpu_idle();
	assert_true(arch_clock_ns() >= deadline);
	assert_true(atomic_exchange(&cpu_self->pending, 0) & CPU_TIMER);
}

/*
 * Spin as an interpreting thread does, until CPU_TIMER shows up or patience ends. A flag
 * before @deadline is one too many, raised by the thread that lost a race with the last
 * idle; that is allowed, losing the real one is not.
 */
static ns_t spin_for_timer(ns_t deadline)
{
	ns_t end = arch_clock_ns() + PATIENCE, now;
	bool flag;

	do {
		flag = atomic_exchange(&cpu_self->pending, 0) & CPU_TIMER;
		now = arch_clock_ns();
	} while (!(flag && now >= deadline) && now < end);
	return now;
}

static void test_timer_reaches_a_busy_cpu(void **s)
{
	static _Atomic u32 attention;

	atomic_store(&cpu_self->attention, &attention);
	for (u32 i = 0; i < 5; i++) {
		ns_t deadline = arch_clock_ns() + 3 * NS_PER_MS, fired;

		atomic_store(&attention, 0);
		arch_timer_set(deadline);
		fired = spin_for_timer(deadline);
		assert_true(fired < deadline + PATIENCE / 2);
		assert_true(wait_for(&attention, 1));	/* raised after the flag */
	}
	atomic_store(&cpu_self->attention, NULL);
}

static void test_timer_moved(void **s)
{
	ns_t start = arch_clock_ns();
	struct timespec t = { 0, 30000000 };

	arch_timer_set(start + 5 * NS_PER_MS);
	arch_timer_set(start + 60 * NS_PER_MS);		/* later: the early expiry is swallowed */
	assert_true(spin_for_timer(0) >= start + 60 * NS_PER_MS);
	start = arch_clock_ns();
	arch_timer_set(start + PATIENCE * 2);
	arch_timer_set(start + 5 * NS_PER_MS);		/* earlier */
	assert_true(spin_for_timer(start + 5 * NS_PER_MS) < start + PATIENCE / 2);
	arch_timer_set(arch_clock_ns() + 5 * NS_PER_MS);
	arch_timer_set(NS_NEVER);
	nanosleep(&t, NULL);
	assert_int_equal(cpu_self->pending, 0);
	arch_timer_set(0);				/* past: at once */
	assert_int_equal(atomic_exchange(&cpu_self->pending, 0), CPU_TIMER);
}

static _Atomic u32 fired_on;

static void fire(struct timer *t)
{
	atomic_store(&fired_on, 1 + cpu_self->id);
}

static struct timer remote = { .fire = fire };

static void *arm_there(void *arg)
{
	cpu_self = &cpus[2];		/* poses as CPU 2 for a moment */
	timer_arm(&remote, arch_clock_ns() + 5 * NS_PER_MS);
	cpu_raise_local(cpu_self, CPU_KICK);
	cpu_self = NULL;
	arch_cpu_kick(&cpus[2]);
	return NULL;
}

static void test_timer_queue_on_an_idle_cpu(void **s)
{
	pthread_t t;

	pthread_create(&t, NULL, arm_there, NULL);
	pthread_join(t, NULL);
	assert_true(wait_for(&fired_on, 3));
}

static _Atomic u32 irqs;

static void count_irq(void *arg)
{
	atomic_fetch_add((_Atomic u32 *)arg, 1);
}

static void test_descriptor_fires_once_per_arrival(void **s)
{
	struct timespec t = { 0, 20000000 };
	struct rusage before, after;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(arch_irq_bind((irq_t)fds[0], count_irq, (void *)&irqs), OK);
	assert_int_equal(write(fds[1], "a", 1), 1);
	assert_true(wait_for(&irqs, 1));
	getrusage(RUSAGE_SELF, &before);
	nanosleep(&t, NULL);				/* unread, yet it does not spin */
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(irqs, 1);
	assert_in_range((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
			after.ru_utime.tv_usec - before.ru_utime.tv_usec, 0, 15000);
	assert_int_equal(write(fds[1], "b", 1), 1);
	assert_true(wait_for(&irqs, 2));
	arch_irq_unbind((irq_t)fds[0]);
	assert_int_equal(write(fds[1], "c", 1), 1);
	nanosleep(&t, NULL);
	assert_int_equal(irqs, 2);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(arch_irq_bind(9999, count_irq, (void *)&irqs), E_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_bad_cpu_number),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_kick_wakes_idle),
		cmocka_unit_test(test_idle_returns_at_once_if_pending),
		cmocka_unit_test(test_timer_ends_idle),
		cmocka_unit_test(test_timer_reaches_a_busy_cpu),
		cmocka_unit_test(test_timer_moved),
		cmocka_unit_test(test_timer_queue_on_an_idle_cpu),
		cmocka_unit_test(test_descriptor_fires_once_per_arrival),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
