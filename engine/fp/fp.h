/*
 * IEEE 754 arithmetic on bit patterns for all guests, without a floating-point register of
 * the host. Berkeley SoftFloat computes; this layer adds what guests disagree on: NaNs,
 * tininess, minimum and maximum, what an impossible integer becomes, flush modes.
 * What a guest wants is data (struct fp_policy), so there is one SoftFloat, not three.
 *
 * A value of 16 or 32 bits sits zero-extended in a u64; bits above the format are ignored
 * on the way in and zero on the way out. NaN boxing is the front end's.
 *
 * @mode is a rounding mode plus FP_* bits; RISC-V passes just the rounding mode. Flags are
 * OR-ed into *@flags. Numbers of modes, flags and formats equal SoftFloat's and the IR's.
 */
#pragma once

#include "kernel/base/types.h"

enum fp_format { FP_H, FP_S, FP_D };		/* binary16, binary32, binary64 */
enum fp_int { FP_S32, FP_U32, FP_S64, FP_U64 };
enum fp_order { FP_EQUAL, FP_LESS, FP_GREATER, FP_UNORDERED };

enum fp_mode {
	FP_RNE = 0,			/* to nearest, ties to even */
	FP_RTZ = 1,			/* to zero */
	FP_RDN = 2,			/* down */
	FP_RUP = 3,			/* up */
	FP_RMM = 4,			/* to nearest, ties away from zero */
	FP_RTO = 6,			/* to odd (Arm FCVTXN) */
	FP_RM_MASK = 7,
	/* control bits of the guest; FP_FZ and FP_DAZ do not concern binary16 */
	FP_FZ = 1 << 3,			/* tiny results become zero (FPCR.FZ, MXCSR.FTZ) */
	FP_DAZ = 1 << 4,		/* denormal operands are zero (FPCR.FZ, MXCSR.DAZ) */
	FP_FZ16 = 1 << 5,		/* both, for binary16 but in conversions (FPCR.FZ16) */
	FP_DN = 1 << 6,			/* every NaN result is the default one (FPCR.DN) */
	FP_AHP = 1 << 7,		/* conversions: binary16 without infinities and NaNs */
	/* properties of one operation */
	FP_NEG_PRODUCT = 1 << 8,	/* fp_fma: -(a * b) */
	FP_NEG_ADDEND = 1 << 9,		/* fp_fma: - c */
	FP_NUMBER = 1 << 10,		/* fp_min, fp_max: Arm's FMINNM, FMAXNM */
	FP_SIGNAL = 1 << 11,		/* fp_cmp: a quiet NaN is invalid too */
	FP_EXACT = 1 << 12,		/* fp_round: raise inexact */
};

enum fp_flag {
	FP_NX = 1 << 0,			/* inexact */
	FP_UF = 1 << 1,			/* underflow */
	FP_OF = 1 << 2,			/* overflow */
	FP_DZ = 1 << 3,			/* division by zero */
	FP_NV = 1 << 4,			/* invalid */
	FP_ID = 1 << 5,			/* denormal operand: Arm IDC (flushed), x86 DE (used) */
};

struct fp_policy {
	enum { FP_NAN_DEFAULT, FP_NAN_ARM, FP_NAN_SSE } nan;	/* what NaN operands yield */
	enum { FP_MIN_RISCV, FP_MIN_ARM, FP_MIN_SSE } min;	/* rule of fp_min and fp_max */
	enum { FP_INT_RISCV, FP_INT_ARM, FP_INT_SSE } integer;	/* when fp_to_int has no answer */
	bool nan_negative;		/* sign of the default NaN */
	bool tiny_before;		/* tininess is detected before rounding */
	bool flush_exact;		/* FP_FZ raises underflow only, not inexact */
	bool denormal_used;		/* FP_ID tells of denormals used, not of those flushed */
};

extern const struct fp_policy rv64_fp, a64_fp, x86_fp;

u64 fp_add(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
u64 fp_sub(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
u64 fp_mul(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
u64 fp_div(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
u64 fp_sqrt(const struct fp_policy *p, enum fp_format f, u64 a, u32 mode, u8 *flags);
/* +-(a * b) +- c, rounded once. */
u64 fp_fma(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u64 c, u32 mode, u8 *flags);
u64 fp_min(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
u64 fp_max(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags);
enum fp_order fp_cmp(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode,
		     u8 *flags);

/* To integer; 32-bit results, also unsigned ones, are sign-extended to 64 bits. */
u64 fp_to_int(const struct fp_policy *p, enum fp_format f, u64 a, enum fp_int to, u32 mode,
	      u8 *flags);
/* From integer; of a 32-bit one the upper half of @n is ignored. */
u64 fp_from_int(const struct fp_policy *p, enum fp_format f, u64 n, enum fp_int from, u32 mode,
		u8 *flags);
/* To an integral value in the same format. */
u64 fp_round(const struct fp_policy *p, enum fp_format f, u64 a, u32 mode, u8 *flags);
/* From format @from to format @to. */
u64 fp_convert(const struct fp_policy *p, enum fp_format to, u64 a, enum fp_format from, u32 mode,
	       u8 *flags);

/*
 * RISC-V's ten classes, one bit: -inf -normal -subnormal -0 +0 +subnormal +normal +inf sNaN qNaN.
 */
u64 fp_class(enum fp_format f, u64 a);
