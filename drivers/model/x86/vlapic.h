/*
 * Inside the local APIC model: its state, and what its three files need of each other. vlapic.c
 * is registers, priorities and delivery; vlapic_timer.c and vlapic_msr.c are what they say.
 */
#pragma once

#include "drivers/model/x86/irq.h"

#define REGS		64

enum {	/* table 11-1, offset / 16 */
	REG_ID = 0x02, REG_VERSION, REG_TPR = 0x08, REG_APR, REG_PPR, REG_EOI, REG_RRD, REG_LDR,
	REG_DFR, REG_SVR, REG_ISR = 0x10, REG_TMR = 0x18, REG_IRR = 0x20, REG_ESR = 0x28,
	REG_ICR = 0x30, REG_ICR_HIGH, REG_LVT_TIMER, REG_LVT_THERMAL, REG_LVT_PERF, REG_LVT_LINT0,
	REG_LVT_LINT1, REG_LVT_ERROR, REG_TMICT, REG_TMCCT, REG_DCR = 0x3e, REG_SELF_IPI,
};

#define SPAN(from, to)	(MASK((to) + 1) & ~MASK(from))
#define READABLE	(SPAN(REG_ID, REG_VERSION) | SPAN(REG_TPR, REG_PPR) | \
			 SPAN(REG_RRD, REG_ESR) | SPAN(REG_ICR, REG_TMCCT) | BIT(REG_DCR))
#define WRITABLE	(BIT(REG_TPR) | BIT(REG_EOI) | SPAN(REG_LDR, REG_SVR) | BIT(REG_ESR) | \
			 SPAN(REG_ICR, REG_TMICT) | BIT(REG_DCR))

enum { BASE_BSP = 1 << 8, BASE_X2 = 1 << 10, BASE_EN = 1 << 11 };	/* IA32_APIC_BASE */
enum { SVR_ENABLED = 1 << 8, SVR_MASK = 0x3ff };
enum { LVT_MASKED = 1 << 16, LVT_PERIODIC = 1 << 17, LVT_DEADLINE = 2 << 17, LVT_MODES = 3 << 17,
       LVT_READ_ONLY = 1 << 12 | 1 << 14 };
enum { ICR_LOGICAL = 1 << 11, ICR_BUSY = 1 << 12, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15,
       ICR_MASK = 0xccfff };

struct vlapic {
	u32 reg[LAPIC_CPUS * REGS];
	u64 base[LAPIC_CPUS];		/* IA32_APIC_BASE */
	u64 deadline[LAPIC_CPUS];	/* IA32_TSC_DEADLINE */
	u64 due[LAPIC_CPUS];		/* guest time when the timer expires, or NS_NEVER */
	u8 errors[LAPIC_CPUS];		/* not yet latched into ESR */
	bool waits[LAPIC_CPUS];		/* for a start-up IPI */
	bool intr[LAPIC_CPUS];		/* levels on dev->out */
	bool lint0;
	u32 last_lowest;		/* got the last lowest-priority interrupt */
	/* not saved: follows from the above */
	struct lapic_timer {
		struct timer timer;
		struct dev *dev;
		u32 cpu;
	} timer[LAPIC_CPUS];
};

static inline const struct lapic_board *lapic_board(const struct dev *d)
{
	static const struct lapic_board none;

	return d->port.any ? d->port.any : &none;
}

static inline u32 lapic_cpus(const struct dev *d)
{
	return d->outs / LAPIC_LINES;
}

static inline u32 *lapic_regs(const struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;

	return a->reg + cpu * REGS;
}

static inline bool lapic_enabled(const struct dev *d, u32 cpu)
{
	const struct vlapic *a = d->state;

	return a->base[cpu] & BASE_EN;
}

static inline bool lapic_is_x2(const struct dev *d, u32 cpu)
{
	const struct vlapic *a = d->state;

	return a->base[cpu] & BASE_X2;
}

static inline bool lapic_has_deadline(const u32 *reg)
{
	return (reg[REG_LVT_TIMER] & LVT_MODES) == LVT_DEADLINE;
}

/* vlapic.c; all under the lock */
extern const u32 lapic_lvt_mask[6];	/* what each LVT entry can hold */
void lapic_update(struct dev *d, u32 cpu);		/* the INTR line follows the state */
void lapic_local(struct dev *d, u32 cpu, u32 entry);	/* an LVT entry's interrupt occurs */
void lapic_clear(struct dev *d, u32 cpu);		/* as INIT does */
u32 lapic_get(const struct dev *d, u32 cpu, u32 index);
void lapic_put(struct dev *d, u32 cpu, u32 index, u32 val);
void lapic_put_icr(struct dev *d, u32 cpu, u32 icr);

/* vlapic_timer.c */
u32 lapic_timer_count(const struct dev *d, u32 cpu);	/* TMCCT */
void lapic_timer_start(struct dev *d, u32 cpu, u32 count);
void lapic_timer_stop(struct dev *d, u32 cpu);
void lapic_write_deadline(struct dev *d, u32 cpu, u64 tsc);
void lapic_timer_fire(struct timer *t);
