/*
 * Which instructions beyond Armv8.0 translated code may use (Arm ARM D19.2, ID registers). FP and
 * Advanced SIMD are always there. In a process the kernel answers for these registers: Linux does
 * since 4.11, and shows only what a process may use.
 */
#pragma once

#include "kernel/base/types.h"

struct host_features {
	bool lse;			/* LDADD, CAS, SWP ... */
	bool lse2;			/* unaligned accesses within 16 bytes are atomic */
	bool rcpc;			/* LDAPR */
	bool flagm;			/* CFINV, RMIF, SETF8, SETF16 */
};

static inline struct host_features host_features(void)
{
	u64 isar0, isar1, mmfr2;

	__asm__("mrs %0, id_aa64isar0_el1" : "=r"(isar0));
	__asm__("mrs %0, id_aa64isar1_el1" : "=r"(isar1));
	__asm__("mrs %0, id_aa64mmfr2_el1" : "=r"(mmfr2));
	return (struct host_features){
		.lse = BITS(isar0, 23, 20) >= 2,
		.lse2 = BITS(mmfr2, 35, 32) >= 1,
		.rcpc = BITS(isar1, 23, 20) >= 1,
		.flagm = BITS(isar0, 55, 52) >= 1,
	};
}
