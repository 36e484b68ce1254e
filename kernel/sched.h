/*
 * The scheduler: one loop on every host CPU, one queue of guest CPUs that are ready, first
 * come first served, a turn of at most 10 ms while others wait. A guest CPU is not a thread
 * and has no stack: its turn is a call of runner->run() from the loop.
 *
 * A woken guest CPU goes to the end of the queue and to an idle host CPU; if there is none,
 * the turn on the host CPU where it ran last ends early. Pinned ones wait for theirs.
 */
#pragma once

#include "kernel/vm.h"

#define SCHED_SLICE	(10 * NS_PER_MS)
/*
 * A clock that counts: instructions from one place where interrupts are taken, timers fire and
 * another CPU goes on to the next. A compromise: each costs the translators some microseconds.
 */
#define ICOUNT_QUANTUM	16384

/* What a guest CPU does after an exit. */
enum turn {
	TURN_AGAIN,			/* go on */
	TURN_YIELD,			/* go on after the others */
	TURN_HALT,			/* sleep until isa->wakes() */
};

/* Run until there is a reason to leave the host CPU: end of the slice, halt, park. kernel/run.c */
enum turn vcpu_run(struct vcpu *v);
/* Serve an exit, kernel/exit.c. */
enum turn exit_dispatch(struct vcpu *v, struct exit *x);

_Noreturn void sched_loop(void);

/*
 * What CPU 0 does between turns whenever something is pending (and at first). Set before
 * sched_loop().
 */
extern void (*sched_chores)(void);

/* The guest CPU whose turn it is on this host CPU, or NULL. */
struct vcpu *sched_current(void);
/* Is any guest CPU ready and without a host CPU? A hint, for one that offers to yield. */
bool sched_others_wait(void);
const char *vcpu_state_name(enum vcpu_state s);

/* Give @v to the scheduler, off and parked, its own carrier. */
void sched_admit(struct vcpu *v, s32 pin);
/* Get all of @vm's CPUs off the host CPUs, and wait for it; not from one of its own turns. */
void sched_park(struct vm *vm);
void sched_unpark(struct vm *vm);
/* E_STATE if it is on or on its way off. */
err_t sched_power_on(struct vcpu *v);
void sched_power_off(struct vcpu *v);
bool sched_is_off(struct vcpu *v);	/* and not in a turn any more */
/* Something changed for @v: wake it if it waits for that, get at it if it runs on the hardware. */
void sched_kick(struct vcpu *v);
