/*
 * The machine as a device tree tells it; node names and cells as in the bindings "arm,gic-v3",
 * "arm,gic-400", "arm,pl011", "arm,armv8-timer", "arm,psci" and "cpu". NUMA is left to ACPI.
 */
#include "arch/aarch64/sys/machine.h"
#include "arch/aarch64/sys/sysreg.h"
#include "boot/aarch64/discover.h"
#include "boot/fdt.h"
#include "kernel/base/str.h"

#define TIMER_HYP 3		/* secure, non-secure, virtual, hypervisor */

/* The @nth of the GIC's interrupt specifiers of a node as INTID, or 0. */
static u32 node_intid(const struct fdt_walk *w, u32 nth)
{
	u32 len;
	const u8 *p = fdt_prop(w, "interrupts", &len);

	if (!p || len < 12 * (nth + 1))
		return 0;
	return load_be32(p + 12 * nth + 4) + (load_be32(p + 12 * nth) == 0 ? 32 : 16);
}

static void take_uart(struct machine *m, const struct fdt_walk *w)
{
	u64 len;

	if ((fdt_compatible(w, "arm,pl011") || fdt_compatible(w, "arm,sbsa-uart")) &&
	    fdt_enabled(w) &&
	    fdt_reg(w, 0, &m->uart.base, &len))
		m->uart.irq = node_intid(w, 0);
}

/* The one /chosen names, else the first. */
static void find_uart(struct machine *m, const struct fdt *f)
{
	struct fdt_walk w;
	const char *path = fdt_find(&w, f, "/chosen") ? fdt_string(&w, "stdout-path") : NULL;

	if (path && fdt_find(&w, f, path))
		take_uart(m, &w);
	for (fdt_start(&w, f); !m->uart.base && fdt_next(&w);)
		take_uart(m, &w);
}

static void take_gic(struct machine *m, const struct fdt_walk *w)
{
	bool v3 = fdt_compatible(w, "arm,gic-v3");
	hpa_t base;
	u64 len;

	if (!v3 && !fdt_compatible(w, "arm,gic-400") && !fdt_compatible(w, "arm,cortex-a15-gic"))
		return;
	m->gic.version = v3 ? 3 : 2;
	if (!fdt_reg(w, 0, &m->gic.dist, &len))
		m->gic.dist = 0;
	for (u32 i = 1; fdt_reg(w, i, &base, &len); i++) {
		if (!v3 && i == 1)
			m->gic.cpu = base;
		if (!v3 || i > fdt_u32(w, "#redistributor-regions", 1) ||
		    m->gic.redists == MACHINE_REDISTS)
			break;
		m->gic.redist[m->gic.redists].base = base;
		m->gic.redist[m->gic.redists++].len = len;
	}
}

static void take_cpu(struct machine *m, const struct fdt_walk *w)
{
	const char *type = fdt_string(w, "device_type");
	u32 len;
	const u8 *reg = fdt_prop(w, "reg", &len);

	if (!type || !str_eq(type, "cpu") || !reg || len < 4 || !fdt_enabled(w))
		return;
	if (m->cpus == CPU_MAX) {
		m->cpus_left_out++;
		return;
	}
	m->cpu[m->cpus++] = (struct machine_cpu){
		.affinity = (len >= 8 ? load_be64(reg) : load_be32(reg)) & MPIDR_AFFINITY,
	};
}

static void take_psci(struct machine *m, const struct fdt_walk *w)
{
	const char *method = fdt_string(w, "method");

	if (method && (fdt_compatible(w, "arm,psci-0.2") || fdt_compatible(w, "arm,psci-1.0")))
		m->psci = str_eq(method, "hvc") ? PSCI_HVC : PSCI_SMC;
}

void discover_fdt(struct machine *m, const struct fdt *f)
{
	struct fdt_walk w;

	m->source = "device tree";
	find_uart(m, f);
	for (fdt_start(&w, f); fdt_next(&w);) {
		take_gic(m, &w);
		take_cpu(m, &w);
		take_psci(m, &w);
		if (fdt_compatible(&w, "arm,armv8-timer") && node_intid(&w, TIMER_HYP))
			m->timer = node_intid(&w, TIMER_HYP);
	}
}
