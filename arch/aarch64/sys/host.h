/*
 * What the files of arch/aarch64/sys share with each other and with boot/aarch64, whose
 * entry.c shows the order of the calls.
 */
#pragma once

/*
 * A CPU's stacks and thread-local block in one piece of memory, 16 KiB aligned: bit 13 of an
 * address tells the exception stack from the guard below it (vectors.S). The guards are
 * unmapped, so the 2 MiB block around an area is always mapped by pages; splitting a block
 * (mem.c) therefore never takes a stack away, not even for a moment. Not for C alone: start.S.
 */
#define AREA_ORDER	5
#define AREA_SIZE	0x20000
#define AREA_TLS_MAX	0x4000		/* thread-local block, from 0 */
#define AREA_GUARD_TRAP	0x4000		/* to 0x6000 */
#define AREA_TRAP_TOP	0x8000		/* 8 KiB for exceptions: SP_EL2 */
#define AREA_GUARD	0x8000		/* to 0xa000 */
#define AREA_GUARD_LEN	0x2000
#define AREA_STACK_TOP	0x1ff00		/* 87 KiB for everything else: SP_EL0 */
#define AREA_START	0x1ff00		/* struct start_regs */

#ifndef __ASSEMBLER__

#include "arch/aarch64/sys/machine.h"
#include "arch/mem.h"
#include "kernel/base/cpu.h"
#include "kernel/base/err.h"

struct boot_info;
struct frame;
struct rng;

/* What a CPU needs to switch to our tables, and a new one to start: start.S knows the offsets. */
struct start_regs {
	u64 mair, tcr, ttbr, sctlr, hcr;
	u64 area, tpidr, cpu;
	_Atomic u32 arrived;		/* enum start_state */
};
enum start_state { START_INVITED, START_ARRIVED, START_ABANDONED };

struct host_cpu {
	u8 *area;
	hpa_t redist;			/* GICv3: this CPU's redistributor frame */
	u8 gicv2_mask;			/* GICv2: this CPU's target bit */
	u64 affinity;
};

extern struct host_cpu host_cpus[CPU_MAX];

static inline struct host_cpu *host_cpu(const struct cpu *c)
{
	return c->arch;
}

/* area.c: fill the thread-local block of @area, return the thread pointer; unmap the guards. */
u64 area_init(u8 *area);
err_t area_guard(u8 *area);

/* mem.c */
void mem_init(const struct boot_info *info);		/* own tables, W^X on */
void mem_start_regs(struct start_regs *r);		/* the tables for another CPU */
bool mem_fault_is_transient(u64 esr, u64 far);		/* a block is just being split: retry */
void mem_clean(const void *p, u64 len);			/* to memory, for CPUs with caches off */

/* gic.c */
void gic_init(void);					/* distributor and this CPU */
void gic_init_cpu(void);				/* a secondary CPU */
void gic_enable(u32 intid);
void gic_disable(u32 intid);
void gic_send(struct cpu *to, u32 sgi);
bool gic_present(void);
void irq_take(void);					/* from the vector, masked */

/* clock.c */
void clock_init(const struct boot_info *info);
void clock_init_cpu(void);
u64 clock_count_at(ns_t ns);			/* the counter at arch_clock_ns() = @ns */
void clock_poll(void);					/* raise CPU_TIMER if it is due */

/* uart.c */
void uart_init(hpa_t base);				/* polled output from here on */
void uart_init_input(u32 intid);
void uart_poll(void);					/* take input without an interrupt */

/* Device registers are mapped like this. */
#define PROT_MMIO	(PROT_R | PROT_W | PROT_DEVICE)

/* psci.c: calls return PSCI's own codes, 0 is success. */
s64 psci_cpu_on(u64 affinity, hpa_t entry, u64 context);
void psci_system_off(void);
void psci_system_reset(void);
u32 psci_version(void);					/* major << 16 | minor; 0: no PSCI */

/* rng.c: log which entropy source there is. */
void rng_init(void);

/* start.S: leave the current translation regime for @r's; where PSCI starts a CPU, its MMU off. */
void start_mmu(const struct start_regs *r);
void start_secondary(void);
/* smp.c: called on the new CPU by start.S. */
_Noreturn void smp_enter(struct start_regs *r);

/* trap.c */
void trap_take(struct frame *f, u32 slot);

enum { SGI_KICK = 0, SGI_STOP = 1 };

/* linker/core.ld */
extern u8 text_start[], text_end[], tls_start[], tls_data_end[], tls_end[];

#endif
