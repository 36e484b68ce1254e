/*
 * See fpmodel.h. A finite number is (-1)^sign * sig * 2^exp with its highest bit at bit 126 of
 * 128; what is shifted out stays as a one in the lowest bit.
 */
#include "fpmodel.h"

typedef unsigned __int128 u128;

enum kind { ZERO, FINITE, INFINITE, QUIET, SIGNALING };
struct num {
	enum kind kind;
	bool sign;
	s32 exp;
	u128 sig;
};

static u32 fraction(u32 bits) { return bits == 64 ? 52 : 23; }
static s32 bias(u32 bits) { return bits == 64 ? 1023 : 127; }
static u64 exponents(u32 bits) { return bits == 64 ? 0x7ff : 0xff; }
static u64 infinity(u32 bits, bool sign)
{
	return (u64)sign << (bits - 1) | exponents(bits) << fraction(bits);
}
static u64 zero(u32 bits, bool sign) { return (u64)sign << (bits - 1); }
static u64 nan(u32 bits) { return infinity(bits, false) | BIT(fraction(bits) - 1); }
static u64 invalid(struct fp_model *m, u32 bits)
{
	m->flags |= NV;
	return nan(bits);
}

static void normalize(struct num *n)
{
	while (n->sig >> 126 == 0) {
		n->sig <<= 1;
		n->exp--;
	}
	if (n->sig >> 127) {
		n->sig = n->sig >> 1 | (n->sig & 1);
		n->exp++;
	}
}

static struct num unpack(u32 bits, u64 v)
{
	u32 f = fraction(bits);
	u64 exp = v >> f & exponents(bits), frac = v & (BIT(f) - 1);
	struct num n = { FINITE, v >> (bits - 1) & 1, (exp ? (s32)exp : 1) - bias(bits) - (s32)f,
			 frac | (exp ? BIT(f) : 0) };

	if (exp == exponents(bits))
		n.kind = !frac ? INFINITE : frac >> (f - 1) ? QUIET : SIGNALING;
	else if (!n.sig)
		n.kind = ZERO;
	if (n.kind == FINITE)
		normalize(&n);
	return n;
}

static u128 shift_jam(u128 v, u32 n)
{
	if (n > 127)
		return v != 0;
	return v >> n | ((v & (((u128)1 << n) - 1)) != 0);
}

/* @sig rounded to a multiple of 2^@drop, as a count of those. */
static u128 round_sig(u32 rm, bool sign, u128 sig, u32 drop, bool *inexact)
{
	u128 kept = sig >> drop, rest = sig & (((u128)1 << drop) - 1), half = (u128)1 << (drop - 1);

	*inexact = rest != 0;
	switch (rm) {
	case RNE: return kept + (rest > half || (rest == half && kept & 1));
	case RDN: return kept + (rest && sign);
	case RUP: return kept + (rest && !sign);
	case RMM: return kept + (rest >= half);
	default: return kept;
	}
}

static u64 overflow(struct fp_model *m, u32 bits, bool sign)
{
	bool to_max = m->rm == RTZ || (m->rm == RDN && !sign) || (m->rm == RUP && sign);

	m->flags |= OF | NX;
	return infinity(bits, sign) - to_max;
}

static u64 pack(struct fp_model *m, u32 bits, struct num n)
{
	u32 f = fraction(bits), drop = 126 - f;
	s32 exp = n.exp + 126 + bias(bits);		/* of the value 1.xxx, biased */
	bool inexact, tiny;
	u128 sig;

	if (exp > 0) {
		sig = round_sig(m->rm, n.sign, n.sig, drop, &inexact);
		if (sig >> (f + 1))
			exp++, sig >>= 1;
		m->flags |= inexact ? NX : 0;
		if (exp >= (s32)exponents(bits))
			return overflow(m, bits, n.sign);
		return zero(bits, n.sign) | (u64)exp << f | ((u64)sig & (BIT(f) - 1));
	}
	/* tiny unless rounding with an unbounded exponent reaches the smallest normal number */
	sig = round_sig(m->rm, n.sign, n.sig, drop, &inexact);
	tiny = exp < 0 || sig >> (f + 1) == 0;
	sig = round_sig(m->rm, n.sign, shift_jam(n.sig, (u32)(1 - exp)), drop, &inexact);
	m->flags |= inexact ? NX | (tiny ? UF : 0) : 0;
	return zero(bits, n.sign) | (u64)sig;		/* a carry makes it normal by itself */
}

static bool is_nan(const struct num *n) { return n->kind >= QUIET; }
/* The result with a NaN among the operands. */
static u64 nan_of(struct fp_model *m, u32 bits, const struct num *a, const struct num *b)
{
	if (a->kind == SIGNALING || b->kind == SIGNALING)
		m->flags |= NV;
	return nan(bits);
}

