/*
 * Timer queue: one per host CPU, pairs of a deadline and a function. Functions run from the
 * scheduler's loop of the CPU that armed the timer, never in interrupt context, with no lock
 * held. A function may free its own timer.
 *
 * A zeroed struct timer is a valid one that is not armed; set ->fire before arming.
 */
#pragma once

#include "kernel/base/lock.h"
#include "kernel/base/types.h"

struct cpu;

struct timer {
	ns_t deadline;		/* arch_clock_ns() time */
	void (*fire)(struct timer *t);
	_Atomic(struct cpu *) cpu;	/* whose queue guards it: where armed last, or NULL */
	/* the heap: first child, next sibling, and who points here (NULL: not armed) */
	struct timer *child, *next, **link;
};

struct timer_queue {
	struct lock lock;
	u32 count;
	struct timer *firing;	/* the one whose function runs now, perhaps freed already */
	struct timer *root;	/* the earliest */
};

/*
 * Arm or re-arm on the calling CPU (but where it is firing, if it is); a past deadline fires
 * at the next timer_run(). Any CPU may move a timer.
 */
void timer_arm(struct timer *t, ns_t deadline);
/* After return the timer does not fire any more (waits for a firing in progress on another CPU). */
void timer_cancel(struct timer *t);
bool timer_armed(const struct timer *t);
/* Fire what is due on this CPU and program the host timer for the next deadline. */
void timer_run(ns_t now);
ns_t timer_next(void);		/* the next deadline on this CPU, or NS_NEVER */
