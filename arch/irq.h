/*
 * Host contract: interrupts. A handler runs with interrupts masked on the CPU that took
 * the interrupt, may touch only device registers and cpu_raise(), and takes no lock.
 */
#pragma once

#include "kernel/base/err.h"

/*
 * Bind a handler to a host interrupt (x86-64: GSI; AArch64: INTID; hosted: file descriptor) and
 * unmask it.
 */
err_t arch_irq_bind(irq_t irq, void (*raise)(void *arg), void *arg);
void arch_irq_unbind(irq_t irq);

/* Interrupts on and off on this CPU. The hypervisor's loop runs with them on. */
void arch_irq_enable(void);
void arch_irq_disable(void);
