/*
 * Which instructions translated code may use (SDM 2A, CPUID; 1, 14.3). The same answer in a
 * process and on bare metal: registers beyond SSE count only if whoever runs the machine has
 * switched them on (OSXSAVE and XCR0), which here is arch/x86_64/sys/fpu.c. SSE2 is always there.
 */
#pragma once

#include <cpuid.h>

#include "kernel/base/types.h"

struct host_features {
	bool sse41, popcnt, lzcnt, bmi1, bmi2, movbe;
	bool avx, avx2, fma;
};

/* XCR0: the register states that XSAVE knows; 0 where there is no XGETBV. */
static inline u64 host_xcr0(void)
{
	u32 a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (u64)d << 32 | a;
}

#define XCR0_SSE_AVX	6		/* XMM and the upper halves of YMM */

static inline struct host_features host_features(void)
{
	struct host_features f = { 0 };
	bool ymm = (host_xcr0() & XCR0_SSE_AVX) == XCR0_SSE_AVX;
	u32 a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d)) {
		f.sse41 = c & bit_SSE4_1;
		f.popcnt = c & bit_POPCNT;
		f.movbe = c & bit_MOVBE;
		f.avx = ymm && (c & bit_AVX);
		f.fma = f.avx && (c & bit_FMA);
	}
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		f.bmi1 = b & bit_BMI;
		f.bmi2 = b & bit_BMI2;
		f.avx2 = f.avx && (b & bit_AVX2);
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		f.lzcnt = c & bit_LZCNT;
	return f;
}
