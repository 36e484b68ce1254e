/*
 * From the loader's jump to kernel_main() on the boot CPU: the order in which the machine is
 * taken over. Until percpu_load() there is no thread-local storage, until paging_init() no
 * page allocator, until clock_init() no time; each step uses only those before it.
 */
#include "arch/bare/firmware.h"
#include "arch/bare/selftest.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/fpu.h"
#include "arch/x86_64/sys/paging.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/smp.h"
#include "arch/x86_64/sys/trap.h"
#include "arch/x86_64/sys/uart.h"
#include "kernel/base/fmt.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"
#include "kernel/main.h"

#include <cpuid.h>

_Noreturn void x86_start(struct boot_info *info);

static void early_write(struct sink *s, const char *text, size_t len)
{
	arch_early_write(text, len);
}

static struct sink early_sink = { early_write };

void x86_start(struct boot_info *info)
{
	uart_init();
	log_set_sink(&early_sink);
	idt_init();
	percpu_load(&percpu_boot, &cpus[0]);
	cpu_count = 1;
	assert(info->magic == BOOT_MAGIC);
	firmware_init(info);
	paging_init();
	percpu_guard(&percpu_boot);
	fpu_load();
	apic_init();
	apic_init_cpu(&percpu_boot);
	clock_init();
	smp_init();
	ioapic_init();
	uart_listen();
	cpus[0].hw_id = percpu_boot.apic_id;
	cpus[0].node =
		firmware_cpu_node(apic_is_x2() ? SRAT_X2APIC : SRAT_LAPIC, percpu_boot.apic_id);
	atomic_store(&cpus[0].online, true);
	arch_irq_enable();
	if (!paging_selftest())
		panic("memory protection does not hold: text is writable, data executable or a "
		      "guard page mapped");
	log_info("memory protection: W^X, guard pages, checked");
	selftest_begin();
	kernel_main();
}

static const char *brand(char text[49])
{
	u32 r[12];
	const char *at = text;

	text[0] = 0;
	for (u32 i = 0; i < 3; i++)
		if (!__get_cpuid(0x80000002 + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2],
				 &r[4 * i + 3]))
			return "x86-64";
	__builtin_memcpy(text, r, 48);
	text[48] = 0;
	while (*at == ' ')
		at++;
	return *at ? at : "x86-64";
}

void arch_describe(char *buf, size_t cap)
{
	u64 mhz = clock_tsc_hz() / 1000000;
	char text[49];

	fmt_buf(buf, cap, "%s, %u CPU%s, TSC %llu.%03llu GHz by %s, %s", brand(text), cpu_count,
		cpu_count == 1 ? "" : "s", (unsigned long long)mhz / 1000,
		(unsigned long long)mhz % 1000, clock_source(), apic_is_x2() ? "x2APIC" : "xAPIC");
}
