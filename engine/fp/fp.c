/*
 * Arithmetic of all guests on one SoftFloat. Each operation runs the same course: flush
 * operands, let a NaN operand decide, compute, flush the result, report the flags.
 *
 * SoftFloat never sees a NaN operand (fp_round, fp_cmp and fp_convert included), so its own
 * NaN specialisation does not matter; a NaN it returns is always a fresh one and becomes
 * the guest's default NaN. IEEE 754-2008; Arm ARM DDI 0487 shared/functions/float;
 * Intel SDM volume 1, 4.8.3.5 and 11.5; RISC-V unprivileged spec, chapters F and D.
 */
#include "engine/fp/fp.h"

#include "engine/fp/platform.h"
#include "softfloat.h"

const struct fp_policy rv64_fp = {
	.nan = FP_NAN_DEFAULT, .min = FP_MIN_RISCV, .integer = FP_INT_RISCV,
};

const struct fp_policy a64_fp = {
	.nan = FP_NAN_ARM, .min = FP_MIN_ARM, .integer = FP_INT_ARM,
	.tiny_before = true, .flush_exact = true,
};

const struct fp_policy x86_fp = {
	.nan = FP_NAN_SSE, .min = FP_MIN_SSE, .integer = FP_INT_SSE,
	.nan_negative = true, .denormal_used = true,
};

_Static_assert(FP_NX == softfloat_flag_inexact && FP_UF == softfloat_flag_underflow &&
	       FP_OF == softfloat_flag_overflow && FP_DZ == softfloat_flag_infinite &&
	       FP_NV == softfloat_flag_invalid, "flags are SoftFloat's");
_Static_assert(FP_RNE == softfloat_round_near_even && FP_RTZ == softfloat_round_minMag &&
	       FP_RDN == softfloat_round_min && FP_RUP == softfloat_round_max &&
	       FP_RMM == softfloat_round_near_maxMag && FP_RTO == softfloat_round_odd,
	       "rounding modes are SoftFloat's");

/* ---- formats ---------------------------------------------------------------------- */

static const u8 format_width[] = { [FP_H] = 16, [FP_S] = 32, [FP_D] = 64 };
static const u8 format_frac[] = { [FP_H] = 10, [FP_S] = 23, [FP_D] = 52 };

static inline u64 format_sign(enum fp_format f)
{
	return BIT(format_width[f] - 1);
}

static inline u64 format_inf(enum fp_format f)
{
	return format_sign(f) - BIT(format_frac[f]);
}

static inline u64 format_quiet(enum fp_format f)
{
	return BIT(format_frac[f] - 1);
}

static inline u64 magnitude(enum fp_format f, u64 a)
{
	return a & (format_sign(f) - 1);
}

static inline bool is_nan(enum fp_format f, u64 a)
{
	return magnitude(f, a) > format_inf(f);
}

static inline bool is_signaling(enum fp_format f, u64 a)
{
	return is_nan(f, a) && !(a & format_quiet(f));
}

static inline bool is_inf(enum fp_format f, u64 a)
{
	return magnitude(f, a) == format_inf(f);
}

static inline bool is_zero(enum fp_format f, u64 a)
{
	return magnitude(f, a) == 0;
}

static inline bool is_denormal(enum fp_format f, u64 a)
{
	return !is_zero(f, a) && magnitude(f, a) < BIT(format_frac[f]);
}

/* ---- the course of one operation ---------------------------------------------------- */

struct call {
	const struct fp_policy *p;
	u32 mode;
	u8 flags;		/* of this operation alone */
	bool denormal;		/* a denormal binary32 or 64 operand was used as it is */
};

static struct call call_begin(const struct fp_policy *p, u32 mode)
{
	softfloat_roundingMode = mode & FP_RM_MASK;
	softfloat_detectTininess = p->tiny_before ? softfloat_tininess_beforeRounding :
						    softfloat_tininess_afterRounding;
	softfloat_exceptionFlags = 0;
	return (struct call){ .p = p, .mode = mode };
}

static u64 operand(struct call *c, enum fp_format f, u64 a)
{
	a &= MASK(format_width[f]);
	if (likely(!is_denormal(f, a)))
		return a;
	if (!(c->mode & (f == FP_H ? FP_FZ16 : FP_DAZ))) {
		c->denormal |= f != FP_H;
		return a;
	}
	if (!c->p->denormal_used && f != FP_H)
		c->flags |= FP_ID;
	return a & format_sign(f);
}

