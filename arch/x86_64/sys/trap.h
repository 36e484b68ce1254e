/*
 * Exceptions and interrupts of x86-64: one IDT for all CPUs. Vectors 0..31 are exceptions
 * and end in a dump and panic, unless the faulting instruction has a fixup; the others are
 * bound to functions that run with interrupts masked.
 */
#pragma once

#include "kernel/base/types.h"

enum vector {
	VECTOR_PIC = 0x20,	/* where the masked 8259s could still send a spurious one */
	VECTOR_GSI = 0x30,	/* first of those for the I/O APICs */
	VECTOR_GSI_END = 0xe0,
	VECTOR_TIMER = 0xf0,
	VECTOR_KICK,
	VECTOR_FLUSH,
	VECTOR_SPURIOUS = 0xff,
};

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Fill the IDT, once; load it on each CPU. */
void idt_init(void);
void idt_load(void);

void vector_bind(u32 vector, void (*raise)(u32 vector));

/* From trap.S, and the table of fixups that PROBE sites fill. */
void trap_take(struct trap_frame *f);

/* False if it faulted; arch/bare/probe.h has more of this kind. */
bool probe_msr_read(u32 msr, u64 *v);
