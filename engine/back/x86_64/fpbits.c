/*
 * FP registers of x86-64 as bits: suspects that become the guest's NaNs, the boxes of singles,
 * signs, and the sticky flags.
 */
#include "engine/back/x86_64/asm.h"

/* ---- suspects ---- */

void x86_nans_find(struct jit *j, u32 regs, struct x86_nans *n)
{
	n->count = 0;
	for (u32 dbl = 0; dbl < 2; dbl++) {
		u32 set = j->suspects.regs[dbl] & regs;

		while (set) {
			struct x86_nan_pair *p = &n->pair[n->count++];

			p->dbl = dbl;
			p->r[0] = p->r[1] = (u8)__builtin_ctz(set);
			set &= set - 1;
			if (set)
				p->r[1] = (u8)__builtin_ctz(set);
			set &= set - 1;
			emit_fcompare(j, dbl, false, p->r[0], rm_reg(p->r[1]));
			p->from = x86_jcc(j, CC_X_P);
			p->back = j->at;
		}
	}
}

static void nan_fix(struct jit *j, const struct x86_nan_pair *p)
{
	x86_fix(j, p->from);
	for (u32 k = 0; k < 2; k++) {
		u8 *number;

		emit_fcompare(j, p->dbl, false, p->r[k], rm_reg(p->r[k]));
		number = x86_jcc_short(j, CC_X_NP);
		x86_fload(j, p->r[k], rm_state(FRAME(j, mask[NAN_S + p->dbl])), OP_W);
		x86_fix_short(j, number);
	}
	x86_jmp_to(j, p->back);
}

void x86_nans_fix(struct jit *j, const struct x86_nans *n)
{
	for (u32 k = 0; k < n->count; k++)
		nan_fix(j, &n->pair[k]);
}

static void cold_nans(struct jit *j, struct jit_cold *c)
{
	nan_fix(j, &(struct x86_nan_pair){ .from = c->from[0], .back = c->back, .dbl = c->n,
					   .r = { c->r[0], c->r[1] } });
}

/* One without a partner takes another, which would be compared at the block's end. */
void x86_settle(struct jit *j, u32 regs)
{
	struct x86_nans n;

	for (u32 k = 0; k < 2; k++) {
		u32 set = j->suspects.regs[k] & regs, rest = j->suspects.regs[k] & ~regs;

		if (__builtin_popcount(set) % 2)
			regs |= rest & ~X86_FTEMPS & -(rest & ~X86_FTEMPS);
	}
	x86_nans_find(j, regs, &n);
	for (u32 k = 0; k < n.count; k++) {
		struct jit_cold *c = jit_cold(j, cold_nans);

		c->from[0] = n.pair[k].from;
		c->back = n.pair[k].back;
		c->n = n.pair[k].dbl;
		c->r[0] = n.pair[k].r[0];
		c->r[1] = n.pair[k].r[1];
	}
	j->suspects.regs[0] &= ~regs;
	j->suspects.regs[1] &= ~regs;
}
/* ---- bits ---- */

static u32 box(struct jit *j, u32 i)
{
	u8 a = jit_fuse(j, j->ir->op[i].a), d = jit_fdef(j, i);

	emit_fp3(j, 0x56 | MAP_0F, d, a, rm_state(FRAME(j, mask[MASK_BOX])));
	j->born.regs[0] |= (j->suspects.regs[0] >> a & 1) << d;
	j->boxed[i] = true;
	return i;
}

static void cold_unbox(struct jit *j, struct jit_cold *c)
{
	x86_fix(j, c->from[0]);
	x86_store(j, rm_state(FRAME(j, saved[0])), RAX);
	x86_imm(j, RAX, 0x7fc00000);
	emit_fp(j, 0x6e | MAP_0F | PRE_66, c->r[0], rm_reg(RAX));
	x86_load(j, RAX, rm_state(FRAME(j, saved[0])));
	x86_jmp_to(j, c->back);
}

