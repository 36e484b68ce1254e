/*
 * The GICv3's memory-mapped registers: the distributor at 0, the redistributors from GIC_REDIST on,
 * two frames of 64 KiB each. IHI 0069, 12.8 to 12.11.
 *
 * The distributor's registers of INTIDs 0 to 31 read as zero, those are in the redistributors; the
 * banks have the same offsets there. Registers are 32 bits wide, priorities also 8; of 64 bits are
 * GICD_IROUTER and GICR_TYPER, and any pair may be accessed as one.
 */
#include "drivers/model/arm/vgic3.h"

enum {
	GICD_CTLR = 0x0000, GICD_TYPER = 0x0004, GICD_IIDR = 0x0008,
	GIC_IGROUPR = 0x0080, GIC_ISENABLER = 0x0100, GIC_ICENABLER = 0x0180,
	GIC_ISPENDR = 0x0200, GIC_ICPENDR = 0x0280, GIC_ISACTIVER = 0x0300,
	GIC_ICACTIVER = 0x0380, GIC_IPRIORITYR = 0x0400, GIC_IPRIORITYR_END = 0x0800,
	GIC_ICFGR = 0x0c00, GIC_ICFGR_END = 0x0d00,
	GICD_IROUTER = 0x6000, GICD_IROUTER_END = 0x8000, GIC_ID = 0xffd0,
	GICR_IIDR = 0x0004, GICR_TYPER = 0x0008, GICR_WAKER = 0x0014,
	GICD_FRAME = 0x10000, GICR_SGI = 0x10000,
	BANK = 0x7f,			/* offsets inside one of the banks above */
};

enum {
	CTLR_ARE = 1 << 4, CTLR_DS = 1 << 6,		/* read-only ones */
	TYPER_ID_BITS = 9 << 19, TYPER_NO_1N = 1 << 25,
	IIDR = 0x43b,					/* Arm; as QEMU's */
	WAKER_SLEEP = 1 << 1, WAKER_ASLEEP = 1 << 2,
	GICR_TYPER_LAST = 1 << 4,
};
#define ROUTE_MASK	0xff00ffffffull

/* ---- banks: a bit or some for each interrupt, in the distributor and in redistributors ------ */

static u32 bank_read(const struct vgic3 *g, u32 w, u32 bank)
{
	switch (bank) {
	case GIC_IGROUPR: return g->group[w];
	case GIC_ISENABLER: case GIC_ICENABLER: return g->enable[w];
	case GIC_ISPENDR: case GIC_ICPENDR: return gic_pending(g, w);
	case GIC_ISACTIVER: case GIC_ICACTIVER: return g->active[w];
	}
	return 0;
}

/* An SPI that is made active belongs to the CPU it is routed to, for want of one that took it. */
static void bank_activate(struct dev *d, u32 w, u32 set)
{
	struct vgic3 *g = d->state;
	u32 fresh = set & ~g->active[w];

	g->active[w] |= set;
	g->forced[w] |= set & g->listed[w];
	for (; w >= GIC_CPUS && fresh; fresh &= fresh - 1) {
		u32 spi = 32 * (w - GIC_CPUS) + (u32)__builtin_ctz(fresh);

		g->owner[spi] = (u8)gic_cpu_of(d, g->route[spi]);
	}
}

static void bank_write(struct dev *d, u32 w, u32 bank, u32 val)
{
	struct vgic3 *g = d->state;
	u32 changed = val;

	switch (bank) {
	case GIC_IGROUPR:
		changed = g->group[w] ^ val;
		g->group[w] = val;
		break;
	case GIC_ISENABLER: g->enable[w] |= val; break;
	case GIC_ICENABLER: g->enable[w] &= ~val; break;
	case GIC_ISPENDR: g->latch[w] |= val; break;
	case GIC_ICPENDR:
		g->latch[w] &= ~val;
		g->lent[w] &= ~val;
		break;
	case GIC_ISACTIVER: bank_activate(d, w, val); break;
	case GIC_ICACTIVER:
		g->active[w] &= ~val;
		g->forced[w] |= val & g->listed[w];
		break;
	}
	gic_touch(d, w, changed);
}

/* Two bits each, the upper one says edge: for 16 of the word's interrupts. */
static u32 config_read(const struct vgic3 *g, u32 w, u32 half)
{
	u32 edges = g->edge[w] >> 16 * half, val = 0;

	for (u32 n = 0; n < 16; n++)
		val |= (edges >> n & 1) << (2 * n + 1);
	return val;
}

