/*
 * Integer operations on x86-64. An operand is read where it is, memory included; the result is
 * made in its own register if that is not the second operand's.
 */
#include "engine/back/x86_64/asm.h"

/* An operand as it was before the result got its register, which may be the operand's own. */
struct src {
	struct x86_rm rm;
	bool constant, fp;
	u8 freg;
	u64 imm;
};

static struct src src_of(struct jit *j, val_t v)
{
	const struct place *p = &j->place[v];
	struct src s = { .rm = rm_reg(p->reg) };

	if (p->reg != NO_REG) {
		j->locked |= 1u << p->reg;
	} else if (ir_is_const(j->ir, v, &s.imm)) {
		s.constant = true;
	} else if (p->freg != NO_REG) {
		s.fp = true;
		s.freg = p->freg;
	} else {
		s.rm = rm_state(p->off);
	}
	return s;
}

static void src_to(struct jit *j, u8 d, const struct src *s)
{
	if (s->constant)
		x86_imm(j, d, s->imm);
	else if (s->fp)
		x86_from_fp(j, d, s->freg);
	else if (s->rm.mem)
		x86_load(j, d, s->rm);
	else
		x86_move(j, d, s->rm.reg);
}

static bool is_reg(const struct x86_rm *rm, u8 r)
{
	return !rm->mem && rm->reg == r;
}

/* ---- two operands ---- */

/* d = a + imm or a + b in one instruction that leaves both alone, if there is one. */
static bool add_apart(struct jit *j, bool wide, u8 d, const struct src *a, const struct x86_rm *b,
		      s32 imm)
{
	if (a->constant || a->fp || a->rm.mem || a->rm.reg == d || (b && (b->mem || b->reg == d)))
		return false;
	x86_lea(j, wide, d, b ? rm_index(a->rm.reg, b->reg, 0, 0) : rm_mem(a->rm.reg, imm));
	return true;
}

/* state[off] op= b: a register of the guest that is in memory. */
static u32 alu_in_place(struct jit *j, u32 i, enum x86_alu op)
{
	const struct ir_op *o = &j->ir->op[i];
	val_t b = o->b;
	s32 imm, off;
	u32 put = 0;

	if (o->a == o->b)
		return 0;
	put = jit_in_place(j, i, o->a, &off);
	if (!put && op != ALU_SUB) {
		put = jit_in_place(j, i, o->b, &off);
		b = o->a;
	}
	if (put && x86_imm_fits(j, b, true, &imm))
		x86_alu_imm(j, op, true, rm_state(off), imm);
	else if (put)
		emit_op(j, (u32)op << 3 | 1 | OP_W, jit_use(j, b), rm_state(off));
	return put;
}

static u32 alu(struct jit *j, u32 i, enum x86_alu op, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	s32 imm = 0;
	u32 put = wide ? alu_in_place(j, i, op) : 0;

	if (put)
		return put;
	bool is_imm = x86_imm_fits(j, o->b, wide, &imm), commutes = op != ALU_SUB;
	struct x86_rm b = is_imm ? rm_reg(NO_REG) : x86_rm_of(j, o->b);
	struct src a = src_of(j, o->a);
	u8 d = jit_def(j, i), t = d;

	if (op == ALU_ADD && add_apart(j, wide, d, &a, is_imm ? NULL : &b, imm))
		return i;
	if (!is_imm && is_reg(&b, d) && !is_reg(&a.rm, d)) {
		if (commutes && !a.constant && !a.fp) {
			x86_alu(j, op, wide, d, a.rm);
			return i;
		}
		if (op == ALU_SUB && !a.fp && (!a.constant || !a.imm)) {
			emit_op(j, 0xf7 | width(wide), 3, rm_reg(d));		/* NEG */
			if (!a.constant)
				x86_alu(j, ALU_ADD, wide, d, a.rm);
			return i;
		}
		t = jit_temp(j);
	}
	src_to(j, t, &a);
	if (is_imm)
		x86_alu_imm(j, op, wide, rm_reg(t), imm);
	else
		x86_alu(j, op, wide, t, b);
	x86_move(j, d, t);
	return i;
}

static u32 copy(struct jit *j, u32 i)
{
	struct src a = src_of(j, j->ir->op[i].a);

	src_to(j, jit_def(j, i), &a);
	return i;
}

