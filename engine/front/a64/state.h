/*
 * The architectural state of an AArch64 CPU at EL1 and EL0: complete, so that a CPU may go on under
 * another runner. Arm ARM (DDI 0487), chapters D1, D13 and D17.
 *
 * The interrupt controller's state, that of its CPU interface (ICC_*) included, is the model's; the
 * runner reaches it through struct a64_intc.
 */
#pragma once

#include "engine/gcpu.h"

/* Lines of a CPU: bits of gcpu.lines. */
enum a64_line {
	A64_LINE_IRQ,			/* the controller has something for this CPU */
	A64_LINE_FIQ,
};

/* PSTATE, in SPSR's places. */
enum a64_pstate {
	A64_SP = 1 << 0, A64_EL = 3 << 2, A64_EL1 = 1 << 2, A64_F = 1 << 6, A64_I = 1 << 7,
	A64_A = 1 << 8, A64_D = 1 << 9,
};

#define A64_DEBUG_REGS	16

struct a64_state {
	u64 x[31], sp_el0, sp_el1;
	u64 pc, pstate;
	u64 v[32][2];
	u32 fpcr, fpsr;
	/* EL1, by name */
	u64 sctlr, actlr, cpacr, ttbr0, ttbr1, tcr, esr, far, afsr0, afsr1, mair, amair, vbar;
	u64 elr, spsr, par, contextidr, tpidr_el0, tpidrro_el0, tpidr_el1, csselr, cntkctl;
	u64 mdscr, osdlr, oslsr;
	u64 bvr[A64_DEBUG_REGS], bcr[A64_DEBUG_REGS], wvr[A64_DEBUG_REGS], wcr[A64_DEBUG_REGS];
	/* counter and timers */
	u64 cntvoff;			/* the virtual count is the physical one less this */
	u64 cntv_cval, cntp_cval;
	u32 cntv_ctl, cntp_ctl;
	/* performance monitors: no counters but the cycle counter */
	u64 pmcr, pmccntr, pmccfiltr, pmcntenset, pmintenset, pmovsset, pmuserenr, pmselr;
	u8 event;			/* the event register, of WFE and SEV */
};

/*
 * A GIC's CPU interface as a runner with list registers sees it (ICH_LR<n>_EL2, GIC architecture
 * specification 12.4.7), given to gcpu.intc by the board: @ctl is gcpu.intc_ctl, @cpu gcpu.index.
 * Only from the CPU itself, outside the guest.
 */
struct a64_intc {
	/*
	 * Fill @lr[0..count) with what is most urgent for the CPU; unused ones are 0. True if
	 * more is pending than fits.
	 */
	bool (*load)(void *ctl, u32 cpu, u64 *lr, u32 count);
	/* What became of them in the guest. */
	void (*store)(void *ctl, u32 cpu, const u64 *lr, u32 count);
	/* A private peripheral's interrupt (PPI 16 to 31): the timers'. */
	void (*ppi)(void *ctl, u32 cpu, u32 intid, bool level);
	/* ICC_SGI0R, ICC_SGI1R, ICC_ASGI1R written by the guest (12.2.20). */
	void (*sgi)(void *ctl, u32 cpu, u64 value, u32 group);
};

/* As after reset, at EL1h, MMU and interrupts off. */
void a64_reset(struct gcpu *g);
/* Start at @pc with @x0, otherwise as after reset: boot protocols and PSCI's CPU_ON. */
void a64_start(struct gcpu *g, u64 pc, u64 x0);
