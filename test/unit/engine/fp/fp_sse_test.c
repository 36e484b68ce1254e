/*
 * x86_fp against the SSE unit of the machine the test runs on: every operation, format,
 * rounding and flush mode, random operands that love corners; result and flags must be the
 * same to the bit. rv64_fp rides along: its results differ in NaNs only. A machine without
 * SSE skips. Half precision and fused multiply-add need F16C and FMA and are else left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/fp/fp.h"

#ifdef __x86_64__

#define ROUNDS 60000

static u64 seed = 0x9e3779b97f4a7c15;

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

static const u32 width[] = { 16, 32, 64 }, frac[] = { 10, 23, 52 };

/* Exponents cluster at the ends and in the middle, fractions at all zeros and all ones. */
static u64 random_fp(enum fp_format f)
{
	u32 ebits = width[f] - frac[f] - 1, kind = random64() % 8;
	u64 e = random64() & MASK(ebits), m = random64() & MASK(frac[f]);

	if (kind < 2)
		e = random64() % 3;
	else if (kind < 4)
		e = MASK(ebits) - random64() % 3;
	else if (kind < 6)
		e = MASK(ebits - 1) + random64() % 70 - 35;
	e &= MASK(ebits);
	switch (random64() % 8) {
	case 0: m = random64() % 4; break;
	case 1: m = MASK(frac[f]) - random64() % 4; break;
	case 2: m = BIT(random64() % frac[f]); break;
	case 3: m &= ~MASK(random64() % frac[f]); break;
	}
	return (random64() & 1) << (width[f] - 1) | e << frac[f] | m;
}

/* MXCSR bits IE DE ZE OE UE PE to ours. */
static u8 flags_of(u32 mxcsr)
{
	static const u8 to[] = { FP_NV, FP_ID, FP_DZ, FP_OF, FP_UF, FP_NX };
	u8 flags = 0;

	for (u32 i = 0; i < 6; i++)
		flags |= mxcsr & BIT(i) ? to[i] : 0;
	return flags;
}

static u32 mxcsr_of(u32 mode)
{
	static const u32 rc[] = { [FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3 };

	return 0x1f80 | rc[mode & FP_RM_MASK] << 13 | (mode & FP_FZ ? 0x8000 : 0) |
	       (mode & FP_DAZ ? 0x40 : 0);
}

/* Run "insn src, acc" between loading and reading MXCSR; both operands in XMM registers. */
#define SSE(insn, acc, src, ...) do {						\
	u32 old, in = mxcsr_of(mode), out;					\
	asm volatile("stmxcsr %[old]; ldmxcsr %[in]; movq %[a], %%xmm0; movq %[b], %%xmm1;" \
		     "movq %[c], %%xmm2;" insn ";"				\
		     "movq %%xmm0, %[r]; stmxcsr %[out]; ldmxcsr %[old]"	\
		     : [r] "=&r"(r), [out] "=m"(out), [old] "=m"(old)		\
		     : [a] "r"(acc), [b] "r"(src), [c] "r"((u64)0 __VA_ARGS__), [in] "m"(in) \
		     : "xmm0", "xmm1", "xmm2", "rax", "cc");				\
	*flags = flags_of(out);							\
} while (0)

enum op { ADD, SUB, MUL, DIV, SQRT, MIN, MAX, FMA, FNMADD, ROUND, NARROW, HALF, OPS };
static const char *const op_name[] = {
	"add", "sub", "mul", "div", "sqrt", "min", "max", "fma", "fnmadd", "round", "narrow",
	"half",
};

static u64 host(enum op op, enum fp_format f, u64 a, u64 b, u64 c, u32 mode, u8 *flags)
{
	bool d = f == FP_D;
	u64 r = 0;

	switch (op) {
	case ADD:
		if (d) SSE("addsd %%xmm1, %%xmm0", a, b); else SSE("addss %%xmm1, %%xmm0", a, b);
		break;
	case SUB:
		if (d) SSE("subsd %%xmm1, %%xmm0", a, b); else SSE("subss %%xmm1, %%xmm0", a, b);
		break;
	case MUL:
		if (d) SSE("mulsd %%xmm1, %%xmm0", a, b); else SSE("mulss %%xmm1, %%xmm0", a, b);
		break;
	case DIV:
		if (d) SSE("divsd %%xmm1, %%xmm0", a, b); else SSE("divss %%xmm1, %%xmm0", a, b);
		break;
	case SQRT:
		if (d) SSE("sqrtsd %%xmm0, %%xmm0", a, b); else SSE("sqrtss %%xmm0, %%xmm0", a, b);
		break;
	case MIN:
		if (d) SSE("minsd %%xmm1, %%xmm0", a, b); else SSE("minss %%xmm1, %%xmm0", a, b);
		break;
	case MAX:
		if (d) SSE("maxsd %%xmm1, %%xmm0", a, b); else SSE("maxss %%xmm1, %%xmm0", a, b);
		break;
	case FMA:	/* xmm0 = xmm1 * xmm0 + xmm2; the manual names xmm1 first */
		if (d) SSE("vfmadd213sd %%xmm2, %%xmm1, %%xmm0", b, a, + c);
		else SSE("vfmadd213ss %%xmm2, %%xmm1, %%xmm0", b, a, + c);
		break;
	case FNMADD:
		if (d) SSE("vfnmadd213sd %%xmm2, %%xmm1, %%xmm0", b, a, + c);
		else SSE("vfnmadd213ss %%xmm2, %%xmm1, %%xmm0", b, a, + c);
		break;
	case ROUND:
		if (d)
			SSE("roundsd $4, %%xmm0, %%xmm0", a, b);
		else
			SSE("roundss $4, %%xmm0, %%xmm0", a, b);
		break;
	case NARROW:	/* S to D, D to S */
		if (d)
			SSE("cvtsd2ss %%xmm0, %%xmm0", a, b);
		else
			SSE("cvtss2sd %%xmm0, %%xmm0", a, b);
		break;
	case HALF:	/* S to H, H to S */
		if (d)
			SSE("vcvtph2ps %%xmm0, %%xmm0", a, b);
		else
			SSE("vcvtps2ph $4, %%xmm0, %%xmm0", a, b);
		break;
	case OPS:
		break;
	}
	return r;
}