/* base + (index << scale) */
static u32 add_scaled(struct jit *j, u32 i, val_t base, val_t scaled)
{
	const struct ir_op *s = &j->ir->op[scaled];
	s32 imm = 0;
	u8 b = x86_imm_fits(j, base, true, &imm) ? NO_REG : jit_use(j, base);
	u8 x = jit_use(j, s->a);

	x86_lea(j, true, jit_def(j, i), rm_index(b, x, (u8)j->ir->op[s->b].imm, imm));
	return i;
}

static u32 add(struct jit *j, u32 i, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];

	if (j->scaled[o->a])
		return add_scaled(j, i, o->b, o->a);
	if (j->scaled[o->b])
		return add_scaled(j, i, o->a, o->b);
	return alu(j, i, ALU_ADD, wide);
}

static u32 multiply(struct jit *j, u32 i, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	s32 imm;

	if (x86_imm_fits(j, o->b, wide, &imm)) {
		struct x86_rm a = x86_rm_of(j, o->a);

		emit_op(j, 0x69 | width(wide), jit_def(j, i), a);
		emit32(j, (u32)imm);
		return i;
	}
	struct x86_rm b = x86_rm_of(j, o->b);
	struct src a = src_of(j, o->a);
	u8 d = jit_def(j, i), t = is_reg(&b, d) && !is_reg(&a.rm, d) ? jit_temp(j) : d;

	src_to(j, t, &a);
	emit_op(j, 0xaf | MAP_0F | width(wide), t, b);
	x86_move(j, d, t);
	return i;
}

/* The result is in @r, the operands have been read: any other temporary may take it. */
static u32 result_from(struct jit *j, u32 i, u8 r)
{
	j->locked = 1u << r;
	x86_move(j, jit_def(j, i), r);
	return i;
}

/* a op ~b, where op is AND or OR; XNOR as a ^ ~b. */
static u32 alu_not(struct jit *j, u32 i, enum x86_alu op, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	struct x86_rm a = x86_rm_of(j, o->a);
	u8 b = jit_use(j, o->b), t;

	if (op == ALU_AND && j->features & X86_BMI1) {
		emit_vex(j, 0xf2 | MAP_0F38 | width(wide), jit_def(j, i), b, a);
		return i;
	}
	t = jit_temp(j);
	x86_move(j, t, b);
	emit_op(j, 0xf7 | width(wide), 2, rm_reg(t));		/* NOT */
	x86_alu(j, op, wide, t, a);
	return result_from(j, i, t);
}

/* ---- shifts: digit 4 SHL, 5 SHR, 7 SAR, 1 ROR ---- */

static u32 shift_cl(struct jit *j, u32 i, u8 digit, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	struct src a, b;
	u8 t;

	jit_take(j, RCX);
	b = src_of(j, o->b);
	t = jit_temp(j);
	a = src_of(j, o->a);
	src_to(j, t, &a);
	src_to(j, RCX, &b);
	emit_op(j, 0xd3 | width(wide), digit, rm_reg(t));
	return result_from(j, i, t);
}

static u32 shift(struct jit *j, u32 i, u8 digit, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u64 count;

	if (ir_is_const(j->ir, o->b, &count)) {
		s32 off;
		u32 put = wide && digit != 1 ? jit_in_place(j, i, o->a, &off) : 0;

		count &= wide ? 63 : 31;
		if (put) {
			emit_op(j, 0xc1 | OP_W, digit, rm_state(off));
			emit8(j, (u8)count);
			return put;
		}
		if (digit == 1 && j->features & X86_BMI2) {
			struct x86_rm a = x86_rm_of(j, o->a);

			emit_vex(j, 0xf0 | MAP_0F3A | PRE_F2 | width(wide), jit_def(j, i), 0, a);
			emit8(j, (u8)count);
			return i;
		}
		struct src a = src_of(j, o->a);
		u8 d = jit_def(j, i);

		if (digit == 4 && count <= 3 && !a.constant && !a.fp && !a.rm.mem &&
		    a.rm.reg != d) {
			x86_lea(j, wide, d, count == 1 ? rm_index(a.rm.reg, a.rm.reg, 0, 0) :
					    rm_index(NO_REG, a.rm.reg, (u8)count, 0));
			return i;
		}
		src_to(j, d, &a);
		x86_shift_imm(j, digit, wide, d, (u8)count);
		return i;
	}
	if (digit == 1 || !(j->features & X86_BMI2))
		return shift_cl(j, i, digit, wide);
	struct x86_rm a = x86_rm_of(j, o->a);
	u8 b = jit_use(j, o->b);
	u32 prefix = digit == 4 ? PRE_66 : digit == 5 ? PRE_F2 : PRE_F3;

	emit_vex(j, 0xf7 | MAP_0F38 | prefix | width(wide), jit_def(j, i), b, a);
	return i;
}

