/*
 * The GICv3's state, for its own files: vgic3.c (who gets what; inputs), vgic3_regs.c (the
 * distributor's and the redistributors' registers), vgic3_cpu.c (the CPU interfaces' registers) and
 * vgic3_lr.c (the same on a CPU that has list registers).
 *
 * State of interrupts is kept in words of 32 bits: word @cpu holds a CPU's own INTIDs 0 to 31, word
 * GIC_CPUS + n the SPIs from 32 + 32 n on.
 */
#pragma once

#include "drivers/model/arm/irq.h"
#include "drivers/model/model.h"

#define GIC_SPI_WORDS	(GIC_SPIS / 32)
#define GIC_WORDS	(GIC_CPUS + GIC_SPI_WORDS)
#define GIC_SET		(1 + GIC_SPI_WORDS)	/* words of one CPU: a bit for each INTID */
#define GIC_INTIDS	(GIC_PRIVATE + GIC_SPIS)
#define GIC_NONE	1023u			/* no interrupt: 2.2.1 */
#define GIC_PRIORITY	0xf8u			/* implemented bits: 32 levels */
#define GIC_IDLE	0xffu			/* the running priority when nothing is active */
#define GIC_NOBODY	0xffu			/* no such CPU */

enum { GICD_CTLR_GRP0 = 1, GICD_CTLR_GRP1 = 2 };
enum { ICC_CTLR_CBPR = 1, ICC_CTLR_EOIMODE = 2 };

struct vgic3 {
	u32 ctlr;			/* GICD_CTLR's writable bits */
	u32 group[GIC_WORDS], enable[GIC_WORDS], active[GIC_WORDS];
	u32 edge[GIC_WORDS];		/* edge-triggered, by GICx_ICFGR */
	u32 level[GIC_WORDS];		/* of the inputs */
	u32 latch[GIC_WORDS];		/* pending because of an edge, an SGI or GICx_ISPENDR */
	u8 priority[GIC_WORDS * 32];
	u64 route[GIC_SPIS];		/* GICD_IROUTER */
	u8 owner[GIC_SPIS];		/* of an active one: the CPU that took it */
	bool asleep[GIC_CPUS];		/* GICR_WAKER.ProcessorSleep */
	/* CPU interfaces; [2 * cpu + group] */
	u8 pmr[GIC_CPUS], icc_ctlr[GIC_CPUS];
	u8 bpr[2 * GIC_CPUS], grpen[2 * GIC_CPUS];
	u32 apr[2 * GIC_CPUS];		/* active priorities: bit n is level 8 n */
	bool out[2 * GIC_CPUS];		/* levels on dev->out: IRQ, FIQ of each CPU */
	/* not saved: no list register holds anything while the machine stands still */
	u64 loaded, news;		/* CPUs between load and store; ... that should come back */
	u32 listed[GIC_WORDS], lent[GIC_WORDS];	/* in a list register; ... with its latch */
	u32 forced[GIC_WORDS];		/* listed, and its active state was written meanwhile */
	u32 passed[GIC_WORDS];		/* ready when a CPU loaded, but it had no room */
	u8 holder[GIC_SPIS];		/* of a listed or passed one: that CPU */
	u16 list[GIC_CPUS][GIC_LR_MAX];	/* the INTIDs in list registers ... */
	u8 lists[GIC_CPUS];		/* ... and how many */
};

/* The word of @intid as @cpu sees it, and its bit there. */
static inline u32 gic_word(u32 cpu, u32 intid)
{
	return intid < GIC_PRIVATE ? cpu : GIC_CPUS + intid / 32 - 1;
}

static inline u32 gic_bit(u32 intid)
{
	return 1u << intid % 32;
}

static inline u8 *gic_priority(struct vgic3 *g, u32 cpu, u32 intid)
{
	return &g->priority[32 * gic_word(cpu, intid) + intid % 32];
}

static inline u32 gic_group(const struct vgic3 *g, u32 cpu, u32 intid)
{
	return !!(g->group[gic_word(cpu, intid)] & gic_bit(intid));
}

/*
 * The CPU that an affinity names (a route's value, or with the target list's bit), or GIC_NOBODY.
 */
u32 gic_cpu_of(const struct dev *d, u64 affinity);
/* Pending interrupts in word @w. */
u32 gic_pending(const struct vgic3 *g, u32 w);
/* What may be signalled to @cpu whatever its interface masks: neither active nor listed. */
void gic_ready(const struct dev *d, u32 cpu, u32 set[GIC_SET]);
/* Would it be, were it not active or listed? */
bool gic_goes_to(const struct dev *d, u32 cpu, u32 intid);
/* Keep of @set what is of the groups that @cpu's interface enables. */
void gic_enabled_groups(const struct vgic3 *g, u32 cpu, u32 set[GIC_SET]);
/* The most urgent of @set, or GIC_NONE. */
u32 gic_best(const struct vgic3 *g, u32 cpu, const u32 set[GIC_SET]);
/* The interrupt that @cpu's interface would signal now, or GIC_NONE. */
u32 gic_signalled(const struct dev *d, u32 cpu);
/* The most urgent pending one of the enabled groups, masked or not: ICC_HPPIR's. */
u32 gic_highest(const struct dev *d, u32 cpu);
/* Drive @cpu's lines; of every CPU. */
void gic_update(struct dev *d, u32 cpu);
void gic_update_all(struct dev *d);
/* What is listed for @cpu is no news to it. */
void gic_settle(struct dev *d, u32 cpu);
/* The bits @changed of word @w are not what list registers may say. Ends in the lines' update. */
void gic_touch(struct dev *d, u32 w, u32 changed);
void gic_deactivate(struct dev *d, u32 cpu, u32 intid);

/* vgic3_cpu.c */
u32 gic_running(const struct vgic3 *g, u32 cpu);	/* priority, or GIC_IDLE */
/* The part of a priority that counts for preemption. */
u32 gic_preemption(const struct vgic3 *g, u32 cpu, u32 group, u32 priority);
void gic_reset_cpu(struct vgic3 *g, u32 cpu);

/* vgic3_regs.c */
u64 vgic3_read(struct dev *d, u64 off, u32 len);
void vgic3_write(struct dev *d, u64 off, u32 len, u64 val);
