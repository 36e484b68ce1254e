/*
 * Integer vector operations, lane by lane. Correct first: hot ones are inline in the JIT.
 * @lane is log2 of the lane's bytes.
 */
#include "engine/ir/scalar.h"
#include "engine/ir/vec.h"
#include "kernel/base/str.h"

u64 vec_get(const u64 *a, u32 lane, u32 index)
{
	u32 bits = 8u << lane, per = 64 / bits;

	return a[index / per & 1] >> index % per * bits & MASK(bits);
}

static void vec_set(u64 *d, u32 lane, u32 index, u64 v)
{
	u32 bits = 8u << lane, per = 64 / bits, at = index % per * bits;
	u64 *w = &d[index / per & 1];

	*w = (*w & ~(MASK(bits) << at)) | (v & MASK(bits)) << at;
}

u64 vec_movmsk(const u64 *a, u32 lane)
{
	u64 m = 0;

	for (u32 i = 0; i < 16u >> lane; i++)
		m |= (vec_get(a, lane, i) >> ((8u << lane) - 1)) << i;
	return m;
}

/* The shape of all functions here; operands may be the destination, so results are built aside. */
#define VEC_FN(name) \
	void vec_##name(u64 *d, const u64 *a, const u64 *b, const u64 *c, const struct vec_arg *arg)
#define UNUSED_OPERANDS (void)a, (void)b, (void)c, (void)arg

/* d.lane = expression over the lanes ua, ub (zero-extended) and sa, sb (sign-extended). */
#define LANES(name, expr)									\
	VEC_FN(name)										\
	{											\
		u64 r[2] = { 0, 0 };								\
		u32 lane = arg->aux & 3, bits = 8u << lane;					\
		(void)b, (void)c;								\
		for (u32 i = 0; i < 16u >> lane; i++) {						\
			u64 ua = vec_get(a, lane, i), ub = vec_get(b, lane, i);			\
			s64 sa = sext(ua, bits), sb = sext(ub, bits);				\
			(void)sa, (void)sb, (void)ub;						\
			vec_set(r, lane, i, (u64)(expr));					\
		}										\
		d[0] = r[0], d[1] = r[1];							\
	}

#define BITWISE(name, expr0, expr1)								\
	VEC_FN(name)										\
	{											\
		u64 r0 = (expr0), r1 = (expr1);							\
		UNUSED_OPERANDS;								\
		d[0] = r0, d[1] = r1;								\
	}

BITWISE(VAND, a[0] & b[0], a[1] & b[1])
BITWISE(VOR, a[0] | b[0], a[1] | b[1])
BITWISE(VXOR, a[0] ^ b[0], a[1] ^ b[1])
BITWISE(VANDN, a[0] & ~b[0], a[1] & ~b[1])
BITWISE(VBSL, (a[0] & b[0]) | (~a[0] & c[0]), (a[1] & b[1]) | (~a[1] & c[1]))
BITWISE(VMAKE, a[0], b[0])

static u64 clamp_signed(s128 v, u32 bits)
{
	s128 max = ((s128)1 << (bits - 1)) - 1;

	return (u64)(v > max ? max : v < -max - 1 ? -max - 1 : v);
}

static u64 clamp_unsigned(s128 v, u32 bits)
{
	s128 max = ((s128)1 << bits) - 1;

	return (u64)(v > max ? max : v < 0 ? 0 : v);
}

/* Arm's SSHL/USHL: left by the signed byte @by, right if negative. */
static u64 shift_signed(s64 v, s32 by)
{
	return by >= 64 ? 0 : by >= 0 ? (u64)v << by : (u64)(v >> MIN(-by, 63));
}

static u64 shift_unsigned(u64 v, s32 by, u32 bits)
{
	return by >= (s32)bits || -by >= (s32)bits ? 0 : by >= 0 ? v << by : v >> -by;
}

LANES(VADD, ua + ub)
LANES(VSUB, ua - ub)
LANES(VMUL, ua * ub)
LANES(VADDSS, clamp_signed((s128)sa + sb, bits))
LANES(VADDSU, clamp_unsigned((s128)ua + ub, bits))
LANES(VSUBSS, clamp_signed((s128)sa - sb, bits))
LANES(VSUBSU, clamp_unsigned((s128)ua - ub, bits))
LANES(VAVGU, ((u128)ua + ub + 1) >> 1)
LANES(VMINS, sa < sb ? sa : sb)
LANES(VMINU, ua < ub ? ua : ub)
LANES(VMAXS, sa > sb ? sa : sb)
LANES(VMAXU, ua > ub ? ua : ub)
LANES(VCMPEQ, ua == ub ? ~0ull : 0)
LANES(VCMPGTS, sa > sb ? ~0ull : 0)
LANES(VCMPGTU, ua > ub ? ~0ull : 0)
LANES(VSHLS, shift_signed(sa, (s8)ub))
LANES(VSHLU, shift_unsigned(ua, (s8)ub, bits))

