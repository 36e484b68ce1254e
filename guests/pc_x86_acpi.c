/*
 * The PC in ACPI's words: FADT, MADT, DSDT with \_S5 and the devices that software cannot find by
 * itself. Virtio over memory has the identifier that Linux knows it by, LNRO0005.
 */
#include "drivers/model/x86/irq.h"
#include "drivers/model/x86/pc.h"
#include "guests/acpi.h"
#include "guests/pc_x86.h"

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };
enum { EDGE_HIGH = 1 | 1 << 2, LEVEL_HIGH = 1 | 3 << 2 };
enum { FADT_WBINVD = 1 << 0, FADT_C1 = 1 << 2, FADT_SLP_BUTTON = 1 << 5,
       FADT_RESET = 1 << 10 };
enum { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_8042 = 1 << 1, BOOT_NO_VGA = 1 << 2 };
enum { RESET_VALUE = 6 };

static void named_integer(struct acpi_out *a, const char name[4], u64 v)
{
	aml_name(a, name);
	aml_integer(a, v);
}

static void device_eisa(struct acpi_out *a, const char id[7])
{
	aml_name(a, "_HID");
	aml_eisa(a, id);
}

static void write_s5(struct acpi_out *a)
{
	u32 mark;

	aml_name(a, "_S5_");
	mark = aml_package(a, 4);
	aml_integer(a, PM_S5_TYPE);
	for (u32 i = 0; i < 3; i++)
		aml_integer(a, 0);
	aml_end(a, mark);
}

static void write_port_device(struct acpi_out *a, const char name[4], const char id[7], u16 port,
			      u8 len, u32 irq)
{
	u32 device = aml_device(a, name), crs;

	device_eisa(a, id);
	aml_name(a, "_CRS");
	crs = aml_resources(a);
	aml_io(a, port, len);
	aml_irq(a, irq, false);
	aml_resources_end(a, crs);
	aml_end(a, device);
}

static void write_virtio(struct acpi_out *a, u32 slot)
{
	const char name[4] = { 'V', 'R', (char)('0' + slot / 10), (char)('0' + slot % 10) };
	u32 device = aml_device(a, name), crs;

	aml_name(a, "_HID");
	aml_string(a, "LNRO0005");
	named_integer(a, "_UID", slot);
	named_integer(a, "_CCA", 1);
	aml_name(a, "_CRS");
	crs = aml_resources(a);
	aml_memory(a, (u32)(PC_VIRTIO + slot * PC_VIRTIO_STEP), PC_VIRTIO_STEP);
	aml_irq(a, PC_VIRTIO_GSI + slot, true);
	aml_resources_end(a, crs);
	aml_end(a, device);
}

static gpa_t write_dsdt(struct acpi_out *a, u32 slots)
{
	u32 scope;

	acpi_table(a, "DSDT", 2);
	write_s5(a);
	scope = aml_scope(a, "\\_SB_");
	write_port_device(a, "COM1", "PNP0501", PC_COM1, 8, PC_IRQ_COM1);
	write_port_device(a, "RTC_", "PNP0B00", 0x70, 2, PC_IRQ_RTC);
	for (u32 i = 0; i < slots; i++)
		write_virtio(a, i);
	aml_end(a, scope);
	return acpi_table_end(a, false);
}

