/*
 * Corner cases of the three guests' arithmetic, as tables: what the manuals spell out and
 * what other emulators got wrong. Bulk comparison with a real FPU is fp_sse_test.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "engine/fp/fp.h"

#define INF_S	0x7f800000ull
#define NAN_S	0x7fc00000ull
#define SNAN_S	0x7f800001ull
#define MAX_S	0x7f7fffffull
#define MIN_S	0x00800000ull		/* smallest normal */
#define DEN_S	0x00000001ull		/* smallest denormal */
#define ONE_S	0x3f800000ull
#define NEG_S	0x80000000ull
#define INF_D	0x7ff0000000000000ull
#define NAN_D	0x7ff8000000000000ull
#define SNAN_D	0x7ff0000000000001ull
#define ONE_D	0x3ff0000000000000ull
#define NEG_D	0x8000000000000000ull

enum op { ADD, SUB, MUL, DIV, SQRT, FMA, MIN_, MAX_, CMP, TOI, FROMI, ROUND, TO_H, TO_S, TO_D };

struct row {
	enum op op;
	enum fp_format f;
	u32 mode;
	u64 a, b, c;		/* TOI, FROMI: b is the enum fp_int */
	u64 want;
	u8 flags;
};

static u64 eval(const struct fp_policy *p, const struct row *r, u8 *fl)
{
	switch (r->op) {
	case ADD:   return fp_add(p, r->f, r->a, r->b, r->mode, fl);
	case SUB:   return fp_sub(p, r->f, r->a, r->b, r->mode, fl);
	case MUL:   return fp_mul(p, r->f, r->a, r->b, r->mode, fl);
	case DIV:   return fp_div(p, r->f, r->a, r->b, r->mode, fl);
	case SQRT:  return fp_sqrt(p, r->f, r->a, r->mode, fl);
	case FMA:   return fp_fma(p, r->f, r->a, r->b, r->c, r->mode, fl);
	case MIN_:  return fp_min(p, r->f, r->a, r->b, r->mode, fl);
	case MAX_:  return fp_max(p, r->f, r->a, r->b, r->mode, fl);
	case CMP:   return fp_cmp(p, r->f, r->a, r->b, r->mode, fl);
	case TOI:   return fp_to_int(p, r->f, r->a, r->b, r->mode, fl);
	case FROMI: return fp_from_int(p, r->f, r->a, r->b, r->mode, fl);
	case ROUND: return fp_round(p, r->f, r->a, r->mode, fl);
	case TO_H:  return fp_convert(p, FP_H, r->a, r->f, r->mode, fl);
	case TO_S:  return fp_convert(p, FP_S, r->a, r->f, r->mode, fl);
	case TO_D:  return fp_convert(p, FP_D, r->a, r->f, r->mode, fl);
	}
	return 0;
}

static void check(const struct fp_policy *p, const struct row *rows, size_t count)
{
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		u8 flags = 0;
		u64 got = eval(p, &rows[i], &flags);

		if (got == rows[i].want && flags == rows[i].flags)
			continue;
		good = false;
		fprintf(stderr, "row %zu: got %llx flags %x, want %llx flags %x\n", i,
			(unsigned long long)got, flags, (unsigned long long)rows[i].want,
			rows[i].flags);
	}
	assert_true(good);
}

