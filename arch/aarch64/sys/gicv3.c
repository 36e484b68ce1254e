/*
 * GICv3 and v4 (IHI 0069): distributor with affinity routing, one redistributor per CPU for
 * its SGIs and PPIs, CPU interface in system registers. Only non-secure group 1 is used; no
 * LPIs, so no ITS. A redistributor is found by the affinity it shows in GICR_TYPER.
 */
#include "arch/aarch64/sys/affinity.h"
#include "arch/aarch64/sys/gic.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/clock.h"

#define GICD_CTLR_GRP1		BIT(0)	/* non-secure: group 1; one security state: group 0 */
#define GICD_CTLR_GRP1A		BIT(1)
#define GICD_CTLR_ARE		BIT(4)
#define GICD_CTLR_RWP		BIT(31)

#define GICR_CTLR		0x0000
#define GICR_TYPER		0x0008
#define GICR_WAKER		0x0014
#define GICR_SGI		0x10000	/* second frame: GICD's first registers, INTIDs 0-31 */
#define GICR_TYPER_VLPIS	BIT(1)		/* GICv4: two frames more */
#define GICR_TYPER_LAST		BIT(4)
#define GICR_CTLR_RWP		BIT(3)
#define GICR_WAKER_SLEEP	BIT(1)
#define GICR_WAKER_ASLEEP	BIT(2)
#define GICR_FRAMES		0x20000

#define ICC_SRE_ALL		0xf		/* SRE, DFB, DIB, Enable */
#define ICC_CTLR_RSS		BIT(18)

static hpa_t gicd(u32 reg)
{
	return machine.gic.dist + reg;
}

/* Wait until @bit at @reg is clear; what takes longer than 10 ms is broken and left to itself. */
static bool wait_clear(hpa_t reg, u64 bit)
{
	ns_t end = arch_clock_ns() + 10 * NS_PER_MS;

	while (mmio_read32(reg) & bit)
		if (arch_clock_ns() > end)
			return false;
	return true;
}

static bool init(void)
{
	u64 route = affinity_route(sysreg_read(mpidr_el1));
	u32 lines;

	if (!machine.gic.dist || !arch_mmio_map(gicd(0), 0x10000, PROT_MMIO))
		return false;
	for (u32 i = 0; i < machine.gic.redists; i++)
		if (!arch_mmio_map(machine.gic.redist[i].base, machine.gic.redist[i].len,
				   PROT_MMIO))
			machine.gic.redist[i].len = 0;
	mmio_write32(gicd(GICD_CTLR), 0);
	if (!wait_clear(gicd(GICD_CTLR), GICD_CTLR_RWP))
		return false;
	lines = gicd_lines(mmio_read32(gicd(GICD_TYPER)));
	for (u32 i = 32; i < lines; i += 32) {
		mmio_write32(gicd(GICD_IGROUPR(i / 32)), UINT32_MAX);
		mmio_write32(gicd(GICD_ICENABLER(i / 32)), UINT32_MAX);
		mmio_write32(gicd(GICD_ICPENDR(i / 32)), UINT32_MAX);
	}
	for (u32 i = 32; i < lines; i += 4)
		mmio_write32(gicd(GICD_IPRIORITYR(i / 4)), GIC_PRIORITIES);
	mmio_write32(gicd(GICD_CTLR), GICD_CTLR_ARE);
	wait_clear(gicd(GICD_CTLR), GICD_CTLR_RWP);
	mmio_write32(gicd(GICD_CTLR), GICD_CTLR_ARE | GICD_CTLR_GRP1A | GICD_CTLR_GRP1);
	for (u32 i = 32; i < lines; i++)
		mmio_write64(gicd(GICD_IROUTER(i)), route);
	return wait_clear(gicd(GICD_CTLR), GICD_CTLR_RWP);
}

static hpa_t redist_in_region(hpa_t base, u64 len, u32 want)
{
	for (u64 at = 0; at + GICR_FRAMES <= len;) {
		u64 typer = mmio_read64(base + at + GICR_TYPER);

		if (typer >> 32 == want)
			return base + at;
		if (typer & GICR_TYPER_LAST)
			break;
		at += typer & GICR_TYPER_VLPIS ? 2 * GICR_FRAMES : GICR_FRAMES;
	}
	return 0;
}

static hpa_t redist_find(const struct cpu *c)
{
	u32 want = affinity_packed(host_cpu(c)->affinity);
	hpa_t at = 0;

	for (u32 i = 0; i < machine.cpus; i++)
		if (machine.cpu[i].affinity == host_cpu(c)->affinity && machine.cpu[i].redist &&
		    arch_mmio_map(machine.cpu[i].redist, GICR_FRAMES, PROT_MMIO))
			return machine.cpu[i].redist;
	for (u32 i = 0; i < machine.gic.redists && !at; i++)
		at = redist_in_region(machine.gic.redist[i].base, machine.gic.redist[i].len, want);
	return at;
}

static void interface_init(void)
{
	sysreg_write_named(ICC_SRE_EL2, ICC_SRE_ALL);
	barrier_isb();
	sysreg_write_named(ICC_PMR_EL1, 0xff);
	sysreg_write_named(ICC_BPR1_EL1, 0);
	sysreg_write_named(ICC_CTLR_EL1, 0);
	sysreg_write_named(ICC_IGRPEN1_EL1, 1);
	barrier_isb();
}

static bool init_cpu(struct cpu *c)
{
	hpa_t r = redist_find(c), sgi = r + GICR_SGI;

	if (!r)
		return false;
	host_cpu(c)->redist = r;
	mmio_write32(r + GICR_WAKER, mmio_read32(r + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	if (!wait_clear(r + GICR_WAKER, GICR_WAKER_ASLEEP))
		return false;
	mmio_write32(sgi + GICD_IGROUPR(0), UINT32_MAX);
	mmio_write32(sgi + GICD_ICENABLER(0), UINT32_MAX);
	for (u32 i = 0; i < 8; i++)
		mmio_write32(sgi + GICD_IPRIORITYR(i), GIC_PRIORITIES);
	wait_clear(r + GICR_CTLR, GICR_CTLR_RWP);
	mmio_write32(sgi + GICD_ISENABLER(0), 0xffff);
	interface_init();
	return true;
}

static void enable(u32 intid, bool on)
{
	u32 reg = on ? GICD_ISENABLER(intid / 32) : GICD_ICENABLER(intid / 32);
	hpa_t base = intid < 32 ? host_cpu(cpu_self)->redist + GICR_SGI : gicd(0);

	if (base != GICR_SGI)
		mmio_write32(base + reg, 1u << intid % 32);
}

static u32 ack(void)
{
	u32 intid = (u32)sysreg_read_named(ICC_IAR1_EL1);

	barrier_dsb();
	return intid;
}

static void eoi(u32 ack)
{
	sysreg_write_named(ICC_EOIR1_EL1, ack);
	barrier_isb();
}

static void send(const struct cpu *to, u32 sgi)
{
	u64 v;

	if (!affinity_sgi(host_cpu(to)->affinity, sgi,
			  sysreg_read_named(ICC_CTLR_EL1) & ICC_CTLR_RSS, &v))
		return;
	barrier_dsb();			/* the flags before the message */
	sysreg_write_named(ICC_SGI1R_EL1, v);
	barrier_isb();
}

const struct gic gicv3_gic = {
	.name = "GICv3",
	.init = init,
	.init_cpu = init_cpu,
	.enable = enable,
	.ack = ack,
	.eoi = eoi,
	.send = send,
};
