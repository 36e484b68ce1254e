/*
 * Floating point on x86-64: SSE2, or AVX and FMA where the CPU has them. MXCSR is the guest's
 * while its code runs: rounding mode and sticky flags.
 *
 * The CPU and the guest agree on all results but NaNs, and on all flags but some that come with
 * NaNs of FMA. Arithmetic takes one NaN for another, so a result is a suspect (jit.h) until
 * somebody else looks at it: then it is compared, and a NaN becomes the guest's. A NaN of FMA, and
 * of a single that somebody sees without its box, goes the slow way at once, where SoftFloat
 * computes it again from the same operands. Flags that the CPU raised are raised there too.
 *
 * A single sits in the low half of a register with anything above it. An UNBOX32 that only
 * arithmetic uses is not computed: its operand is checked where it is used.
 */
#include "engine/back/x86_64/asm.h"
#include "engine/fp/fp.h"

#define MXCSR_MASKS	0x1f80		/* all exceptions masked */

static u8 flags_of(u32 m)
{
	return (u8)((m & 1 ? FP_NV : 0) | (m & 4 ? FP_DZ : 0) | (m & 8 ? FP_OF : 0) |
		    (m & 16 ? FP_UF : 0) | (m & 32 ? FP_NX : 0));
}

void x86_setup(struct jit_frame *f)
{
	f->mask[MASK_BOX][0] = ~0ull << 32;
	f->mask[MASK_SIGN_D][0] = BIT(63);
	f->mask[MASK_SIGN_S][0] = BIT(31);
	f->mask[MASK_ABS_D][0] = ~BIT(63);
	f->mask[MASK_ABS_S][0] = ~BIT(31);
	f->mask[NAN_S][0] = ~0ull << 32 | 0x7fc00000;
	f->mask[NAN_D][0] = 0x7ff8ull << 48;
	for (u32 m = 0; m < sizeof(f->flags); m++)
		f->flags[m] = flags_of(m);
}

u32 x86_fp_state(u32 rm)
{
	static const u8 rc[8] = { [FP_RNE] = 0, [FP_RTZ] = 3, [FP_RDN] = 1, [FP_RUP] = 2 };

	return MXCSR_MASKS | (u32)rc[rm & 7] << 13;
}

u8 x86_fp_flags(u32 *state)
{
	u32 m = *state;

	*state = m & ~0x3fu;
	return flags_of(m);
}

/* ---- instructions ---- */

void emit_fp(struct jit *j, u32 op, u8 reg, struct x86_rm rm)
{
	if (x86_avx(j))
		emit_vex(j, op, reg, 0, rm);
	else
		emit_op(j, op, reg, rm);
}

void emit_fp3(struct jit *j, u32 op, u8 d, u8 a, struct x86_rm rm)
{
	if (x86_avx(j)) {
		emit_vex(j, op, d, a, rm);
		return;
	}
	x86_fmove(j, d, a);
	emit_op(j, op, d, rm);
}

void x86_fmove(struct jit *j, u8 d, u8 s)
{
	if (d != s)
		emit_fp(j, 0x28 | MAP_0F, d, rm_reg(s));
}

void x86_to_fp(struct jit *j, u8 d, u8 s)
{
	emit_fp(j, 0x6e | MAP_0F | PRE_66 | OP_W, d, rm_reg(s));
}

void x86_from_fp(struct jit *j, u8 d, u8 s)
{
	emit_fp(j, 0x7e | MAP_0F | PRE_66 | OP_W, s, rm_reg(d));
}

static u32 scalar(bool dbl)
{
	return MAP_0F | (dbl ? PRE_F2 : PRE_F3);
}

void x86_fload(struct jit *j, u8 d, struct x86_rm rm, u32 how)
{
	emit_fp(j, 0x10 | scalar(how & OP_W) | (how & OP_GUEST), d, rm);
}