static u64 default_nan(const struct call *c, enum fp_format f)
{
	return (c->p->nan_negative ? format_sign(f) : 0) | format_inf(f) | format_quiet(f);
}

/* The result for NaN operand @a, quieted. */
static u64 nan_result(struct call *c, enum fp_format f, u64 a)
{
	if (c->p->nan == FP_NAN_DEFAULT || c->mode & FP_DN)
		return default_nan(c, f);
	return a | format_quiet(f);
}

/*
 * Let the first NaN among @v decide, or with Arm's rule the first signaling one if there is
 * any. False if there is none.
 */
static bool nan_decides(struct call *c, enum fp_format f, const u64 *v, u32 count, u64 *result)
{
	const u64 *first = NULL, *signaling = NULL;

	for (u32 i = count; i-- > 0;) {
		if (likely(!is_nan(f, v[i])))
			continue;
		first = &v[i];
		if (is_signaling(f, v[i]))
			signaling = &v[i];
	}
	if (likely(first == NULL))
		return false;
	if (signaling != NULL)
		c->flags |= FP_NV;
	c->denormal = false;
	*result = nan_result(c, f, signaling && c->p->nan == FP_NAN_ARM ? *signaling : *first);
	return true;
}

static void call_end(struct call *c, u8 *flags)
{
	if (c->p->denormal_used && c->denormal && !(c->flags & (FP_NV | FP_DZ)))
		c->flags |= FP_ID;
	*flags |= c->flags;
}

/* Finish with SoftFloat's result @r. */
static u64 call_round(struct call *c, enum fp_format f, u64 r, u8 *flags)
{
	c->flags |= softfloat_exceptionFlags;
	if (unlikely(is_nan(f, r)))
		r = default_nan(c, f);
	if (unlikely(c->mode & (f == FP_H ? FP_FZ16 : FP_FZ)) &&
	    (is_denormal(f, r) || c->flags & FP_UF)) {
		r &= format_sign(f);
		c->flags = (c->flags & ~FP_NX) | FP_UF | (c->p->flush_exact ? 0 : FP_NX);
	}
	call_end(c, flags);
	return r;
}

/* ---- arithmetic --------------------------------------------------------------------- */