static const struct row rv64_rows[] = {
	/* NaNs are canonical; a signaling one is invalid */
	{ ADD, FP_S, 0, 0xffc12345, ONE_S, 0, NAN_S, 0 },
	{ ADD, FP_S, 0, ONE_S, SNAN_S, 0, NAN_S, FP_NV },
	{ SUB, FP_D, 0, INF_D, INF_D, 0, NAN_D, FP_NV },
	{ MUL, FP_D, 0, 0, INF_D, 0, NAN_D, FP_NV },
	{ DIV, FP_S, 0, 0, 0, 0, NAN_S, FP_NV },
	{ DIV, FP_S, 0, INF_S, INF_S, 0, NAN_S, FP_NV },
	{ DIV, FP_S, 0, ONE_S, NEG_S, 0, NEG_S | INF_S, FP_DZ },
	{ DIV, FP_S, 0, INF_S, 0, 0, INF_S, 0 },
	{ SQRT, FP_S, 0, NEG_S, 0, 0, NEG_S, 0 },
	{ SQRT, FP_D, 0, NEG_D | ONE_D, 0, 0, NAN_D, FP_NV },
	/* the five rounding modes: 1 + 2^-24 and its mirror */
	{ ADD, FP_S, FP_RNE, ONE_S, 0x33800000, 0, ONE_S, FP_NX },
	{ ADD, FP_S, FP_RTZ, ONE_S, 0x33800000, 0, ONE_S, FP_NX },
	{ ADD, FP_S, FP_RDN, ONE_S, 0x33800000, 0, ONE_S, FP_NX },
	{ ADD, FP_S, FP_RUP, ONE_S, 0x33800000, 0, ONE_S + 1, FP_NX },
	{ ADD, FP_S, FP_RMM, ONE_S, 0x33800000, 0, ONE_S + 1, FP_NX },
	{ SUB, FP_S, FP_RMM, NEG_S | ONE_S, 0x33800000, 0, NEG_S | (ONE_S + 1), FP_NX },
	{ SUB, FP_S, FP_RDN, ONE_S, ONE_S, 0, NEG_S, 0 },
	{ SUB, FP_S, FP_RUP, ONE_S, ONE_S, 0, 0, 0 },
	/*
	 * overflow, and tininess after rounding: the second result rounds up to the smallest
	 * normal
	 */
	{ ADD, FP_S, FP_RNE, MAX_S, MAX_S, 0, INF_S, FP_OF | FP_NX },
	{ ADD, FP_S, FP_RTZ, MAX_S, MAX_S, 0, MAX_S, FP_OF | FP_NX },
	{ MUL, FP_S, FP_RNE, 0x3f7fffff, MIN_S, 0, MIN_S, FP_UF | FP_NX },
	{ FMA, FP_S, FP_RNE, 0x34000000, NEG_S | DEN_S, MIN_S, MIN_S, FP_NX },
	{ MUL, FP_S, FP_RNE, DEN_S, 0x3f000000, 0, 0, FP_UF | FP_NX },
	{ ADD, FP_S, FP_RNE, DEN_S, DEN_S, 0, 2, 0 },
	/* fused multiply-add: infinity times zero is invalid beside any addend */
	{ FMA, FP_D, 0, INF_D, 0, NAN_D, NAN_D, FP_NV },
	{ FMA, FP_D, 0, INF_D, ONE_D, INF_D, INF_D, 0 },
	{ FMA, FP_D, FP_NEG_ADDEND, INF_D, ONE_D, INF_D, NAN_D, FP_NV },
	{ FMA, FP_D, 0, ONE_D, ONE_D, NAN_D, NAN_D, 0 },
	{ FMA, FP_D, FP_NEG_PRODUCT | FP_NEG_ADDEND, ONE_D, 0, 0, NEG_D, 0 },
	{ FMA, FP_D, FP_NEG_PRODUCT, ONE_D, 0, 0, 0, 0 },
	/* minimum and maximum */
	{ MIN_, FP_S, 0, 0, NEG_S, 0, NEG_S, 0 },
	{ MIN_, FP_S, 0, NEG_S, 0, 0, NEG_S, 0 },
	{ MAX_, FP_S, 0, NEG_S, 0, 0, 0, 0 },
	{ MIN_, FP_S, 0, NAN_S, ONE_S, 0, ONE_S, 0 },
	{ MAX_, FP_S, 0, ONE_S, SNAN_S, 0, ONE_S, FP_NV },
	{ MAX_, FP_S, 0, 0xffc00001, 0xffc00001, 0, NAN_S, 0 },
	{ MIN_, FP_D, 0, SNAN_D, NAN_D, 0, NAN_D, FP_NV },
	{ MIN_, FP_S, 0, NEG_S | ONE_S, NEG_S | INF_S, 0, NEG_S | INF_S, 0 },
	/* comparison */
	{ CMP, FP_S, 0, 0, NEG_S, 0, FP_EQUAL, 0 },
	{ CMP, FP_S, 0, NEG_S | ONE_S, NEG_S | MIN_S, 0, FP_LESS, 0 },
	{ CMP, FP_D, 0, INF_D, NEG_D | INF_D, 0, FP_GREATER, 0 },
	{ CMP, FP_D, 0, NAN_D, ONE_D, 0, FP_UNORDERED, 0 },
	{ CMP, FP_D, 0, SNAN_D, ONE_D, 0, FP_UNORDERED, FP_NV },
	{ CMP, FP_D, FP_SIGNAL, ONE_D, NAN_D, 0, FP_UNORDERED, FP_NV },
	/* to integer: saturation, NaN is the largest, invalid never with inexact */
	{ TOI, FP_S, FP_RTZ, NAN_S, FP_S32, 0, INT32_MAX, FP_NV },
	{ TOI, FP_S, FP_RTZ, 0xffc00000, FP_U32, 0, UINT64_MAX, FP_NV },
	{ TOI, FP_S, FP_RTZ, NEG_S | INF_S, FP_S32, 0, (u64)INT32_MIN, FP_NV },
	{ TOI, FP_S, FP_RTZ, NEG_S | ONE_S, FP_U32, 0, 0, FP_NV },
	{ TOI, FP_S, FP_RTZ, 0xbf000000, FP_U32, 0, 0, FP_NX },
	{ TOI, FP_S, FP_RDN, 0xbf000000, FP_U64, 0, 0, FP_NV },
	{ TOI, FP_S, FP_RNE, 0x4f000000, FP_U32, 0, 0xffffffff80000000, 0 },
	{ TOI, FP_S, FP_RNE, 0x4f000000, FP_S32, 0, 0x7fffffff, FP_NV },
	{ TOI, FP_D, FP_RNE, 0x41dfffffffe00000, FP_S32, 0, 0x7fffffff, FP_NV },
	{ TOI, FP_D, FP_RTZ, 0x41dfffffffe00000, FP_S32, 0, 0x7fffffff, FP_NX },
	{ TOI, FP_D, FP_RNE, 0x43f0000000000000, FP_U64, 0, UINT64_MAX, FP_NV },
	{ TOI, FP_D, FP_RMM, 0x4004000000000000, FP_S64, 0, 3, FP_NX },
	{ TOI, FP_D, FP_RNE, 0x4004000000000000, FP_S64, 0, 2, FP_NX },
	{ TOI, FP_H, FP_RTZ, 0xfc00, FP_S64, 0, (u64)INT64_MIN, FP_NV },
	/* from integer: only the lower half of 32-bit ones counts */
	{ FROMI, FP_S, 0, 0xdeadbeefffffffff, FP_S32, 0, NEG_S | ONE_S, 0 },
	{ FROMI, FP_D, 0, 0xdeadbeefffffffff, FP_U32, 0, 0x41efffffffe00000, 0 },
	{ FROMI, FP_S, 0, 0x01000001, FP_S64, 0, 0x4b800000, FP_NX },
	{ FROMI, FP_S, FP_RUP, UINT64_MAX, FP_U64, 0, 0x5f800000, FP_NX },
	{ FROMI, FP_H, 0, 70000, FP_U32, 0, 0x7c00, FP_OF | FP_NX },
	/* to integral */
	{ ROUND, FP_S, FP_RNE | FP_EXACT, 0x3f000000, 0, 0, 0, FP_NX },
	{ ROUND, FP_S, FP_RNE, 0xbf000000, 0, 0, NEG_S, 0 },
	{ ROUND, FP_S, FP_RMM, 0xbf000000, 0, 0, NEG_S | ONE_S, 0 },
	{ ROUND, FP_D, FP_RTZ, SNAN_D, 0, 0, NAN_D, FP_NV },
	/* between formats */
	{ TO_S, FP_D, 0, 0xfff8123456789abc, 0, 0, NAN_S, 0 },
	{ TO_D, FP_S, 0, SNAN_S, 0, 0, NAN_D, FP_NV },
	{ TO_S, FP_D, FP_RNE, 0x36a0000000000001, 0, 0, 1, FP_UF | FP_NX },
	{ TO_S, FP_D, 0, 0x47f0000000000000, 0, 0, INF_S, FP_OF | FP_NX },
	{ TO_H, FP_S, 0, 0x477ff000, 0, 0, 0x7c00, FP_OF | FP_NX },
	{ TO_D, FP_H, 0, 0x0001, 0, 0, 0x3e70000000000000, 0 },
	/* bits above the format do not count */
	{ ADD, FP_S, 0, 0xdeadbeef3f800000, 0xffffffff3f800000, 0, 0x40000000, 0 },
	{ ADD, FP_H, 0, 0xabcd3c00, 0xffff3c00, 0, 0x4000, 0 },
};