void x86_fstore(struct jit *j, struct x86_rm rm, u8 s, u32 how)
{
	emit_fp(j, 0x11 | scalar(how & OP_W) | (how & OP_GUEST), s, rm);
}

void emit_fcompare(struct jit *j, bool dbl, bool signal, u8 a, struct x86_rm b)
{
	emit_fp(j, (signal ? 0x2f : 0x2e) | MAP_0F | (dbl ? PRE_66 : 0), a, b);
}

/* ---- operands and the slow way ---- */

/* An operation under way: what it reads, and the jumps to the slow way so far. */
struct fp_op {
	u32 i;
	bool dbl;
	u8 n;			/* operands */
	val_t v[3];		/* what is read: an unboxing's operand */
	u8 unbox;		/* bit n: operand n is to be unboxed */
	u8 scratch;		/* a temporary, taken before the first branch */
	struct place src[3];	/* where they are, before the result gets its register */
	u8 *from[4];
	u32 jumps;
};

#define UNORDERED	3	/* ->from[] of a comparison that does not find NaNs the slow way */

static void slow_if(struct jit *j, struct fp_op *f, enum x86_cc cc)
{
	f->from[f->jumps++] = x86_jcc(j, cc);
}

static void upper_check(struct jit *j, struct fp_op *f, u8 r)
{
	if (x86_avx(j)) {		/* VPTEST: carry: all bits of the mask are set */
		emit_fp(j, 0x17 | MAP_0F38 | PRE_66, r, rm_state(FRAME(j, mask[MASK_BOX])));
		slow_if(j, f, CC_X_AE);
		return;
	}
	x86_from_fp(j, f->scratch, r);
	x86_shift_imm(j, 5, true, f->scratch, 32);
	x86_alu_imm(j, ALU_CMP, false, rm_reg(f->scratch), -1);
	slow_if(j, f, CC_X_NE);
}

/*
 * Go the slow way unless @v, which an operand unboxes, is a single's box. That may come back
 * here with anything in @v, so nothing has been learnt about it.
 */
static void box_check(struct jit *j, struct fp_op *f, val_t v)
{
	const struct place *p = &j->place[v];

	if (j->boxed[v])
		return;
	if (p->freg != NO_REG) {
		upper_check(j, f, p->freg);
		return;
	}
	if (p->reg == NO_REG && p->mem) {
		x86_alu_imm(j, ALU_CMP, false, rm_state(p->off + 4), -1);
	} else {
		x86_move(j, f->scratch, p->reg);
		x86_shift_imm(j, 5, true, f->scratch, 32);
		x86_alu_imm(j, ALU_CMP, false, rm_reg(f->scratch), -1);
	}
	slow_if(j, f, CC_X_NE);
}

static struct fp_op fp_begin(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	const val_t v[3] = { o->a, o->b, o->c };
	struct fp_op f = { .i = i };

	for (f.n = 0; f.n < 3 && v[f.n]; f.n++) {
		f.v[f.n] = jit_root(j, v[f.n]);
		if (f.v[f.n] != v[f.n])
			f.unbox |= (u8)(1 << f.n);
	}
	return f;
}

/* Operand @n is to be checked, and in an FP register. */
static bool is_unchecked(const struct jit *j, const struct fp_op *f, u32 n)
{
	return f->unbox >> n & 1 && !j->boxed[f->v[n]] && j->place[f->v[n]].freg != NO_REG;
}

/*
 * All registers of the operation have been chosen: what follows may branch. With @t, which is no
 * operand's, those in FP registers are checked all at once.
 */
