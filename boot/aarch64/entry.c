/*
 * From boot_entry (arch/aarch64/sys/start.S) to kernel_main() on the boot CPU, in the only
 * order that works: look at the firmware's tables while they are mapped, speak, switch to
 * own page tables, give RAM away, then interrupts and time.
 */
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/firmware.h"
#include "arch/bare/map.h"
#include "arch/bare/probe.h"
#include "arch/bare/selftest.h"
#include "arch/clock.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "boot/aarch64/discover.h"
#include "boot/fdt.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"
#include "kernel/main.h"

/* Where QEMU's virt board has its PL011: tried, and said, when nothing tells. */
#define UART_GUESS 0x09000000

struct machine machine;

_Noreturn void entry_main(struct boot_info *info, u8 *area);

static void early_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static struct sink early_sink = { early_write };

/* The boot CPU is always there, even if no table names it. */
static void discover(struct boot_info *info)
{
	struct fdt tree;

	machine.source = "defaults";
	machine.timer = TIMER_INTID;
	firmware_init(info);
	discover_acpi(&machine, &acpi);
	if (!machine.cpus && info->fdt && !fdt_open(&tree, (const void *)info->fdt, FDT_SIZE_MAX))
		discover_fdt(&machine, &tree);
}

static void boot_cpu_init(u8 *area)
{
	u64 affinity = sysreg_read(mpidr_el1) & MPIDR_AFFINITY;

	cpu_self = &cpus[0];
	cpu_count = 1;
	host_cpus[0] = (struct host_cpu){ .area = area, .affinity = affinity };
	cpus[0].arch = &host_cpus[0];
	cpus[0].hw_id = affinity;
	for (u32 i = 0; i < machine.cpus; i++)
		if (machine.cpu[i].affinity == affinity)
			cpus[0].node = machine.cpu[i].node;
	atomic_store(&cpus[0].online, true);
}

static void uart_find(void)
{
	bool guessed = !machine.uart.base;

	if (guessed)
		machine.uart.base = UART_GUESS;
	uart_init(machine.uart.base);
	log_set_sink(&early_sink);
	if (guessed)
		log_warn("neither SPCR nor device tree names a PL011: trying %#x", UART_GUESS);
}

/* The tables must do what they are for; if they do not, nothing else is worth starting. */
static void check_protection(void)
{
	static const u32 ret = 0xd65f03c0;
	static u32 writable = 0xd65f03c0;

	if (probe_store(text_start, 0) || probe_store((void *)(uptr)&ret, 0) ||
	    probe_store(host_cpu(cpu_self)->area + AREA_GUARD, 0))
		panic("read-only memory was written");
	if (probe_call(&writable) || probe_call(&ret))
		panic("data was executed");
	if (!probe_store(&writable, 0xc0))
		panic("data is not writable");
	log_info("memory protection: W^X, guard pages, checked");
}

void entry_main(struct boot_info *info, u8 *area)
{
	u64 bytes;

	discover(info);
	boot_cpu_init(area);
	uart_find();
	clock_init(info);
	mem_init(info);
	if (area_guard(area))
		panic("no guard pages for the boot CPU");
	check_protection();
	bytes = firmware_add_memory(0, MAP_WINDOW);
	log_info("machine: %s; GICv%u, PSCI %u.%u by %s, UART %#llx, %u CPUs, %llu MiB of RAM free",
		 machine.source, machine.gic.version, psci_version() >> 16, psci_version() & 0xffff,
		 machine.psci == PSCI_HVC ? "HVC" : machine.psci == PSCI_SMC ? "SMC" : "nothing",
		 (unsigned long long)machine.uart.base, MAX(machine.cpus, 1u),
		 (unsigned long long)(bytes >> 20));
	selftest_begin();
	gic_init();
	clock_init_cpu();
	rng_init();
	uart_init_input(machine.uart.irq);
	arch_irq_enable();
	kernel_main();
}
