/*
 * The GICv3's CPU interfaces as system registers (ICC_*_EL1): acknowledge, end, mask. IHI 0069,
 * 4.8 and 12.2. For a CPU without list registers to hold its interrupts, see also vgic3_lr.c.
 *
 * Five bits of priority, so 32 levels of preemption and one active priorities register a group. A
 * taken interrupt sets its level's bit there, its end clears the most urgent bit; the interrupt's
 * own active state is cleared with it or, with ICC_CTLR.EOImode, by a write of ICC_DIR.
 */
#include "drivers/model/arm/vgic3.h"

#define ICC(crn, crm, op2)	(3 << 14 | (crn) << 7 | (crm) << 3 | (op2))

enum {
	ICC_PMR = ICC(4, 6, 0),
	ICC_IAR0 = ICC(12, 8, 0), ICC_EOIR0 = ICC(12, 8, 1), ICC_HPPIR0 = ICC(12, 8, 2),
	ICC_BPR0 = ICC(12, 8, 3), ICC_AP0R0 = ICC(12, 8, 4), ICC_AP1R0 = ICC(12, 9, 0),
	ICC_DIR = ICC(12, 11, 1), ICC_RPR = ICC(12, 11, 3), ICC_SGI1R = ICC(12, 11, 5),
	ICC_ASGI1R = ICC(12, 11, 6), ICC_SGI0R = ICC(12, 11, 7),
	ICC_IAR1 = ICC(12, 12, 0), ICC_EOIR1 = ICC(12, 12, 1), ICC_HPPIR1 = ICC(12, 12, 2),
	ICC_BPR1 = ICC(12, 12, 3), ICC_CTLR = ICC(12, 12, 4), ICC_SRE = ICC(12, 12, 5),
	ICC_IGRPEN0 = ICC(12, 12, 6), ICC_IGRPEN1 = ICC(12, 12, 7),
};

enum { BPR0_MIN = 2, BPR1_MIN = 3, CTLR_PRI_BITS = 4 << 8, SRE = 7 };

/* ---- priorities ------------------------------------------------------------------------- */

u32 gic_running(const struct vgic3 *g, u32 cpu)
{
	u32 levels = g->apr[2 * cpu] | g->apr[2 * cpu + 1];

	return levels ? 8 * (u32)__builtin_ctz(levels) : GIC_IDLE;
}

/* The binary point that group 1 uses: its own, or with CBPR the other one plus one. */
static u32 gic_bpr1(const struct vgic3 *g, u32 cpu)
{
	return g->icc_ctlr[cpu] & ICC_CTLR_CBPR ? MIN(g->bpr[2 * cpu] + 1u, 7u) :
						  g->bpr[2 * cpu + 1];
}

/* 4.8.3, table 4-10: group 0's binary point counts from bit 1 on. */
u32 gic_preemption(const struct vgic3 *g, u32 cpu, u32 group, u32 priority)
{
	bool common = g->icc_ctlr[cpu] & ICC_CTLR_CBPR;
	u32 below = group && !common ? g->bpr[2 * cpu + 1] : g->bpr[2 * cpu] + 1u;

	return priority & 0xffu << below & 0xff;
}

/* ---- acknowledge, end ------------------------------------------------------------------- */

static u32 icc_acknowledge(struct dev *d, u32 cpu, u32 group)
{
	struct vgic3 *g = d->state;
	u32 intid = gic_signalled(d, cpu), w = gic_word(cpu, intid), bit = gic_bit(intid);
	u32 priority;

	if (intid == GIC_NONE || gic_group(g, cpu, intid) != group)
		return GIC_NONE;
	priority = gic_preemption(g, cpu, group, *gic_priority(g, cpu, intid));
	g->apr[2 * cpu + group] |= 1u << priority / 8;
	g->active[w] |= bit;
	g->latch[w] &= ~bit;
	if (intid >= GIC_PRIVATE)
		g->owner[intid - GIC_PRIVATE] = (u8)cpu;
	gic_touch(d, w, bit);
	return intid;
}

static void icc_end(struct dev *d, u32 cpu, u32 group, u32 intid)
{
	struct vgic3 *g = d->state;
	u32 levels = g->apr[2 * cpu] | g->apr[2 * cpu + 1];

	if (intid >= GIC_INTIDS)
		return;
	g->apr[2 * cpu + group] &= ~(levels & -levels);
	if (!(g->icc_ctlr[cpu] & ICC_CTLR_EOIMODE))
		gic_deactivate(d, cpu, intid);
	gic_update(d, cpu);
}

/* ---- registers -------------------------------------------------------------------------- */

static u32 icc_highest(const struct dev *d, u32 cpu, u32 group)
{
	u32 intid = gic_highest(d, cpu);

	return intid == GIC_NONE || gic_group(d->state, cpu, intid) != group ? GIC_NONE : intid;
}

