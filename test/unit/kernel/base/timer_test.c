/*
 * kernel/base/timer.c: order, re-arming, cancelling, moving, under a wound clock; then the
 * promise of timer_cancel() with a second thread that fires.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/smp.h"
#include "kernel/base/cpu.h"
#include "kernel/base/timer.h"
#include "test/unit/child.h"

static _Atomic ns_t clock_now;
static ns_t programmed[2];

ns_t arch_clock_ns(void)
{
	return clock_now;
}

void arch_timer_set(ns_t deadline)
{
	programmed[cpu_self->id] = deadline;
}

void arch_cpu_kick(struct cpu *c)
{
}

static u32 fired_count;
static struct timer *fired[1024];

static void note(struct timer *t)
{
	fired[fired_count++ % ARRAY_LEN(fired)] = t;
}

static int fresh(void **s)
{
	memset(cpus, 0, sizeof(cpus));
	cpus[1].id = 1;
	cpu_count = 2;
	cpu_self = &cpus[0];
	fired_count = 0;
	programmed[0] = programmed[1] = NS_NEVER;
	return 0;
}

static void test_order(void **s)
{
	struct timer t[4] = {
		{ .fire = note }, { .fire = note }, { .fire = note }, { .fire = note },
	};

	assert_int_equal(timer_next(), NS_NEVER);
	timer_arm(&t[0], 30);
	assert_int_equal(programmed[0], 30);
	timer_arm(&t[1], 10);
	assert_int_equal(programmed[0], 10);
	timer_arm(&t[2], 20);
	timer_arm(&t[3], 40);
	assert_int_equal(programmed[0], 10);
	timer_run(9);
	assert_int_equal(fired_count, 0);
	timer_run(30);
	assert_int_equal(fired_count, 3);
	assert_ptr_equal(fired[0], &t[1]);
	assert_ptr_equal(fired[1], &t[2]);
	assert_ptr_equal(fired[2], &t[0]);
	assert_int_equal(programmed[0], 40);
	assert_false(timer_armed(&t[0]));
	assert_true(timer_armed(&t[3]));
	timer_cancel(&t[3]);
	assert_int_equal(timer_next(), NS_NEVER);
	timer_run(1000);
	assert_int_equal(fired_count, 3);
	assert_int_equal(programmed[0], NS_NEVER);
}

static void test_rearm_moves(void **s)
{
	struct timer a = { .fire = note }, b = { .fire = note };

	timer_arm(&a, 10);
	timer_arm(&b, 20);
	timer_arm(&a, 30);
	assert_int_equal(timer_next(), 20);
	cpu_self = &cpus[1];
	timer_arm(&b, 25);			/* to another CPU */
	assert_int_equal(timer_next(), 25);
	timer_run(100);
	assert_int_equal(fired_count, 1);
	cpu_self = &cpus[0];
	assert_int_equal(timer_next(), 30);
	timer_cancel(&a);
	timer_cancel(&b);			/* not armed any more: harmless */
	timer_cancel(&(struct timer){ 0 });	/* never armed: harmless */
}

static void again(struct timer *t)
{
	note(t);
	timer_arm(t, 0);
}

static void test_past_deadline_does_not_starve(void **s)
{
	struct timer a = { .fire = again }, b = { .fire = note };

	timer_arm(&a, 0);
	timer_arm(&b, 5);
	timer_run(10);
	assert_in_range(fired_count, 2, 3);
	timer_cancel(&a);
	timer_cancel(&b);
	assert_int_equal(timer_next(), NS_NEVER);
}

static void cancel_self(struct timer *t)
{
	note(t);
	timer_cancel(t);
	free(t);
}

static void test_may_free_itself(void **s)
{
	struct timer *t = calloc(1, sizeof(*t));

	t->fire = cancel_self;
	timer_arm(t, 1);
	timer_run(1);
	assert_int_equal(fired_count, 1);
}

