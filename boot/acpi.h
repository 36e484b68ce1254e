/*
 * ACPI tables, as far as a hypervisor needs them before it has devices: RSDP, RSDT/XSDT,
 * FADT, MADT, SRAT, HPET, GTDT, SPCR, MCFG (ACPI 6.4 chapter 5; HPET, SPCR: their own
 * specifications) and one AML object, \_S5. There is no AML interpreter here.
 *
 * Tables are firmware's, so they are read with care: every address goes through map(),
 * every length is checked, a table with a wrong checksum does not exist. Structures may end
 * early in old revisions: ACPI_HAS() tells whether a table reaches a field.
 */
#pragma once

#include "kernel/base/types.h"

#define ACPI_TABLE_MAX	MIB(4)	/* DSDTs of servers reach 1 MiB */

struct acpi {
	/* The @len bytes at physical @at, readable, or NULL when that is not RAM of firmware's. */
	const void *(*map)(hpa_t at, u64 len);
	hpa_t root;		/* XSDT or RSDT */
	bool wide;		/* it is an XSDT */
};

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
} packed;

#define ACPI_HAS(table, field) \
	((table)->h.length >= offsetof(__typeof__(*(table)), field) + sizeof((table)->field))

struct acpi_gas {		/* generic address structure */
	u8 space, bits, offset, access;
	u64 address;
} packed;
enum { ACPI_SPACE_MEMORY = 0, ACPI_SPACE_IO = 1 };

struct acpi_sub {		/* heads the entries of MADT, SRAT and (with a u16 length) GTDT */
	u8 type, length;
} packed;

struct acpi_fadt {
	struct acpi_header h;
	u32 facs, dsdt;
	u8 reserved0, profile;
	u16 sci;
	u32 smi_command;
	u8 acpi_enable, acpi_disable, s4bios, pstate;
	u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
	u8 unused0[24];
	u32 flags;
	struct acpi_gas reset;
	u8 reset_value;
	u16 arm_boot;
	u8 minor;
	u64 x_facs, x_dsdt;
	struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control,
		x_pm_timer;
	struct acpi_gas x_gpe0, x_gpe1, sleep_control, sleep_status;
} packed;
_Static_assert(offsetof(struct acpi_fadt, flags) == 112 &&
		       offsetof(struct acpi_fadt, arm_boot) == 129,
	       "FADT");
enum {
	FADT_RESET = BIT(10),
	FADT_HW_REDUCED = BIT(20),
	FADT_ARM_PSCI = BIT(0),
	FADT_ARM_PSCI_HVC = BIT(1)
};

struct acpi_madt {
	struct acpi_header h;
	u32 lapic, flags;
} packed;
enum madt_type {
	MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5, MADT_X2APIC = 9,
	MADT_GICC = 11, MADT_GICD = 12, MADT_GICR = 14, MADT_ITS = 15,
};
enum { MADT_CPU_ENABLED = 1 };	/* flags of LAPIC, X2APIC, GICC */

struct madt_lapic {
	struct acpi_sub s;
	u8 uid, id;
	u32 flags;
} packed;
struct madt_ioapic {
	struct acpi_sub s;
	u8 id, reserved;
	u32 address, gsi_base;
} packed;
struct madt_override {
	struct acpi_sub s;
	u8 bus, irq;
	u32 gsi;
	u16 flags;		/* polarity in bits 1:0 (3 = low), trigger in 3:2 (3 = level) */
} packed;
struct madt_lapic_address {
	struct acpi_sub s;
	u16 reserved;
	u64 address;
} packed;
struct madt_x2apic {
	struct acpi_sub s;
	u16 reserved;
	u32 id, flags, uid;
} packed;
struct madt_gicc {
	struct acpi_sub s;
	u16 reserved0;
	u32 interface, uid, flags, parking_version, performance_gsiv;
	u64 parked, gicc, gicv, gich;
	u32 vgic_gsiv;		/* maintenance interrupt */
	u64 gicr, mpidr;	/* mpidr: at least revision 5.1 */
	u8 efficiency, reserved1;
	u16 spe_gsiv;
} packed;
struct madt_gicd {
	struct acpi_sub s;
	u16 reserved0;
	u32 id;
	u64 address;
	u32 vector_base;
	u8 version, reserved1[3];
} packed;
struct madt_gicr {
	struct acpi_sub s;
	u16 reserved;
	u64 address;
	u32 length;
} packed;
struct madt_its {
	struct acpi_sub s;
	u16 reserved0;
	u32 id;
	u64 address;
	u32 reserved1;
} packed;

