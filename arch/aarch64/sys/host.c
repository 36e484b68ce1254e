/* The rest of the host contract on AArch64: the banner's line and the end of the machine. */
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/selftest.h"
#include "arch/io.h"
#include "arch/trap.h"
#include "kernel/base/fmt.h"

static const struct {
	u32 part;		/* MIDR_EL1: implementer << 12 | part number */
	const char *name;
} models[] = {
	{ 0x41d03, "Arm Cortex-A53" }, { 0x41d05, "Arm Cortex-A55" }, { 0x41d07, "Arm Cortex-A57" },
	{ 0x41d08, "Arm Cortex-A72" }, { 0x41d0b, "Arm Cortex-A76" },
	{ 0x41d0c, "Arm Neoverse-N1" },
	{ 0x41d40, "Arm Neoverse-V1" }, { 0x41d49, "Arm Neoverse-N2" },
	{ 0x41d4f, "Arm Neoverse-V2" },
	{ 0xc0ac3, "Ampere-1" },
};

void arch_describe(char *buf, size_t cap)
{
	u64 midr = sysreg_read(midr_el1), khz = (u32)sysreg_read(cntfrq_el0) / 1000;
	u32 part = (u32)(BITS(midr, 31, 24) << 12 | BITS(midr, 15, 4));
	const char *name = NULL;

	for (u32 i = 0; i < ARRAY_LEN(models); i++)
		if (models[i].part == part)
			name = models[i].name;
	fmt_buf(buf, cap, "%s (MIDR %#llx), %u CPU%s, GICv%u, counter %llu.%03llu MHz, %s",
		name ? name : "AArch64", (unsigned long long)midr, cpu_count,
		cpu_count == 1 ? "" : "s",
		machine.gic.version, (unsigned long long)khz / 1000,
		(unsigned long long)khz % 1000, machine.source);
}

extern const u8 simd_add[], simd_end[];

const void *selftest_code(u64 *len)
{
	*len = (u64)(simd_end - simd_add);
	return simd_add;
}

void arch_poweroff(int status)
{
	static const char stuck[] = "no PSCI: this machine cannot be switched off; halted\n";

	psci_system_off();
	arch_early_write(stuck, sizeof(stuck) - 1);
	arch_halt();
}

void arch_reboot(void)
{
	psci_system_reset();
	arch_halt();
}
