/*
 * Guest clock: nanoseconds of guest time. It runs with the host's clock less an offset and
 * stands still while the VM is paused. Everything a guest can read as time derives from
 * its VM's one gclock, so all its time sources agree.
 *
 * Timers are armed in host time; one that fires before its guest deadline (the VM was
 * paused meanwhile) re-arms itself with gclock_host().
 */
#pragma once

#include "kernel/base/types.h"

struct gclock {
	_Atomic s64 offset;		/* guest = host - offset while running */
	_Atomic ns_t frozen;		/* guest time while paused, NS_NEVER while running */
};

/* Begin at guest time @start, running. */
void gclock_start(struct gclock *c, ns_t start);
void gclock_freeze(struct gclock *c);
void gclock_thaw(struct gclock *c);
ns_t gclock_now(const struct gclock *c);
/*
 * The host time at which guest time reaches @guest, NS_NEVER for NS_NEVER. Paused: as if it
 * went on right now, but at least a millisecond from now: timers that re-arm must not spin.
 */
ns_t gclock_host(const struct gclock *c, ns_t guest);
