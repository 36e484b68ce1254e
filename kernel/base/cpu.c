/* The host CPUs and how one of them is told that there is something to do. */
#include "kernel/base/cpu.h"

#include "arch/smp.h"

_Thread_local struct cpu *cpu_self;
struct cpu cpus[CPU_MAX];
u32 cpu_count;

/* Flags first: whoever sees attention, or wakes, must find them. */
void cpu_raise_local(struct cpu *c, u32 bits)
{
	_Atomic u32 *attention;

	atomic_fetch_or(&c->pending, bits);
	attention = atomic_load(&c->attention);
	if (attention)
		atomic_store(attention, 1);
}

void cpu_raise(struct cpu *c, u32 bits)
{
	cpu_raise_local(c, bits);
	if (c != cpu_self)
		arch_cpu_kick(c);
}
