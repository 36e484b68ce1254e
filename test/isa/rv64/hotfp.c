/*
 * Floating point in hot loops: every instruction over operands that hit the corners, in every
 * rounding mode, static and dynamic, with its flags read after each one (cleared before, or
 * piling up). The judge is fpmodel.c.
 */
#include "emit.h"
#include "fpmodel.h"

enum form { FFF, FFFF, XFF, FF, XF, FX };	/* result, operands; X: an integer register */

struct op {
	const char *name;
	enum form form;
	u32 from, to;				/* width of FP operands and of an FP result */
	bool rounds, raw;			/* raw: looks at the register, boxed or not */
	u32 code;
	u64 (*model)(struct fp_model *m, u32 w, u64 a, u64 b, u64 c);
};

#define SIGN BIT(w - 1)
/* For both widths: name, form, rounds, code of .s, meaning. */
#define BOTH(X)										\
	X(fadd, FFF, true, 0x53, fp_add(m, w, a, b))					\
	X(fsub, FFF, true, 0x08000053, fp_add(m, w, a, b ^ SIGN))			\
	X(fmul, FFF, true, 0x10000053, fp_mul(m, w, a, b))				\
	X(fdiv, FFF, true, 0x18000053, fp_div(m, w, a, b))				\
	X(fsqrt, FF, true, 0x58000053, fp_sqrt(m, w, a))				\
	X(fmadd, FFFF, true, 0x43, fp_fma(m, w, a, b, c))				\
	X(fmsub, FFFF, true, 0x47, fp_fma(m, w, a, b, c ^ SIGN))			\
	X(fnmsub, FFFF, true, 0x4b, fp_fma(m, w, a ^ SIGN, b, c))			\
	X(fnmadd, FFFF, true, 0x4f, fp_fma(m, w, a ^ SIGN, b, c ^ SIGN))		\
	X(fsgnj, FFF, false, 0x20000053, (a & ~SIGN) | (b & SIGN))			\
	X(fsgnjn, FFF, false, 0x20001053, (a & ~SIGN) | (~b & SIGN))			\
	X(fsgnjx, FFF, false, 0x20002053, a ^ (b & SIGN))				\
	X(fmin, FFF, false, 0x28000053, fp_minmax(m, w, a, b, false))			\
	X(fmax, FFF, false, 0x28001053, fp_minmax(m, w, a, b, true))			\
	X(feq, XFF, false, 0xa0002053, fp_compare(m, w, a, b, FEQ))			\
	X(flt, XFF, false, 0xa0001053, fp_compare(m, w, a, b, FLT))			\
	X(fle, XFF, false, 0xa0000053, fp_compare(m, w, a, b, FLE))			\
	X(fclass, XF, false, 0xe0001053, fp_class(w, a))				\
	X(fcvt_w, XF, true, 0xc0000053, fp_to_int(m, w, a, 32, true))			\
	X(fcvt_wu, XF, true, 0xc0100053, fp_to_int(m, w, a, 32, false))			\
	X(fcvt_l, XF, true, 0xc0200053, fp_to_int(m, w, a, 64, true))			\
	X(fcvt_lu, XF, true, 0xc0300053, fp_to_int(m, w, a, 64, false))			\
	X(fcvt_from_w, FX, true, 0xd0000053, fp_from_int(m, w, a, 32, true))		\
	X(fcvt_from_wu, FX, true, 0xd0100053, fp_from_int(m, w, a, 32, false))		\
	X(fcvt_from_l, FX, true, 0xd0200053, fp_from_int(m, w, a, 64, true))		\
	X(fcvt_from_lu, FX, true, 0xd0300053, fp_from_int(m, w, a, 64, false))		\
	X(fmv_from_x, FX, false, 0xf0000053, w == 32 ? (u32)a : a)

#define MODEL(name, form, rounds, code, expr)						\
	static u64 model_##name(struct fp_model *m, u32 w, u64 a, u64 b, u64 c)		\
	{ (void)m; (void)w; (void)a; (void)b; (void)c; return expr; }
BOTH(MODEL)
MODEL(fcvt_s_d, , , , fp_convert(m, 64, 32, a))
MODEL(fcvt_d_s, , , , fp_convert(m, 32, 64, a))
MODEL(fmv_x, , , , w == 32 ? (u64)(s64)(s32)a : a)