static void config_write(struct dev *d, u32 w, u32 half, u32 val)
{
	struct vgic3 *g = d->state;
	u32 edges = 0;

	if (w < GIC_CPUS && !half)
		return;			/* SGIs are edges for ever */
	for (u32 n = 0; n < 16; n++)
		edges |= (val >> (2 * n + 1) & 1) << n;
	g->edge[w] = (g->edge[w] & ~(0xffffu << 16 * half)) | edges << 16 * half;
	gic_touch(d, w, 0xffffu << 16 * half);
}

/*
 * The INTID that is number @index in a bank; @cpu is whose frame it is, or GIC_NOBODY for the
 * distributor's, where INTIDs begin at 32. GIC_NONE: not one of that frame.
 */
static u32 frame_intid(u32 cpu, u64 index)
{
	bool private = index < GIC_PRIVATE;

	return index < GIC_INTIDS && private == (cpu != GIC_NOBODY) ? (u32)index : GIC_NONE;
}

static u32 frame_read(const struct dev *d, u32 cpu, u64 off)
{
	struct vgic3 *g = d->state;
	u32 intid, val = 0;

	if (off >= GIC_IGROUPR && off < GIC_IPRIORITYR) {
		intid = frame_intid(cpu, 8 * (off & BANK));
		return intid == GIC_NONE ? 0 : bank_read(g, gic_word(cpu, intid), off & ~BANK);
	}
	if (off >= GIC_IPRIORITYR && off < GIC_IPRIORITYR_END) {
		intid = frame_intid(cpu, off - GIC_IPRIORITYR);
		for (u32 n = 0; intid != GIC_NONE && n < 4; n++)
			val |= (u32)*gic_priority(g, cpu, intid + n) << 8 * n;
		return val;
	}
	if (off >= GIC_ICFGR && off < GIC_ICFGR_END) {
		intid = frame_intid(cpu, 4 * (off - GIC_ICFGR));
		return intid == GIC_NONE ? 0 : config_read(g, gic_word(cpu, intid), intid / 16 % 2);
	}
	return 0;
}

static void priority_write(struct dev *d, u32 cpu, u64 index, u32 len, u32 val)
{
	u32 intid = frame_intid(cpu, index);

	if (intid == GIC_NONE)
		return;
	for (u32 n = 0; n < len; n++)
		*gic_priority(d->state, cpu, intid + n) = val >> 8 * n & GIC_PRIORITY;
	gic_touch(d, gic_word(cpu, intid), (u32)MASK(len) << intid % 32);
}

static void frame_write(struct dev *d, u32 cpu, u64 off, u32 val)
{
	u32 intid;

	if (off >= GIC_IGROUPR && off < GIC_IPRIORITYR) {
		intid = frame_intid(cpu, 8 * (off & BANK));
		if (intid != GIC_NONE)
			bank_write(d, gic_word(cpu, intid), off & ~BANK, val);
	} else if (off >= GIC_IPRIORITYR && off < GIC_IPRIORITYR_END) {
		priority_write(d, cpu, off - GIC_IPRIORITYR, 4, val);
	} else if (off >= GIC_ICFGR && off < GIC_ICFGR_END) {
		intid = frame_intid(cpu, 4 * (off - GIC_ICFGR));
		if (intid != GIC_NONE)
			config_write(d, gic_word(cpu, intid), intid / 16 % 2, val);
	}
}

