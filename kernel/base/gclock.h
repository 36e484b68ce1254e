/*
 * Guest clock: nanoseconds of guest time. It runs with the host's clock less an offset and
 * stands still while the VM is paused. Everything a guest can read as time derives from
 * its VM's one gclock, so all its time sources agree.
 *
 * Timers are armed in host time; one that fires before its guest deadline (the VM was
 * paused meanwhile) re-arms itself with gclock_arm().
 *
 * Or it counts: then guest time is a number of instructions, one a nanosecond, plus the time
 * that was skipped because all CPUs slept. Its timers are in a queue of its own, and they fire
 * when the one who runs the guest says gclock_fire(). Nothing of the host's time is in it.
 */
#pragma once

#include "kernel/base/timer.h"

/* What a clock that counts calls the wall time at guest time 0: 2025-01-01, seconds since 1970. */
#define GCLOCK_EPOCH	1735689600ull

struct gclock {
	_Atomic s64 offset;		/* guest = host - offset while running */
	_Atomic ns_t frozen;		/* guest time while paused, NS_NEVER while running */
	/* counting: only the one that runs the guest changes these; ->count NULL: it does not */
	u64 (*count)(const struct gclock *c);	/* instructions so far */
	void (*armed)(struct gclock *c);	/* a timer was; perhaps the guest sleeps */
	_Atomic ns_t skipped;
	struct timer_queue timers;	/* deadlines in guest time */
};

/* Begin at guest time @start, running. */
void gclock_start(struct gclock *c, ns_t start);
/* Begin at guest time 0, counting; it cannot be frozen: it stands still when its guest does. */
void gclock_start_counting(struct gclock *c, u64 (*count)(const struct gclock *c),
			   void (*armed)(struct gclock *c));
static inline bool gclock_counts(const struct gclock *c)
{
	return c->count != NULL;
}
void gclock_freeze(struct gclock *c);
void gclock_thaw(struct gclock *c);
ns_t gclock_now(const struct gclock *c);
/*
 * The host time at which guest time reaches @guest, NS_NEVER for NS_NEVER. Paused: as if it
 * went on right now, but at least a millisecond from now: timers that re-arm must not spin.
 */
ns_t gclock_host(const struct gclock *c, ns_t guest);
/* Arm @t for guest time @guest, or soon before: ->fire() looks and arms again. */
void gclock_arm(struct gclock *c, struct timer *t, ns_t guest);

/* Counting: fire the timers that are due. */
void gclock_fire(struct gclock *c);
/* Counting: let the time pass until the next timer is due; false if there is none. */
bool gclock_skip(struct gclock *c);
bool gclock_has_timers(const struct gclock *c);