static u64 sum(struct fp_model *m, u32 bits, struct num a, struct num b)
{
	struct num r, *big = &a, *small = &b;

	if (a.kind == INFINITE || b.kind == INFINITE) {
		if (a.kind == b.kind && a.sign != b.sign)
			return invalid(m, bits);
		return infinity(bits, a.kind == INFINITE ? a.sign : b.sign);
	}
	if (a.kind == ZERO && b.kind == ZERO)
		return zero(bits, a.sign == b.sign ? a.sign : m->rm == RDN);
	if (a.kind == ZERO || b.kind == ZERO)
		return pack(m, bits, a.kind == ZERO ? b : a);
	if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig))
		big = &b, small = &a;
	r = *big;
	small->sig = shift_jam(small->sig, (u32)(big->exp - small->exp));
	r.sig = a.sign == b.sign ? r.sig + small->sig : r.sig - small->sig;
	if (!r.sig)
		return zero(bits, m->rm == RDN);
	normalize(&r);
	return pack(m, bits, r);
}

u64 fp_add(struct fp_model *m, u32 bits, u64 a, u64 b)
{
	struct num x = unpack(bits, a), y = unpack(bits, b);

	return is_nan(&x) || is_nan(&y) ? nan_of(m, bits, &x, &y) : sum(m, bits, x, y);
}

/* Exact: 53 bits by 53. Neither is a NaN. */
static struct num product(struct num a, struct num b)
{
	struct num r = { FINITE, a.sign ^ b.sign, a.exp + b.exp + 126,
			 (a.sig >> 63) * (b.sig >> 63) };

	if (a.kind == INFINITE || b.kind == INFINITE)
		r.kind = a.kind == ZERO || b.kind == ZERO ? SIGNALING : INFINITE;
	else if (a.kind == ZERO || b.kind == ZERO)
		r.kind = ZERO;
	else
		normalize(&r);
	return r;
}

u64 fp_mul(struct fp_model *m, u32 bits, u64 a, u64 b)
{
	struct num x = unpack(bits, a), y = unpack(bits, b), r;

	if (is_nan(&x) || is_nan(&y))
		return nan_of(m, bits, &x, &y);
	r = product(x, y);
	if (r.kind == SIGNALING)
		return invalid(m, bits);
	return r.kind == INFINITE ? infinity(bits, r.sign) :
	       r.kind == ZERO ? zero(bits, r.sign) : pack(m, bits, r);
}

u64 fp_fma(struct fp_model *m, u32 bits, u64 a, u64 b, u64 c)
{
	struct num x = unpack(bits, a), y = unpack(bits, b), z = unpack(bits, c), r;

	if (!is_nan(&x) && !is_nan(&y)) {
		r = product(x, y);
		if (r.kind == SIGNALING)
			return invalid(m, bits);	/* inf * 0, even with a quiet NaN added */
		return is_nan(&z) ? nan_of(m, bits, &z, &z) : sum(m, bits, r, z);
	}
	nan_of(m, bits, &z, &z);
	return nan_of(m, bits, &x, &y);
}

u64 fp_div(struct fp_model *m, u32 bits, u64 a, u64 b)
{
	struct num x = unpack(bits, a), y = unpack(bits, b);
	struct num r = { FINITE, x.sign ^ y.sign, x.exp - y.exp - 63, 0 };
	u128 rest;

	if (is_nan(&x) || is_nan(&y))
		return nan_of(m, bits, &x, &y);
	if (x.kind == y.kind && x.kind != FINITE)
		return invalid(m, bits);
	if (x.kind == INFINITE || y.kind == ZERO) {
		m->flags |= x.kind == INFINITE ? 0 : DZ;
		return infinity(bits, r.sign);
	}
	if (x.kind == ZERO || y.kind == INFINITE)
		return zero(bits, r.sign);
	rest = x.sig;
	for (u32 i = 0; i < 64; i++) {			/* 64 bits of the quotient */
		r.sig <<= 1;
		if (rest >= y.sig) {
			rest -= y.sig;
			r.sig |= 1;
		}
		rest <<= 1;
	}
	r.sig = r.sig << 1 | (rest != 0);
	r.exp--;
	normalize(&r);
	return pack(m, bits, r);
}