/* Table 5.9, in its order. */
static void write_fadt(struct acpi_out *a, gpa_t facs, gpa_t dsdt)
{
	acpi_table(a, "FACP", 6);
	acpi_u32(a, (u32)facs);
	acpi_u32(a, (u32)dsdt);
	acpi_u8(a, 0);
	acpi_u8(a, 0);				/* profile: unspecified */
	acpi_u16(a, PM_SCI);
	acpi_u32(a, PM_SMI_PORT);
	acpi_u8(a, PM_ACPI_ENABLE);
	acpi_u8(a, PM_ACPI_DISABLE);
	acpi_zeros(a, 2);
	acpi_u32(a, PM_BASE + PM_EVENT);
	acpi_u32(a, 0);
	acpi_u32(a, PM_BASE + PM_CONTROL);
	acpi_u32(a, 0);
	acpi_u32(a, 0);
	acpi_u32(a, PM_BASE + PM_TIMER);
	acpi_u32(a, PM_BASE + PM_GPE0);
	acpi_u32(a, 0);
	acpi_u8(a, 4);				/* lengths: PM1 event, control, PM2, timer */
	acpi_u8(a, 2);
	acpi_u8(a, 0);
	acpi_u8(a, 4);
	acpi_u8(a, PM_GPE0_LEN);
	acpi_zeros(a, 3);
	acpi_u16(a, 0xfff);			/* C2, C3: not there */
	acpi_u16(a, 0xfff);
	acpi_zeros(a, 4);
	acpi_zeros(a, 4);			/* duty; alarms: day, month */
	acpi_u8(a, 0x32);			/* the century's place in CMOS */
	acpi_u16(a, BOOT_LEGACY_DEVICES | BOOT_NO_VGA);
	acpi_u8(a, 0);
	acpi_u32(a, FADT_WBINVD | FADT_C1 | FADT_SLP_BUTTON | FADT_RESET);
	acpi_gas(a, 1, 8, PC_RESET);
	acpi_u8(a, RESET_VALUE);
	acpi_u16(a, 0);
	acpi_u8(a, 0);				/* minor revision */
	acpi_u64(a, facs);
	acpi_u64(a, dsdt);
	acpi_gas(a, 1, 32, PM_BASE + PM_EVENT);
	acpi_zeros(a, 12);
	acpi_gas(a, 1, 16, PM_BASE + PM_CONTROL);
	acpi_zeros(a, 24);
	acpi_gas(a, 1, 32, PM_BASE + PM_TIMER);
	acpi_gas(a, 1, 8 * PM_GPE0_LEN, PM_BASE + PM_GPE0);
	acpi_zeros(a, 36);			/* GPE1, sleep registers */
	acpi_u64(a, 0);				/* hypervisor */
	acpi_table_end(a, true);
}

static void write_override(struct acpi_out *a, u8 irq, u32 gsi, u16 how)
{
	acpi_u8(a, MADT_OVERRIDE);
	acpi_u8(a, 10);
	acpi_u8(a, 0);				/* ISA */
	acpi_u8(a, irq);
	acpi_u32(a, gsi);
	acpi_u16(a, how);
}

static void write_madt(struct acpi_out *a, u32 cpus)
{
	acpi_table(a, "APIC", 4);
	acpi_u32(a, LAPIC_BASE);
	acpi_u32(a, 1);				/* there are 8259As, too */
	for (u32 i = 0; i < cpus; i++) {
		acpi_u8(a, MADT_LAPIC);
		acpi_u8(a, 8);
		acpi_u8(a, (u8)i);
		acpi_u8(a, (u8)i);
		acpi_u32(a, 1);
	}
	acpi_u8(a, MADT_IOAPIC);
	acpi_u8(a, 12);
	acpi_u8(a, 0);
	acpi_u8(a, 0);
	acpi_u32(a, IOAPIC_BASE);
	acpi_u32(a, 0);
	write_override(a, PC_IRQ_PIT, 2, EDGE_HIGH);
	write_override(a, PM_SCI, PM_SCI, LEVEL_HIGH);
	acpi_u8(a, MADT_LAPIC_NMI);
	acpi_u8(a, 6);
	acpi_u8(a, 0xff);			/* all CPUs */
	acpi_u16(a, 0);
	acpi_u8(a, 1);				/* LINT1 */
	acpi_table_end(a, true);
}

err_t pc_write_acpi(u32 cpus, u32 slots, void *buf, u32 cap, gpa_t base, gpa_t *rsdp)
{
	struct acpi_out a = acpi_open(buf, cap, base);
	gpa_t facs = acpi_facs(&a, 64), dsdt = write_dsdt(&a, slots);

	write_fadt(&a, facs, dsdt);
	write_madt(&a, cpus);
	return acpi_close(&a, rsdp);
}
