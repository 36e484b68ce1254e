/*
 * Integer operations on AArch64. Operands are in registers or immediates, and the result is
 * written by the last instruction, so its register may be an operand's: what lies between goes
 * through SCRATCH.
 */
#include "engine/back/aarch64/asm.h"

/* The value of @v as an immediate of the operation's width. */
static bool imm_of(const struct jit *j, val_t v, bool wide, s64 *imm)
{
	u64 c;

	if (!ir_is_const(j->ir, v, &c))
		return false;
	*imm = wide ? (s64)c : (s32)c;
	return true;
}

/* ---- two operands ---- */

static u32 binary(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);

	a64_3(j, op, jit_def(j, i), a, b);
	return i;
}

/* base + (index << scale) */
static u32 add_scaled(struct jit *j, u32 i, val_t base, val_t scaled)
{
	const struct ir_op *s = &j->ir->op[scaled];
	u8 b = a64_use(j, base), x = a64_use(j, s->a);

	a64_3_lsl(j, A_ADD | A64_W(true), jit_def(j, i), b, x, (u32)j->ir->op[s->b].imm);
	return i;
}

static u32 add(struct jit *j, u32 i, bool subtract, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	s64 imm;

	if (!subtract && j->scaled[o->a])
		return add_scaled(j, i, o->b, o->a);
	if (!subtract && j->scaled[o->b])
		return add_scaled(j, i, o->a, o->b);
	if (!imm_of(j, o->b, wide, &imm) || !a64_add_fits(imm))
		return binary(j, i, (subtract ? A_SUB : A_ADD) | A64_W(wide));
	u8 a = jit_use(j, o->a);

	a64_add_imm(j, wide, jit_def(j, i), a, subtract ? -imm : imm);
	return i;
}

/* AND, ORR, EOR; or with the second operand inverted: BIC, ORN, EON. */
static u32 logic(struct jit *j, u32 i, u32 op, bool inverted, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	s64 imm;

	if (op == A_EOR && !inverted && imm_of(j, o->b, wide, &imm) && imm == -1) {
		u8 a = a64_use(j, o->a);

		a64_3(j, A_ORN | A64_W(wide), jit_def(j, i), ZR, a);
		return i;
	}
	if (imm_of(j, o->b, wide, &imm) && imm != 0 && imm != -1) {
		u8 a = a64_use(j, o->a), *at = j->at;

		/* Is there one? The register of the result is not known yet. */
		if (a64_logic_imm(j, op, wide, ZR, a, (u64)(inverted ? ~imm : imm))) {
			j->at = at;
			a64_logic_imm(j, op, wide, jit_def(j, i), a, (u64)(inverted ? ~imm : imm));
			return i;
		}
	}
	return binary(j, i, op | (inverted ? A_BIC & ~A_AND : 0) | A64_W(wide));
}

/* ---- shifts ---- */

/* The sign extension that alone uses the result of @i, if it comes next; else 0. */
static u32 extended_next(const struct jit *j, u32 i)
{
	u32 n = jit_next_op(j, i);

	return j->ir->op[i].uses == 1 && n < j->ir->count && j->ir->op[n].op == IR_SX32 &&
	       j->ir->op[n].a == i ? n : 0;
}

static u32 shift(struct jit *j, u32 i, u32 op, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 top = wide ? 63 : 31, count, extended;
	u64 c;
	u8 a, d;

	if (!ir_is_const(j->ir, o->b, &c))
		return binary(j, i, op | A64_W(wide));
	count = (u32)c & top;
	a = a64_use(j, o->a);
	extended = op == A_LSLV && !wide ? extended_next(j, i) : 0;
	if (extended) {					/* SBFIZ */
		a64_bfm(j, A_SBFM, true, jit_def(j, extended), a, -count & 63, 31 - count);
		return extended;
	}
	d = jit_def(j, i);
	if (op == A_LSLV)
		a64_bfm(j, A_UBFM, wide, d, a, -count & top, top - count);
	else if (op == A_RORV)
		a64_3(j, A_EXTR | A64_W(wide) | (u32)wide << 22 | count << 10, d, a, a);
	else
		a64_bfm(j, op == A_LSRV ? A_UBFM : A_SBFM, wide, d, a, count, top);
	return i;
}