/* Somebody wants the unboxed bits themselves. */
static u32 unbox(struct jit *j, u32 i)
{
	val_t v = j->ir->op[i].a;
	u8 a, d, t;
	struct jit_cold *c;

	if (j->lazy[i])
		return i;
	a = jit_fuse(j, v);
	t = jit_temp(j);
	d = jit_fdef(j, i);
	x86_from_fp(j, t, a);
	emit_op(j, 0x6e | MAP_0F | PRE_66, d, rm_reg(t));	/* zero-extends */
	x86_shift_imm(j, 5, true, t, 32);
	x86_alu_imm(j, ALU_CMP, false, rm_reg(t), -1);
	c = jit_cold(j, cold_unbox);
	c->from[0] = x86_jcc(j, CC_X_NE);
	c->back = j->at;
	c->r[0] = d;
	return i;
}

/* The frame's mask that is @v, or with @inverted its complement; 0: none. */
static u32 mask_of(const struct jit *j, val_t v, bool inverted)
{
	u64 c;

	if (!ir_is_const(j->ir, v, &c))
		return 0;
	return c == BIT(63) ? (inverted ? MASK_ABS_D : MASK_SIGN_D) :
	       c == BIT(31) ? (inverted ? MASK_ABS_S : MASK_SIGN_S) : 0;
}

/* Sign bits: AND, ANDN, OR, XOR of values in FP registers. */
static u32 bits(struct jit *j, u32 i, u8 opcode)
{
	const struct ir_op *o = &j->ir->op[i];
	bool andn = opcode == 0x55;		/* complements its first operand */
	u32 mask = mask_of(j, o->b, andn);

	if (mask) {
		u8 a = jit_fuse(j, o->a);

		emit_fp3(j, (andn ? 0x54 : opcode) | MAP_0F, jit_fdef(j, i), a,
			 rm_state(FRAME(j, mask[mask])));
		return i;
	}
	u8 first = jit_fuse(j, andn ? o->b : o->a), second = jit_fuse(j, andn ? o->a : o->b);
	u8 d = jit_fdef(j, i);
	u8 t = !x86_avx(j) && d == second && d != first ? jit_ftemp(j) : d;

	emit_fp3(j, opcode | MAP_0F, t, first, rm_reg(second));
	x86_fmove(j, d, t);
	return i;
}
/* ---- the sticky flags: those in MXCSR and those in the gcpu ---- */

static struct x86_rm gcpu_flags(struct jit *j, u8 t)
{
	x86_load(j, t, rm_state(FRAME(j, g)));
	return rm_mem(t, offsetof(struct gcpu, fp_flags));
}

static u32 get_flags(struct jit *j, u32 i)
{
	u8 d = jit_def(j, i), t = jit_temp(j);
	struct x86_rm state = rm_state(FRAME(j, fp_state));

	emit_op(j, 0xae | MAP_0F, 3, state);			/* STMXCSR */
	emit_op(j, 0x8b, d, state);
	x86_alu_imm(j, ALU_AND, false, rm_reg(d), 0x3f);
	emit_op(j, 0xb6 | MAP_0F, d, rm_index(STATE, d, 0, FRAME(j, flags) - STATE_BIAS));
	emit_op(j, 0x0a | OP_BYTE, d, gcpu_flags(j, t));	/* OR */
	return i;
}

static u32 set_flags(struct jit *j, u32 i)
{
	struct x86_rm state = rm_state(FRAME(j, fp_state));
	u8 s, t;

	if (j->lazy[i])
		return i;
	s = jit_use(j, j->ir->op[i].a);
	t = jit_temp(j);
	emit_op(j, 0x88 | OP_BYTE, s, gcpu_flags(j, t));
	emit_op(j, 0xae | MAP_0F, 3, state);
	x86_alu_imm(j, ALU_AND, false, state, ~0x3f);
	emit_op(j, 0xae | MAP_0F, 2, state);			/* LDMXCSR */
	return i;
}
u32 x86_op_fpbits(struct jit *j, u32 i)
{
	switch (j->ir->op[i].op) {
	case IR_FFLAGS:	return get_flags(j, i);
	case IR_SETFFLAGS: return set_flags(j, i);
	case IR_BOX32:	return j->kind[i] == KIND_FP ? box(j, i) : 0;
	case IR_UNBOX32: return j->kind[i] == KIND_FP ? unbox(j, i) : 0;
	case IR_AND64:	return bits(j, i, 0x54);
	case IR_ANDN64:	return bits(j, i, 0x55);
	case IR_OR64:	return bits(j, i, 0x56);
	case IR_XOR64:	return bits(j, i, 0x57);
	default:	return 0;
	}
}
