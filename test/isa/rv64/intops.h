/*
 * Integer instructions with their meaning in plain C, for hot.c and mix.c. Multiplication and
 * division are done by hand, so that a wrong DIV does not judge itself.
 */
#pragma once

#include "emit.h"

enum format { RRR, RRI, SHIFT, SHIFTW, RR, BRANCH, CA, CB6, CI, CR };

struct op {
	const char *name;
	enum format format;
	u32 code;
	u64 (*model)(u64 a, u64 b);		/* b: rs2 or the immediate; a branch: taken? */
};

static inline u64 sx(u64 v) { return (u64)(s64)(s32)v; }

/* The upper half of the product of two unsigned numbers. */
static u64 mulhu(u64 a, u64 b)
{
	u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
	u64 mid = a1 * b0 + (a0 * b0 >> 32), mid2 = a0 * b1 + (u32)mid;

	return a1 * b1 + (mid >> 32) + (mid2 >> 32);
}
static u64 mulh(u64 a, u64 b)
{
	return mulhu(a, b) - (a >> 63 ? b : 0) - (b >> 63 ? a : 0);
}
static u64 mulhsu(u64 a, u64 b) { return mulhu(a, b) - (a >> 63 ? b : 0); }

/* Bit by bit. */
static u64 divide(u64 a, u64 b, u64 *rem)
{
	u64 q = 0, r = 0;

	if (!b) {
		*rem = a;
		return ~0ull;
	}
	for (u32 i = 64; i--;) {
		bool carry = r >> 63;

		r = r << 1 | (a >> i & 1);
		q <<= 1;
		if (carry || r >= b) {
			r -= b;
			q |= 1;
		}
	}
	*rem = r;
	return q;
}
static inline u64 magnitude(u64 v) { return v >> 63 ? -v : v; }
static u64 divu(u64 a, u64 b) { u64 r; return divide(a, b, &r); }
static u64 remu(u64 a, u64 b) { u64 r; divide(a, b, &r); return r; }
static u64 div(u64 a, u64 b)
{
	u64 q = divu(magnitude(a), magnitude(b));

	return b && (a ^ b) >> 63 ? -q : q;
}
static u64 rem(u64 a, u64 b)
{
	u64 r = remu(magnitude(a), magnitude(b));

	return a >> 63 ? -r : r;
}

static u64 count(u64 v, u32 bits, bool from_top)
{
	u32 n = 0;

	while (n < bits && !(v >> (from_top ? bits - 1 - n : n) & 1))
		n++;
	return n;
}
static u64 ones(u64 v) { u64 n = 0; for (; v; v &= v - 1) n++; return n; }
static u64 bytes(u64 v, bool reverse)		/* rev8 or orc.b */
{
	u64 r = 0;

	for (u32 i = 0; i < 8; i++) {
		u64 b = v >> 8 * i & 0xff;

		r |= reverse ? b << (56 - 8 * i) : (u64)(b ? 0xff : 0) << 8 * i;
	}
	return r;
}

