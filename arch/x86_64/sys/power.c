/*
 * The end of the machine: soft-off and reset by ACPI's fixed registers (ACPI 6.4, 4.8.3.2
 * and 4.8.3.6; \_S5 found by its bytes), else by firmware's ResetSystem, else by the ports
 * of emulators and of every PC.
 *
 * Firmware's runtime code is mapped executable and not writable but keeps its variables
 * there, so CR0.WP is dropped for the call, after which nothing of ours runs.
 */
#include "arch/bare/firmware.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "arch/mem.h"
#include "arch/trap.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/insn.h"
#include "kernel/base/log.h"

enum { PM1_SCI_ENABLE = 1 << 0, PM1_SLEEP_SHIFT = 10, PM1_SLEEP = 1 << 13 };
enum { RESET_COLD, RESET_WARM, RESET_SHUTDOWN };

struct runtime_services {	/* UEFI 2.9, 4.5: what leads to ResetSystem */
	u8 header[24];
	void *other[10];
	void (__attribute__((ms_abi)) *reset)(u32 type, u64 status, u64 size, void *data);
};

static const struct acpi_fadt *fadt_find(void)
{
	return acpi_find(&acpi, "FACP", 0, offsetof(struct acpi_fadt, reset));
}

static void acpi_enable(const struct acpi_fadt *f, u16 control)
{
	if (!f->smi_command || !f->acpi_enable || (in16(control) & PM1_SCI_ENABLE))
		return;
	out8((u16)f->smi_command, f->acpi_enable);
	for (u32 i = 0; i < 300 && !(in16(control) & PM1_SCI_ENABLE); i++)
		clock_wait(NS_PER_MS);
}

static void soft_off(void)
{
	const struct acpi_fadt *f = fadt_find();
	const struct acpi_header *dsdt = f ? acpi_dsdt(&acpi, f) : NULL;
	u8 a, b;

	if (!dsdt || !acpi_find_s5(dsdt, &a, &b) || !f->pm1a_control)
		return;
	acpi_enable(f, (u16)f->pm1a_control);
	out16((u16)f->pm1a_control, (u16)(a << PM1_SLEEP_SHIFT | PM1_SLEEP));
	if (f->pm1b_control)
		out16((u16)f->pm1b_control, (u16)(b << PM1_SLEEP_SHIFT | PM1_SLEEP));
	clock_wait(100 * NS_PER_MS);
}

static void firmware_reset(u32 type)
{
	const struct runtime_services *rt = (const void *)boot->runtime;

	if (!rt || !rt->reset)
		return;
	cr0_write(cr0_read() & ~(u64)CR0_WP);
	rt->reset(type, 0, 0, NULL);
}

static void emulator_off(void)
{
	static const char bochs[] = "Shutdown";

	out16(0x604, 0x2000);		/* QEMU's i440fx and q35 */
	out16(0xb004, 0x2000);		/* Bochs, old QEMU */
	for (u32 i = 0; bochs[i]; i++)
		out8(0x8900, (u8)bochs[i]);
}

_Noreturn void arch_poweroff(int status)
{
	arch_stop_others();
	arch_irq_disable();
	soft_off();
	firmware_reset(RESET_SHUTDOWN);
	emulator_off();
	log_error("the machine does not switch off; it can be now");
	arch_halt();
}

static void acpi_reset(void)
{
	const struct acpi_fadt *f =
		acpi_find(&acpi, "FACP", 0, offsetof(struct acpi_fadt, arm_boot));
	volatile u8 *reg;

	if (!f || !(f->flags & FADT_RESET))
		return;
	if (f->reset.space == ACPI_SPACE_IO) {
		out8((u16)f->reset.address, f->reset_value);
	} else if (f->reset.space == ACPI_SPACE_MEMORY) {
		reg = arch_mmio_map(f->reset.address, 1, PROT_R | PROT_W | PROT_DEVICE);
		if (reg)
			*reg = f->reset_value;
	}
	clock_wait(50 * NS_PER_MS);
}

_Noreturn void arch_reboot(void)
{
	static const struct { u16 limit; u64 base; } packed no_idt;

	arch_stop_others();
	arch_irq_disable();
	acpi_reset();
	out8(0xcf9, 0x02);		/* the chip set: full reset */
	out8(0xcf9, 0x06);
	clock_wait(50 * NS_PER_MS);
	out8(0x64, 0xfe);		/* the keyboard controller */
	clock_wait(50 * NS_PER_MS);
	__asm__ volatile("lidt %0; int3" :: "m"(no_idt));
	arch_halt();
}