/* ---- multiplication's upper half, division: RDX:RAX ---- */

static u32 high(struct jit *j, u32 i, bool a_signed, bool b_signed)
{
	const struct ir_op *o = &j->ir->op[i];
	struct x86_rm b;
	struct src a;

	jit_take(j, RAX);
	jit_take(j, RDX);
	b = x86_rm_of(j, o->b);
	a = src_of(j, o->a);
	src_to(j, RAX, &a);
	emit_op(j, 0xf7 | OP_W, a_signed && b_signed ? 5 : 4, b);
	if (a_signed && !b_signed) {		/* a was less by 2^64 if negative */
		src_to(j, RAX, &a);
		x86_shift_imm(j, 7, true, RAX, 63);
		x86_alu(j, ALU_AND, true, RAX, b);
		x86_alu(j, ALU_SUB, true, RDX, rm_reg(RAX));
	}
	return result_from(j, i, RDX);
}

/* Division by zero, and by -1, where the CPU would trap on the smallest number. */
static void cold_divide(struct jit *j, struct jit_cold *c)
{
	bool remainder = c->r[0], wide = c->r[1], ones = c->r[2];

	x86_fix(j, c->from[0]);
	if (remainder)
		emit_op(j, 0x89 | width(wide), RAX, rm_reg(RDX));
	else
		x86_imm(j, RAX, !ones ? 0 : wide ? ~0ull : UINT32_MAX);
	x86_jmp_to(j, c->back);
	if (!c->from[1])
		return;
	x86_fix(j, c->from[1]);
	if (remainder)
		x86_imm(j, RDX, 0);
	else
		emit_op(j, 0xf7 | width(wide), 3, rm_reg(RAX));		/* NEG */
	x86_jmp_to(j, c->back);
}

/* The SEL behind quotient @i that makes it all ones where the divisor is 0, as in RISC-V; or 0. */
static u32 ones_by_zero(const struct jit *j, u32 i, bool wide)
{
	u32 n = jit_next_op(j, i);
	const struct ir_op *sel = &j->ir->op[n];
	u64 ones;

	return j->ir->op[i].uses == 1 && n < j->ir->count &&
	       sel->op == (wide ? IR_SEL64 : IR_SEL32) && sel->b == i &&
	       sel->a == j->ir->op[i].b && ir_is_const(j->ir, sel->c, &ones) &&
	       (wide ? ones : ones | ~0ull << 32) == ~0ull ? n : 0;
}

/* Division by zero gives 0 and leaves the dividend as remainder. */
static u32 divide(struct jit *j, u32 i, bool is_signed, bool remainder, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 sel = remainder ? 0 : ones_by_zero(j, i, wide);
	struct jit_cold *c;
	struct src a;
	u8 b;

	jit_take(j, RAX);
	jit_take(j, RDX);
	b = jit_use(j, o->b);
	a = src_of(j, o->a);
	src_to(j, RAX, &a);
	c = jit_cold(j, cold_divide);
	c->r[0] = remainder, c->r[1] = wide, c->r[2] = sel != 0;
	emit_op(j, 0x85 | width(wide), b, rm_reg(b));
	c->from[0] = x86_jcc(j, CC_X_E);
	if (is_signed) {
		x86_alu_imm(j, ALU_CMP, wide, rm_reg(b), -1);
		c->from[1] = x86_jcc(j, CC_X_E);
		if (wide)
			emit8(j, 0x48);
		emit8(j, 0x99);				/* CQO */
	} else {
		x86_imm(j, RDX, 0);
	}
	emit_op(j, 0xf7 | width(wide), is_signed ? 7 : 6, rm_reg(b));
	c->back = j->at;
	i = sel ? sel : i;
	result_from(j, i, remainder ? RDX : RAX);
	return i;
}

/* ---- comparisons ---- */