#define SOFT1(f, op, a, ...) \
	((f) == FP_D ? f64_##op((float64_t){ a }, ##__VA_ARGS__) : \
	 (f) == FP_S ? f32_##op((float32_t){ a }, ##__VA_ARGS__) : \
		       f16_##op((float16_t){ a }, ##__VA_ARGS__))
#define SOFT1V(f, op, a, ...) \
	((f) == FP_D ? f64_##op((float64_t){ a }, ##__VA_ARGS__).v : \
	 (f) == FP_S ? f32_##op((float32_t){ a }, ##__VA_ARGS__).v : \
		       f16_##op((float16_t){ a }, ##__VA_ARGS__).v)
#define SOFT2(f, op, a, b) \
	((f) == FP_D ? f64_##op((float64_t){ a }, (float64_t){ b }) : \
	 (f) == FP_S ? f32_##op((float32_t){ a }, (float32_t){ b }) : \
		       f16_##op((float16_t){ a }, (float16_t){ b }))
#define SOFT2V(f, op, a, b) \
	((f) == FP_D ? f64_##op((float64_t){ a }, (float64_t){ b }).v : \
	 (f) == FP_S ? f32_##op((float32_t){ a }, (float32_t){ b }).v : \
		       f16_##op((float16_t){ a }, (float16_t){ b }).v)

#define BINARY(op)									\
u64 fp_##op(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags) \
{											\
	struct call c = call_begin(p, mode);						\
	u64 v[2] = { operand(&c, f, a), operand(&c, f, b) }, r;				\
											\
	if (nan_decides(&c, f, v, 2, &r)) {						\
		call_end(&c, flags);							\
		return r;								\
	}										\
	return call_round(&c, f, SOFT2V(f, op, v[0], v[1]), flags);			\
}

BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)

u64 fp_sqrt(const struct fp_policy *p, enum fp_format f, u64 a, u32 mode, u8 *flags)
{
	struct call c = call_begin(p, mode);
	u64 v = operand(&c, f, a), r;

	if (nan_decides(&c, f, &v, 1, &r)) {
		call_end(&c, flags);
		return r;
	}
	return call_round(&c, f, SOFT1V(f, sqrt, v), flags);
}

/* Negate an operand of fp_fma(). SSE does so inside the operation, where NaNs have no sign. */
static u64 fma_negate(const struct call *c, enum fp_format f, u64 a, u32 bit)
{
	if (!(c->mode & bit) || (c->p->nan == FP_NAN_SSE && is_nan(f, a)))
		return a;
	return a ^ format_sign(f);
}

/*
 * NaN operands of a * b + c. Infinity times zero is invalid beside a quiet NaN addend as
 * well, except on SSE; Arm then returns the default NaN. Arm looks at the addend first.
 */
static bool fma_nan_decides(struct call *c, enum fp_format f, const u64 *v, u64 *result)
{
	bool arm = c->p->nan == FP_NAN_ARM;
	u64 order[3] = { v[arm ? 2 : 0], v[arm ? 0 : 1], v[arm ? 1 : 2] };
	bool invalid =
		(is_inf(f, v[0]) && is_zero(f, v[1])) || (is_zero(f, v[0]) && is_inf(f, v[1]));

	if (!nan_decides(c, f, order, 3, result))
		return false;
	if (invalid && c->p->nan != FP_NAN_SSE) {
		if (!is_signaling(f, v[2]))
			*result = default_nan(c, f);
		c->flags |= FP_NV;
	}
	return true;
}

u64 fp_fma(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u64 addend, u32 mode,
	   u8 *flags)
{
	struct call c = call_begin(p, mode);
	u64 v[3] = {
		fma_negate(&c, f, operand(&c, f, a), FP_NEG_PRODUCT),
		operand(&c, f, b),
		fma_negate(&c, f, operand(&c, f, addend), FP_NEG_ADDEND),
	};
	u64 r;

	if (fma_nan_decides(&c, f, v, &r)) {
		call_end(&c, flags);
		return r;
	}
	switch (f) {
	case FP_H:
		r = f16_mulAdd((float16_t){ v[0] }, (float16_t){ v[1] }, (float16_t){ v[2] }).v;
		break;
	case FP_S:
		r = f32_mulAdd((float32_t){ v[0] }, (float32_t){ v[1] }, (float32_t){ v[2] }).v;
		break;
	case FP_D:
		r = f64_mulAdd((float64_t){ v[0] }, (float64_t){ v[1] }, (float64_t){ v[2] }).v;
		break;
	}
	return call_round(&c, f, r, flags);
}

/* ---- comparison --------------------------------------------------------------------- */

/* Numbers as integers of the same order, both zeros alike. */
static s64 order_key(enum fp_format f, u64 a)
{
	return a & format_sign(f) ? -(s64)magnitude(f, a) : (s64)a;
}

static enum fp_order order_numbers(enum fp_format f, u64 a, u64 b)
{
	s64 x = order_key(f, a), y = order_key(f, b);

	return x == y ? FP_EQUAL : x < y ? FP_LESS : FP_GREATER;
}

enum fp_order fp_cmp(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags)
{
	struct call c = call_begin(p, mode);
	u64 v[2] = { operand(&c, f, a), operand(&c, f, b) }, nan;
	bool unordered = nan_decides(&c, f, v, 2, &nan);

	if (unordered && mode & FP_SIGNAL)
		c.flags |= FP_NV;
	call_end(&c, flags);
	return unordered ? FP_UNORDERED : order_numbers(f, v[0], v[1]);
}

/* IEEE 754-2008 minNum/maxNum: a number beats a quiet NaN; RISC-V: also a signaling one. */
static bool number_wins(const struct call *c, enum fp_format f, const u64 *v, u64 *result)
{
	bool riscv = c->p->min == FP_MIN_RISCV;

	if (!riscv && !(c->p->min == FP_MIN_ARM && c->mode & FP_NUMBER))
		return false;
	for (u32 i = 0; i < 2; i++) {
		if (is_nan(f, v[i]) && !is_nan(f, v[1 - i]) && (riscv || !is_signaling(f, v[i]))) {
			*result = v[1 - i];
			return true;
		}
	}
	return false;
}

/* The smaller or the larger of two numbers; zeros are ordered by their sign. */
static u64 pick_extreme(enum fp_format f, const u64 *v, bool max)
{
	enum fp_order order = order_numbers(f, v[0], v[1]);

	if (order == FP_EQUAL)
		return max ? v[0] & v[1] : v[0] | v[1];
	return v[(order == FP_LESS) == max];
}

static u64 extreme(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags,
		   bool max)
{
	struct call c = call_begin(p, mode);
	u64 v[2] = { operand(&c, f, a), operand(&c, f, b) }, r;
	bool nan = nan_decides(&c, f, v, 2, &r);

	if (p->min == FP_MIN_SSE) {
		/* a < b ? a : b, and every NaN is invalid */
		bool first = !nan && order_numbers(f, v[0], v[1]) == (max ? FP_GREATER : FP_LESS);

		r = first ? v[0] : v[1];
		c.flags |= nan ? FP_NV : 0;
	} else if (!nan) {
		r = pick_extreme(f, v, max);
	} else {
		number_wins(&c, f, v, &r);
	}
	call_end(&c, flags);
	return r;
}

u64 fp_min(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags)
{
	return extreme(p, f, a, b, mode, flags, false);
}

u64 fp_max(const struct fp_policy *p, enum fp_format f, u64 a, u64 b, u32 mode, u8 *flags)
{
	return extreme(p, f, a, b, mode, flags, true);
}

u64 fp_class(enum fp_format f, u64 a)
{
	bool negative = a & format_sign(f);
	u32 class;

	if (is_nan(f, a))
		return is_signaling(f, a) ? BIT(8) : BIT(9);
	class = is_inf(f, a) ? 0 : is_zero(f, a) ? 3 : is_denormal(f, a) ? 2 : 1;
	return BIT(negative ? class : 7 - class);
}

/* ---- integers ----------------------------------------------------------------------- */

static u64 soft_to_int(enum fp_format f, u64 a, enum fp_int to, u8 rm)
{
	switch (to) {
	case FP_S32: return (s64)(s32)SOFT1(f, to_i32, a, rm, true);
	case FP_U32: return (s64)(s32)SOFT1(f, to_ui32, a, rm, true);
	case FP_S64: return SOFT1(f, to_i64, a, rm, true);
	case FP_U64: return SOFT1(f, to_ui64, a, rm, true);
	}
	return 0;
}

/* SSE's "integer indefinite", sign-extended. */
static u64 int_indefinite(enum fp_int to)
{
	return to == FP_S32 ? (u64)INT32_MIN : to == FP_S64 ? (u64)INT64_MIN : UINT64_MAX;
}

u64 fp_to_int(const struct fp_policy *p, enum fp_format f, u64 a, enum fp_int to, u32 mode,
	      u8 *flags)
{
	struct call c = call_begin(p, mode);
	u64 v = operand(&c, f, a);
	u64 r = soft_to_int(f, v, to, mode & FP_RM_MASK);

	c.flags |= softfloat_exceptionFlags;
	c.denormal = false;
	if (c.flags & FP_NV) {
		if (p->integer == FP_INT_SSE)
			r = int_indefinite(to);
		else if (p->integer == FP_INT_ARM && is_nan(f, v))
			r = 0;
	}
	call_end(&c, flags);
	return r;
}

static u64 soft_from_int(enum fp_format f, u64 n, enum fp_int from)
{
	u64 wide = from == FP_S32 ? (u64)(s32)n : from == FP_U32 ? (u32)n : n;
	bool is_signed = from == FP_S32 || from == FP_S64;

	switch (f) {
	case FP_H: return is_signed ? i64_to_f16(wide).v : ui64_to_f16(wide).v;
	case FP_S: return is_signed ? i64_to_f32(wide).v : ui64_to_f32(wide).v;
	case FP_D: return is_signed ? i64_to_f64(wide).v : ui64_to_f64(wide).v;
	}
	return 0;
}

u64 fp_from_int(const struct fp_policy *p, enum fp_format f, u64 n, enum fp_int from, u32 mode,
		u8 *flags)
{
	struct call c = call_begin(p, mode);

	return call_round(&c, f, soft_from_int(f, n, from), flags);
}

u64 fp_round(const struct fp_policy *p, enum fp_format f, u64 a, u32 mode, u8 *flags)
{
	struct call c = call_begin(p, mode);
	u64 v = operand(&c, f, a), r;

	c.denormal = false;
	if (!nan_decides(&c, f, &v, 1, &r)) {
		r = SOFT1V(f, roundToInt, v, mode & FP_RM_MASK, mode & FP_EXACT);
		c.flags |= softfloat_exceptionFlags;
	}
	call_end(&c, flags);
	return r;
}

/* ---- formats among each other --------------------------------------------------------- */

static u64 soft_convert(enum fp_format to, u64 a, enum fp_format from)
{
	float16_t h = { a };
	float32_t s = { a };
	float64_t d = { a };

	if (to == from)
		return a;
	switch (to) {
	case FP_H: return from == FP_S ? f32_to_f16(s).v : f64_to_f16(d).v;
	case FP_S: return from == FP_H ? f16_to_f32(h).v : f64_to_f32(d).v;
	case FP_D: return from == FP_H ? f16_to_f64(h).v : f32_to_f64(s).v;
	}
	return 0;
}

/* A NaN keeps its sign and the upper bits of its payload. */
static u64 nan_convert(struct call *c, enum fp_format to, u64 a, enum fp_format from)
{
	s32 shift = format_frac[to] - format_frac[from];
	u64 payload = a & MASK(format_frac[from]);
	u64 nan = (a & format_sign(from) ? format_sign(to) : 0) | format_inf(to);

	if (is_signaling(from, a))
		c->flags |= FP_NV;
	return nan_result(c, to, nan | (shift >= 0 ? payload << shift : payload >> -shift));
}

/* Alternative half precision to a wider format: the largest exponent is one like the others. */
static u64 ahp_widen(enum fp_format to, u64 a)
{
	u64 exponent = (BIT(format_width[to] - format_frac[to] - 2) - 1 + 16) << format_frac[to];
	u64 sign = a & format_sign(FP_H) ? format_sign(to) : 0;

	if (magnitude(FP_H, a) < format_inf(FP_H))
		return soft_convert(to, a, FP_H);
	return sign | exponent |
	       (a & MASK(format_frac[FP_H])) << (format_frac[to] - format_frac[FP_H]);
}

/*
 * To alternative half precision. Large numbers are converted at half their size, where the
 * range of IEEE's format is enough, then doubled. There is no infinity: too much is invalid.
 */
static u64 ahp_narrow(struct call *c, u64 a, enum fp_format from)
{
	u64 one = BIT(format_frac[from]);
	u64 large = (BIT(format_width[from] - format_frac[from] - 2) - 1 + 15) << format_frac[from];
	u64 sign = a & format_sign(from) ? format_sign(FP_H) : 0, r;

	if (is_nan(from, a)) {
		c->flags |= FP_NV;
		return sign;
	}
	if (magnitude(from, a) < large)
		return soft_convert(FP_H, a, from);
	r = soft_convert(FP_H, a - one, from);
	if (is_inf(from, a) || softfloat_exceptionFlags & FP_OF) {
		softfloat_exceptionFlags = FP_NV;
		return sign | MASK(15);
	}
	return r + BIT(format_frac[FP_H]);
}

u64 fp_convert(const struct fp_policy *p, enum fp_format to, u64 a, enum fp_format from, u32 mode,
	       u8 *flags)
{
	struct call c = call_begin(p, mode & ~FP_FZ16);
	u64 v = operand(&c, from, a), r;

	if (unlikely(mode & FP_AHP && to == FP_H && from != FP_H)) {
		r = ahp_narrow(&c, v, from);
	} else if (unlikely(mode & FP_AHP && from == FP_H && to != FP_H)) {
		r = ahp_widen(to, v);
	} else if (is_nan(from, v)) {
		r = nan_convert(&c, to, v, from);
		c.denormal = false;
	} else {
		return call_round(&c, to, soft_convert(to, v, from), flags);
	}
	c.flags |= softfloat_exceptionFlags;
	call_end(&c, flags);
	return r;
}
