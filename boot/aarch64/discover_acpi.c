/*
 * The machine as ACPI tells it (ACPI 6.4: MADT 5.2.12, GTDT 5.2.24, FADT 5.2.9; SPCR has a
 * specification of its own). Nothing here needs AML.
 */
#include "arch/aarch64/sys/machine.h"
#include "arch/bare/firmware.h"
#include "boot/aarch64/discover.h"

static void find_uart(struct machine *m, const struct acpi *a)
{
	const struct acpi_spcr *s = acpi_find(a, "SPCR", 0, offsetof(struct acpi_spcr, pci_device));

	if (!s || s->base.space != ACPI_SPACE_MEMORY)
		return;
	if (s->interface != SPCR_PL011 && s->interface != SPCR_SBSA && s->interface != SPCR_SBSA_32)
		return;
	m->uart.base = s->base.address;
	m->uart.irq = s->interrupt_type & 8 ? s->gsiv : 0;	/* bit 3: wired to the GIC */
}

static void find_cpus(struct machine *m, const struct acpi_madt *t)
{
	for (const struct madt_gicc *c = NULL; (c = acpi_each(t, MADT_GICC, c)); ) {
		if (!(c->flags & MADT_CPU_ENABLED))
			continue;
		if (c->gicc)
			m->gic.cpu = c->gicc;
		if (m->cpus == CPU_MAX) {
			m->cpus_left_out++;
			continue;
		}
		m->cpu[m->cpus++] = (struct machine_cpu){
			.affinity = c->mpidr, .uid = c->uid, .redist = c->gicr,
			.node = firmware_cpu_node(SRAT_GICC, c->uid),
		};
	}
}

static void find_gic(struct machine *m, const struct acpi_madt *t)
{
	const struct madt_gicd *d = NULL;

	d = acpi_each(t, MADT_GICD, d);
	if (d) {
		m->gic.dist = d->address;
		m->gic.version = d->version;
	}
	for (const struct madt_gicr *r = NULL; (r = acpi_each(t, MADT_GICR, r)); )
		if (m->gic.redists < MACHINE_REDISTS) {
			m->gic.redist[m->gic.redists].base = r->address;
			m->gic.redist[m->gic.redists++].len = r->length;
		}
	/* Version 0 says "look at the hardware"; who has redistributors has a GICv3. */
	if (d && !m->gic.version)
		m->gic.version = m->gic.redists || (m->cpus && m->cpu[0].redist) ? 3 : 2;
}

void discover_acpi(struct machine *m, const struct acpi *a)
{
	const struct acpi_madt *madt = acpi_find(a, "APIC", 0, sizeof(*madt));
	const struct acpi_fadt *fadt = acpi_find(a, "FACP", 0, offsetof(struct acpi_fadt, minor));
	const struct acpi_gtdt *gtdt =
		acpi_find(a, "GTDT", 0, offsetof(struct acpi_gtdt, counter_read));

	if (madt || fadt)
		m->source = "ACPI";
	find_uart(m, a);
	if (madt) {
		find_cpus(m, madt);
		find_gic(m, madt);
	}
	if (gtdt && gtdt->hyp_gsiv)
		m->timer = gtdt->hyp_gsiv;
	if (fadt && fadt->arm_boot & FADT_ARM_PSCI)
		m->psci = fadt->arm_boot & FADT_ARM_PSCI_HVC ? PSCI_HVC : PSCI_SMC;
}
