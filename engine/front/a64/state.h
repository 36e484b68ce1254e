/*
 * The architectural state of an AArch64 CPU at EL1 and EL0: complete, so that a CPU may go on under
 * another runner. Arm ARM (DDI 0487), chapters D1, D13 and D17.
 *
 * The interrupt controller's state, that of its CPU interface (ICC_*) included, is the model's; the
 * runner reaches it through struct a64_intc. Sections there: GIC architecture, IHI 0069.
 */
#pragma once

#include "engine/gcpu.h"

#define A64_CNTFRQ	62500000u	/* of the counter, Hz, unless the host's own shows */

/* Lines of a CPU: bits of gcpu.lines. */
enum a64_line {
	A64_LINE_IRQ,			/* the controller has something for this CPU */
	A64_LINE_FIQ,
	A64_LINE_TIMER,		/* a comparator may be due: whoever runs it calls a64_timers() */
};

/* INTIDs of the timers (PPIs), as on QEMU's virt and by Arm's Base System Architecture. */
enum a64_ppi {
	A64_PPI_CNTHP = 26, A64_PPI_CNTV = 27, A64_PPI_CNTPS = 29, A64_PPI_CNTP = 30,
};

/* PSTATE, in SPSR's places. */
enum a64_pstate {
	A64_SP = 1 << 0, A64_EL = 3 << 2, A64_EL1 = 1 << 2, A64_F = 1 << 6, A64_I = 1 << 7,
	A64_A = 1 << 8, A64_D = 1 << 9,
};

/* CNTV_CTL, CNTP_CTL; ISTATUS is not kept: it is what the comparison says. */
enum a64_timer_ctl { A64_TIMER_ENABLE = 1, A64_TIMER_IMASK = 2, A64_TIMER_ISTATUS = 4 };

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
	u32 cntfrq;	/* Hz; outlives resets: a runner that cannot hide the host's sets it */
	u8 timer_levels;	/* as last told the controller: bit 0 CNTV's, bit 1 CNTP's */
	/* performance monitors: no counters but the cycle counter */
	u64 pmcr, pmccntr, pmccfiltr, pmcntenset, pmintenset, pmovsset, pmuserenr, pmselr;
	u8 event;			/* the event register, of WFE and SEV */
};

/*
 * A GIC's CPU interface as a runner sees it, given to gcpu.intc by the board: @ctl is
 * gcpu.intc_ctl, @cpu gcpu.index. Only from the CPU itself, outside the guest; takes the bus lock.
 *
 * With list registers: load, guest, store. In between A64_LINE_IRQ says that a new load would do
 * better (a rising edge kicks, as always); after store it says that the guest has an interrupt that
 * its CPU interface would signal. Without them: sysreg, and the line alone.
 */
enum a64_ich {			/* the interface's registers in the form of ICH_*_EL2, 12.4 */
	A64_ICH_VMCR, A64_ICH_AP0R, A64_ICH_AP1R,
	A64_ICH_EOICOUNT,	/* store only: ICH_HCR_EL2.EOIcount, as a number; load clears it */
	A64_ICH_COUNT
};
#define A64_LR_MAX	16

struct a64_intc {
	/*
	 * Fill @lr[0..count) (ICH_LR<n>_EL2) with what is most urgent for the CPU; unused ones are
	 * 0. True if more is pending than fits: come back when one is free.
	 */
	bool (*load)(void *ctl, u32 cpu, u64 *lr, u32 count, u32 ich[A64_ICH_COUNT]);
	/* What became of them in the guest. */
	void (*store)(void *ctl, u32 cpu, const u64 *lr, u32 count, const u32 ich[A64_ICH_COUNT]);
	/* A private peripheral's interrupt (PPI 16 to 31): the timers'. */
	void (*ppi)(void *ctl, u32 cpu, u32 intid, bool level);
	/*
	 * ICC_SGI1R (@group 1), ICC_SGI0R (0), ICC_ASGI1R (0: there is but one security state)
	 * written by the guest (12.2.20).
	 */
	void (*sgi)(void *ctl, u32 cpu, u64 value, u32 group);
	/* The interface as after a reset of its CPU, which is off or has not run yet. */
	void (*reset)(void *ctl, u32 cpu);
	/*
	 * MRS or MSR of any ICC_*_EL1, on the model's own CPU interface: not between load and
	 * store. @reg is Op0:Op1:CRn:CRm:Op2 (A64_SYSREG). False: no such register, UNDEFINED.
	 */
	bool (*sysreg)(void *ctl, u32 cpu, u32 reg, bool write, u64 *val);
};

/* A system register's number, as in the encoding of MRS: bits 20 to 5 of the instruction. */
#define A64_SYSREG(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* Affinity of a CPU: 16 to a cluster, for that many are an SGI's targets. Also MPIDR_EL1. */
static inline u64 a64_affinity(u32 index)
{
	return index % 16 | index / 16 << 8;
}

static inline u64 a64_mpidr(u32 index)
{
	return BIT(31) | a64_affinity(index);
}

/* As after reset, at EL1h, MMU and interrupts off. */
void a64_reset(struct gcpu *g);
/* Start at @pc with @x0, otherwise as after reset: boot protocols and PSCI's CPU_ON. */
void a64_start(struct gcpu *g, u64 pc, u64 x0);

/* The physical count: guest time in ticks of st->cntfrq. CNTVCT is this less st->cntvoff. */
u64 a64_count(const struct gcpu *g);
/*
 * Tell the controller the levels of CNTV's and CNTP's interrupts and arm g->timer for the next
 * change; clears A64_LINE_TIMER. Owning CPU only, outside the guest: after any change of the
 * timers' registers, and when the line is up.
 */
void a64_timers(struct gcpu *g);