u64 fp_sqrt(struct fp_model *m, u32 bits, u64 a)
{
	struct num x = unpack(bits, a), r;
	u128 root = 0;

	if (is_nan(&x))
		return nan_of(m, bits, &x, &x);
	if (x.kind == ZERO)
		return a;
	if (x.sign)
		return invalid(m, bits);
	if (x.kind == INFINITE)
		return a;
	if (x.exp & 1)					/* 53 bits: nothing is lost */
		x.sig >>= 1, x.exp++;
	for (u32 i = 64; i--;) {
		u128 t = root | (u128)1 << i;

		if (t >> 64 == 0 && t * t <= x.sig)
			root = t;
	}
	r = (struct num){ FINITE, false, x.exp / 2 - 1, root << 1 | (root * root != x.sig) };
	normalize(&r);
	return pack(m, bits, r);
}

/* -1, 0, 1 of two numbers that are no NaNs. */
static s32 order(const struct num *a, const struct num *b, u64 x, u64 y, u32 bits)
{
	u64 mask = BIT(bits - 1) - 1, ma = x & mask, mb = y & mask;

	if (a->kind == ZERO && b->kind == ZERO)
		return 0;
	if (a->sign != b->sign)
		return a->sign ? -1 : 1;
	return ma == mb ? 0 : (ma < mb) != a->sign ? -1 : 1;
}

u64 fp_minmax(struct fp_model *m, u32 bits, u64 a, u64 b, bool max)
{
	struct num x = unpack(bits, a), y = unpack(bits, b);
	s32 o;

	nan_of(m, bits, &x, &y);
	if (is_nan(&x) || is_nan(&y))
		return !is_nan(&x) ? a : !is_nan(&y) ? b : nan(bits);
	o = order(&x, &y, a, b, bits);
	if (!o)
		o = x.sign == y.sign ? 0 : x.sign ? -1 : 1;
	return (o <= 0) != max ? a : b;
}

u64 fp_compare(struct fp_model *m, u32 bits, u64 a, u64 b, u32 how)
{
	struct num x = unpack(bits, a), y = unpack(bits, b);
	s32 o;

	if (is_nan(&x) || is_nan(&y)) {
		nan_of(m, bits, &x, &y);
		m->flags |= how == FEQ ? 0 : NV;
		return 0;
	}
	o = order(&x, &y, a, b, bits);
	return how == FEQ ? o == 0 : how == FLT ? o < 0 : o <= 0;
}

u64 fp_class(u32 bits, u64 a)
{
	struct num n = unpack(bits, a);
	bool subnormal = (a >> fraction(bits) & exponents(bits)) == 0;

	switch (n.kind) {
	case QUIET: return BIT(9);
	case SIGNALING: return BIT(8);
	case INFINITE: return n.sign ? BIT(0) : BIT(7);
	case ZERO: return n.sign ? BIT(3) : BIT(4);
	default: return n.sign ? (subnormal ? BIT(2) : BIT(1)) : (subnormal ? BIT(5) : BIT(6));
	}
}

u64 fp_convert(struct fp_model *m, u32 from, u32 to, u64 a)
{
	struct num n = unpack(from, a);

	if (is_nan(&n))
		return nan_of(m, to, &n, &n);
	return n.kind == INFINITE ? infinity(to, n.sign) :
	       n.kind == ZERO ? zero(to, n.sign) : pack(m, to, n);
}

u64 fp_from_int(struct fp_model *m, u32 bits, u64 v, u32 width, bool is_signed)
{
	struct num n = { FINITE, false, 0, 0 };

	if (width == 32)
		v = is_signed ? (u64)(s64)(s32)v : (u32)v;
	n.sign = is_signed && v >> 63;
	n.sig = n.sign ? -v : v;
	if (!n.sig)
		return 0;
	normalize(&n);
	return pack(m, bits, n);
}

u64 fp_to_int(struct fp_model *m, u32 bits, u64 a, u32 width, bool is_signed)
{
	struct num n = unpack(bits, a);
	u64 most = is_signed ? BIT(width - 1) - 1 : width == 64 ? ~0ull : BIT(width) - 1;
	u64 least = is_signed ? BIT(width - 1) : 0, limit, v;
	bool inexact = false, low = n.sign && !is_nan(&n);
	u128 sig = 0;

	if (n.kind == ZERO)
		return 0;
	limit = low ? least : most;			/* a magnitude */
	if (n.kind == FINITE && n.exp + 126 <= 64) {	/* below 2^65 */
		u32 drop = (u32)-n.exp;

		sig = drop > 127 ? round_sig(m->rm, n.sign, 1, 2, &inexact) :
				   round_sig(m->rm, n.sign, n.sig, drop, &inexact);
	}
	if (n.kind != FINITE || n.exp + 126 > 64 || sig > limit) {
		m->flags |= NV;
		v = low ? least : most;
	} else {
		m->flags |= inexact ? NX : 0;
		v = n.sign ? -(u64)sig : (u64)sig;
	}
	return width == 32 ? (u64)(s64)(s32)v : v;
}