static u64 ours(const struct fp_policy *p, enum op op, enum fp_format f, u64 a, u64 b, u64 c,
		u32 mode, u8 *flags)
{
	switch (op) {
	case ADD:    return fp_add(p, f, a, b, mode, flags);
	case SUB:    return fp_sub(p, f, a, b, mode, flags);
	case MUL:    return fp_mul(p, f, a, b, mode, flags);
	case DIV:    return fp_div(p, f, a, b, mode, flags);
	case SQRT:   return fp_sqrt(p, f, a, mode, flags);
	case MIN:    return fp_min(p, f, a, b, mode, flags);
	case MAX:    return fp_max(p, f, a, b, mode, flags);
	case FMA:    return fp_fma(p, f, a, b, c, mode, flags);
	case FNMADD: return fp_fma(p, f, a, b, c, mode | FP_NEG_PRODUCT, flags);
	case ROUND:  return fp_round(p, f, a, mode | FP_EXACT, flags);
	case NARROW: return f == FP_D ? fp_convert(p, FP_S, a, FP_D, mode, flags) :
				       fp_convert(p, FP_D, a, FP_S, mode, flags);
	case HALF:   return f == FP_D ? fp_convert(p, FP_S, a, FP_H, mode, flags) :
				       fp_convert(p, FP_H, a, FP_S, mode, flags);
	case OPS:    break;
	}
	return 0;
}

static enum fp_format result_format(enum op op, enum fp_format f)
{
	if (op == NARROW)
		return f == FP_D ? FP_S : FP_D;
	if (op == HALF)
		return f == FP_D ? FP_S : FP_H;
	return f;
}

static bool is_nan(enum fp_format f, u64 a)
{
	return (a & MASK(width[f] - 1)) > (MASK(width[f] - 1) & ~MASK(frac[f]));
}

static bool supported(enum op op)
{
	if (op == FMA || op == FNMADD)
		return __builtin_cpu_supports("fma");
	if (op == HALF)
		return __builtin_cpu_supports("avx2")	/* newer than F16C */;
	return op != ROUND || __builtin_cpu_supports("sse4.1");
}

static u32 random_mode(bool flush)
{
	static const u32 rm[] = { FP_RNE, FP_RTZ, FP_RDN, FP_RUP };

	return rm[random64() % 4] | (flush && random64() % 2 ? FP_FZ : 0) |
	       (flush && random64() % 2 ? FP_DAZ : 0);
}

static void compare(enum op op, enum fp_format f, u64 a, u64 b, u64 c, u32 mode)
{
	enum fp_format to = result_format(op, f);
	u8 want_flags = 0, flags = 0, rv_flags = 0;
	u64 want = host(op, f, a, b, c, mode, &want_flags) & MASK(width[to]);
	u64 got = ours(&x86_fp, op, f, a, b, c, mode, &flags), rv;

	if (got != want || flags != want_flags) {
		fprintf(stderr, "%s.%c mode %x: %lx %lx %lx -> %lx flags %x, host %lx flags %x\n",
			op_name[op], "hsd"[f], mode, a, b, c, got, flags, want, want_flags);
		fail();
	}
	if (op == MIN || op == MAX || mode & (FP_FZ | FP_DAZ))
		return;
	rv = ours(&rv64_fp, op, f, a, b, c, mode, &rv_flags);
	if (is_nan(to, want))
		want = MASK(width[to] - 1) & ~MASK(frac[to] - 1);
	if (rv != want || (rv_flags & ~FP_NV) != (want_flags & ~(FP_ID | FP_NV)) ||
	    ((rv_flags ^ want_flags) & FP_NV && op != FMA && op != FNMADD)) {
		fprintf(stderr,
			"rv64 %s.%c mode %x: %lx %lx %lx -> %lx flags %x, host %lx flags %x\n",
			op_name[op], "hsd"[f], mode, a, b, c, rv, rv_flags, want, want_flags);
		fail();
	}
}

