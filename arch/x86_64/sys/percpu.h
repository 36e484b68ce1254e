/*
 * What a host CPU owns on x86-64: its stacks with unmapped guard pages below them, its
 * thread-local storage, GDT and TSS, in one block of 128 KiB. #DF, NMI and #MC have stacks
 * of their own (IST), so an overflown stack still ends in a readable dump.
 */
#pragma once

#include "kernel/base/cpu.h"

#define PERCPU_ORDER	5

enum { SEL_CODE = 0x08, SEL_DATA = 0x10, SEL_TSS = 0x18 };
enum { IST_DF = 1, IST_NMI = 2, IST_MC = 3 };

struct tss {			/* SDM 3A, 8.7 */
	u32 reserved0;
	u64 rsp[3];
	u64 ist[8];		/* [0] is reserved: the IDT counts from 1 */
	u64 reserved1;
	u16 reserved2, iomap;
} packed;
_Static_assert(sizeof(struct tss) == 0x68 && offsetof(struct tss, ist) == 0x1c, "TSS64");

struct percpu {
	u8 guard0[PAGE_SIZE];
	u8 stack[16 * PAGE_SIZE];
	u8 guard1[PAGE_SIZE];
	u8 stack_df[2 * PAGE_SIZE];
	u8 guard2[PAGE_SIZE];
	u8 stack_nmi[2 * PAGE_SIZE];
	u8 guard3[PAGE_SIZE];
	u8 stack_mc[2 * PAGE_SIZE];
	u8 tls[4 * PAGE_SIZE];
	/* set once */
	void *fs_self;		/* %fs:0 points to itself, and the thread-local block ends here */
	struct cpu *cpu;
	u32 apic_id;
	u64 gdt[5];
	struct tss tss;
	/* owning CPU only */
	_Atomic ns_t alarm;	/* what the timer is set to, NS_NEVER: nothing */
	const u8 *jit_ram;	/* where GS points */
	/* any CPU, atomic */
	_Atomic u32 start;	/* enum start_state of smp.c */
	_Atomic u64 tlb_seen;	/* the newest flush it has made, see paging.c */
} aligned_to(PAGE_SIZE);

_Static_assert(sizeof(struct percpu) <= PAGE_SIZE << PERCPU_ORDER,
	       "a block of pages holds a percpu");
_Static_assert(offsetof(struct percpu, guard1) == 17 * PAGE_SIZE,
	       "start.S knows where the stack begins");

/* Make @p the calling CPU's: GDT, TSS, IDT, thread-local storage with cpu_self = @cpu. */
void percpu_load(struct percpu *p, struct cpu *cpu);
/* Take the mapping of the guard pages away; needs paging_init(). */
void percpu_guard(struct percpu *p);

static inline struct percpu *percpu_of(struct cpu *c)
{
	return c->arch;
}

extern struct percpu percpu_boot;