static void rv64_corners(void **state)
{
	check(&rv64_fp, rv64_rows, ARRAY_LEN(rv64_rows));
}

#define ARM_FZ (FP_FZ | FP_DAZ)

static const struct row a64_rows[] = {
	/* signaling before quiet, then the first; quieted; default NaN on demand */
	{ ADD, FP_S, 0, 0xffc12345, ONE_S, 0, 0xffc12345, 0 },
	{ ADD, FP_S, 0, 0x7fc11111, 0x7fc22222, 0, 0x7fc11111, 0 },
	{ ADD, FP_S, 0, 0x7fc11111, 0x7f822222, 0, 0x7fc22222, FP_NV },
	{ ADD, FP_S, 0, 0x7f811111, 0x7f822222, 0, 0x7fc11111, FP_NV },
	{ ADD, FP_S, FP_DN, 0x7fc11111, 0x7f822222, 0, NAN_S, FP_NV },
	{ SUB, FP_S, 0, INF_S, INF_S, 0, NAN_S, FP_NV },
	/* FMA: addend, then the factors; infinity times zero beats a quiet addend */
	{ FMA, FP_S, 0, 0x7fc11111, 0x7fc22222, 0x7fc33333, 0x7fc33333, 0 },
	{ FMA, FP_S, 0, 0x7f811111, 0x7fc22222, 0x7fc33333, 0x7fc11111, FP_NV },
	{ FMA, FP_S, 0, INF_S, 0, 0x7fc33333, NAN_S, FP_NV },
	{ FMA, FP_S, 0, 0, INF_S, 0xff833333, 0xffc33333, FP_NV },
	{ FMA, FP_S, FP_NEG_ADDEND, ONE_S, ONE_S, 0x7fc33333, 0xffc33333, 0 },
	{ FMA, FP_S, FP_NEG_PRODUCT, 0x7fc11111, ONE_S, ONE_S, 0xffc11111, 0 },
	/* tininess before rounding */
	{ FMA, FP_S, FP_RNE, 0x34000000, NEG_S | DEN_S, MIN_S, MIN_S, FP_UF | FP_NX },
	{ ADD, FP_S, FP_RNE, DEN_S, DEN_S, 0, 2, 0 },
	/* FPCR.FZ: operands with IDC; results with UFC and nothing else, even exact ones */
	{ ADD, FP_S, ARM_FZ, DEN_S, NEG_S, 0, 0, FP_ID },
	{ ADD, FP_S, ARM_FZ, NEG_S | DEN_S, NEG_S | DEN_S, 0, NEG_S, FP_ID },
	{ MUL, FP_S, ARM_FZ, NEG_S | MIN_S, 0x3f000000, 0, NEG_S, FP_UF },
	{ FMA, FP_S, ARM_FZ, 0x34000000, NEG_S | MIN_S, MIN_S, 0, FP_UF },
	{ DIV, FP_S, ARM_FZ, ONE_S, DEN_S, 0, INF_S, FP_DZ | FP_ID },
	{ ADD, FP_S, ARM_FZ, DEN_S, NAN_S, 0, NAN_S, FP_ID },
	{ CMP, FP_S, ARM_FZ, DEN_S, 0, 0, FP_EQUAL, FP_ID },
	{ TOI, FP_S, ARM_FZ | FP_RUP, DEN_S, FP_S32, 0, 0, FP_ID },
	{ TO_D, FP_S, ARM_FZ, DEN_S, 0, 0, 0, FP_ID },
	{ ADD, FP_H, ARM_FZ, 1, 1, 0, 2, 0 },
	{ ADD, FP_H, FP_FZ16, 1, 1, 0, 0, 0 },
	{ MUL, FP_H, FP_FZ16, 0x0400, 0x3800, 0, 0, FP_UF },
	{ TO_S, FP_H, FP_FZ16, 1, 0, 0, 0x33800000, 0 },
	{ TO_H, FP_S, FP_FZ16 | ARM_FZ, 0x33800000, 0, 0, 1, 0 },
	/* FMIN/FMAX propagate, FMINNM/FMAXNM prefer numbers to quiet NaNs */
	{ MIN_, FP_S, 0, ONE_S, 0x7fc11111, 0, 0x7fc11111, 0 },
	{ MIN_, FP_S, FP_NUMBER, ONE_S, 0x7fc11111, 0, ONE_S, 0 },
	{ MAX_, FP_S, FP_NUMBER, 0x7fc11111, ONE_S, 0, ONE_S, 0 },
	{ MAX_, FP_S, FP_NUMBER, 0x7f811111, ONE_S, 0, 0x7fc11111, FP_NV },
	{ MAX_, FP_S, FP_NUMBER, 0x7fc11111, 0x7fc22222, 0, 0x7fc11111, 0 },
	{ MAX_, FP_S, 0, NEG_S, 0, 0, 0, 0 },
	{ MIN_, FP_S, 0, 0, NEG_S, 0, NEG_S, 0 },
	/* NaN to integer is zero */
	{ TOI, FP_S, FP_RTZ, NAN_S, FP_S32, 0, 0, FP_NV },
	{ TOI, FP_D, FP_RTZ, SNAN_D, FP_U64, 0, 0, FP_NV },
	{ TOI, FP_D, FP_RTZ, INF_D, FP_U64, 0, UINT64_MAX, FP_NV },
	{ TOI, FP_S, FP_RTZ, NEG_S | ONE_S, FP_U64, 0, 0, FP_NV },
	/* payloads survive conversion */
	{ TO_D, FP_S, 0, 0xffc12345, 0, 0, 0xfff82468a0000000, 0 },
	{ TO_S, FP_D, 0, 0x7ff02468a0000001, 0, 0, 0x7fc12345, FP_NV },
	{ TO_H, FP_S, 0, 0x7fbfe000, 0, 0, 0x7fff, FP_NV },
	/* alternative half precision */
	{ TO_S, FP_H, FP_AHP, 0x7c00, 0, 0, 0x47800000, 0 },
	{ TO_S, FP_H, FP_AHP, 0xffff, 0, 0, 0xc7ffe000, 0 },
	{ TO_D, FP_H, FP_AHP, 0x7fff, 0, 0, 0x40fffc0000000000, 0 },
	{ TO_H, FP_S, FP_AHP, 0x47ffe000, 0, 0, 0x7fff, 0 },
	{ TO_H, FP_S, FP_AHP, 0x477ff000, 0, 0, 0x7c00, FP_NX },
	{ TO_H, FP_S, FP_AHP, 0x47fff000, 0, 0, 0x7fff, FP_NV },
	{ TO_H, FP_S, FP_AHP | FP_RTZ, 0x47fff000, 0, 0, 0x7fff, FP_NX },
	{ TO_H, FP_S, FP_AHP, 0xff800000, 0, 0, 0xffff, FP_NV },
	{ TO_H, FP_S, FP_AHP, 0xffc00000, 0, 0, 0x8000, FP_NV },
	/* rounding to odd, for FCVTXN */
	{ TO_S, FP_D, FP_RTO, 0x3ff0000000000001, 0, 0, ONE_S + 1, FP_NX },
	{ TO_S, FP_D, FP_RTO, 0x3ff0000030000000, 0, 0, ONE_S + 1, FP_NX },
};