/* PIDR4 to PIDR7, PIDR0 to PIDR3, CIDR0 to CIDR3: a GICv3 of Arm's. @part is PIDR0. */
static u32 id_read(u64 off, u8 part)
{
	static const u8 id[] = { 0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
	u64 n = (off - GIC_ID) / 4;

	return n == 4 ? part : id[n];
}

/* ---- the distributor -------------------------------------------------------------------- */

static u64 *route_at(struct vgic3 *g, u64 off)
{
	u64 intid = (off - GICD_IROUTER) / 8;

	return off >= GICD_IROUTER && off < GICD_IROUTER_END && intid >= GIC_PRIVATE &&
	       intid < GIC_INTIDS ? &g->route[intid - GIC_PRIVATE] : NULL;
}

static u32 dist_read(struct dev *d, u64 off)
{
	struct vgic3 *g = d->state;
	const u64 *route = route_at(g, off);

	if (route)
		return (u32)(*route >> 8 * (off % 8));
	if (off >= GIC_ID)
		return id_read(off, 0x92);
	switch (off) {
	case GICD_CTLR: return g->ctlr | CTLR_ARE | CTLR_DS;
	case GICD_TYPER: return GIC_SPI_WORDS | TYPER_ID_BITS | TYPER_NO_1N;
	case GICD_IIDR: return IIDR;
	}
	return frame_read(d, GIC_NOBODY, off);
}

static void dist_write(struct dev *d, u64 off, u32 val)
{
	struct vgic3 *g = d->state;
	u64 *route = route_at(g, off);

	if (route) {
		*route = (off % 8 ? (u32)*route | (u64)val << 32 : (*route & ~MASK(32)) | val) &
			 ROUTE_MASK;
		off = (off - GICD_IROUTER) / 8;
		gic_touch(d, gic_word(0, (u32)off), gic_bit((u32)off));
	} else if (off == GICD_CTLR) {
		g->ctlr = val & (GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
		g->news = g->loaded;
		gic_update_all(d);
	} else {
		frame_write(d, GIC_NOBODY, off, val);
	}
}

/* ---- redistributors --------------------------------------------------------------------- */

static u64 redist_typer(const struct dev *d, u32 cpu)
{
	u64 affinity = cpu % 16 | cpu / 16 << 8;

	return affinity << 32 | cpu << 8 | (cpu == d->outs / 2 - 1 ? GICR_TYPER_LAST : 0);
}

static u32 redist_read(const struct dev *d, u32 cpu, u64 off)
{
	const struct vgic3 *g = d->state;

	if (off >= GICR_SGI)
		return frame_read(d, cpu, off - GICR_SGI);
	if (off >= GIC_ID)
		return id_read(off, 0x93);
	switch (off) {
	case GICR_IIDR: return IIDR;
	case GICR_TYPER: return (u32)redist_typer(d, cpu);
	case GICR_TYPER + 4: return (u32)(redist_typer(d, cpu) >> 32);
	case GICR_WAKER: return g->asleep[cpu] ? WAKER_SLEEP | WAKER_ASLEEP : 0;
	}
	return 0;
}

static void redist_write(struct dev *d, u32 cpu, u64 off, u32 val)
{
	struct vgic3 *g = d->state;

	if (off >= GICR_SGI) {
		frame_write(d, cpu, off - GICR_SGI, val);
	} else if (off == GICR_WAKER) {
		g->asleep[cpu] = val & WAKER_SLEEP;
		gic_touch(d, cpu, ~0u);
	}
}

/* ---- both ------------------------------------------------------------------------------- */

/*
 * Whose frames @off is in: GIC_NOBODY the distributor's, GIC_NONE nobody's. @off becomes relative.
 */
static u32 frame_of(const struct dev *d, u64 *off)
{
	u64 cpu;

	if (*off < GICD_FRAME)
		return GIC_NOBODY;
	cpu = (*off - GIC_REDIST) / GIC_REDIST_LEN;
	if (*off < GIC_REDIST || cpu >= d->outs / 2)
		return GIC_NONE;
	*off = (*off - GIC_REDIST) % GIC_REDIST_LEN;
	return (u32)cpu;
}

static u32 read_word(struct dev *d, u64 off)
{
	u32 cpu = frame_of(d, &off);

	if (cpu == GIC_NONE)
		return 0;
	return cpu == GIC_NOBODY ? dist_read(d, off) : redist_read(d, cpu, off);
}

u64 vgic3_read(struct dev *d, u64 off, u32 len)
{
	u64 word = off & ~3ull;

	if (len == 2 || off % len)
		return 0;
	if (len == 8)
		return read_word(d, off) | (u64)read_word(d, off + 4) << 32;
	return read_word(d, word) >> 8 * (off - word);
}

static void write_word(struct dev *d, u64 off, u32 val)
{
	u32 cpu = frame_of(d, &off);

	if (cpu == GIC_NOBODY)
		dist_write(d, off, val);
	else if (cpu != GIC_NONE)
		redist_write(d, cpu, off, val);
}

static void write_byte(struct dev *d, u64 off, u32 val)
{
	u32 cpu = frame_of(d, &off);

	if (cpu == GIC_NONE || (cpu != GIC_NOBODY && off < GICR_SGI))
		return;
	off -= cpu == GIC_NOBODY ? 0 : GICR_SGI;
	if (off >= GIC_IPRIORITYR && off < GIC_IPRIORITYR_END)
		priority_write(d, cpu, off - GIC_IPRIORITYR, 1, val);
}

void vgic3_write(struct dev *d, u64 off, u32 len, u64 val)
{
	if (off % len || len == 2)
		return;
	if (len == 1)
		write_byte(d, off, (u32)val);
	else
		write_word(d, off, (u32)val);
	if (len == 8)
		write_word(d, off + 4, (u32)(val >> 32));
}
