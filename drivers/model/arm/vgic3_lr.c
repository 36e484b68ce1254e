/*
 * The GICv3 on a CPU that has list registers (ICH_LR<n>_EL2): the guest takes and ends its
 * interrupts there without us. IHI 0069, 4.9 (virtual CPU interface) and 12.4.
 *
 * Between load and store the listed interrupts' pending latch is lent to the list register, where
 * being taken clears it; what is latched meanwhile is an interrupt more. One whose input is high is
 * listed with EOI set, so that its end is an exit, after which its input is looked at again; for
 * the same reason a level-triggered one is never listed as active and pending at once. Active ones
 * come first: their end must find them. Those beyond the list registers are ended by EOIcount.
 */
#include "drivers/model/arm/vgic3.h"

#define LR_STATE_PENDING	BIT(62)
#define LR_STATE_ACTIVE		BIT(63)
#define LR_GROUP1		BIT(60)
#define LR_EOI			BIT(41)
#define LR_PRIORITY_SHIFT	48

/* ---- the CPU interface as ICH_VMCR_EL2 has it ----------------------------------------------- */

enum {
	VMCR_ENG0 = 1 << 0, VMCR_ENG1 = 1 << 1, VMCR_FIQ_EN = 1 << 3, VMCR_CBPR = 1 << 4,
	VMCR_EOIM = 1 << 9, VMCR_BPR1_SHIFT = 18, VMCR_BPR0_SHIFT = 21, VMCR_PMR_SHIFT = 24,
};

static u32 vmcr_make(const struct vgic3 *g, u32 cpu)
{
	u8 ctlr = g->icc_ctlr[cpu];

	return (u32)g->pmr[cpu] << VMCR_PMR_SHIFT | (u32)g->bpr[2 * cpu] << VMCR_BPR0_SHIFT |
	       (u32)g->bpr[2 * cpu + 1] << VMCR_BPR1_SHIFT | VMCR_FIQ_EN |
	       (ctlr & ICC_CTLR_EOIMODE ? VMCR_EOIM : 0) | (ctlr & ICC_CTLR_CBPR ? VMCR_CBPR : 0) |
	       (g->grpen[2 * cpu + 1] ? VMCR_ENG1 : 0) | (g->grpen[2 * cpu] ? VMCR_ENG0 : 0);
}

static void vmcr_take(struct vgic3 *g, u32 cpu, u32 vmcr)
{
	g->pmr[cpu] = vmcr >> VMCR_PMR_SHIFT & GIC_PRIORITY;
	g->bpr[2 * cpu] = vmcr >> VMCR_BPR0_SHIFT & 7;
	g->bpr[2 * cpu + 1] = vmcr >> VMCR_BPR1_SHIFT & 7;
	g->icc_ctlr[cpu] = (vmcr & VMCR_EOIM ? ICC_CTLR_EOIMODE : 0) |
			   (vmcr & VMCR_CBPR ? ICC_CTLR_CBPR : 0);
	g->grpen[2 * cpu + 1] = !!(vmcr & VMCR_ENG1);
	g->grpen[2 * cpu] = !!(vmcr & VMCR_ENG0);
}

/* ---- load ------------------------------------------------------------------------------- */

/* The active ones that @cpu took and no list register holds. */
static void gic_active(const struct vgic3 *g, u32 cpu, u32 set[GIC_SET])
{
	for (u32 i = 0; i < GIC_SET; i++) {
		u32 w = gic_word(cpu, 32 * i), left = g->active[w] & ~g->listed[w];

		for (set[i] = i ? 0 : left; i && left; left &= left - 1)
			if (g->owner[32 * (i - 1) + (u32)__builtin_ctz(left)] == cpu)
				set[i] |= left & -left;
	}
}

/* The end of one that is going to be pending again, unknown to the list register, is an exit. */
static u64 list_one(struct dev *d, u32 cpu, u32 intid)
{
	struct vgic3 *g = d->state;
	u32 w = gic_word(cpu, intid), bit = gic_bit(intid);
	u64 lr = intid | (u64)*gic_priority(g, cpu, intid) << LR_PRIORITY_SHIFT;

	if (g->active[w] & bit)
		lr |= LR_STATE_ACTIVE;
	if (!(g->active[w] & bit) || (g->edge[w] & bit && gic_goes_to(d, cpu, intid))) {
		lr |= LR_STATE_PENDING;
		g->lent[w] |= g->latch[w] & bit;
		g->latch[w] &= ~bit;
	}
	if (g->group[w] & bit)
		lr |= LR_GROUP1;
	if (((g->level[w] & ~g->edge[w]) | g->latch[w]) & bit)
		lr |= LR_EOI;
	g->listed[w] |= bit;
	if (intid >= GIC_PRIVATE)
		g->holder[intid - GIC_PRIVATE] = (u8)cpu;
	return lr;
}

/* List the most urgent of @set, and take them out, while fewer than @count are. */
static void list_best(struct dev *d, u32 cpu, u32 set[GIC_SET], u64 *lr, u32 count)
{
	struct vgic3 *g = d->state;
	u32 intid;

	while (g->lists[cpu] < count && (intid = gic_best(g, cpu, set)) != GIC_NONE) {
		set[intid / 32] &= ~gic_bit(intid);
		lr[g->lists[cpu]] = list_one(d, cpu, intid);
		g->list[cpu][g->lists[cpu]++] = (u16)intid;
	}
}

