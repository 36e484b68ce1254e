/* AArch64 instructions that are legal at any exception level; the hosted process uses them too. */
#pragma once

#include "kernel/base/types.h"

#define HOST_NAME	"aarch64"
#define HOST_VIEWS	0x0000800000000000ull	/* bare metal: 128 TiB of unused addresses */

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

/*
 * What was written at @rw can run at @rx, its other mapping, on this CPU (Arm ARM B2.4.4): data to
 * the point of unification by the one address, stale instructions out by the other. Another CPU
 * that does not come here by way of an exception needs an ISB of its own.
 */
static inline void host_code_sync(const void *rw, const void *rx, u64 len)
{
	u64 ctr, data, code;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	data = 4ull << BITS(ctr, 19, 16);
	code = 4ull << BITS(ctr, 3, 0);
	for (uptr at = ALIGN_DOWN((uptr)rw, data); at < (uptr)rw + len; at += data)
		__asm__ volatile("dc cvau, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	for (uptr at = ALIGN_DOWN((uptr)rx, code); at < (uptr)rx + len; at += code)
		__asm__ volatile("ic ivau, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish; isb" ::: "memory");
}

/* What Linux saves for a signal handler, in the order of its struct sigcontext. */
#define HOST_SIGNAL_REGS \
	"far", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
	"x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", \
	"x26", "x27", "x28", "x29", "x30", "sp", "pc", "psr"
#define HOST_SIGNAL_PC	33
