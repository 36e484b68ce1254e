/*
 * Time in the process: CLOCK_MONOTONIC, and for each host CPU a timerfd whose expiry is
 * that CPU's timer interrupt (see irq.c). An idle CPU does not wait for it, its own sleep
 * ends at the deadline (smp.c).
 *
 * Programming a timerfd is a system call, and guests mostly move their deadline further
 * away; so only an earlier deadline is programmed, and an expiry that comes too early
 * programs the rest.
 */
#include "arch/clock.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/irq.h"
#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"

static struct cpu_timer {
	pthread_mutex_t lock;
	int fd;				/* 0: not made yet */
	_Atomic ns_t deadline;		/* what the CPU wants */
	ns_t programmed;		/* what the timerfd will do, not later than deadline */
} timers[CPU_MAX];

static ns_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ns_t)t.tv_sec * NS_PER_SEC + (ns_t)t.tv_nsec;
}

/* When the process started; arch_clock_ns() counts from here. */
static _Atomic ns_t epoch;

ns_t arch_clock_ns(void)
{
	ns_t start = atomic_load_explicit(&epoch, memory_order_relaxed), now = monotonic_ns();

	if (unlikely(start == 0) && atomic_compare_exchange_strong(&epoch, &start, now))
		start = now;
	return now > start ? now - start : 0;
}

u64 arch_wall_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (u64)t.tv_sec;
}

/* Lock held. NS_NEVER just leaves the descriptor as it is: an early expiry is harmless. */
static void timer_program(struct cpu_timer *t, ns_t deadline)
{
	struct itimerspec spec = { 0 };
	ns_t at = deadline + atomic_load(&epoch);

	t->programmed = deadline;
	if (deadline == NS_NEVER)
		return;
	spec.it_value.tv_sec = (time_t)MIN(at / NS_PER_SEC, (ns_t)INT64_MAX / 2);
	spec.it_value.tv_nsec = (long)(at % NS_PER_SEC);
	timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/* The timerfd of a CPU expired. Runs on the interrupt thread. */
static void timer_expire(void *arg)
{
	struct cpu *c = arg;
	struct cpu_timer *t = &timers[c->id];
	bool due;

	pthread_mutex_lock(&t->lock);
	due = arch_clock_ns() >= atomic_load(&t->deadline);
	if (due)
		atomic_store(&t->deadline, NS_NEVER);
	timer_program(t, atomic_load(&t->deadline));
	pthread_mutex_unlock(&t->lock);
	if (due)
		cpu_raise(c, CPU_TIMER);
}

void hosted_clock_attach(struct cpu *c)
{
	struct cpu_timer *t = &timers[c->id];

	arch_clock_ns();
	if (t->fd)
		return;
	pthread_mutex_init(&t->lock, NULL);
	atomic_store(&t->deadline, NS_NEVER);
	t->programmed = NS_NEVER;
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->fd < 0 || arch_irq_bind((irq_t)t->fd, timer_expire, c) != OK)
		panic("no timer for cpu %u: %s", c->id, hosted_strerror(errno));
}

void arch_timer_set(ns_t deadline)
{
	struct cpu_timer *t = &timers[cpu_self->id];

	if (deadline <= arch_clock_ns()) {	/* due: no need to trouble the kernel */
		atomic_store(&t->deadline, NS_NEVER);
		cpu_raise_local(cpu_self, CPU_TIMER);
		return;
	}
	pthread_mutex_lock(&t->lock);
	atomic_store(&t->deadline, deadline);
	if (deadline < t->programmed)
		timer_program(t, deadline);
	pthread_mutex_unlock(&t->lock);
}

ns_t hosted_timer_deadline(const struct cpu *c)
{
	return atomic_load(&timers[c->id].deadline);
}