/* The low bits of a:b shifted right. */
static u32 extract(struct jit *j, u32 i, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u64 c;

	if (!ir_is_const(j->ir, o->c, &c))
		return 0;
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);
	u32 count = (u32)c & (wide ? 63 : 31);

	a64_3(j, A_EXTR | A64_W(wide) | (u32)wide << 22 | count << 10, jit_def(j, i), a, b);
	return i;
}

/* ---- multiplication's upper half, division ---- */

static u32 high32(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);

	a64_3(j, op, SCRATCH, a, b);
	a64_bfm(j, A_UBFM, true, jit_def(j, i), SCRATCH, 32, 63);
	return i;
}

/* a signed, b unsigned: as if both were unsigned, a was less by 2^64 if negative. */
static u32 high_mixed(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b), t = jit_temp(j);

	a64_bfm(j, A_SBFM, true, SCRATCH, a, 63, 63);
	a64_3(j, A_AND | A64_W(true), SCRATCH, SCRATCH, b);
	a64_3(j, A_UMULH, t, a, b);
	a64_3(j, A_SUB | A64_W(true), jit_def(j, i), t, SCRATCH);
	return i;
}

/* SDIV and UDIV agree with the IR on what has no answer, and so does this remainder. */
static u32 remainder(struct jit *j, u32 i, u32 op, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);

	a64_3(j, op | A64_W(wide), SCRATCH, a, b);
	a64_3(j, A_MSUB | A64_W(wide) | (u32)a << 10, jit_def(j, i), SCRATCH, b);
	return i;
}

/* ---- comparisons ---- */

void a64_compare(struct jit *j, const struct ir_op *o, bool wide)
{
	s64 imm;

	if (imm_of(j, o->b, wide, &imm) && a64_add_fits(imm)) {
		a64_cmp_imm(j, wide, jit_use(j, o->a), imm);
	} else {
		u8 a = a64_use(j, o->a);

		a64_cmp(j, wide, a, a64_use(j, o->b));
	}
}

static u32 set(struct jit *j, u32 i, enum a64_cc cc, bool wide)
{
	a64_compare(j, &j->ir->op[i], wide);
	a64_cset(j, jit_def(j, i), cc);		/* it makes moves at most, which keep the flags */
	return i;
}

static u32 minmax(struct jit *j, u32 i, enum a64_cc cc, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);

	a64_cmp(j, wide, a, b);
	a64_csel(j, wide, jit_def(j, i), a, b, cc);
	return i;
}

static u32 select(struct jit *j, u32 i, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 c = jit_use(j, o->a), a = a64_use(j, o->b), b = a64_use(j, o->c);

	a64_cmp_imm(j, wide, c, 0);
	a64_csel(j, wide, jit_def(j, i), a, b, NE);
	return i;
}

/* ---- one operand ---- */

static u32 unary(struct jit *j, u32 i, u32 op)
{
	u8 a = a64_use(j, j->ir->op[i].a);

	a64_2(j, op, jit_def(j, i), a);
	return i;
}

static u32 trailing_zeros(struct jit *j, u32 i, bool wide)
{
	u8 a = a64_use(j, j->ir->op[i].a);

	a64_2(j, A_RBIT | A64_W(wide), SCRATCH, a);
	a64_2(j, A_CLZ | A64_W(wide), jit_def(j, i), SCRATCH);
	return i;
}

/* Only vectors can count ones. */
static u32 population(struct jit *j, u32 i, bool wide)
{
	u8 a = a64_use(j, j->ir->op[i].a), v = jit_ftemp(j);

	a64_2(j, wide ? 0x9e670000 : 0x1e270000, v, a);		/* FMOV */
	a64_2(j, 0x0e205800, v, v);				/* CNT */
	a64_2(j, 0x0e31b800, v, v);				/* ADDV */
	a64_2(j, 0x1e260000, jit_def(j, i), v);			/* FMOV */
	return i;
}

static u32 extend(struct jit *j, u32 i, u32 op, bool wide, u32 bits)
{
	u8 a = a64_use(j, j->ir->op[i].a);

	a64_bfm(j, op, wide, jit_def(j, i), a, 0, bits - 1);
	return i;
}

/* imm = position | length << 8; above bit 63 there are zeros. */
static u32 field(struct jit *j, u32 i, bool is_signed)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 at = o->imm & 63, end = at + (u32)(o->imm >> 8);
	u8 a = a64_use(j, o->a);

	a64_bfm(j, is_signed && end <= 64 ? A_SBFM : A_UBFM, true, jit_def(j, i), a, at,
		MIN(end, 64u) - 1);
	return i;
}