static void boxes_check(struct jit *j, struct fp_op *f, u8 t)
{
	u8 all = NO_REG, count = 0;

	f->scratch = jit_temp(j);
	for (u32 n = 0; n < f->n; n++)
		count += is_unchecked(j, f, n);
	for (u32 n = 0; n < f->n; n++) {
		u8 r = j->place[f->v[n]].freg;

		if (count < 2 || t == NO_REG || !is_unchecked(j, f, n)) {
			if (f->unbox >> n & 1)
				box_check(j, f, f->v[n]);
		} else if (all == NO_REG) {
			all = r;
		} else {
			emit_fp3(j, 0x54 | MAP_0F, t, all, rm_reg(r));		/* ANDPS */
			all = t;
		}
	}
	if (all != NO_REG)
		upper_check(j, f, t);
}

/* An operand in a register or in memory. */
static struct x86_rm fp_rm_of(struct jit *j, val_t v)
{
	const struct place *p = &j->place[v];

	if (p->freg == NO_REG && p->reg == NO_REG && p->mem)
		return rm_state(p->off);
	return rm_reg(jit_fuse(j, v));
}

/* Operands as they were, through the result's register where they are in memory. */
static void cold_args(struct jit *j, const struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];
	const val_t v[3] = { o->a, o->b, o->c };
	u8 t = c->r[0];

	for (u32 n = 0; n < 3 && v[n]; n++) {
		const struct place *p = &c->src[n];
		struct x86_rm to = rm_state(FRAME(j, arg[0]) + 8 * (s32)n);
		val_t root = jit_root(j, v[n]);

		if (p->freg != NO_REG) {
			x86_fstore(j, to, p->freg, OP_W);
		} else if (p->reg != NO_REG) {
			x86_store(j, to, p->reg);
		} else if (j->ir->op[root].op == IR_CONST) {
			j->t->store_imm(j, FRAME(j, arg[0]) + 8 * (s32)n, j->ir->op[root].imm);
		} else if (c->r[2]) {			/* the result is an integer */
			x86_load(j, t, rm_state(p->off));
			x86_store(j, to, t);
		} else {
			x86_fload(j, t, rm_state(p->off), OP_W);
			x86_fstore(j, to, t, OP_W);
		}
	}
}

static void cold_fix(struct jit *j, const struct jit_cold *c)
{
	for (u32 k = 0; k < ARRAY_LEN(c->from); k++)
		if (c->from[k])
			x86_fix(j, c->from[k]);
}

static void cold_fp(struct jit *j, struct jit_cold *c)
{
	cold_fix(j, c);
	cold_args(j, c);
	x86_slow(j, c->site);
	if (c->r[2])
		x86_load(j, c->r[1], rm_state(FRAME(j, ret)));
	else
		x86_fload(j, c->r[1], rm_state(FRAME(j, ret)), OP_W);
	x86_jmp_to(j, c->back);
}

/* What the fast way does is written: register the slow one. @t is scratch, @d gets the result. */
static struct jit_cold *fp_end(struct jit *j, const struct fp_op *f, u8 t, u8 d, bool integer)
{
	const struct ir_op *o = &j->ir->op[f->i];
	struct jit_cold *c;

	if (!f->jumps && !f->from[UNORDERED])
		return NULL;
	c = jit_cold(j, cold_fp);
	if (!integer) {			/* it may have been written */
		c->suspects.regs[0] &= ~(1u << d);
		c->suspects.regs[1] &= ~(1u << d);
	}
	c->op = f->i;
	for (u32 k = 0; k < ARRAY_LEN(c->from); k++)
		c->from[k] = f->from[k];
	for (u32 n = 0; n < ARRAY_LEN(c->src); n++)
		c->src[n] = f->src[n];
	c->back = j->at;
	c->site = jit_site(j, SITE_OP, o->op | (u64)o->aux << 16 | (o->imm | (u64)f->unbox << 24)
			   << 32, 0);
	c->r[0] = t;
	c->r[1] = d;
	c->r[2] = integer;
	return c;
}

/* ---- rounding ---- */

/* ---- arithmetic ---- */

/* A NaN is left to whoever looks at it; but a single must be one that is boxed or computed with. */
static bool may_suspect(const struct jit *j, const struct fp_op *f)
{
	return f->dbl || j->narrow[f->i];
}

