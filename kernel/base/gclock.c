/*
 * Guest time. Freeze and thaw happen while none of the VM's CPUs runs, so a reader never
 * meets a change half made; the fields are atomic because devices' timers may look.
 */
#include "kernel/base/gclock.h"

#include "arch/clock.h"

/* A timer that is due very soon must not fire over and over while the clock stands still. */
#define FROZEN_LEAST	NS_PER_MS

static void gclock_run(struct gclock *c, ns_t start)
{
	atomic_store(&c->offset, (s64)(arch_clock_ns() - start));
	atomic_store(&c->frozen, NS_NEVER);
}

void gclock_start(struct gclock *c, ns_t start)
{
	c->count = NULL;
	gclock_run(c, start);
}

void gclock_start_counting(struct gclock *c, u64 (*count)(const struct gclock *c),
			   void (*armed)(struct gclock *c))
{
	c->count = count;
	c->armed = armed;
	atomic_store(&c->skipped, 0);
	gclock_run(c, 0);
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
		gclock_run(c, frozen);
}

ns_t gclock_now(const struct gclock *c)
{
	ns_t frozen;

	if (c->count)
		return c->count(c) + atomic_load(&c->skipped);
	frozen = atomic_load(&c->frozen);
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

void gclock_arm(struct gclock *c, struct timer *t, ns_t guest)
{
	if (!c->count) {
		timer_arm(t, gclock_host(c, guest));
		return;
	}
	timer_queue_arm(&c->timers, t, guest);
	c->armed(c);
}

void gclock_fire(struct gclock *c)
{
	timer_queue_run(&c->timers, gclock_now(c));
}

bool gclock_skip(struct gclock *c)
{
	ns_t next = timer_queue_next(&c->timers), now = gclock_now(c);

	if (next == NS_NEVER)
		return false;
	if (next > now)
		atomic_store(&c->skipped, c->skipped + (next - now));
	return true;
}

bool gclock_has_timers(const struct gclock *c)
{
	return timer_queue_any(&c->timers);
}
