/*
 * Timer queue: one per host CPU, pairs of a deadline and a function. Functions run from the
 * scheduler's loop of the CPU that armed the timer, never in interrupt context, with no lock
 * held. A function may free its own timer. Guest clocks that count instructions have a queue of
 * their own (gclock.h), whose deadlines are guest time.
 *
 * A zeroed struct timer is a valid one that is not armed; set ->fire before arming.
 */
#pragma once

#include "kernel/base/lock.h"
#include "kernel/base/types.h"

struct cpu;

struct timer {
	ns_t deadline;		/* the queue's time, for a host CPU arch_clock_ns() */
	void (*fire)(struct timer *t);
	_Atomic(struct timer_queue *) queue;	/* that guards it: where armed last, or NULL */
	/* the heap: first child, next sibling, and who points here (NULL: not armed) */
	struct timer *child, *next, **link;
};

struct timer_queue {
	struct lock lock;
	_Atomic u32 count;
	struct timer *firing;	/* the one whose function runs now, perhaps freed already */
	struct cpu *runs;	/* where it does */
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

/* The same for one queue: of a guest clock, or what the above are made of. */
void timer_queue_arm(struct timer_queue *q, struct timer *t, ns_t deadline);
/* Fire what is due; returns the next deadline. */
ns_t timer_queue_run(struct timer_queue *q, ns_t now);
ns_t timer_queue_next(struct timer_queue *q);
bool timer_queue_any(const struct timer_queue *q);	/* without the lock: a hint */
