/*
 * I/O APICs (82093AA data sheet; ACPI 6.4, 5.2.12.3 and .5 for where they are and which
 * ISA interrupts are wired differently). All inputs are masked until bound, and every bound
 * one goes to CPU 0. Without ACPI there is one at the customary address, if it answers.
 */
#include "arch/bare/firmware.h"
#include "arch/irq.h"
#include "arch/mem.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "kernel/base/lock.h"

#define IOAPIC_MAX	8
#define IOAPIC_DEFAULT	0xfec00000

enum { REG_VERSION = 1, REG_TABLE = 0x10 };
enum { ENTRY_LOW = 1 << 13, ENTRY_LEVEL = 1 << 15, ENTRY_MASKED = 1 << 16 };

struct ioapic {
	volatile u8 *base;
	u32 gsi, inputs;
};

struct line {
	void (*raise)(void *arg);
	void *arg;
	irq_t gsi;
};

static struct ioapic ioapics[IOAPIC_MAX];
static u32 ioapic_count;
static struct line lines[VECTOR_GSI_END - VECTOR_GSI];
static const struct acpi_madt *madt;
static struct lock irq_lock;

static u32 reg_read(const struct ioapic *io, u32 reg)
{
	mmio_write32(io->base, reg);
	return mmio_read32(io->base + 0x10);
}

static void reg_write(const struct ioapic *io, u32 reg, u32 v)
{
	mmio_write32(io->base, reg);
	mmio_write32(io->base + 0x10, v);
}

static void ioapic_add(hpa_t at, u32 gsi)
{
	struct ioapic *io = &ioapics[ioapic_count];
	u32 version;

	if (ioapic_count == IOAPIC_MAX)
		return;
	io->base = arch_mmio_map(at, PAGE_SIZE, PROT_R | PROT_W | PROT_DEVICE);
	version = io->base ? reg_read(io, REG_VERSION) : UINT32_MAX;
	if (version == UINT32_MAX)
		return;
	io->gsi = gsi;
	io->inputs = BITS(version, 23, 16) + 1;
	for (u32 i = 0; i < io->inputs; i++)
		reg_write(io, REG_TABLE + 2 * i, ENTRY_MASKED);
	ioapic_count++;
}

void ioapic_init(void)
{
	madt = acpi_find(&acpi, "APIC", 0, sizeof(*madt));
	if (!madt)
		return ioapic_add(IOAPIC_DEFAULT, 0);
	for (const struct madt_ioapic *io = NULL; (io = acpi_each(madt, MADT_IOAPIC, io)); )
		ioapic_add(io->address, io->gsi_base);
}

u32 ioapic_gsi_of_isa(u32 irq)
{
	for (const struct madt_override *o = NULL; madt && (o = acpi_each(madt, MADT_OVERRIDE, o));)
		if (o->irq == irq)
			return o->gsi;
	return irq;
}

/*
 * Polarity and trigger: ISA interrupts are edges, high; the others levels, low; unless told
 * otherwise.
 */
static u32 wiring_of(irq_t gsi)
{
	u32 bits = gsi < 16 ? 0 : ENTRY_LOW | ENTRY_LEVEL;

	for (const struct madt_override *o = NULL;
	     madt && (o = acpi_each(madt, MADT_OVERRIDE, o));) {
		if (o->gsi != gsi)
			continue;
		if (o->flags & 3)
			bits = (bits & ~(u32)ENTRY_LOW) | ((o->flags & 3) == 3 ? ENTRY_LOW : 0);
		if (o->flags >> 2 & 3)
			bits = (bits & ~(u32)ENTRY_LEVEL) |
			       ((o->flags >> 2 & 3) == 3 ? ENTRY_LEVEL : 0);
	}
	return bits;
}

static const struct ioapic *ioapic_of(irq_t gsi)
{
	for (u32 i = 0; i < ioapic_count; i++)
		if (gsi >= ioapics[i].gsi && gsi - ioapics[i].gsi < ioapics[i].inputs)
			return &ioapics[i];
	return NULL;
}

static void line_raise(u32 vector)
{
	const struct line *l = &lines[vector - VECTOR_GSI];

	if (l->raise)
		l->raise(l->arg);
}

/* The line bound to @gsi, or a free one. */
static struct line *line_find(irq_t gsi, bool bound)
{
	for (u32 i = 0; i < ARRAY_LEN(lines); i++)
		if (bound ? lines[i].raise && lines[i].gsi == gsi : !lines[i].raise)
			return &lines[i];
	return NULL;
}

err_t arch_irq_bind(irq_t irq, void (*raise)(void *arg), void *arg)
{
	const struct ioapic *io = ioapic_of(irq);
	struct line *l;
	err_t e = OK;

	if (!io)
		return ERRF(E_NOENT, "interrupt %u: no I/O APIC has it", irq);
	lock_take(&irq_lock);
	l = line_find(irq, false);
	if (line_find(irq, true) || !l) {
		e = ERRF(E_BUSY, "interrupt %u: already bound, or no vector left", irq);
	} else {
		u32 vector = VECTOR_GSI + (u32)(l - lines), input = irq - io->gsi;

		*l = (struct line){ raise, arg, irq };
		vector_bind(vector, line_raise);
		reg_write(io, REG_TABLE + 2 * input + 1, percpu_boot.apic_id << 24);
		reg_write(io, REG_TABLE + 2 * input, wiring_of(irq) | vector);
	}
	lock_drop(&irq_lock);
	return e;
}

void arch_irq_unbind(irq_t irq)
{
	const struct ioapic *io = ioapic_of(irq);
	struct line *l;

	lock_take(&irq_lock);
	l = line_find(irq, true);
	if (io && l) {
		reg_write(io, REG_TABLE + 2 * (irq - io->gsi), ENTRY_MASKED);
		l->raise = NULL;
	}
	lock_drop(&irq_lock);
}

void arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

void arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}
