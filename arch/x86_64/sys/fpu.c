/*
 * Vector registers for translated code; the hypervisor's own code uses none, so they are never
 * saved for its sake. XCR0 gets exactly what translated code may use (SDM 1, 13.3), whatever
 * firmware had; host/features.h finds it there.
 */
#include "arch/bare/selftest.h"
#include "arch/x86_64/sys/fpu.h"
#include "arch/x86_64/sys/insn.h"
#include "host/features.h"

#include <cpuid.h>

#define MXCSR_RESET 0x1f80u	/* all exceptions masked, round to nearest */

extern const u8 simd_sse[], simd_avx[], simd_end[];

void fpu_load(void)
{
	u32 a, b, c = 0, d, mxcsr = MXCSR_RESET;

	cr0_write((cr0_read() | CR0_MP | CR0_NE) & ~(u64)(CR0_EM | CR0_TS));
	cr4_write(cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT);
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_XSAVE)) {
		cr4_write(cr4_read() | CR4_OSXSAVE);
		xcr0_write(XCR0_X87 | XCR0_SSE | (c & bit_AVX ? XCR0_AVX : 0));
	}
	__asm__ volatile("fninit; ldmxcsr %0" :: "m"(mxcsr));
}

const void *selftest_code(u64 *len)
{
	bool avx = host_features().avx;

	*len = (u64)(avx ? simd_end - simd_avx : simd_avx - simd_sse);
	return avx ? simd_avx : simd_sse;
}
