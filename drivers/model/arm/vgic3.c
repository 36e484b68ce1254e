/*
 * Generic interrupt controller, version 3, as on QEMU's virt: up to 64 CPUs, 256 SPIs, affinity
 * routing, one security state (GICD_CTLR.DS = 1), no LPIs. GIC architecture specification,
 * IHI 0069, chapter 4; the names of registers are that document's.
 *
 * An interrupt is pending because it was latched (an edge, an SGI, a write) or because it is
 * level-triggered and its input is high. It goes to a CPU when it is pending, enabled, not active
 * and its group is on; the CPU's interface may still mask it. dev->out[2 * cpu] is the CPU's IRQ
 * (group 1), dev->out[2 * cpu + 1] its FIQ (group 0). While a CPU has its interrupts in list
 * registers, IRQ asks it to come back for something that is not there: see vgic3_lr.c.
 */
#include "drivers/model/arm/vgic3.h"
#include "kernel/base/str.h"

static const struct field vgic3_fields[] = {
	FIELD(struct vgic3, ctlr),
	FIELD_ARRAY(struct vgic3, group),
	FIELD_ARRAY(struct vgic3, enable),
	FIELD_ARRAY(struct vgic3, active),
	FIELD_ARRAY(struct vgic3, edge),
	FIELD_ARRAY(struct vgic3, level),
	FIELD_ARRAY(struct vgic3, latch),
	FIELD_ARRAY(struct vgic3, priority),
	FIELD_ARRAY(struct vgic3, route),
	FIELD_ARRAY(struct vgic3, owner),
	FIELD_ARRAY(struct vgic3, asleep),
	FIELD_ARRAY(struct vgic3, pmr),
	FIELD_ARRAY(struct vgic3, icc_ctlr),
	FIELD_ARRAY(struct vgic3, bpr),
	FIELD_ARRAY(struct vgic3, grpen),
	FIELD_ARRAY(struct vgic3, apr),
	FIELD_ARRAY(struct vgic3, out),
	{ NULL },
};

static u32 gic_cpus(const struct dev *d)
{
	return d->outs / 2;
}

/* Aff0 numbers the CPUs of a cluster of 16, Aff1 the clusters; Aff2 and Aff3 are 0. */
u32 gic_cpu_of(const struct dev *d, u64 affinity)
{
	u64 cpu = BITS(affinity, 15, 8) * 16 + (affinity & 0xff);

	return affinity >> 16 || (affinity & 0xff) > 15 || cpu >= gic_cpus(d) ? GIC_NOBODY :
										(u32)cpu;
}

/* ---- who gets what ---------------------------------------------------------------------- */

u32 gic_pending(const struct vgic3 *g, u32 w)
{
	return g->latch[w] | g->lent[w] | (g->level[w] & ~g->edge[w]);
}

/* Pending, enabled, of a group that is on. */
static u32 gic_forwarded(const struct vgic3 *g, u32 w)
{
	u32 groups = (g->ctlr & GICD_CTLR_GRP1 ? g->group[w] : 0) |
		     (g->ctlr & GICD_CTLR_GRP0 ? ~g->group[w] : 0);

	return gic_pending(g, w) & g->enable[w] & groups;
}

/* Of the SPIs @word from INTID @first on: those that are routed to @cpu. */
static u32 gic_routed(const struct dev *d, u32 cpu, u32 first, u32 word)
{
	const struct vgic3 *g = d->state;
	u32 mine = 0;

	for (; word; word &= word - 1) {
		u32 n = (u32)__builtin_ctz(word);

		if (gic_cpu_of(d, g->route[first - GIC_PRIVATE + n]) == cpu)
			mine |= 1u << n;
	}
	return mine;
}

void gic_ready(const struct dev *d, u32 cpu, u32 set[GIC_SET])
{
	const struct vgic3 *g = d->state;

	for (u32 i = 0; i < GIC_SET; i++) {
		u32 w = gic_word(cpu, 32 * i);

		set[i] = gic_forwarded(g, w) & ~g->active[w] & ~g->listed[w];
		if (g->asleep[cpu])
			set[i] = 0;
		else if (i)
			set[i] = gic_routed(d, cpu, 32 * i, set[i]);
	}
}