/* No slow way needs the operands. */
static bool in_place(const struct jit *j, const struct fp_op *f)
{
	enum ir_opcode op = j->ir->op[f->i].op;

	for (u32 n = 0; n < f->n; n++)
		if (f->unbox >> n & 1 && !j->boxed[f->v[n]])
			return false;
	return (op <= IR_FSQRT || op == IR_FCVT) && may_suspect(j, f);
}

/* The result's register, and where to compute it so that the operands survive. */
static u8 result_of(struct jit *j, struct fp_op *f, u8 *t)
{
	u8 used[3] = { NO_REG, NO_REG, NO_REG };
	u8 d;

	for (u32 n = 0; n < f->n; n++)
		used[n] = j->place[f->v[n]].freg;
	d = jit_fdef(j, f->i);
	*t = d;
	if (in_place(j, f) && (x86_avx(j) || used[0] == d || f->n < 2))
		return d;
	for (u32 n = 0; n < f->n; n++)
		if (used[n] == d)
			*t = NO_REG;
	if (*t == NO_REG)
		*t = jit_ftemp(j);
	return d;
}

/* A single's register has anything in its upper half: clear it if somebody would see that. */
static void single_finish(struct jit *j, const struct fp_op *f, u8 d)
{
	if (f->dbl || j->narrow[f->i])
		return;
	emit_fp(j, 0x7e | MAP_0F | PRE_66, d, rm_reg(f->scratch));
	emit_fp(j, 0x6e | MAP_0F | PRE_66, d, rm_reg(f->scratch));
}

/* A NaN goes the slow way. */
static u32 nan_finish(struct jit *j, struct fp_op *f, u8 t, u8 d)
{
	emit_fcompare(j, f->dbl, false, t, rm_reg(t));
	slow_if(j, f, CC_X_P);
	x86_fmove(j, d, t);
	single_finish(j, f, d);
	fp_end(j, f, t, d, false);
	return f->i;
}

static u32 nan_suspect(struct jit *j, struct fp_op *f, u8 t, u8 d)
{
	x86_fmove(j, d, t);
	j->born.regs[f->dbl] |= 1u << d;
	fp_end(j, f, t, d, false);
	return f->i;
}

/* Operands have been fetched: note where they are, for the slow way. */
static void places_keep(const struct jit *j, struct fp_op *f)
{
	for (u32 n = 0; n < f->n; n++)
		f->src[n] = j->place[f->v[n]];
}

static u32 binary(struct jit *j, u32 i, u8 opcode)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = fp_begin(j, i);
	struct x86_rm b;
	u8 a, d, t;

	if (!jit_rounds_right(j, o) || !jit_is_single_or_double(o->aux))
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	b = fp_rm_of(j, f.v[f.n - 1]);
	a = f.n == 2 ? jit_fuse(j, f.v[0]) : NO_REG;
	places_keep(j, &f);
	d = result_of(j, &f, &t);
	boxes_check(j, &f, t);
	if (f.n == 2)
		emit_fp3(j, opcode | scalar(f.dbl), t, a, b);
	else if (b.mem || x86_avx(j))
		emit_fp3(j, opcode | scalar(f.dbl), t, b.mem ? t : b.reg, b);
	else
		emit_op(j, opcode | scalar(f.dbl), t, b);
	return may_suspect(j, &f) ? nan_suspect(j, &f, t, d) : nan_finish(j, &f, t, d);
}