static bool icc_read(struct dev *d, u32 cpu, u32 reg, u64 *val)
{
	const struct vgic3 *g = d->state;

	switch (reg) {
	case ICC_PMR: *val = g->pmr[cpu]; break;
	case ICC_IAR0: *val = icc_acknowledge(d, cpu, 0); break;
	case ICC_IAR1: *val = icc_acknowledge(d, cpu, 1); break;
	case ICC_HPPIR0: *val = icc_highest(d, cpu, 0); break;
	case ICC_HPPIR1: *val = icc_highest(d, cpu, 1); break;
	case ICC_BPR0: *val = g->bpr[2 * cpu]; break;
	case ICC_BPR1: *val = gic_bpr1(g, cpu); break;
	case ICC_AP0R0: *val = g->apr[2 * cpu]; break;
	case ICC_AP1R0: *val = g->apr[2 * cpu + 1]; break;
	case ICC_RPR: *val = gic_running(g, cpu); break;
	case ICC_CTLR: *val = g->icc_ctlr[cpu] | CTLR_PRI_BITS; break;
	case ICC_SRE: *val = SRE; break;
	case ICC_IGRPEN0: *val = g->grpen[2 * cpu]; break;
	case ICC_IGRPEN1: *val = g->grpen[2 * cpu + 1]; break;
	default: return false;
	}
	return true;
}

/* Those that only store something; the lines follow. */
static bool icc_store(struct vgic3 *g, u32 cpu, u32 reg, u64 val)
{
	switch (reg) {
	case ICC_PMR: g->pmr[cpu] = val & GIC_PRIORITY; break;
	case ICC_BPR0: g->bpr[2 * cpu] = (u8)MAX(val & 7, BPR0_MIN); break;
	case ICC_BPR1:
		if (!(g->icc_ctlr[cpu] & ICC_CTLR_CBPR))
			g->bpr[2 * cpu + 1] = (u8)MAX(val & 7, BPR1_MIN);
		break;
	case ICC_AP0R0: g->apr[2 * cpu] = (u32)val; break;
	case ICC_AP1R0: g->apr[2 * cpu + 1] = (u32)val; break;
	case ICC_CTLR: g->icc_ctlr[cpu] = val & (ICC_CTLR_CBPR | ICC_CTLR_EOIMODE); break;
	case ICC_SRE: break;			/* there is nothing but system registers */
	case ICC_IGRPEN0: g->grpen[2 * cpu] = val & 1; break;
	case ICC_IGRPEN1: g->grpen[2 * cpu + 1] = val & 1; break;
	default: return false;
	}
	return true;
}

static bool icc_write(struct dev *d, u32 cpu, u32 reg, u64 val)
{
	struct vgic3 *g = d->state;
	u32 intid = val & MASK(24);

	switch (reg) {
	case ICC_EOIR0: icc_end(d, cpu, 0, intid); break;
	case ICC_EOIR1: icc_end(d, cpu, 1, intid); break;
	case ICC_DIR:
		if (intid < GIC_INTIDS && g->icc_ctlr[cpu] & ICC_CTLR_EOIMODE)
			gic_deactivate(d, cpu, intid);
		break;
	default:
		if (!icc_store(g, cpu, reg, val))
			return false;
		gic_update(d, cpu);
	}
	return true;
}

bool vgic3_sysreg(void *ctl, u32 cpu, u32 reg, bool write, u64 *val)
{
	struct dev *d = ctl;
	bool known;

	if (cpu >= d->outs / 2)
		return false;
	if (write && (reg == ICC_SGI1R || reg == ICC_ASGI1R || reg == ICC_SGI0R)) {
		vgic3_sgi(d, cpu, *val, reg == ICC_SGI1R);
		return true;
	}
	lock_take(d->lock);
	known = write ? icc_write(d, cpu, reg, *val) : icc_read(d, cpu, reg, val);
	lock_drop(d->lock);
	return known;
}

/* ---- reset ------------------------------------------------------------------------------ */

void gic_reset_cpu(struct vgic3 *g, u32 cpu)
{
	g->pmr[cpu] = g->icc_ctlr[cpu] = 0;
	g->bpr[2 * cpu] = BPR0_MIN;
	g->bpr[2 * cpu + 1] = BPR1_MIN;
	for (u32 n = 2 * cpu; n < 2 * cpu + 2; n++) {
		g->grpen[n] = 0;
		g->apr[n] = 0;
	}
}

void vgic3_reset_cpu(void *ctl, u32 cpu)
{
	struct dev *d = ctl;

	if (cpu >= d->outs / 2)
		return;
	lock_take(d->lock);
	gic_reset_cpu(d->state, cpu);
	gic_update(d, cpu);
	lock_drop(d->lock);
}