#define INT_OPS(X)									\
	X(add, RRR, 0x33, a + b) X(sub, RRR, 0x40000033, a - b)				\
	X(sll, RRR, 0x1033, a << (b & 63)) X(srl, RRR, 0x5033, a >> (b & 63))		\
	X(sra, RRR, 0x40005033, (u64)((s64)a >> (b & 63)))				\
	X(slt, RRR, 0x2033, (s64)a < (s64)b) X(sltu, RRR, 0x3033, a < b)		\
	X(xor, RRR, 0x4033, a ^ b) X(or, RRR, 0x6033, a | b) X(and, RRR, 0x7033, a & b)	\
	X(addw, RRR, 0x3b, sx(a + b)) X(subw, RRR, 0x4000003b, sx(a - b))		\
	X(sllw, RRR, 0x103b, sx(a << (b & 31))) X(srlw, RRR, 0x503b, sx((u32)a >> (b & 31)))	\
	X(sraw, RRR, 0x4000503b, (u64)(s64)((s32)a >> (b & 31)))			\
	X(mul, RRR, 0x02000033, a * b) X(mulw, RRR, 0x0200003b, sx(a * b))		\
	X(mulh, RRR, 0x02001033, mulh(a, b)) X(mulhsu, RRR, 0x02002033, mulhsu(a, b))	\
	X(mulhu, RRR, 0x02003033, mulhu(a, b))						\
	X(div, RRR, 0x02004033, div(a, b)) X(divu, RRR, 0x02005033, divu(a, b))		\
	X(rem, RRR, 0x02006033, rem(a, b)) X(remu, RRR, 0x02007033, remu(a, b))		\
	X(divw, RRR, 0x0200403b, sx(div(sx(a), sx(b))))					\
	X(divuw, RRR, 0x0200503b, sx(divu((u32)a, (u32)b)))				\
	X(remw, RRR, 0x0200603b, sx(rem(sx(a), sx(b))))					\
	X(remuw, RRR, 0x0200703b, sx(remu((u32)a, (u32)b)))				\
	X(addi, RRI, 0x13, a + b) X(slti, RRI, 0x2013, (s64)a < (s64)b)			\
	X(sltiu, RRI, 0x3013, a < b) X(xori, RRI, 0x4013, a ^ b)			\
	X(ori, RRI, 0x6013, a | b) X(andi, RRI, 0x7013, a & b)				\
	X(addiw, RRI, 0x1b, sx(a + b))							\
	X(slli, SHIFT, 0x1013, a << b) X(srli, SHIFT, 0x5013, a >> b)			\
	X(srai, SHIFT, 0x40005013, (u64)((s64)a >> b))					\
	X(slliw, SHIFTW, 0x101b, sx(a << b)) X(srliw, SHIFTW, 0x501b, sx((u32)a >> b))	\
	X(sraiw, SHIFTW, 0x4000501b, (u64)(s64)((s32)a >> b))				\
	X(beq, BRANCH, 0x63, a == b) X(bne, BRANCH, 0x1063, a != b)			\
	X(blt, BRANCH, 0x4063, (s64)a < (s64)b) X(bge, BRANCH, 0x5063, (s64)a >= (s64)b)	\
	X(bltu, BRANCH, 0x6063, a < b) X(bgeu, BRANCH, 0x7063, a >= b)			\
	X(sh1add, RRR, 0x20002033, (a << 1) + b) X(sh2add, RRR, 0x20004033, (a << 2) + b)	\
	X(sh3add, RRR, 0x20006033, (a << 3) + b)					\
	X(add_uw, RRR, 0x0800003b, (u32)a + b)						\
	X(sh2add_uw, RRR, 0x2000403b, ((u64)(u32)a << 2) + b)				\
	X(slli_uw, SHIFT, 0x0800101b, (u64)(u32)a << b)					\
	X(andn, RRR, 0x40007033, a & ~b) X(orn, RRR, 0x40006033, a | ~b)		\
	X(xnor, RRR, 0x40004033, ~(a ^ b)) X(min, RRR, 0x0a004033, (s64)a < (s64)b ? a : b)	\
	X(minu, RRR, 0x0a005033, a < b ? a : b) X(max, RRR, 0x0a006033, (s64)a > (s64)b ? a : b) \
	X(maxu, RRR, 0x0a007033, a > b ? a : b)						\
	X(rol, RRR, 0x60001033, a << (b & 63) | a >> (-b & 63))				\
	X(ror, RRR, 0x60005033, a >> (b & 63) | a << (-b & 63))				\
	X(rolw, RRR, 0x6000103b, sx((u32)a << (b & 31) | (u32)a >> (-b & 31)))		\
	X(rori, SHIFT, 0x60005013, a >> b | a << (-b & 63))				\
	X(roriw, SHIFTW, 0x6000501b, sx((u32)a >> b | (u32)a << (-b & 31)))		\
	X(bset, RRR, 0x28001033, a | BIT(b & 63)) X(bclr, RRR, 0x48001033, a & ~BIT(b & 63))	\
	X(binv, RRR, 0x68001033, a ^ BIT(b & 63)) X(bext, RRR, 0x48005033, a >> (b & 63) & 1)	\
	X(bexti, SHIFT, 0x48005013, a >> b & 1)						\
	X(clz, RR, 0x60001013, count(a, 64, true)) X(ctz, RR, 0x60101013, count(a, 64, false))	\
	X(clzw, RR, 0x6000101b, count((u32)a, 32, true)) X(cpop, RR, 0x60201013, ones(a))	\
	X(cpopw, RR, 0x6020101b, ones((u32)a)) X(sext_h, RR, 0x60501013, (u64)(s64)(short)a)	\
	X(sext_b, RR, 0x60401013, (u64)(s64)(signed char)a)				\
	X(zext_h, RR, 0x0800403b, a & 0xffff) X(rev8, RR, 0x6b805013, bytes(a, true))	\
	X(orc_b, RR, 0x28705013, bytes(a, false))					\
	X(c_sub, CA, 0x8c01, a - b) X(c_xor, CA, 0x8c21, a ^ b) X(c_or, CA, 0x8c41, a | b)	\
	X(c_and, CA, 0x8c61, a & b) X(c_subw, CA, 0x9c01, sx(a - b))			\
	X(c_addw, CA, 0x9c21, sx(a + b))						\
	X(c_srli, CB6, 0x8001, a >> (b & 63)) X(c_srai, CB6, 0x8401, (u64)((s64)a >> (b & 63)))	\
	X(c_andi, CB6, 0x8801, a & b) X(c_addi, CI, 0x0001, a + b)			\
	X(c_addiw, CI, 0x2001, sx(a + b)) X(c_li, CI, 0x4001, b)			\
	X(c_slli, CI, 0x0002, a << (b & 63)) X(c_add, CR, 0x9002, a + b) X(c_mv, CR, 0x8002, b)