void x86_compare(struct jit *j, const struct ir_op *o, bool wide)
{
	s32 imm;

	if (x86_imm_fits(j, o->b, wide, &imm)) {
		struct x86_rm a = x86_rm_of(j, o->a);

		if (imm == 0 && !a.mem)
			emit_op(j, 0x85 | width(wide), a.reg, a);	/* TEST */
		else
			x86_alu_imm(j, ALU_CMP, wide, a, imm);
		return;
	}
	u8 a = jit_use(j, o->a);

	x86_alu(j, ALU_CMP, wide, a, x86_rm_of(j, o->b));
}

static u32 set(struct jit *j, u32 i, enum x86_cc cc, bool wide)
{
	u8 d;

	x86_compare(j, &j->ir->op[i], wide);
	d = jit_def(j, i);		/* moves, which leave the flags alone, at most */
	emit_op(j, 0x90 | (u32)cc | MAP_0F | OP_BYTE, 0, rm_reg(d));
	emit_op(j, 0xb6 | MAP_0F | OP_BYTE, d, rm_reg(d));
	return i;
}

/* d = cc ? a : b of what was compared. */
static void choose(struct jit *j, enum x86_cc cc, bool wide, u8 d, const struct x86_rm *a,
		   const struct x86_rm *b)
{
	if (is_reg(a, d)) {
		emit_op(j, 0x40 | (u32)(cc ^ 1) | MAP_0F | width(wide), d, *b);
		return;
	}
	if (!is_reg(b, d))
		emit_op(j, 0x8b | width(wide), d, *b);
	emit_op(j, 0x40 | (u32)cc | MAP_0F | width(wide), d, *a);
}

static u32 minmax(struct jit *j, u32 i, enum x86_cc cc, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	struct x86_rm a = rm_reg(jit_use(j, o->a)), b = x86_rm_of(j, o->b);

	x86_alu(j, ALU_CMP, wide, a.reg, b);
	choose(j, cc, wide, jit_def(j, i), &a, &b);
	return i;
}

static u32 select(struct jit *j, u32 i, bool wide)
{
	const struct ir_op *o = &j->ir->op[i];
	struct x86_rm a, b, c;

	if (j->ir->op[o->a].op == IR_CONST)
		return 0;
	a = x86_rm_of(j, o->b);
	b = x86_rm_of(j, o->c);
	c = x86_rm_of(j, o->a);
	if (c.mem)
		x86_alu_imm(j, ALU_CMP, wide, c, 0);
	else
		emit_op(j, 0x85 | width(wide), c.reg, c);
	if (!c.mem && !is_reg(&a, c.reg) && !is_reg(&b, c.reg))
		j->locked &= ~(1u << c.reg);		/* it has been read */
	choose(j, CC_X_NE, wide, jit_def(j, i), &a, &b);
	return i;
}

/* ---- one operand ---- */

/* @op reads the operand and writes the result, without a move. */
static u32 unary(struct jit *j, u32 i, u32 op)
{
	struct x86_rm a = x86_rm_of(j, j->ir->op[i].a);

	emit_op(j, op, jit_def(j, i), a);
	return i;
}

static u32 bswap(struct jit *j, u32 i, bool wide)
{
	struct src a = src_of(j, j->ir->op[i].a);
	u8 d = jit_def(j, i);

	src_to(j, d, &a);
	if (wide || d >= R8)
		emit8(j, (u8)(0x40 | (wide ? 8 : 0) | d >> 3));
	emit8(j, 0x0f);
	emit8(j, (u8)(0xc8 | (d & 7)));
	return i;
}

static void field_shifts(struct jit *j, bool is_signed, bool wide, u8 d, u32 end, u32 len)
{
	u32 top = wide ? 64 : 32;

	if (end < top)
		x86_shift_imm(j, 4, wide, d, (u8)(top - end));
	if (len < top)
		x86_shift_imm(j, is_signed ? 7 : 5, wide, d, (u8)(top - len));
}

/* imm = position | length << 8. */
static u32 field(struct jit *j, u32 i, bool is_signed)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 at = o->imm & 63, len = MIN((u32)(o->imm >> 8), 64 - at), end = at + len;
	struct x86_rm a = x86_rm_of(j, o->a);
	bool wide = end > 32 || (is_signed && end < 32);
	u8 d = jit_def(j, i);

	emit_op(j, (is_signed && !wide ? 0x63 | OP_W : 0x8b) | width(wide), d, a);
	if (is_signed && !wide)			/* MOVSXD has done the left shift */
		x86_shift_imm(j, 7, true, d, (u8)at);
	else if (!wide && at == 0)
		x86_alu_imm(j, ALU_AND, false, rm_reg(d), (s32)MASK(len));
	else
		field_shifts(j, is_signed, wide, d, end, len);
	return i;
}