struct acpi_srat {
	struct acpi_header h;
	u8 reserved[12];
} packed;
enum srat_type { SRAT_LAPIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2, SRAT_GICC = 3 };
enum { SRAT_ENABLED = 1 };

struct srat_lapic {
	struct acpi_sub s;
	u8 domain_low, id;
	u32 flags;
	u8 eid, domain_high[3];
	u32 clock;
} packed;
struct srat_memory {
	struct acpi_sub s;
	u32 domain;
	u16 reserved0;
	u64 base, length;
	u32 reserved1, flags;
	u64 reserved2;
} packed;
struct srat_x2apic {
	struct acpi_sub s;
	u16 reserved0;
	u32 domain, id, flags, clock, reserved1;
} packed;
struct srat_gicc {
	struct acpi_sub s;
	u32 domain, uid, flags, clock;
} packed;

struct acpi_hpet {
	struct acpi_header h;
	u32 id;
	struct acpi_gas base;
	u8 number;
	u16 minimum;
	u8 attributes;
} packed;

struct acpi_gtdt {
	struct acpi_header h;
	u64 counter;
	u32 reserved;
	u32 secure_gsiv, secure_flags, phys_gsiv, phys_flags, virt_gsiv, virt_flags, hyp_gsiv,
		hyp_flags;
	u64 counter_read;
	u32 platform_timers, platform_offset, hyp_virt_gsiv, hyp_virt_flags;
} packed;

struct acpi_spcr {
	struct acpi_header h;
	u8 interface, reserved0[3];
	struct acpi_gas base;
	u8 interrupt_type, irq;
	u32 gsiv;
	u8 baud, parity, stop_bits, flow, terminal, language;
	u16 pci_device, pci_vendor;
	u8 pci_bus, pci_slot, pci_function;
	u32 pci_flags;
	u8 pci_segment;
	u32 clock;
} packed;
enum { SPCR_16550 = 0, SPCR_16550_GAS = 0x12, SPCR_PL011 = 3, SPCR_SBSA_32 = 0xd, SPCR_SBSA = 0xe };

struct acpi_mcfg {
	struct acpi_header h;
	u64 reserved;
} packed;
struct mcfg_segment {
	u64 base;
	u16 segment;
	u8 bus_first, bus_last;
	u32 reserved;
} packed;

/* False when there is no usable root table; *a then finds nothing. */
bool acpi_init(struct acpi *a, hpa_t rsdp, const void *(*map)(hpa_t at, u64 len));

/* The @nth table (0 = first) with this signature and a good checksum, at least @min bytes long. */
const void *acpi_find(const struct acpi *a, const char *signature, u32 nth, size_t min);

/*
 * Walk the entries of a table whose fixed part ends at @first: pass NULL, then the last
 * result. An entry that is too short or leaves the table ends the walk.
 */
const struct acpi_sub *acpi_next(const struct acpi_header *t, size_t first,
				 const struct acpi_sub *last);

/* The next entry of @type that is at least @min bytes long. */
const void *acpi_next_of(const struct acpi_header *t, size_t first, u32 type, size_t min,
			 const void *last);

/* for (const struct madt_ioapic *io = NULL; (io = acpi_each(madt, MADT_IOAPIC, io)); ) */
#define acpi_each(table, type, last) \
	acpi_next_of(&(table)->h, sizeof(*(table)), (type), sizeof(*(last)), (last))

/* Segment @nth of the MCFG, or NULL. */
const struct mcfg_segment *acpi_mcfg_segment(const struct acpi_mcfg *m, u32 nth);

/* The DSDT, whichever of the FADT's two pointers is set. */
const struct acpi_header *acpi_dsdt(const struct acpi *a, const struct acpi_fadt *f);

/*
 * The values for SLP_TYPa and SLP_TYPb that soft-off needs, from the package \_S5 of a DSDT or
 * SSDT.
 */
bool acpi_find_s5(const struct acpi_header *aml, u8 *a, u8 *b);
