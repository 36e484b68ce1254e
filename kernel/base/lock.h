/*
 * Ticket spin lock. Interrupt handlers never take locks (they only raise flags, see
 * arch/irq.h), so there is no variant that masks interrupts. Lock order: vm->lock,
 * vm->bus_lock, nested->lock, then leaf locks (sched, timers, heap, pages, log), never two
 * leaves.
 */
#pragma once

#include "host/cpu.h"
#include "kernel/base/types.h"

struct lock {
	_Atomic u32 next, owner;
};

static inline void lock_take(struct lock *l)
{
	u32 me = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);

	while (atomic_load_explicit(&l->owner, memory_order_acquire) != me)
		host_relax();
}

static inline bool lock_try(struct lock *l)
{
	u32 owner = atomic_load_explicit(&l->owner, memory_order_acquire); /* pairs with drop */

	return atomic_compare_exchange_strong_explicit(&l->next, &owner, owner + 1,
						       memory_order_relaxed, memory_order_relaxed);
}

static inline void lock_drop(struct lock *l)
{
	u32 owner = atomic_load_explicit(&l->owner, memory_order_relaxed);

	atomic_store_explicit(&l->owner, owner + 1, memory_order_release);
}