/* The same for one operand; n is the immediate. */
#define LANES1(name, expr)									\
	VEC_FN(name)										\
	{											\
		u64 r[2] = { 0, 0 };								\
		u32 lane = arg->aux & 3, bits = 8u << lane, n = arg->imm;			\
		(void)b, (void)c, (void)n;							\
		for (u32 i = 0; i < 16u >> lane; i++) {						\
			u64 ua = vec_get(a, lane, i);						\
			s64 sa = sext(ua, bits);						\
			(void)sa;								\
			vec_set(r, lane, i, (u64)(expr));					\
		}										\
		d[0] = r[0], d[1] = r[1];							\
	}

LANES1(VSHL, n < bits ? ua << n : 0)
LANES1(VSHR, n < bits ? ua >> n : 0)
LANES1(VSAR, sa >> MIN(n, bits - 1))
LANES1(VABS, sa < 0 ? 0 - ua : ua)
LANES1(VPOPCNT, bits_popcount(ua))
LANES1(VDUP, a[0])

VEC_FN(VINS)
{
	u64 r[2] = { a[0], a[1] };

	UNUSED_OPERANDS;
	vec_set(r, arg->aux & 3, arg->imm, b[0]);
	d[0] = r[0], d[1] = r[1];
}

/* Result lane i = lane index(i) of a or, from @lanes on, of b. */
#define PERMUTE(name, index)									\
	VEC_FN(name)										\
	{											\
		u64 r[2] = { 0, 0 };								\
		u32 lane = arg->aux & 3, lanes = 16u >> lane;					\
		(void)c;									\
		for (u32 i = 0; i < lanes; i++) {						\
			u32 k = (index);							\
			vec_set(r, lane, i, vec_get(k < lanes ? a : b, lane, k % lanes));	\
		}										\
		d[0] = r[0], d[1] = r[1];							\
	}

PERMUTE(VZIPLO, i / 2 + (i % 2) * lanes)
PERMUTE(VZIPHI, lanes / 2 + i / 2 + (i % 2) * lanes)
PERMUTE(VUZPLO, 2 * i)
PERMUTE(VUZPHI, 2 * i + 1)

VEC_FN(VEXT)
{
	u8 both[32], *from = both + (arg->imm & 15);

	(void)c;
	memcpy(both, a, 16);
	memcpy(both + 16, b, 16);
	memcpy(d, from, 16);
}

VEC_FN(VTBL)
{
	union vec t = { .x = { a[0], a[1] } }, i = { .x = { b[0], b[1] } }, r;

	UNUSED_OPERANDS;
	for (u32 k = 0; k < 16; k++)
		r.b[k] = i.b[k] < 16 ? t.b[i.b[k]] : 0;
	d[0] = r.x[0], d[1] = r.x[1];
}

VEC_FN(VREV)
{
	u32 lane = arg->aux & 3, group = MAX(arg->imm >> lane, 1);
	u64 r[2] = { 0, 0 };

	UNUSED_OPERANDS;
	for (u32 i = 0; i < 16u >> lane; i++)
		vec_set(r, lane, i, vec_get(a, lane, i / group * group + group - 1 - i % group));
	d[0] = r[0], d[1] = r[1];
}

VEC_FN(VNARROW)
{
	u32 lane = MAX(arg->aux & 3, 1), lanes = 16u >> lane;
	u64 r[2] = { 0, 0 };

	(void)c;
	for (u32 i = 0; i < lanes; i++) {
		vec_set(r, lane - 1, i, vec_get(a, lane, i));
		vec_set(r, lane - 1, lanes + i, vec_get(b, lane, i));
	}
	d[0] = r[0], d[1] = r[1];
}

static void vec_widen(u64 *d, const u64 *a, u32 lane, bool is_signed)
{
	u64 r[2] = { 0, 0 };

	lane = MIN(lane, 2);
	for (u32 i = 0; i < 8u >> lane; i++) {
		u64 v = vec_get(a, lane, i);

		vec_set(r, lane + 1, i, is_signed ? (u64)sext(v, 8u << lane) : v);
	}
	d[0] = r[0], d[1] = r[1];
}

VEC_FN(VWIDES)
{
	UNUSED_OPERANDS;
	vec_widen(d, a, arg->aux & 3, true);
}

VEC_FN(VWIDEU)
{
	UNUSED_OPERANDS;
	vec_widen(d, a, arg->aux & 3, false);
}
