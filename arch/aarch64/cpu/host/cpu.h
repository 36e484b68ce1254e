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
