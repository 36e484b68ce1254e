/*
 * Guest time. Freeze and thaw happen while none of the VM's CPUs runs, so a reader never
 * meets a change half made; the fields are atomic because devices' timers may look.
 */
#include "kernel/base/gclock.h"

#include "arch/clock.h"

/* A timer that is due very soon must not fire over and over while the clock stands still. */
#define FROZEN_LEAST	NS_PER_MS

void gclock_start(struct gclock *c, ns_t start)
{
	atomic_store(&c->offset, (s64)(arch_clock_ns() - start));
	atomic_store(&c->frozen, NS_NEVER);
}

void gclock_freeze(struct gclock *c)
{
	if (atomic_load(&c->frozen) == NS_NEVER)
		atomic_store(&c->frozen, gclock_now(c));
}

void gclock_thaw(struct gclock *c)
{
	ns_t frozen = atomic_load(&c->frozen);

	if (frozen != NS_NEVER)
		gclock_start(c, frozen);
}

ns_t gclock_now(const struct gclock *c)
{
	ns_t frozen = atomic_load(&c->frozen);

	return frozen != NS_NEVER ? frozen : arch_clock_ns() - (u64)atomic_load(&c->offset);
}

ns_t gclock_host(const struct gclock *c, ns_t guest)
{
	s128 offset = atomic_load(&c->offset), host, least = 0;

	if (guest == NS_NEVER)
		return NS_NEVER;
	if (atomic_load(&c->frozen) != NS_NEVER) {	/* as if it went on right now */
		ns_t now = arch_clock_ns();

		offset = (s128)now - atomic_load(&c->frozen);
		least = now + FROZEN_LEAST;
	}
	host = MAX(guest + offset, least);
	return host > NS_NEVER ? NS_NEVER : (ns_t)host;
}