static const struct op ops[] = {
#define ROWS(name, form, rounds, code, expr)						\
	{ #name ".s", form, 32, 32, rounds, false, code, model_##name },		\
	{ #name ".d", form, 64, 64, rounds, false, code | 1 << 25, model_##name },
	BOTH(ROWS)
	{ "fcvt.s.d", FF, 64, 32, true, false, 0x40100053, model_fcvt_s_d },
	{ "fcvt.d.s", FF, 32, 64, true, false, 0x42000053, model_fcvt_d_s },
	{ "fmv.x.w", XF, 32, 0, false, true, 0xe0000053, model_fmv_x },
	{ "fmv.x.d", XF, 64, 0, false, true, 0xe2000053, model_fmv_x },
};

static const u64 corners64[] = {
	0, 1, 2, 0x000fffffffffffff, 0x0010000000000000, 0x0010000000000001, 0x0020000000000000,
	0x3cb0000000000000, 0x3c90000000000001, 0x3fdfffffffffffff, 0x3fe0000000000000,
	0x3fe0000000000001, 0x3feffffffffffff8, 0x3fefffffffffffff, 0x3ff0000000000000,
	0x3ff0000000000001, 0x3ff8000000000000, 0x4000000000000000, 0x4004000000000000,
	0x400c000000000000, 0x3fd5555555555555, 0x41dfffffffc00000, 0x41dfffffffe00000,
	0x41e0000000000000, 0x41e0000000100000, 0x41efffffffe00000, 0x41effffffff00000,
	0x41f0000000000000, 0x4330000000000001, 0x433fffffffffffff, 0x43dfffffffffffff,
	0x43e0000000000000, 0x43efffffffffffff, 0x43f0000000000000, 0x47efffffe0000000,
	0x47efffffefffffff, 0x47effffff0000000, 0x36a0000000000000, 0x3690000000000000,
	0x380fffffffffffff, 0x380fffffe0000000, 0x7fe0000000000000, 0x7fefffffffffffff,
	0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000, 0x7ff8000000001234,
};
static const u32 corners32[] = {
	0, 1, 2, 0x007fffff, 0x00800000, 0x00800001, 0x01000000, 0x34000000, 0x33800001, 0x3effffff,
	0x3f000000, 0x3f000001, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000,
	0x40200000, 0x40600000, 0x3eaaaaab, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000,
	0x5effffff, 0x5f000000, 0x5f7fffff, 0x5f800000, 0x7e800000, 0x7f7fffff, 0x7f800000,
	0x7f800001, 0x7fc00000, 0x7fc01234,
};
static const u64 integers[] = {
	0, 1, -1ull, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0xffffffff80000000, 0xffffff,
	0x1000001, 0x1000003, BIT(53) + 1, BIT(53) + 3, BIT(63) - 1, BIT(63), BIT(63) + 1024,
	BIT(63) + 1025, -1024ull, 0x7ffffffffffffdff, 0x7ffffffffffffe00, 0x7fffffbfffffffff,
};
#define N 1400
static struct { u64 a, b, c, rm; } input[N];
static struct { u64 value, flags; } output[N];
static u16 code[64] __attribute__((aligned(64)));

#define PICK(table) table[random() % (sizeof(table) / sizeof(table[0]))]
static u64 operand(u32 width)
{
	u64 sign = random() & BIT(63), kind = random() % 16, v;

	if (width == 64)
		return kind < 11 ? PICK(corners64) ^ sign :
		       kind < 13 ? random() : (random() & 0x801fffffffffffff) | 0x3fe0000000000000;
	v = kind < 11 ? PICK(corners32) | sign >> 32 :
	    kind < 13 ? (u32)random() : (random() & 0x81ffffff) | 0x3f000000;
	return random() % 32 ? v | ~0ull << 32 : v | sign;	/* now and then not boxed */
}

static void inputs(const struct op *o)
{
	for (u32 i = 0; i < N; i++) {
		input[i].a = o->form != FX ? operand(o->from) : random() & 1 ? PICK(integers) :
			     random() >> random() % 64;
		input[i].b = operand(o->from);
		input[i].c = operand(o->from);
		input[i].rm = random() % 5;
	}
}

enum { RP = 5, RQ = 6, REND = 7, RT = 28, RRM = 29, DYNAMIC = 7 };
struct choice { u32 rd, rs1, rs2, rs3, rm; bool clear; };

static void loop_emit(const struct op *o, const struct choice *r)
{
	u16 *loop = code;

	at = code;
	emit(i_type(o->form == FX ? OP_LD : OP_FLD, r->rs1, RP, 0));
	emit(i_type(OP_FLD, r->rs2, RP, 8));
	emit(i_type(OP_FLD, r->rs3, RP, 16));
	if (r->rm == DYNAMIC) {
		emit(i_type(OP_LD, RRM, RP, 24));
		emit(i_type(0x1073, 0, RRM, 2));		/* csrw frm */
	}
	if (r->clear)
		emit(i_type(0x1073, 0, 0, 1));			/* csrw fflags, x0 */
	emit(o->code | r->rd << 7 | r->rs1 << 15 | (o->rounds ? r->rm << 12 : 0) |
	     (o->form <= XFF ? r->rs2 << 20 : 0) | (o->form == FFFF ? r->rs3 << 27 : 0));
	emit(i_type(0x2073, RT, 0, 1));				/* csrr fflags */
	emit(s_type(o->form == XF || o->form == XFF ? OP_SD : OP_FSD, RQ, r->rd, 0));
	emit(s_type(OP_SD, RQ, RT, 8));
	emit(addi(RP, RP, 32));
	emit(addi(RQ, RQ, 16));
	emit(b_type(OP_BLTU, RP, REND, (s32)((loop - at) * 2)));
	emit(EBREAK);
	fence_i();
}

static u64 unboxed(const struct op *o, u64 v)
{
	if (o->form == FX || o->from == 64 || o->raw)
		return v;
	return v >> 32 == 0xffffffff ? (u32)v : 0x7fc00000;
}

static u64 loop_wrong(const struct op *o, const struct choice *r)
{
	bool integer = o->form == XF || o->form == XFF;
	u64 bad = 0, piled = 0;

	for (u32 i = 0; i < N; i++) {
		u64 a = input[i].a, b = input[i].b, c = input[i].c, want;
		struct fp_model m = { r->rm == DYNAMIC ? (u32)input[i].rm : r->rm, 0 };

		if (r->rs3 == r->rs2)				/* loaded later */
			b = c;
		if (r->rs3 == r->rs1 && o->form != FX)
			a = c;
		else if (r->rs2 == r->rs1 && o->form != FX)
			a = b;
		want = o->model(&m, o->from, unboxed(o, a), unboxed(o, b), unboxed(o, c));
		if (!integer && o->to == 32)
			want |= ~0ull << 32;
		if (integer && !r->rd)
			want = 0;
		piled = r->clear ? m.flags : piled | m.flags;
		bad += output[i].value != want || output[i].flags != piled;
	}
	return bad;
}

static u64 loop_run(const struct op *o, const struct choice *r)
{
	static struct regs in, out;

	loop_emit(o, r);
	regs_random(&in);
	in.x[RP] = (u64)input;
	in.x[RQ] = (u64)output;
	in.x[REND] = (u64)(input + N);
	return (probe_in(M, &in, &out, (u64)code) != BREAKPOINT) + loop_wrong(o, r);
}

/* One that the loop has no use for. */
static u32 integer_register(u32 v)
{
	static const u8 of[] = {
		1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
		26, 27, 30, 31,
	};

	return of[v % sizeof(of)];
}

static void choose(const struct op *o, u32 k, struct choice *r)
{
	u64 v = random();

	*r = (struct choice){ v & 31, v >> 5 & 31, v >> 10 & 31, v >> 15 & 31, k, v >> 20 & 1 };
	if (k > 4) {
		r->rm = DYNAMIC;
		r->clear = k == 5;
	}
	if (k % 4 == 1)
		r->rd = r->rs1 = r->rs2;			/* one register for all */
	if (k % 4 == 2)
		r->rd = r->rs2 = r->rs3;
	if (o->form == XF || o->form == XFF)
		r->rd = k == 3 ? 0 : integer_register(r->rd);
	if (o->form == FX)
		r->rs1 = integer_register(r->rs1);
}

void isa_main(void)
{
	for (u32 i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		u64 bad = 0;

		inputs(&ops[i]);
		for (u32 k = 0; k < 7; k++) {
			struct choice r;

			choose(&ops[i], k, &r);
			bad += loop_run(&ops[i], &r);
		}
		check(__FILE__, __LINE__, ops[i].name, bad, 0);
	}
}
