/*
 * Per-CPU data of a host CPU (in the hosted process: of a thread that plays one).
 *
 * cpu_self is thread-local; every host provides C11 thread-local storage (FS base on
 * x86-64, TPIDR_EL2 on AArch64), which also carries SoftFloat's rounding mode and flags.
 *
 * The hypervisor is cooperative: an interrupt handler only sets bits in ->pending and
 * ends the guest's turn (cpu_raise); the work is done by the scheduler's loop, in order.
 */
#pragma once

#include "kernel/base/timer.h"
#include "kernel/base/types.h"

#define CPU_MAX 64

enum cpu_pending {
	CPU_TIMER = 1 << 0,	/* the host timer fired: run the timer queue */
	CPU_KICK  = 1 << 1,	/* somebody changed something: look at the run queue */
	CPU_INPUT = 1 << 2,	/* a host input device has something (console) */
};

struct cpu {
	/* set once */
	u32 id;			/* 0 .. cpu_count - 1, 0 boots */
	u32 node;		/* NUMA node, 0 without SRAT */
	u64 hw_id;		/* APIC ID, MPIDR affinity, thread id */
	void *arch;		/* the host's own per-CPU data */
	/* any CPU, atomic */
	_Atomic u32 pending;	/* enum cpu_pending */
	_Atomic(_Atomic u32 *) attention;	/* where the running guest CPU looks, or NULL */
	_Atomic bool online, idle;
	/* owning CPU only */
	struct timer_queue timers;
	void *sched;		/* kernel/sched.c */
	struct jit *jit;	/* whose translated code runs and may fault: see jit_fault() */
	ns_t busy_ns, idle_ns;
};

extern _Thread_local struct cpu *cpu_self;
extern struct cpu cpus[CPU_MAX];
extern u32 cpu_count;

/* Set @bits for @c, end its guest's turn, wake it if idle. Any context, any CPU. */
void cpu_raise(struct cpu *c, u32 bits);
/* The part that is safe in an interrupt or signal handler on @c itself: no wake-up is sent. */
void cpu_raise_local(struct cpu *c, u32 bits);