static void test_heap_random(void **s)
{
	static struct timer t[5000];
	u32 armed = 0;
	ns_t last = 0;

	srand(3);
	for (u32 i = 0; i < ARRAY_LEN(t); i++)
		t[i] = (struct timer){ .fire = note };
	for (u32 i = 0; i < 60000; i++) {
		u32 k = (u32)rand() % ARRAY_LEN(t);

		if (rand() % 3)
			timer_arm(&t[k], (ns_t)rand() % 10000);
		else
			timer_cancel(&t[k]);
	}
	for (u32 i = 0; i < ARRAY_LEN(t); i++)
		armed += timer_armed(&t[i]);
	assert_int_equal(cpus[0].timers.count, armed);
	for (u32 left = cpus[0].timers.count; left; left--) {
		ns_t next = timer_next();

		assert_true(next >= last);
		last = next;
		assert_int_equal(cpus[0].timers.root->deadline, next);
		timer_cancel(cpus[0].timers.root);
	}
	assert_int_equal(timer_next(), NS_NEVER);
}

/* ---- two threads ------------------------------------------------------------------------ */

struct busy_timer {
	struct timer timer;
	_Atomic u32 inside;
};

static _Atomic bool stop, wanted;
static _Atomic u32 total, overlaps;

static void busy(struct timer *t)
{
	struct busy_timer *b = container_of(t, struct busy_timer, timer);

	if (atomic_exchange(&b->inside, 1))
		atomic_fetch_add(&overlaps, 1);		/* the same timer on two CPUs at once */
	for (volatile int i = 0; i < 200; i = i + 1)
		;
	if (atomic_fetch_add(&total, 1) % 2)
		timer_arm(t, clock_now);		/* from its own function, too */
	atomic_store(&b->inside, 0);
}

static struct busy_timer one = { .timer.fire = busy };

static void *cpu1(void *arg)
{
	cpu_self = &cpus[1];
	while (!atomic_load(&stop)) {
		if (atomic_load(&wanted)) {
			timer_arm(&one.timer, clock_now);
			atomic_store(&wanted, false);
		}
		timer_run(++clock_now);
	}
	return NULL;
}

/* The timer lives on CPU 1's thread; this one cancels it at any moment. */
static void test_cancel_waits_for_firing(void **s)
{
	pthread_t thread;
	u32 seen;

	atomic_store(&stop, false);
	pthread_create(&thread, NULL, cpu1, NULL);
	for (u32 round = 0; round < 3000; round++) {
		atomic_store(&wanted, true);
		while (atomic_load(&wanted))
			host_relax();
		for (volatile u32 i = 0; i < round % 300; i = i + 1)
			;
		timer_cancel(&one.timer);
		assert_int_equal(atomic_load(&one.inside), 0);
		assert_false(timer_armed(&one.timer));
		seen = atomic_load(&total);
		for (volatile int i = 0; i < 300; i = i + 1)
			;
		assert_int_equal(atomic_load(&total), seen);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_true(total > 0);
}

/* Both arm, move, run and cancel the same timers at once. */
static struct busy_timer shared[8];

static void *juggler(void *arg)
{
	unsigned seed = (unsigned)(uptr)arg;

	cpu_self = &cpus[(uptr)arg];
	for (u32 i = 0; i < 30000; i++) {
		struct timer *t = &shared[(u32)rand_r(&seed) % ARRAY_LEN(shared)].timer;

		switch (rand_r(&seed) % 4) {
		case 0:
			timer_cancel(t);
			break;
		case 1:
			timer_run(++clock_now);
			break;
		default:
			timer_arm(t, clock_now + (ns_t)rand_r(&seed) % 5);
		}
	}
	return NULL;
}

static void test_juggling(void **s)
{
	pthread_t t[2];

	for (u32 i = 0; i < ARRAY_LEN(shared); i++)
		shared[i].timer.fire = busy;
	for (uptr i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, juggler, (void *)i);
	for (u32 i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (u32 i = 0; i < ARRAY_LEN(shared); i++)
		timer_cancel(&shared[i].timer);
	assert_int_equal(cpus[0].timers.count, 0);
	assert_int_equal(cpus[1].timers.count, 0);
	assert_int_equal(overlaps, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, fresh),
		cmocka_unit_test_setup(test_rearm_moves, fresh),
		cmocka_unit_test_setup(test_past_deadline_does_not_starve, fresh),
		cmocka_unit_test_setup(test_may_free_itself, fresh),
		cmocka_unit_test_setup(test_heap_random, fresh),
		cmocka_unit_test_setup(test_cancel_waits_for_firing, fresh),
		cmocka_unit_test_setup(test_juggling, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
