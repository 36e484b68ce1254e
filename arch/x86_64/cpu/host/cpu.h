/* x86-64 instructions that are legal in any privilege level; the hosted process uses them too. */
#pragma once

#include "kernel/base/types.h"

#define HOST_NAME	"x86_64"
#define HOST_VIEWS	0xffff800000000000ull	/* bare metal: 128 TiB of unused addresses */

/* Tell the CPU that this is a spin loop. */
static inline void host_relax(void)
{
	__builtin_ia32_pause();
}

static inline u64 host_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/*
 * What was written at @rw can run at @rx, its other mapping. Fetches see every store before them,
 * and prefetched instructions are checked by physical address: only the compiler must not wait.
 */
static inline void host_code_sync(const void *rw, const void *rx, u64 len)
{
	__asm__ volatile("" ::: "memory");
}

/* What Linux saves for a signal handler, in the order of its struct sigcontext. */
#define HOST_SIGNAL_REGS \
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", \
	"rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip", "efl"
#define HOST_SIGNAL_PC	16
