/* x86-64 instructions that are legal in any privilege level; the hosted process uses them too. */
#pragma once

#include "kernel/base/types.h"

#define HOST_NAME	"x86_64"

/* Tell the CPU that this is a spin loop. */
static inline void host_relax(void)
{
	__builtin_ia32_pause();
}

static inline u64 host_cycles(void)
{
	return __builtin_ia32_rdtsc();
}