bool gic_goes_to(const struct dev *d, u32 cpu, u32 intid)
{
	const struct vgic3 *g = d->state;
	u32 ready = gic_forwarded(g, gic_word(cpu, intid)) & gic_bit(intid);

	if (intid >= GIC_PRIVATE)
		ready = gic_routed(d, cpu, ALIGN_DOWN(intid, 32u), ready);
	return ready && !g->asleep[cpu];
}

u32 gic_best(const struct vgic3 *g, u32 cpu, const u32 set[GIC_SET])
{
	u32 best = GIC_NONE, floor = GIC_IDLE + 1;

	for (u32 i = 0; i < GIC_SET; i++) {
		for (u32 left = set[i]; left; left &= left - 1) {
			u32 intid = 32 * i + (u32)__builtin_ctz(left);
			u32 priority = g->priority[32 * gic_word(cpu, intid) + intid % 32];

			if (priority < floor) {
				floor = priority;
				best = intid;
			}
		}
	}
	return best;
}

void gic_enabled_groups(const struct vgic3 *g, u32 cpu, u32 set[GIC_SET])
{
	for (u32 i = 0; i < GIC_SET; i++) {
		u32 group1 = g->group[gic_word(cpu, 32 * i)];

		set[i] &= (g->grpen[2 * cpu + 1] ? group1 : 0) | (g->grpen[2 * cpu] ? ~group1 : 0);
	}
}

u32 gic_highest(const struct dev *d, u32 cpu)
{
	u32 set[GIC_SET];

	gic_ready(d, cpu, set);
	gic_enabled_groups(d->state, cpu, set);
	return gic_best(d->state, cpu, set);
}

u32 gic_signalled(const struct dev *d, u32 cpu)
{
	struct vgic3 *g = d->state;
	u32 intid = gic_highest(d, cpu), priority;

	if (intid == GIC_NONE)
		return GIC_NONE;
	priority = *gic_priority(g, cpu, intid);
	if (priority >= g->pmr[cpu] ||
	    gic_preemption(g, cpu, gic_group(g, cpu, intid), priority) >= gic_running(g, cpu))
		return GIC_NONE;
	return intid;
}

/* ---- lines ------------------------------------------------------------------------------ */

static void gic_out(struct dev *d, u32 n, bool level)
{
	struct vgic3 *g = d->state;

	if (g->out[n] != level) {
		g->out[n] = level;
		irq_set(&d->out[n], level);
	}
}

static bool gic_has_news(const struct dev *d, u32 cpu)
{
	const struct vgic3 *g = d->state;
	u32 set[GIC_SET];

	gic_ready(d, cpu, set);
	for (u32 i = 0; i < GIC_SET; i++)
		set[i] &= ~g->passed[gic_word(cpu, 32 * i)];
	return g->news & BIT(cpu) || gic_best(g, cpu, set) != GIC_NONE;
}

void gic_update(struct dev *d, u32 cpu)
{
	const struct vgic3 *g = d->state;
	u32 intid;

	if (g->loaded & BIT(cpu)) {
		gic_out(d, 2 * cpu, gic_has_news(d, cpu));
		gic_out(d, 2 * cpu + 1, false);
		return;
	}
	intid = gic_signalled(d, cpu);
	gic_out(d, 2 * cpu, intid != GIC_NONE && gic_group(g, cpu, intid));
	gic_out(d, 2 * cpu + 1, intid != GIC_NONE && !gic_group(g, cpu, intid));
}

void gic_settle(struct dev *d, u32 cpu)
{
	struct vgic3 *g = d->state;

	g->loaded |= BIT(cpu);
	g->news &= ~BIT(cpu);
	gic_out(d, 2 * cpu, false);
	gic_out(d, 2 * cpu + 1, false);
}

void gic_update_all(struct dev *d)
{
	for (u32 cpu = 0; cpu < gic_cpus(d); cpu++)
		gic_update(d, cpu);
}

void gic_touch(struct dev *d, u32 w, u32 changed)
{
	struct vgic3 *g = d->state;
	u32 in_lists = changed & (g->listed[w] | g->passed[w]);

	if (w < GIC_CPUS) {
		g->news |= in_lists ? BIT(w) : 0;
		gic_update(d, w);
		return;
	}
	for (; in_lists; in_lists &= in_lists - 1)
		g->news |= BIT(g->holder[32 * (w - GIC_CPUS) + (u32)__builtin_ctz(in_lists)]);
	gic_update_all(d);
}

