/* Host contract: more CPUs. x86-64: INIT-SIPI-SIPI; AArch64: PSCI CPU_ON; hosted: threads. */
#pragma once

#include "kernel/base/cpu.h"
#include "kernel/base/err.h"

/*
 * Start every other CPU that firmware describes, fill cpus[] and cpu_count; each runs
 * @entry with cpu_self set and interrupts on. A CPU that does not answer within 100 ms is
 * logged and left out; the others go on.
 */
err_t arch_smp_start(void (*entry)(void));

/*
 * Make @c leave arch_cpu_idle() or its guest soon; called by cpu_raise() after the flags are set.
 */
void arch_cpu_kick(struct cpu *c);

/* Sleep (HLT, WFI, futex) until cpu_self->pending is not zero; returns at once if it already is. */
void arch_cpu_idle(void);