static u32 if_has(struct jit *j, u32 feature, u32 i, u32 op)
{
	return j->features & feature ? unary(j, i, op) : 0;
}

#define BOTH(name)	case IR_##name##32: case IR_##name##64

u32 x86_op_int(struct jit *j, u32 i)
{
	enum ir_opcode op = j->ir->op[i].op;
	/* The 64-bit one of a pair follows the 32-bit one. */
	bool wide = (op & 1) == (IR_ADD64 & 1);

	switch (op) {
	BOTH(ADD):	return add(j, i, wide);
	BOTH(SUB):	return alu(j, i, ALU_SUB, wide);
	case IR_AND64:
		if (x86_clears_target(j, (val_t)i))
			return copy(j, i);
		return alu(j, i, ALU_AND, true);
	case IR_AND32:	return alu(j, i, ALU_AND, false);
	BOTH(OR):	return alu(j, i, ALU_OR, wide);
	BOTH(XOR):	return alu(j, i, ALU_XOR, wide);
	BOTH(ANDN):	return alu_not(j, i, ALU_AND, wide);
	BOTH(ORN):	return alu_not(j, i, ALU_OR, wide);
	BOTH(XNOR):	return alu_not(j, i, ALU_XOR, wide);
	BOTH(MUL):	return multiply(j, i, wide);
	BOTH(SHL):	return shift(j, i, 4, wide);
	BOTH(SHR):	return shift(j, i, 5, wide);
	BOTH(SAR):	return shift(j, i, 7, wide);
	BOTH(ROTR):	return shift(j, i, 1, wide);
	case IR_MULHU64: return high(j, i, false, false);
	case IR_MULHS64: return high(j, i, true, true);
	case IR_MULHSU64: return high(j, i, true, false);
	BOTH(DIVU):	return divide(j, i, false, false, wide);
	BOTH(REMU):	return divide(j, i, false, true, wide);
	BOTH(DIVS):	return divide(j, i, true, false, wide);
	BOTH(REMS):	return divide(j, i, true, true, wide);
	BOTH(MINU):	return minmax(j, i, CC_X_B, wide);
	BOTH(MAXU):	return minmax(j, i, CC_X_A, wide);
	BOTH(MINS):	return minmax(j, i, CC_X_L, wide);
	BOTH(MAXS):	return minmax(j, i, CC_X_G, wide);
	BOTH(SETEQ):	return set(j, i, CC_X_E, wide);
	BOTH(SETNE):	return set(j, i, CC_X_NE, wide);
	BOTH(SETLTU):	return set(j, i, CC_X_B, wide);
	BOTH(SETLEU):	return set(j, i, CC_X_BE, wide);
	BOTH(SETLTS):	return set(j, i, CC_X_L, wide);
	BOTH(SETLES):	return set(j, i, CC_X_LE, wide);
	BOTH(CLZ):	return if_has(j, X86_LZCNT, i, 0xbd | MAP_0F | PRE_F3 | width(wide));
	BOTH(CTZ):	return if_has(j, X86_BMI1, i, 0xbc | MAP_0F | PRE_F3 | width(wide));
	BOTH(POPCNT):	return if_has(j, X86_POPCNT, i, 0xb8 | MAP_0F | PRE_F3 | width(wide));
	BOTH(BSWAP):	return bswap(j, i, wide);
	BOTH(SEL):	return select(j, i, wide);
	case IR_SX8:	return unary(j, i, 0xbe | MAP_0F | OP_W | OP_BYTE);
	case IR_SX16:	return unary(j, i, 0xbf | MAP_0F | OP_W);
	case IR_SX32:	return unary(j, i, 0x63 | OP_W);
	case IR_ZX8:	return unary(j, i, 0xb6 | MAP_0F | OP_BYTE);
	case IR_ZX16:	return unary(j, i, 0xb7 | MAP_0F);
	case IR_ZX32:	return unary(j, i, 0x8b);
	case IR_BFXU:	return field(j, i, false);
	case IR_BFXS:	return field(j, i, true);
	default:	return 0;
	}
}
