/* The translator's host: x86-64, as a process. GS belongs to nobody else here. */
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/back/jit/host.h"
#include "engine/back/x86_64/x86_64.h"
#include "host/features.h"
#include "kernel/base/panic.h"

const struct jit_target *const jit_host = &x86_64_target;

u32 jit_host_features(void)
{
	const struct host_features f = host_features();

	return (f.bmi1 ? X86_BMI1 : 0) | (f.bmi2 ? X86_BMI2 : 0) | (f.avx ? X86_AVX : 0) |
	       (f.fma ? X86_FMA : 0) | (f.lzcnt ? X86_LZCNT : 0) | (f.popcnt ? X86_POPCNT : 0);
}

void jit_host_ram(const u8 *ram)
{
	static __thread const u8 *base;

	if (base == ram)
		return;
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, ram) != 0)
		panic("arch_prctl: GS base refused");
	base = ram;
}
