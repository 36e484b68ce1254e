/*
 * From the IR's floating-point operations, scalar and vector, to engine/fp. A vector
 * operation is its scalar one on each lane.
 */
#include "engine/fp/fp.h"
#include "engine/ir/fp.h"
#include "engine/ir/vec.h"

_Static_assert((int)FP_H == IR_FP_H && (int)FP_S == IR_FP_S && (int)FP_D == IR_FP_D, "formats");
_Static_assert((int)FP_S32 == IR_S32 && (int)FP_U64 == IR_U64, "integers");
_Static_assert(FP_RTZ << 2 == IR_RM_ZERO && FP_RMM << 2 == IR_RM_AWAY, "rounding modes");

/* The mode of one operation: its own or the dynamic rounding, and the guest's control bits. */
static u32 mode_of(const struct gcpu *g, u32 aux)
{
	u32 rm = aux >> 2 & 7;

	return (rm == 7 ? g->fp_rm : rm) | g->fp_ctl;
}

u64 ir_fp_eval(struct gcpu *g, enum ir_opcode op, u64 a, u64 b, u64 c, u32 arg)
{
	const struct fp_policy *p = g->isa->fp;
	enum fp_format f = arg & 3;
	u32 mode = mode_of(g, arg), imm = arg >> 8;
	u8 *fl = &g->fp_flags;

	switch (op) {
	case IR_FADD:	return fp_add(p, f, a, b, mode, fl);
	case IR_FSUB:	return fp_sub(p, f, a, b, mode, fl);
	case IR_FMUL:	return fp_mul(p, f, a, b, mode, fl);
	case IR_FDIV:	return fp_div(p, f, a, b, mode, fl);
	case IR_FSQRT:	return fp_sqrt(p, f, a, mode, fl);
	case IR_FMA:	return fp_fma(p, f, a, b, c, mode | (imm & 1 ? FP_NEG_PRODUCT : 0) |
				      (imm & 2 ? FP_NEG_ADDEND : 0), fl);
	case IR_FMIN:	return fp_min(p, f, a, b, mode | (imm & 1 ? FP_NUMBER : 0), fl);
	case IR_FMAX:	return fp_max(p, f, a, b, mode | (imm & 1 ? FP_NUMBER : 0), fl);
	case IR_FCMP:	return fp_cmp(p, f, a, b, mode | (imm & 1 ? FP_SIGNAL : 0), fl);
	case IR_FTOI:	return fp_to_int(p, f, a, imm & 3, mode, fl);
	case IR_ITOF:	return fp_from_int(p, f, a, imm & 3, mode, fl);
	case IR_FCVT:	return fp_convert(p, f, a, imm & 3, mode, fl);
	case IR_FRINT:	return fp_round(p, f, a, mode | (imm & 1 ? FP_EXACT : 0), fl);
	case IR_FCLASS:	return fp_class(f, a);
	default:	return 0;
	}
}

/* d.lane = op(a.lane, b.lane, c.lane) in the format of arg->aux. */
static void vec_fp(u64 *d, const u64 *a, const u64 *b, const u64 *c, const struct vec_arg *arg,
		   enum ir_opcode op)
{
	u32 f = arg->aux & 3, lane = f + 1, bits = 8u << lane, code = arg->aux | arg->imm << 8;
	u64 r[2] = { 0, 0 };

	for (u32 i = 0; i < 16u >> lane; i++) {
		u64 v = ir_fp_eval(arg->g, op, vec_get(a, lane, i), vec_get(b, lane, i),
				   vec_get(c, lane, i), code);

		r[i * bits / 64] |= (v & MASK(bits)) << i * bits % 64;
	}
	d[0] = r[0], d[1] = r[1];
}

#define VEC_FP(name, op)									\
	void vec_##name(u64 *d, const u64 *a, const u64 *b, const u64 *c,		\
			const struct vec_arg *arg)					\
	{											\
		vec_fp(d, a, b, c, arg, op);							\
	}
VEC_FP(VFADD, IR_FADD)
VEC_FP(VFSUB, IR_FSUB)
VEC_FP(VFMUL, IR_FMUL)
VEC_FP(VFDIV, IR_FDIV)
VEC_FP(VFSQRT, IR_FSQRT)
VEC_FP(VFMA, IR_FMA)
VEC_FP(VFMIN, IR_FMIN)
VEC_FP(VFMAX, IR_FMAX)

/* All ones where the order of the lanes is in the set @orders (a bit per enum fp_order). */
static void vec_fcmp(u64 *d, const u64 *a, const u64 *b, const struct vec_arg *arg, u32 orders,
		     bool signal)
{
	u32 f = arg->aux & 3, lane = f + 1, bits = 8u << lane, code = arg->aux | (u32)signal << 8;
	u64 r[2] = { 0, 0 };

	for (u32 i = 0; i < 16u >> lane; i++) {
		u64 order = ir_fp_eval(arg->g, IR_FCMP, vec_get(a, lane, i), vec_get(b, lane, i), 0,
				       code);

		r[i * bits / 64] |= (orders >> order & 1 ? MASK(bits) : 0) << i * bits % 64;
	}
	d[0] = r[0], d[1] = r[1];
}

#define VEC_FCMP(name, orders, signal)								\
	void vec_##name(u64 *d, const u64 *a, const u64 *b, const u64 *c,		\
			const struct vec_arg *arg)					\
	{											\
		(void)c;									\
		vec_fcmp(d, a, b, arg, orders, signal);						\
	}
VEC_FCMP(VFCMPEQ, 1 << FP_EQUAL, false)
VEC_FCMP(VFCMPGE, 1 << FP_EQUAL | 1 << FP_GREATER, true)
VEC_FCMP(VFCMPGT, 1 << FP_GREATER, true)
