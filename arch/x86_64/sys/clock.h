/* Time on x86-64, see clock.c; what others use is arch/clock.h. */
#pragma once

#include "kernel/base/types.h"

void clock_init(void);		/* boot CPU: calibrate, start the clock; after apic_init_cpu() */
void clock_init_cpu(void);	/* each CPU: its local timer */
void clock_wait(ns_t ns);	/* spin */
u64 clock_tsc_hz(void);
u64 clock_tsc_at(ns_t ns);	/* the TSC at arch_clock_ns() = @ns */
const char *clock_source(void);	/* what the TSC was calibrated by */