static void arithmetic_equals_sse(void **state)
{
	for (enum op op = 0; op < OPS; op++) {
		for (u32 i = 0; supported(op) && i < ROUNDS; i++) {
			enum fp_format f = FP_S + i % 2, in = op == HALF && f == FP_D ? FP_H : f;
			u64 a = random_fp(in), b = random_fp(in), c = random_fp(in);

			if (i % 16 == 0)
				b = a;
			if (i % 16 == 1)	/* cancel the product */
				c = host(MUL, f, a, b, 0, FP_RNE, &(u8){ 0 }) ^ BIT(width[f] - 1);
			compare(op, f, a, b, c, random_mode(i % 4 == 0));
		}
	}
}

static u64 host_to_int(enum fp_format f, u64 a, bool wide, u32 mode, u8 *flags)
{
	u64 r;

	if (f == FP_D && wide)
		SSE("cvtsd2si %%xmm0, %%rax; movq %%rax, %%xmm0", a, a);
	else if (f == FP_D)
		SSE("cvtsd2si %%xmm0, %%eax; movq %%rax, %%xmm0", a, a);
	else if (wide)
		SSE("cvtss2si %%xmm0, %%rax; movq %%rax, %%xmm0", a, a);
	else
		SSE("cvtss2si %%xmm0, %%eax; movq %%rax, %%xmm0", a, a);
	return wide ? r : (u64)(s32)r;
}

static u64 host_from_int(enum fp_format f, u64 n, bool wide, u32 mode, u8 *flags)
{
	u64 r;

	if (f == FP_D && wide)
		SSE("cvtsi2sd %[b], %%xmm0", n, n);
	else if (f == FP_D)
		SSE("cvtsi2sd %k[b], %%xmm0", n, n);
	else if (wide)
		SSE("cvtsi2ss %[b], %%xmm0", n, n);
	else
		SSE("cvtsi2ss %k[b], %%xmm0", n, n);
	return r & MASK(width[f]);
}

static void integers_equal_sse(void **state)
{
	for (u32 i = 0; i < 4 * ROUNDS; i++) {
		enum fp_format f = FP_S + i % 2;
		bool wide = i & 2;
		enum fp_int kind = wide ? FP_S64 : FP_S32;
		u64 a = random_fp(f), n = random64() >> random64() % 64;
		u32 mode = random_mode(i % 8 == 0);
		u8 want = 0, flags = 0;
		u64 r = host_to_int(f, a, wide, mode, &want);

		assert_int_equal(fp_to_int(&x86_fp, f, a, kind, mode, &flags), r);
		assert_int_equal(flags, want);
		if (!(want & FP_NV) && !(mode & (FP_FZ | FP_DAZ)))
			assert_int_equal(fp_to_int(&rv64_fp, f, a, kind, mode, &flags), r);
		flags = want = 0;
		r = host_from_int(f, n, wide, mode, &want);
		assert_int_equal(fp_from_int(&x86_fp, f, n, kind, mode, &flags), r);
		assert_int_equal(flags, want);
		assert_int_equal(fp_from_int(&rv64_fp, f, n, kind, mode, &flags), r);
	}
}

/* UCOMISx, COMISx: ZF, PF, CF tell. */
static enum fp_order host_cmp(enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags)
{
	u64 r;

#define COMPARE(insn) SSE(insn " %%xmm1, %%xmm0; lahf; movzx %%ah, %%eax; movq %%rax, %%xmm0", a, b)
	if (f == FP_D && mode & FP_SIGNAL)
		COMPARE("comisd");
	else if (f == FP_D)
		COMPARE("ucomisd");
	else if (mode & FP_SIGNAL)
		COMPARE("comiss");
	else
		COMPARE("ucomiss");
	return r & 4 ? FP_UNORDERED : r & 1 ? FP_LESS : r & 0x40 ? FP_EQUAL : FP_GREATER;
}

static void comparison_equals_sse(void **state)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		enum fp_format f = FP_S + i % 2;
		u64 a = random_fp(f),
		    b = i % 8 ? random_fp(f) : a ^ (random64() & 1) << (width[f] - 1);
		u32 mode = random_mode(i % 4 == 0) | (i & 2 ? FP_SIGNAL : 0);
		u8 want = 0, flags = 0;
		enum fp_order order = host_cmp(f, a, b, mode, &want);

		assert_int_equal(fp_cmp(&x86_fp, f, a, b, mode, &flags), order);
		assert_int_equal(flags, want);
		flags = 0;
		if (!(mode & FP_DAZ)) {
			assert_int_equal(fp_cmp(&rv64_fp, f, a, b, mode, &flags), order);
			assert_int_equal(flags, want & FP_NV);
		}
	}
}

#else

static void arithmetic_equals_sse(void **state) { skip(); }
static void integers_equal_sse(void **state) { skip(); }
static void comparison_equals_sse(void **state) { skip(); }

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_equals_sse),
		cmocka_unit_test(integers_equal_sse),
		cmocka_unit_test(comparison_equals_sse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
