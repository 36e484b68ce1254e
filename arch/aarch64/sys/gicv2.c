/*
 * GICv2 (IHI 0048B): distributor and a memory-mapped CPU interface whose registers are
 * banked, so every CPU uses the same address. Groups are left alone: a non-secure view
 * cannot change them and, without security extensions, group 0 is what firmware uses too.
 */
#include "arch/aarch64/sys/gic.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"

#define GICC_CTLR	0x0000
#define GICC_PMR	0x0004
#define GICC_BPR	0x0008
#define GICC_IAR	0x000c
#define GICC_EOIR	0x0010

static hpa_t gicd(u32 reg)
{
	return machine.gic.dist + reg;
}

static hpa_t gicc(u32 reg)
{
	return machine.gic.cpu + reg;
}

/* The target bit of the calling CPU: the banked registers of its own SGIs show it, in any byte. */
static u8 own_mask(void)
{
	u32 v = 0;

	for (u32 n = 0; n < 8 && !v; n++)
		v = mmio_read32(gicd(GICD_ITARGETSR(n)));
	v |= v >> 16;
	v |= v >> 8;
	return (u8)(v ? v : 1);			/* RAZ on a machine with one CPU */
}

static bool init(void)
{
	u32 lines;

	if (!machine.gic.dist || !machine.gic.cpu || !arch_mmio_map(gicd(0), 0x1000, PROT_MMIO) ||
	    !arch_mmio_map(gicc(0), 0x2000, PROT_MMIO))
		return false;
	mmio_write32(gicd(GICD_CTLR), 0);
	lines = gicd_lines(mmio_read32(gicd(GICD_TYPER)));
	for (u32 i = 32; i < lines; i += 4) {
		mmio_write32(gicd(GICD_IPRIORITYR(i / 4)), GIC_PRIORITIES);
		mmio_write32(gicd(GICD_ITARGETSR(i / 4)), own_mask() * 0x01010101u);
	}
	for (u32 i = 32; i < lines; i += 32) {
		mmio_write32(gicd(GICD_ICENABLER(i / 32)), UINT32_MAX);
		mmio_write32(gicd(GICD_ICPENDR(i / 32)), UINT32_MAX);
	}
	mmio_write32(gicd(GICD_CTLR), 1);
	return true;
}

static bool init_cpu(struct cpu *c)
{
	host_cpu(c)->gicv2_mask = own_mask();
	mmio_write32(gicd(GICD_ICENABLER(0)), 0xffff0000);
	mmio_write32(gicd(GICD_ISENABLER(0)), 0x0000ffff);
	for (u32 i = 0; i < 8; i++)
		mmio_write32(gicd(GICD_IPRIORITYR(i)), GIC_PRIORITIES);
	mmio_write32(gicc(GICC_PMR), 0xf0);
	mmio_write32(gicc(GICC_BPR), 0);
	mmio_write32(gicc(GICC_CTLR), 1);
	return true;
}

static void enable(u32 intid, bool on)
{
	u32 reg = on ? GICD_ISENABLER(intid / 32) : GICD_ICENABLER(intid / 32);

	mmio_write32(gicd(reg), 1u << intid % 32);
}

static u32 ack(void)
{
	u32 iar = mmio_read32(gicc(GICC_IAR));

	/* Bits 12:10 name the sender of an SGI and must go back to EOIR: kept above the INTID. */
	return (iar & 0x3ff) | (iar & 0x1c00) << 14;
}

static void eoi(u32 ack)
{
	mmio_write32(gicc(GICC_EOIR), (ack & 0x3ff) | (ack >> 14 & 0x1c00));
}

static void send(const struct cpu *to, u32 sgi)
{
	barrier_dsb();
	mmio_write32(gicd(GICD_SGIR), (u32)host_cpu(to)->gicv2_mask << 16 | sgi);
}

const struct gic gicv2_gic = {
	.name = "GICv2",
	.init = init,
	.init_cpu = init_cpu,
	.enable = enable,
	.ack = ack,
	.eoi = eoi,
	.send = send,
};