void gic_deactivate(struct dev *d, u32 cpu, u32 intid)
{
	struct vgic3 *g = d->state;
	u32 w = gic_word(cpu, intid);

	g->active[w] &= ~gic_bit(intid);
	gic_touch(d, w, gic_bit(intid));
}

/* ---- inputs ----------------------------------------------------------------------------- */

/*
 * A rising edge is latched; of a level both changes count: one that falls takes its interrupt
 * back.
 */
static void gic_drive(struct dev *d, u32 w, u32 bit, bool level)
{
	struct vgic3 *g = d->state;

	if (!!(g->level[w] & bit) == level)
		return;
	g->level[w] ^= bit;
	if (level)
		g->latch[w] |= bit & g->edge[w];
	gic_touch(d, w, level ? bit : bit & ~g->edge[w]);
}

void vgic3_input(void *ctl, u32 input, bool level)
{
	if (input >= GIC_PRIVATE && input < GIC_INTIDS)
		gic_drive(ctl, gic_word(0, input), gic_bit(input), level);
}

void vgic3_ppi(void *ctl, u32 cpu, u32 intid, bool level)
{
	struct dev *d = ctl;

	if (cpu >= gic_cpus(d) || intid < 16 || intid >= GIC_PRIVATE)
		return;
	lock_take(d->lock);
	gic_drive(d, cpu, gic_bit(intid), level);
	lock_drop(d->lock);
}

/* An SGI reaches a CPU where it is in the group that it was sent in: 4.7.1. */
static void gic_send(struct dev *d, u32 cpu, u32 intid, u32 group)
{
	struct vgic3 *g = d->state;

	if (cpu >= gic_cpus(d) || gic_group(g, cpu, intid) != group)
		return;
	g->latch[cpu] |= gic_bit(intid);
	gic_touch(d, cpu, gic_bit(intid));
}

/* 12.2.20: a list of CPUs of one cluster, or everybody else. */
void vgic3_sgi(void *ctl, u32 cpu, u64 value, u32 group)
{
	struct dev *d = ctl;
	u64 cluster = BITS(value, 55, 48) << 32 | BITS(value, 39, 32) << 16 |
		      BITS(value, 23, 16) << 8;
	u32 intid = (u32)BITS(value, 27, 24), targets = BITS(value, 47, 44) ? 0 : value & 0xffff;

	lock_take(d->lock);
	if (value & BIT(40)) {
		for (u32 other = 0; other < gic_cpus(d); other++)
			if (other != cpu)
				gic_send(d, other, intid, group);
	} else {
		for (; targets; targets &= targets - 1)
			gic_send(d, gic_cpu_of(d, cluster | (u32)__builtin_ctz(targets)), intid,
				 group);
	}
	lock_drop(d->lock);
}

/* ---- life ------------------------------------------------------------------------------- */

/* Inputs keep the levels that devices drive; SGIs are edges; everybody sleeps. */
static void vgic3_reset(struct dev *d)
{
	struct vgic3 *g = d->state;
	u32 level[GIC_WORDS];

	memcpy(level, g->level, sizeof(level));
	memset(g, 0, sizeof(*g));
	memcpy(g->level, level, sizeof(level));
	for (u32 cpu = 0; cpu < gic_cpus(d); cpu++) {
		g->edge[cpu] = 0xffff;
		g->asleep[cpu] = true;
		gic_reset_cpu(g, cpu);
	}
	for (u32 n = 0; n < d->outs; n++)
		irq_set(&d->out[n], false);
}

static err_t vgic3_attach(struct dev *d)
{
	if (!d->outs || d->outs > 2 * GIC_CPUS || d->outs % 2)
		return ERRF(E_RANGE, "%s: %u outputs, two for each CPU and at most %u", d->name,
			    d->outs, 2 * GIC_CPUS);
	return OK;
}

const struct model vgic3_model = {
	.name = "vgic3",
	.compatible = "arm,gic-v3",
	.state_size = sizeof(struct vgic3),
	.fields = vgic3_fields,
	.attach = vgic3_attach,
	.reset = vgic3_reset,
	.read = vgic3_read,
	.write = vgic3_write,
};