static void a64_corners(void **state)
{
	check(&a64_fp, a64_rows, ARRAY_LEN(a64_rows));
}

static const struct row x86_rows[] = {
	{ SUB, FP_S, 0, INF_S, INF_S, 0, 0xffc00000, FP_NV },
	{ ADD, FP_S, 0, 0x7fc11111, 0x7f822222, 0, 0x7fc11111, FP_NV },
	{ MIN_, FP_S, 0, NAN_S, ONE_S, 0, ONE_S, FP_NV },
	{ MIN_, FP_S, 0, ONE_S, SNAN_S, 0, SNAN_S, FP_NV },
	{ MAX_, FP_S, 0, NEG_S, 0, 0, 0, 0 },
	{ MAX_, FP_S, 0, 0, NEG_S, 0, NEG_S, 0 },
	{ TOI, FP_D, FP_RTZ, NAN_D, FP_S32, 0, (u64)INT32_MIN, FP_NV },
	{ TOI, FP_D, FP_RTZ, INF_D, FP_S64, 0, (u64)INT64_MIN, FP_NV },
	{ ADD, FP_S, 0, DEN_S, ONE_S, 0, ONE_S, FP_ID | FP_NX },
	{ ADD, FP_S, FP_DAZ, DEN_S, ONE_S, 0, ONE_S, 0 },
	{ MUL, FP_S, FP_FZ, MIN_S, 0x3f000000, 0, 0, FP_UF | FP_NX },
	{ FMA, FP_S, 0, INF_S, 0, NAN_S, NAN_S, 0 },
};