#define MODEL(name, format, code, expr) \
	static u64 model_##name(u64 a, u64 b) { (void)a; (void)b; return expr; }
INT_OPS(MODEL)
#undef MODEL
static const struct op int_ops[] = {
#define ROW(name, format, code, expr) { #name, format, code, model_##name },
	INT_OPS(ROW)
#undef ROW
};
#define INT_OPS_COUNT (sizeof(int_ops) / sizeof(int_ops[0]))

/* Two-operand forms write the register that they read; some know only x8 to x15. */
static inline bool op_short(const struct op *o) { return o->format == CA || o->format == CB6; }
static inline bool op_two(const struct op *o) { return o->format >= CA; }
static inline bool op_immediate(const struct op *o)
{
	return o->format == RRI || o->format == SHIFT || o->format == SHIFTW ||
	       o->format == CB6 || o->format == CI;
}
/* A legal immediate made of random bits. */
static u64 op_imm(const struct op *o, u64 v)
{
	switch (o->format) {
	case SHIFT: return v & 63;
	case SHIFTW: return v & 31;
	case RRI: return (u64)((s64)(v << 52) >> 52);
	default: break;
	}
	v = (u64)((s64)(v << 58) >> 58);
	if (o->code == 0x8001 || o->code == 0x8401 || o->code == 0x0002)
		return (v & 63) ? v & 63 : 1;			/* shifts by 0 are hints */
	return o->code == 0x0001 && !v ? 1 : v;
}

/* Write it. Two-operand forms: rd is rs1; short ones take the low three bits of a number. */
static void op_emit(const struct op *o, u32 rd, u32 rs1, u32 rs2, u64 imm)
{
	u32 i = (u32)imm;

	switch (o->format) {
	case RRR: emit(r_type(o->code, rd, rs1, rs2)); break;
	case RRI: case SHIFT: case SHIFTW: emit(i_type(o->code, rd, rs1, i & 0xfff)); break;
	case RR: emit(r_type(o->code, rd, rs1, 0)); break;
	case BRANCH:						/* rd = taken */
		emit(b_type(o->code, rs1, rs2, 12));
		emit(li(rd, 0));
		emit(j_type(0, 8));
		emit(li(rd, 1));
		break;
	case CA: emit16(o->code | (rd & 7) << 7 | (rs2 & 7) << 2); break;
	case CB6: emit16(o->code | (rd & 7) << 7 | (i & 31) << 2 | (i >> 5 & 1) << 12); break;
	case CI: emit16(o->code | rd << 7 | (i & 31) << 2 | (i >> 5 & 1) << 12); break;
	case CR: emit16(o->code | rd << 7 | rs2 << 2); break;
	}
}