/* What had no room is no news from now on: the guest's own progress brings it back. True: some. */
static bool pass_over(struct dev *d, u32 cpu)
{
	struct vgic3 *g = d->state;
	u32 set[GIC_SET], any = 0;

	gic_ready(d, cpu, set);
	for (u32 i = 0; i < GIC_SET; i++) {
		g->passed[gic_word(cpu, 32 * i)] |= set[i];
		any |= set[i];
		for (u32 left = i ? set[i] : 0; left; left &= left - 1)
			g->holder[32 * (i - 1) + (u32)__builtin_ctz(left)] = (u8)cpu;
	}
	return any;
}

bool vgic3_load(void *ctl, u32 cpu, u64 *lr, u32 count, u32 ich[GIC_ICH_COUNT])
{
	struct dev *d = ctl;
	struct vgic3 *g = d->state;
	u32 set[GIC_SET];
	bool some, more;

	count = MIN(count, GIC_LR_MAX);
	for (u32 i = 0; i < count; i++)
		lr[i] = 0;
	lock_take(d->lock);
	gic_ready(d, cpu, set);
	some = gic_best(g, cpu, set) != GIC_NONE;
	gic_active(g, cpu, set);
	list_best(d, cpu, set, lr, count - (count && some));
	gic_ready(d, cpu, set);
	gic_enabled_groups(g, cpu, set);
	list_best(d, cpu, set, lr, count);
	gic_ready(d, cpu, set);
	list_best(d, cpu, set, lr, count);
	more = pass_over(d, cpu);
	ich[GIC_ICH_VMCR] = vmcr_make(g, cpu);
	ich[GIC_ICH_AP0R] = g->apr[2 * cpu];
	ich[GIC_ICH_AP1R] = g->apr[2 * cpu + 1];
	ich[GIC_ICH_EOICOUNT] = 0;
	gic_settle(d, cpu);
	lock_drop(d->lock);
	return more;
}

/* ---- store ------------------------------------------------------------------------------ */

static void unlist_one(struct vgic3 *g, u32 cpu, u32 intid, u64 lr)
{
	u32 w = gic_word(cpu, intid), bit = gic_bit(intid);

	if (!(g->forced[w] & bit))
		g->active[w] = (g->active[w] & ~bit) | (lr & LR_STATE_ACTIVE ? bit : 0);
	if (lr & LR_STATE_ACTIVE && intid >= GIC_PRIVATE)
		g->owner[intid - GIC_PRIVATE] = (u8)cpu;
	if (lr & LR_STATE_PENDING)
		g->latch[w] |= g->lent[w] & bit;
	g->lent[w] &= ~bit;
	g->forced[w] &= ~bit;
	g->listed[w] &= ~bit;
}

/* True if there are SPIs among them, which others may want to hear of. */
static bool forget_passed(struct vgic3 *g, u32 cpu)
{
	bool shared = false;

	g->passed[cpu] = 0;
	for (u32 n = 0; n < GIC_SPI_WORDS; n++) {
		for (u32 left = g->passed[GIC_CPUS + n]; left; left &= left - 1) {
			if (g->holder[32 * n + (u32)__builtin_ctz(left)] != cpu)
				continue;
			g->passed[GIC_CPUS + n] &= ~(left & -left);
			shared = true;
		}
	}
	return shared;
}

/* Of the active ones in @set: the one that preempted the others. */
static u32 last_taken(struct vgic3 *g, u32 cpu, const u32 set[GIC_SET])
{
	u32 last = GIC_NONE, floor = GIC_IDLE + 1;

	for (u32 i = 0; i < GIC_SET; i++) {
		for (u32 left = set[i]; left; left &= left - 1) {
			u32 intid = 32 * i + (u32)__builtin_ctz(left);
			u32 level = gic_preemption(g, cpu, gic_group(g, cpu, intid),
						   *gic_priority(g, cpu, intid));

			if (level < floor) {
				floor = level;
				last = intid;
			}
		}
	}
	return last;
}

/* Ends of interrupts that were active and not listed. */
static void end_unlisted(struct vgic3 *g, u32 cpu, u32 ends)
{
	u32 set[GIC_SET], intid;

	gic_active(g, cpu, set);
	while (ends-- && (intid = last_taken(g, cpu, set)) != GIC_NONE) {
		set[intid / 32] &= ~gic_bit(intid);
		g->active[gic_word(cpu, intid)] &= ~gic_bit(intid);
	}
}

void vgic3_store(void *ctl, u32 cpu, const u64 *lr, u32 count, const u32 ich[GIC_ICH_COUNT])
{
	struct dev *d = ctl;
	struct vgic3 *g = d->state;
	bool shared;

	lock_take(d->lock);
	shared = forget_passed(g, cpu) || ich[GIC_ICH_EOICOUNT];
	vmcr_take(g, cpu, ich[GIC_ICH_VMCR]);
	g->apr[2 * cpu] = ich[GIC_ICH_AP0R];
	g->apr[2 * cpu + 1] = ich[GIC_ICH_AP1R];
	end_unlisted(g, cpu, ich[GIC_ICH_EOICOUNT]);
	for (u32 i = 0; i < g->lists[cpu]; i++) {
		unlist_one(g, cpu, g->list[cpu][i], i < count ? lr[i] : 0);
		shared |= g->list[cpu][i] >= GIC_PRIVATE;
	}
	g->lists[cpu] = 0;
	g->loaded &= ~BIT(cpu);
	g->news &= ~BIT(cpu);
	if (shared)
		gic_update_all(d);
	else
		gic_update(d, cpu);
	lock_drop(d->lock);
}
