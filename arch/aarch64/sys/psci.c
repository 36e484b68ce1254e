/*
 * Power State Coordination Interface 1.1 (DEN0022) by SMC or HVC, as ACPI or the device tree
 * says.
 */
#include "arch/aarch64/sys/host.h"

#define PSCI_VERSION		0x84000000
#define PSCI_CPU_ON		0xc4000003
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_NOT_SUPPORTED	-1

static s64 psci_call(u64 function, u64 a, u64 b, u64 c)
{
	register u64 x0 __asm__("x0") = function;
	register u64 x1 __asm__("x1") = a;
	register u64 x2 __asm__("x2") = b;
	register u64 x3 __asm__("x3") = c;

	/* SMCCC 1.0 callees may change x4 to x17. */
#define CLOBBERS "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", \
		 "x16", "x17", "memory"
	if (machine.psci == PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) :: CLOBBERS);
	else if (machine.psci == PSCI_HVC)
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) :: CLOBBERS);
	else
		return PSCI_NOT_SUPPORTED;
	return (s64)x0;
}

u32 psci_version(void)
{
	s64 v = psci_call(PSCI_VERSION, 0, 0, 0);

	return (s32)v < 0 ? 0 : (u32)v;
}

s64 psci_cpu_on(u64 affinity, hpa_t entry, u64 context)
{
	return (s32)psci_call(PSCI_CPU_ON, affinity, entry, context);
}

void psci_system_off(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void psci_system_reset(void)
{
	psci_call(PSCI_SYSTEM_RESET, 0, 0, 0);
}