static u32 fma(struct jit *j, u32 i)
{
	static const u8 form213[4] = { 0xa9, 0xad, 0xab, 0xaf };
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = fp_begin(j, i);
	struct x86_rm a, c;
	u8 b, d, t;

	if (!(j->features & X86_FMA) || !jit_rounds_right(j, o) || !jit_is_single_or_double(o->aux))
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	a = fp_rm_of(j, f.v[0]);
	c = fp_rm_of(j, f.v[2]);
	b = jit_fuse(j, f.v[1]);
	places_keep(j, &f);
	d = result_of(j, &f, &t);
	boxes_check(j, &f, t);
	if (a.mem)
		x86_fload(j, t, a, width(f.dbl));
	else
		x86_fmove(j, t, a.reg);
	emit_vex(j, form213[o->imm & 3] | MAP_0F38 | PRE_66 | width(f.dbl), t, b, c);
	return nan_finish(j, &f, t, d);
}

/* NaNs go the slow way; equal operands may be zeros of two signs: OR prefers -0, AND +0. */
static u32 minmax(struct jit *j, u32 i, bool max)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = fp_begin(j, i);
	u8 a, b, d, t, *differ, *end;

	if (!jit_is_single_or_double(o->aux) || o->imm || j->isa->fp->min != FP_MIN_RISCV)
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	a = jit_fuse(j, f.v[0]);
	b = jit_fuse(j, f.v[1]);
	places_keep(j, &f);
	d = result_of(j, &f, &t);
	boxes_check(j, &f, t);
	emit_fcompare(j, f.dbl, false, a, rm_reg(b));
	slow_if(j, &f, CC_X_P);
	differ = x86_jcc_short(j, CC_X_NE);
	emit_fp3(j, (max ? 0x54 : 0x56) | MAP_0F, t, a, rm_reg(b));
	end = x86_jmp_short(j);
	x86_fix_short(j, differ);
	emit_fp3(j, (max ? 0x5f : 0x5d) | scalar(f.dbl), t, a, rm_reg(b));
	x86_fix_short(j, end);
	x86_fmove(j, d, t);
	single_finish(j, &f, d);
	fp_end(j, &f, t, d, false);
	return i;
}

/* ---- comparison, with the SETEQ or SETLEU that asks for its result ---- */

/* The SETFFLAGS after the comparison; the flags are where the third operand would be. */
static void cold_restore(struct jit *j, const struct jit_cold *c)
{
	const struct place *p = &c->src[2];
	struct x86_rm to = rm_state(FRAME(j, arg[0]));

	u8 r = p->reg;

	if (r == NO_REG)
		x86_load(j, r = c->r[0], rm_state(p->off));
	x86_store(j, to, r);
	x86_slow(j, jit_site(j, SITE_OP, IR_SETFFLAGS, 0));
}

static void cold_compare(struct jit *j, struct jit_cold *c)
{
	u8 *unordered = c->from[UNORDERED];

	c->from[UNORDERED] = NULL;
	if (c->from[0]) {
		cold_fix(j, c);
		cold_args(j, c);
		x86_slow(j, c->site);
		x86_alu_imm(j, ALU_CMP, false, rm_state(FRAME(j, ret)), c->n);
		emit_op(j, 0x90 | (u32)c->r[3] | MAP_0F | OP_BYTE, 0, rm_reg(c->r[1]));
		emit_op(j, 0xb6 | MAP_0F | OP_BYTE, c->r[1], rm_reg(c->r[1]));
	}
	if (unordered) {
		x86_fix(j, unordered);
		cold_restore(j, c);
	}
	x86_jmp_to(j, c->back);
}

/* Neither changes a flag nor leaves the block. */
static bool is_quiet(enum ir_opcode op)
{
	return op == IR_NOP || op == IR_CONST || op == IR_GET64 || op == IR_PUT64;
}

/*
 * Compilers save the flags before a signalling comparison that should be quiet, and restore them
 * after it: nothing is to be restored but after a NaN. The saved flags, or 0; @n is the operation
 * after FCMP @i.
 */
