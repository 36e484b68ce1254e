/*
 * Host contract: time. x86-64: TSC calibrated by CPUID or HPET/PIT, deadline or LAPIC timer;
 * AArch64: the generic timer (EL2 physical).
 */
#pragma once

#include "kernel/base/types.h"

/* Monotonic nanoseconds since boot, the same on every CPU. */
ns_t arch_clock_ns(void);

/*
 * Raise CPU_TIMER on the calling CPU at @deadline (NS_NEVER = off). One timer per CPU; a past
 * deadline fires at once.
 */
void arch_timer_set(ns_t deadline);

/* Wall clock: seconds since 1970-01-01 UTC, 0 when the machine has none. */
u64 arch_wall_seconds(void);