static void x86_corners(void **state)
{
	check(&x86_fp, x86_rows, ARRAY_LEN(x86_rows));
}

static void classes(void **state)
{
	static const u64 s[] = {
		0xff800000, 0xbf800000, 0x80000001, 0x80000000, 0, 0x007fffff, 0x00800000,
		0x7f800000, 0x7f800001, 0xffc00000,
	};
	static const u64 d[] = {
		0xfff0000000000000, 0xbff0000000000000, 0x800fffffffffffff, 0x8000000000000000, 0,
		1, 0x7fefffffffffffff, 0x7ff0000000000000, 0xfff0000000000001, 0x7fffffffffffffff,
	};

	for (u32 i = 0; i < 10; i++) {
		assert_int_equal(fp_class(FP_S, s[i]), BIT(i));
		assert_int_equal(fp_class(FP_D, d[i]), BIT(i));
	}
	assert_int_equal(fp_class(FP_H, 0x7c01), BIT(8));
	assert_int_equal(fp_class(FP_H, 0x8001), BIT(2));
}

/* Flags only accumulate. */
static void flags_are_sticky(void **state)
{
	u8 flags = FP_DZ;

	fp_add(&rv64_fp, FP_S, ONE_S, 0x33800000, FP_RNE, &flags);
	assert_int_equal(flags, FP_DZ | FP_NX);
	fp_add(&rv64_fp, FP_S, ONE_S, ONE_S, FP_RNE, &flags);
	assert_int_equal(flags, FP_DZ | FP_NX);
}

/* Every binary16 value survives the way through both wider formats, NaN payloads included. */
static void half_round_trip(void **state)
{
	for (u64 h = 0; h <= 0xffff; h++) {
		bool nan = (h & 0x7fff) > 0x7c00;
		u64 want = nan ? h | 0x0200 : h;
		u8 flags = 0;

		for (enum fp_format f = FP_S; f <= FP_D; f++) {
			u64 wide = fp_convert(&a64_fp, f, h, FP_H, FP_RNE, &flags);

			assert_int_equal(fp_convert(&a64_fp, FP_H, wide, f, FP_RNE, &flags), want);
			wide = fp_convert(&a64_fp, f, h, FP_H, FP_AHP, &flags);
			assert_int_equal(fp_convert(&a64_fp, FP_H, wide, f, FP_AHP, &flags), h);
		}
		assert_int_equal(flags, nan && !(h & 0x0200) ? FP_NV : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rv64_corners),
		cmocka_unit_test(a64_corners),
		cmocka_unit_test(x86_corners),
		cmocka_unit_test(classes),
		cmocka_unit_test(flags_are_sticky),
		cmocka_unit_test(half_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