static val_t flags_kept(struct jit *j, u32 i, u32 n)
{
	const struct ir_op *op = j->ir->op;
	val_t saved;
	u32 k = n;

	do
		k++;
	while (k < j->ir->count && is_quiet(op[k].op));
	if (k >= j->ir->count || op[k].op != IR_SETFFLAGS || op[op[k].a].op != IR_FFLAGS)
		return 0;
	saved = op[k].a;
	while (--i > saved)
		if (!is_quiet(op[i].op) && op[i].op != IR_UNBOX32)
			return 0;
	j->lazy[k] = true;
	return saved;
}

static u32 compare(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = fp_begin(j, i);
	struct jit_fcompare how;
	val_t flags = 0;
	u8 a, b, d, t;

	if (!jit_fcompare(j, i, &how))
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	a = jit_fuse(j, f.v[0]);
	b = jit_fuse(j, f.v[1]);
	places_keep(j, &f);
	d = jit_def(j, how.set);
	boxes_check(j, &f, NO_REG);
	t = f.scratch;
	if (how.want == 0) {
		emit_fcompare(j, f.dbl, o->imm & 1, a, rm_reg(b));
		emit_op(j, 0x90 | CC_X_NP | MAP_0F | OP_BYTE, 0, rm_reg(t));
		emit_op(j, 0x90 | CC_X_E | MAP_0F | OP_BYTE, 0, rm_reg(d));
		emit_op(j, 0x22 | OP_BYTE, d, rm_reg(t));
		emit_op(j, 0xb6 | MAP_0F | OP_BYTE, d, rm_reg(d));
	} else {		/* a < b: b is above; unordered sets the carry */
		flags = flags_kept(j, i, how.set);
		emit_fcompare(j, f.dbl, o->imm & 1, b, rm_reg(a));
		emit_op(j, 0x90 | (how.less_equal ? CC_X_AE : CC_X_A) | MAP_0F | OP_BYTE, 0,
			rm_reg(d));
		emit_op(j, 0xb6 | MAP_0F | OP_BYTE, d, rm_reg(d));
		if (flags)
			f.from[UNORDERED] = x86_jcc(j, CC_X_P);
	}
	if (flags)
		f.src[2] = j->place[flags];
	struct jit_cold *c = fp_end(j, &f, t, d, true);

	if (c) {
		c->write = cold_compare;
		c->n = (s32)how.want;
		c->r[3] = how.less_equal ? CC_X_BE : CC_X_E;
	}
	return how.set;
}

/* ---- conversions ---- */

/*
 * Unsigned: only what lies in [0, bound) is done here, which the bits tell, being in order; so no
 * flag is raised for a value that turns out not to fit. A double just below 2^32 may be rounded to
 * it, so unless that is cut off the bound is 2^31.
 */
static void bound_check(struct jit *j, struct fp_op *f, bool wide, bool chop, u8 a)
{
	u8 t = f->scratch;
	u32 bound = !f->dbl ? (wide ? 0x5f000000 : 0x4f800000) :
		    wide ? 0x43e00000 : chop ? 0x41f00000 : 0x41e00000;

	emit_fp(j, 0x7e | MAP_0F | PRE_66 | width(f->dbl), a, rm_reg(t));
	if (f->dbl)
		x86_shift_imm(j, 5, true, t, 32);
	x86_alu_imm(j, ALU_CMP, false, rm_reg(t), (s32)bound);
	slow_if(j, f, CC_X_AE);
}

static u32 to_int(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = fp_begin(j, i);
	bool wide = o->imm == IR_S64 || o->imm == IR_U64;
	bool is_unsigned = o->imm == IR_U32 || o->imm == IR_U64;
	bool chop = (o->aux >> 2 & 7) == FP_RTZ;
	u8 a, d, t;

	if ((!chop && !jit_rounds_right(j, o)) || !jit_is_single_or_double(o->aux))
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	a = jit_fuse(j, f.v[0]);
	places_keep(j, &f);
	d = jit_def(j, i);
	boxes_check(j, &f, NO_REG);
	t = f.scratch;
	if (is_unsigned)
		bound_check(j, &f, wide, chop, a);
	emit_fp(j, (chop ? 0x2c : 0x2d) | scalar(f.dbl) | width(wide || is_unsigned), t,
		rm_reg(a));
	if (!is_unsigned) {			/* what does not fit gives the smallest number */
		x86_alu_imm(j, ALU_CMP, wide, rm_reg(t), 1);
		slow_if(j, &f, CC_X_O);
	}
	if (wide)
		x86_move(j, d, t);
	else
		emit_op(j, 0x63 | OP_W, d, rm_reg(t));
	fp_end(j, &f, t, d, true);
	return i;
}

