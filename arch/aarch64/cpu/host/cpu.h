/* AArch64 instructions that are legal at any exception level; the hosted process uses them too. */
#pragma once

#include "kernel/base/types.h"

#define HOST_NAME	"aarch64"

/* Tell the CPU that this is a spin loop. */
static inline void host_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static inline u64 host_cycles(void)
{
	u64 v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(v));
	return v;
}

/* What Linux saves for a signal handler, in the order of its struct sigcontext. */
#define HOST_SIGNAL_REGS \
	"far", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
	"x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", \
	"x26", "x27", "x28", "x29", "x30", "sp", "pc", "psr"
#define HOST_SIGNAL_PC	33
