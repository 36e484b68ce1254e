/*
 * The architectural state of an x86-64 CPU: complete, so that a CPU may go on under another runner,
 * and in architectural terms: no VMCB's or VMCS's. Intel SDM volumes 1 and 3, AMD APM volume 2.
 *
 * What belongs to the interrupt controller (APIC base, TPR, x2APIC registers) is the local APIC
 * model's; the runner reaches it through struct x86_intc.
 */
#pragma once

#include "engine/gcpu.h"

enum x86_reg {
	X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
	X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
};

enum x86_seg_index { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS, X86_LDTR, X86_TR, X86_SEGS };

/* Bits of x86_seg.attr: those of a descriptor's bytes 5 and 6, the limit's taken out. */
enum x86_seg_attr {
	X86_SEG_TYPE = 0xf, X86_SEG_S = 1 << 4, X86_SEG_DPL = 3 << 5, X86_SEG_P = 1 << 7,
	X86_SEG_AVL = 1 << 8, X86_SEG_L = 1 << 9, X86_SEG_DB = 1 << 10, X86_SEG_G = 1 << 11,
	X86_SEG_UNUSABLE = 1 << 12,	/* a null selector was loaded */
};

struct x86_seg {
	u64 base;
	u32 limit;			/* in bytes, whatever G says */
	u16 sel, attr;
};

struct x86_table {			/* GDTR, IDTR */
	u64 base;
	u32 limit;
};

/* Lines of a CPU: bits of gcpu.lines. */
enum x86_line {
	X86_LINE_INTR,			/* the local APIC has a vector: x86_intc.accept() */
	X86_LINE_NMI,			/* an edge: the runner lowers it when it takes it */
	X86_LINE_INIT,			/* the same */
};

enum x86_event_type { X86_EVENT_INTR = 0, X86_EVENT_NMI = 2, X86_EVENT_EXCEPTION = 3,
		      X86_EVENT_SOFT = 4 };

#define X86_XSAVE_MAX	4096		/* bytes of the XSAVE image, standard form */
#define X86_MTRR_VAR	8
#define X86_MTRR_FIXED	11

struct x86_state {
	u64 gpr[16];			/* by enum x86_reg */
	u64 rip, rflags;
	struct x86_seg seg[X86_SEGS];
	struct x86_table gdtr, idtr;
	u64 cr0, cr2, cr3, cr4, xcr0;
	u64 dr[4], dr6, dr7;
	/* model-specific registers, by the manuals' names */
	u64 efer, star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 pat, tsc_aux, debugctl, misc_enable, spec_ctrl, xss;
	u64 mtrr_def_type, mtrr_fixed[X86_MTRR_FIXED];
	u64 mtrr_base[X86_MTRR_VAR], mtrr_mask[X86_MTRR_VAR];
	u64 kvm_system_time, kvm_wall_clock;	/* KVM's paravirtual clock */
	u64 tsc_adjust;			/* the guest's TSC less guest time in ticks */
	u64 tsc_hz;	/* ticks a second, set by the runner's init; 0: one a nanosecond */
	/* between instructions */
	u8 shadow;	/* bit 0: after STI; bit 1: after MOV SS: no interrupt yet */
	u8 nmi_blocked;			/* until IRET */
	/* an event whose delivery was interrupted: to be delivered before the next instruction */
	u8 event, event_type, event_vector, event_has_error;
	u32 event_error;
	u8 xsave[X86_XSAVE_MAX] aligned_to(64);
};

/*
 * The local APICs as a runner sees them, given to gcpu.intc by the board: @ctl is gcpu.intc_ctl,
 * @cpu is gcpu.index. All of it only from the CPU itself, outside the guest.
 */
struct x86_intc {
	/* X86_LINE_INTR is up and the CPU can take an interrupt: its vector; -1: none is left */
	int (*accept)(void *ctl, u32 cpu);
	/* APIC_BASE, TSC_DEADLINE and x2APIC's MSRs. False: #GP */
	bool (*msr)(void *ctl, u32 cpu, u32 msr, bool write, u64 *val);
	u8 (*tpr)(void *ctl, u32 cpu);			/* bits 7:4 of the TPR: CR8 */
	void (*set_tpr)(void *ctl, u32 cpu, u8 cr8);
};

/* Start registers: at the reset vector; or where a loader puts a CPU. */
void x86_reset(struct gcpu *g);
/* The guest time at which @g's TSC is @tsc: for the local APIC's deadline. */
ns_t x86_tsc_time(const struct gcpu *g, u64 tsc);
/* As after INIT and a start-up IPI: real mode at @page << 12. */
void x86_start_ap(struct gcpu *g, u8 page);