static u32 insert(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 at = o->imm & 63, len = (u32)(o->imm >> 8);
	u8 a = a64_use(j, o->a), b = a64_use(j, o->b);

	a64_move(j, SCRATCH, a);
	a64_bfm(j, A_BFM, true, SCRATCH, b, -at & 63, MIN(len, 64 - at) - 1);
	a64_move(j, jit_def(j, i), SCRATCH);
	return i;
}

#define BOTH(name)	case IR_##name##32: case IR_##name##64

u32 a64_op_int(struct jit *j, u32 i)
{
	enum ir_opcode op = j->ir->op[i].op;
	/* The 64-bit one of a pair follows the 32-bit one. */
	bool wide = (op & 1) == (IR_ADD64 & 1);

	switch (op) {
	BOTH(ADD):	return add(j, i, false, wide);
	BOTH(SUB):	return add(j, i, true, wide);
	BOTH(AND):	return logic(j, i, A_AND, false, wide);
	BOTH(OR):	return logic(j, i, A_ORR, false, wide);
	BOTH(XOR):	return logic(j, i, A_EOR, false, wide);
	BOTH(ANDN):	return logic(j, i, A_AND, true, wide);
	BOTH(ORN):	return logic(j, i, A_ORR, true, wide);
	BOTH(XNOR):	return logic(j, i, A_EOR, true, wide);
	BOTH(MUL):	return binary(j, i, A_MUL | A64_W(wide));
	BOTH(SHL):	return shift(j, i, A_LSLV, wide);
	BOTH(SHR):	return shift(j, i, A_LSRV, wide);
	BOTH(SAR):	return shift(j, i, A_ASRV, wide);
	BOTH(ROTR):	return shift(j, i, A_RORV, wide);
	case IR_MULHU32: return high32(j, i, A_UMULL);
	case IR_MULHS32: return high32(j, i, A_SMULL);
	case IR_MULHU64: return binary(j, i, A_UMULH);
	case IR_MULHS64: return binary(j, i, A_SMULH);
	case IR_MULHSU64: return high_mixed(j, i);
	BOTH(DIVU):	return binary(j, i, A_UDIV | A64_W(wide));
	BOTH(REMU):	return remainder(j, i, A_UDIV, wide);
	BOTH(DIVS):	return binary(j, i, A_SDIV | A64_W(wide));
	BOTH(REMS):	return remainder(j, i, A_SDIV, wide);
	BOTH(MINU):	return minmax(j, i, LO, wide);
	BOTH(MAXU):	return minmax(j, i, HI, wide);
	BOTH(MINS):	return minmax(j, i, LT, wide);
	BOTH(MAXS):	return minmax(j, i, GT, wide);
	BOTH(SETEQ):	return set(j, i, EQ, wide);
	BOTH(SETNE):	return set(j, i, NE, wide);
	BOTH(SETLTU):	return set(j, i, LO, wide);
	BOTH(SETLEU):	return set(j, i, LS, wide);
	BOTH(SETLTS):	return set(j, i, LT, wide);
	BOTH(SETLES):	return set(j, i, LE, wide);
	BOTH(CLZ):	return unary(j, i, A_CLZ | A64_W(wide));
	BOTH(CTZ):	return trailing_zeros(j, i, wide);
	BOTH(POPCNT):	return population(j, i, wide);
	BOTH(BSWAP):	return unary(j, i, wide ? A_REV_X : A_REV_W);
	BOTH(BITREV):	return unary(j, i, A_RBIT | A64_W(wide));
	BOTH(SEL):	return select(j, i, wide);
	BOTH(EXTR):	return extract(j, i, wide);
	case IR_SX8:	return extend(j, i, A_SBFM, true, 8);
	case IR_SX16:	return extend(j, i, A_SBFM, true, 16);
	case IR_SX32:	return extend(j, i, A_SBFM, true, 32);
	case IR_ZX8:	return extend(j, i, A_UBFM, false, 8);
	case IR_ZX16:	return extend(j, i, A_UBFM, false, 16);
	case IR_ZX32:	return extend(j, i, A_UBFM, false, 32);
	case IR_BFXU:	return field(j, i, false);
	case IR_BFXS:	return field(j, i, true);
	case IR_BFI:	return insert(j, i);
	default:	return 0;
	}
}