static u32 from_int(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f = { .i = i, .n = 1, .v = { o->a } };
	bool wide = o->imm == IR_S64 || o->imm == IR_U64;
	bool exact = !wide && (o->aux & 3) == IR_FP_D;
	u8 a, d, r;

	if ((!exact && !jit_rounds_right(j, o)) || !jit_is_single_or_double(o->aux))
		return 0;
	f.dbl = (o->aux & 3) == IR_FP_D;
	a = r = jit_use(j, o->a);
	places_keep(j, &f);
	d = jit_fdef(j, i);
	boxes_check(j, &f, NO_REG);
	if (o->imm == IR_U64) {
		emit_op(j, 0x85 | OP_W, a, rm_reg(a));
		slow_if(j, &f, CC_X_S);
	} else if (o->imm == IR_U32) {
		r = f.scratch;
		emit_op(j, 0x89, a, rm_reg(r));
	}
	emit_fp3(j, 0x57 | MAP_0F, d, d, rm_reg(d));	/* it would wait for the old value */
	if (x86_avx(j))
		emit_vex(j, 0x2a | scalar(f.dbl) | width(wide || o->imm == IR_U32), d, d,
			 rm_reg(r));
	else
		emit_op(j, 0x2a | scalar(f.dbl) | width(wide || o->imm == IR_U32), d, rm_reg(r));
	single_finish(j, &f, d);
	fp_end(j, &f, d, d, false);
	return i;
}

static u32 convert(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool to_dbl = (o->aux & 3) == IR_FP_D, from_dbl = (o->imm & 3) == IR_FP_D;
	struct fp_op f = fp_begin(j, i);
	u8 a, d, t;

	if (to_dbl == from_dbl || !jit_is_single_or_double(o->aux) ||
	    !jit_is_single_or_double((u32)o->imm) || (!to_dbl && !jit_rounds_right(j, o)))
		return 0;
	f.dbl = to_dbl;
	a = jit_fuse(j, f.v[0]);
	places_keep(j, &f);
	d = result_of(j, &f, &t);
	boxes_check(j, &f, t);
	if (x86_avx(j))
		emit_vex(j, 0x5a | scalar(from_dbl), t, a, rm_reg(a));
	else
		emit_op(j, 0x5a | scalar(from_dbl), t, rm_reg(a));
	return may_suspect(j, &f) ? nan_suspect(j, &f, t, d) : nan_finish(j, &f, t, d);
}

u32 x86_op_fp(struct jit *j, u32 i)
{
	switch (j->ir->op[i].op) {
	case IR_FADD:	return binary(j, i, 0x58);
	case IR_FSUB:	return binary(j, i, 0x5c);
	case IR_FMUL:	return binary(j, i, 0x59);
	case IR_FDIV:	return binary(j, i, 0x5e);
	case IR_FSQRT:	return binary(j, i, 0x51);
	case IR_FMA:	return fma(j, i);
	case IR_FMIN:	return minmax(j, i, false);
	case IR_FMAX:	return minmax(j, i, true);
	case IR_FCMP:	return compare(j, i);
	case IR_FTOI:	return to_int(j, i);
	case IR_ITOF:	return from_int(j, i);
	case IR_FCVT:	return convert(j, i);
	default:	return x86_op_fpbits(j, i);
	}
}
