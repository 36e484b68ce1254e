/*
 * Floating point on AArch64. FPCR and FPSR are the guest's while its code runs: rounding mode,
 * default NaNs, sticky flags. So the CPU makes the NaNs that RISC-V wants, and raises its flags,
 * but for two differences:
 *
 *  - Arm detects tininess before rounding, RISC-V after: a result that rounds up to the smallest
 *    normal number may underflow here and not there. FPSR.UFC is kept clear until the guest's flag
 *    is up: an operation that can underflow looks at its result's exponent, and if that is tiny or
 *    the smallest normal one, at UFC. If that has been raised it is taken back, and SoftFloat
 *    computes again and decides. Sums and square roots are exact where they are tiny.
 *  - FMIN, FMAX and conversions to integers treat NaNs otherwise: those go the slow way.
 *
 * Results of single operations have an upper half of zeros. An UNBOX32 that only arithmetic uses is
 * not computed: its operand is checked where it is used.
 */
#include "engine/back/aarch64/asm.h"
#include "engine/fp/fp.h"

#define FPCR_DN		(1u << 25)
#define FPCR_RMODE	22		/* shift */
enum { FPSR_IOC = 1, FPSR_DZC = 2, FPSR_OFC = 4, FPSR_UFC = 8, FPSR_IXC = 16, FPSR_FLAGS = 31 };

/* RMode in FPCR's, and the conversions', encoding. FP_RMM is none for arithmetic. */
static const u8 rmode[8] = { [FP_RNE] = 0, [FP_RUP] = 1, [FP_RDN] = 2, [FP_RTZ] = 3 };

/* FPCR, with the flags of FPSR in bits where FPCR has nothing of ours. */
u32 a64_fp_state(u32 rm)
{
	return FPCR_DN | (u32)rmode[rm & 7] << FPCR_RMODE;
}

u8 a64_fp_flags(u32 *state)
{
	u32 f = *state;

	*state = f & ~(u32)FPSR_FLAGS;
	return (u8)((f & FPSR_IOC ? FP_NV : 0) | (f & FPSR_DZC ? FP_DZ : 0) |
		    (f & FPSR_OFC ? FP_OF : 0) | (f & FPSR_UFC ? FP_UF : 0) |
		    (f & FPSR_IXC ? FP_NX : 0));
}

/* ---- instructions ---- */

#define F_ADD		0x1e202800u
#define F_SUB		0x1e203800u
#define F_MUL		0x1e200800u
#define F_DIV		0x1e201800u
#define F_MAX		0x1e204800u
#define F_MIN		0x1e205800u
#define F_ABS		0x1e20c000u
#define F_NEG		0x1e214000u
#define F_SQRT		0x1e21c000u
#define F_MADD		0x1f000000u	/* | addend << 10 */
#define F_CMP		0x1e202000u
#define F_CMP_SIGNAL	0x1e202010u
#define F_CVT_S_TO_D	0x1e22c000u
#define F_CVT_D_TO_S	0x1e624000u
#define F_TO_INT	0x1e200000u	/* | rounding << 19 */
#define F_FROM_INT	0x1e220000u
#define F_UNSIGNED	0x00010000u	/* of both */
#define F_TIES_AWAY	0x00040000u
/* vectors of 8 bytes */
#define V_AND		0x0e201c00u
#define V_BIC		0x0e601c00u
#define V_ORR		0x0ea01c00u
#define V_EOR		0x2e201c00u

static u32 type(bool dbl)
{
	return (u32)dbl << 22;
}

void a64_fmove(struct jit *j, u8 d, u8 s)
{
	if (d != s)
		a64_2(j, 0x1e604000, d, s);
}

void a64_to_fp(struct jit *j, u8 d, u8 s)
{
	a64_2(j, 0x9e670000, d, s);
}

void a64_from_fp(struct jit *j, u8 d, u8 s)
{
	a64_2(j, 0x9e660000, d, s);
}

/* W[d] = S[s], and back. */
static void single_out(struct jit *j, u8 d, u8 s)
{
	a64_2(j, 0x1e260000, d, s);
}

static void single_in(struct jit *j, u8 d, u8 s)
{
	a64_2(j, 0x1e270000, d, s);
}

/* The upper half. */
static void upper_out(struct jit *j, u8 d, u8 s)
{
	a64_2(j, 0x0e0c3c00, d, s);			/* UMOV Wd, Vs.S[1] */
}

void a64_fp_constants(struct jit *j)
{
	emit(j, 0x2f07e600 | BOX_MASK);			/* MOVI D31, #0xffffffff00000000 */
}

/* ---- operands and the slow way ---- */

/* An operation under way: what it reads, and the jumps to the slow way so far. */
struct fp_op {
	u32 i;
	bool dbl;
	u8 n;			/* operands */
	val_t v[3];		/* what is read: an unboxing's operand */
	u8 r[3];		/* their registers, before the result gets its own */
	u8 unbox;		/* bit n: operand n is to be unboxed */
	u8 *from[3];
	u32 jumps;
};

static void slow_if(struct jit *j, struct fp_op *f, enum a64_cc cc)
{
	f->from[f->jumps++] = a64_bcc(j, cc);
}

static struct fp_op fp_begin(struct jit *j, u32 i, bool dbl)
{
	const struct ir_op *o = &j->ir->op[i];
	const val_t v[3] = { o->a, o->b, o->c };
	struct fp_op f = { .i = i, .dbl = dbl };

	for (; f.n < 3 && v[f.n]; f.n++) {
		f.v[f.n] = jit_root(j, v[f.n]);
		if (f.v[f.n] != v[f.n] && !j->boxed[f.v[f.n]])
			f.unbox |= (u8)(1 << f.n);
		f.r[f.n] = jit_fuse(j, f.v[f.n]);
	}
	return f;
}

/*
 * Go the slow way unless what operands unbox are singles' boxes. All registers of the operation
 * have been chosen: what follows may branch. That may come back with anything in them, so nothing
 * has been learnt about the values.
 */
static void boxes_check(struct jit *j, struct fp_op *f)
{
	u8 all = NO_REG, t = f->unbox & (f->unbox - 1) ? jit_temp(j) : NO_REG;

	for (u32 n = 0; n < f->n; n++) {
		if (!(f->unbox >> n & 1))
			continue;
		upper_out(j, all == NO_REG ? SCRATCH : t, f->r[n]);
		if (all != NO_REG)
			a64_3(j, A_AND, SCRATCH, SCRATCH, t);
		all = SCRATCH;
	}
	if (all == NO_REG)
		return;
	a64_cmp_imm(j, false, SCRATCH, -1);
	slow_if(j, f, NE);
}

static void cold_fix(struct jit *j, const struct jit_cold *c)
{
	for (u32 k = 0; k < ARRAY_LEN(c->from); k++)
		if (c->from[k])
			a64_fix(j, c->from[k]);
}

/* Operands as they were. */
static void cold_args(struct jit *j, const struct jit_cold *c)
{
	for (u32 n = 0; n < 3; n++)
		if (c->src[n].freg != NO_REG)
			a64_state(j, A_STR_D, c->src[n].freg, FRAME(j, arg[0]) + 8 * (s32)n);
}

/*
 * The slow way of an operation; c->r[0] is the result's register, c->r[1] whether that is an
 * integer's. What came by c->from[TINY] goes back at once if the guest's underflow flag is up
 * anyway, or Arm's is not.
 */
#define TINY	3

static void back_if(struct jit *j, u32 bit, enum a64_cc cc, const u8 *back)
{
	a64_logic_imm(j, A_ANDS, false, ZR, SCRATCH, bit);
	a64_fix_to(a64_bcc(j, cc), back);
}

static void cold_fp(struct jit *j, struct jit_cold *c)
{
	u8 *tiny = c->from[TINY];

	if (tiny) {
		a64_fix(j, tiny);
		c->from[TINY] = NULL;
		a64_state(j, A_LDR, SCRATCH, FRAME(j, g));
		a64_mem(j, A_LOAD(0), SCRATCH, SCRATCH, offsetof(struct gcpu, fp_flags));
		back_if(j, FP_UF, NE, tiny + 4);
		emit(j, A_MRS_FPSR | SCRATCH);
		back_if(j, FPSR_UFC, EQ, tiny + 4);
		a64_logic_imm(j, A_AND, true, SCRATCH, SCRATCH, ~(u64)FPSR_UFC);
		emit(j, A_MSR_FPSR | SCRATCH);
	}
	cold_fix(j, c);
	cold_args(j, c);
	a64_slow(j, c->site);
	a64_state(j, c->r[1] ? A_LDR : A_LDR_D, c->r[0], FRAME(j, ret));
	a64_b_to(j, c->back);
}

/* What the fast way does is written: register the slow one. @d gets the result. */
static struct jit_cold *fp_end(struct jit *j, const struct fp_op *f, u8 d, bool integer, u8 *tiny)
{
	const struct ir_op *o = &j->ir->op[f->i];
	struct jit_cold *c;

	if (!f->jumps && !tiny)
		return NULL;
	c = jit_cold(j, cold_fp);
	c->op = f->i;
	for (u32 k = 0; k < f->jumps; k++)
		c->from[k] = f->from[k];
	c->from[TINY] = tiny;
	for (u32 n = 0; n < 3; n++)
		c->src[n].freg = n < f->n ? f->r[n] : NO_REG;
	c->back = j->at;
	c->site = jit_site(j, SITE_OP, o->op | (u64)o->aux << 16 |
			   (o->imm | (u64)f->unbox << SLOW_UNBOX) << 32, 0);
	c->r[0] = d;
	c->r[1] = integer;
	return c;
}

/* ---- rounding ---- */

/* The rounding mode of @o: its own or the guest's. */
static bool is_double(u32 aux)
{
	return (aux & 3) == IR_FP_D;
}

/* ---- arithmetic ---- */

/* The result's register; *t: where to compute it so that the operands survive until it is known. */
static u8 result_of(struct jit *j, struct fp_op *f, u8 *t)
{
	u8 d = jit_fdef(j, f->i);

	*t = d;
	for (u32 n = 0; n < f->n; n++)
		if (f->r[n] == d) {
			*t = jit_ftemp(j);
			break;
		}
	return d;
}

/* The result in @t may have underflown if its exponent is 0 or 1; then it goes to @d. */
static u32 tiny_finish(struct jit *j, struct fp_op *f, u8 t, u8 d)
{
	u8 *tiny;

	if (f->dbl)
		a64_from_fp(j, SCRATCH, t);
	else
		single_out(j, SCRATCH, t);
	a64_logic_imm(j, A_ANDS, f->dbl, ZR, SCRATCH, f->dbl ? 0x3ffull << 53 : 0x7f << 24);
	tiny = a64_bcc(j, EQ);
	a64_fmove(j, d, t);
	fp_end(j, f, d, false, tiny);
	return f->i;
}

/* What is exact where it is tiny. */
static u32 plain(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f;
	u8 d;

	if (!jit_rounds_right(j, o) || !jit_is_single_or_double(o->aux))
		return 0;
	f = fp_begin(j, i, is_double(o->aux));
	d = jit_fdef(j, i);
	boxes_check(j, &f);
	if (f.n == 2)
		a64_3(j, op | type(f.dbl), d, f.r[0], f.r[1]);
	else
		a64_2(j, op | type(f.dbl), d, f.r[0]);
	fp_end(j, &f, d, false, NULL);
	return i;
}

static u32 product(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f;
	u8 d, t;

	if (!jit_rounds_right(j, o) || !jit_is_single_or_double(o->aux))
		return 0;
	f = fp_begin(j, i, is_double(o->aux));
	d = result_of(j, &f, &t);
	boxes_check(j, &f);
	if (f.n == 3)
		op |= (u32)f.r[2] << 10;
	a64_3(j, op | type(f.dbl), t, f.r[0], f.r[1]);
	return tiny_finish(j, &f, t, d);
}

static u32 fma(struct jit *j, u32 i)
{
	/* By what is negated: nothing, the product, the addend, both. */
	static const u32 form[4] = { 0, 0x8000, 0x208000, 0x200000 };

	return product(j, i, F_MADD | form[j->ir->op[i].imm & 3]);
}

/* Zeros have an order here and there. */
static u32 minmax(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	struct fp_op f;
	u8 d;

	if (!jit_is_single_or_double(o->aux) || o->imm || j->isa->fp->min != FP_MIN_RISCV)
		return 0;
	f = fp_begin(j, i, is_double(o->aux));
	d = jit_fdef(j, i);
	boxes_check(j, &f);
	a64_3(j, F_CMP | type(f.dbl), 0, f.r[0], f.r[1]);
	slow_if(j, &f, VS);
	a64_3(j, op | type(f.dbl), d, f.r[0], f.r[1]);
	fp_end(j, &f, d, false, NULL);
	return i;
}

/* ---- comparison, with the SETEQ or SETLEU that asks for its result ---- */

static void cold_compare(struct jit *j, struct jit_cold *c)
{
	cold_fix(j, c);
	cold_args(j, c);
	a64_slow(j, c->site);
	a64_state(j, A_LDR, SCRATCH, FRAME(j, ret));
	a64_cmp_imm(j, false, SCRATCH, c->n);
	a64_cset(j, c->r[0], c->r[2]);
	a64_b_to(j, c->back);
}

static u32 compare(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	struct jit_fcompare how;
	struct jit_cold *c;
	struct fp_op f;
	u8 d;

	if (!jit_fcompare(j, i, &how))
		return 0;
	f = fp_begin(j, i, is_double(o->aux));
	d = jit_def(j, how.set);
	boxes_check(j, &f);
	a64_3(j, (o->imm & 1 ? F_CMP_SIGNAL : F_CMP) | type(f.dbl), 0, f.r[0], f.r[1]);
	a64_cset(j, d, how.less_equal ? LS : how.want ? MI : EQ);
	c = fp_end(j, &f, d, true, NULL);
	if (c) {
		c->write = cold_compare;
		c->n = (s32)how.want;
		c->r[2] = how.less_equal ? LS : EQ;
	}
	return how.set;
}

/* ---- conversions ---- */

static bool is_wide(enum ir_int k)
{
	return k == IR_S64 || k == IR_U64;
}

static bool is_unsigned(enum ir_int k)
{
	return k == IR_U32 || k == IR_U64;
}

/* What does not fit becomes what RISC-V wants, but for NaNs. */
static u32 to_int(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool wide = is_wide(o->imm);
	u32 rm = jit_rounding(j, o);
	struct fp_op f;
	u8 d;

	if (rm > FP_RMM || !jit_is_single_or_double(o->aux) || j->isa->fp->integer != FP_INT_RISCV)
		return 0;
	f = fp_begin(j, i, is_double(o->aux));
	d = jit_def(j, i);
	boxes_check(j, &f);
	a64_3(j, F_CMP | type(f.dbl), 0, f.r[0], f.r[0]);
	slow_if(j, &f, VS);
	a64_2(j, F_TO_INT | A64_W(wide) | type(f.dbl) | (is_unsigned(o->imm) ? F_UNSIGNED : 0) |
		 (rm == FP_RMM ? F_TIES_AWAY : (u32)rmode[rm] << 19), d, f.r[0]);
	if (!wide)
		a64_bfm(j, A_SBFM, true, d, d, 0, 31);
	fp_end(j, &f, d, true, NULL);
	return i;
}

static u32 from_int(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool wide = is_wide(o->imm), dbl = is_double(o->aux), exact = !wide && dbl;
	u8 a;

	if ((!exact && !jit_rounds_right(j, o)) || !jit_is_single_or_double(o->aux))
		return 0;
	a = a64_use(j, o->a);
	a64_2(j, F_FROM_INT | A64_W(wide) | type(dbl) | (is_unsigned(o->imm) ? F_UNSIGNED : 0),
	      jit_fdef(j, i), a);
	return i;
}

static u32 convert(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool to_dbl = is_double(o->aux), from_dbl = is_double((u32)o->imm);
	struct fp_op f;
	u8 d, t;

	if (to_dbl == from_dbl || !jit_is_single_or_double(o->aux) ||
	    !jit_is_single_or_double((u32)o->imm) || (!to_dbl && !jit_rounds_right(j, o)))
		return 0;
	f = fp_begin(j, i, to_dbl);
	if (!to_dbl) {
		d = result_of(j, &f, &t);
		a64_2(j, F_CVT_D_TO_S, t, f.r[0]);
		return tiny_finish(j, &f, t, d);
	}
	d = jit_fdef(j, i);
	boxes_check(j, &f);
	a64_2(j, F_CVT_S_TO_D, d, f.r[0]);
	fp_end(j, &f, d, false, NULL);
	return i;
}

/* ---- bits ---- */

static u32 box(struct jit *j, u32 i)
{
	u8 a = jit_fuse(j, j->ir->op[i].a);

	a64_3(j, V_ORR, jit_fdef(j, i), a, BOX_MASK);
	j->boxed[i] = true;
	return i;
}

/* Somebody wants the unboxed bits themselves. */
static u32 unbox(struct jit *j, u32 i)
{
	val_t v = j->ir->op[i].a;
	u8 a = jit_fuse(j, v), t;

	if (j->boxed[v]) {
		a64_2(j, 0x1e204000, jit_fdef(j, i), a);	/* FMOV Sd, Sn */
		return i;
	}
	t = jit_temp(j);
	upper_out(j, t, a);
	a64_cmp_imm(j, false, t, -1);
	single_out(j, SCRATCH, a);
	a64_imm(j, t, 0x7fc00000);
	a64_csel(j, false, SCRATCH, SCRATCH, t, EQ);
	single_in(j, jit_fdef(j, i), SCRATCH);
	return i;
}

/* FNEG and FABS, which clear what is above a single. */
static bool sign_change(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	u64 mask = 0;
	bool dbl;
	u8 a;

	ir_is_const(j->ir, o->b, &mask);
	dbl = mask == BIT(63);
	if ((op != V_EOR && op != V_BIC) || (!dbl && (mask != BIT(31) || !j->narrow[i])))
		return false;
	a = jit_fuse(j, o->a);
	a64_2(j, (op == V_EOR ? F_NEG : F_ABS) | type(dbl), jit_fdef(j, i), a);
	return true;
}

/* Sign bits: of values in FP registers. */
static u32 bits(struct jit *j, u32 i, u32 op)
{
	const struct ir_op *o = &j->ir->op[i];
	u8 a, b;

	if (sign_change(j, i, op))
		return i;
	a = jit_fuse(j, o->a);
	b = jit_fuse(j, o->b);

	a64_3(j, op, jit_fdef(j, i), a, b);
	return i;
}

u32 a64_op_fp(struct jit *j, u32 i)
{
	switch (j->ir->op[i].op) {
	case IR_FADD:	return plain(j, i, F_ADD);
	case IR_FSUB:	return plain(j, i, F_SUB);
	case IR_FMUL:	return product(j, i, F_MUL);
	case IR_FDIV:	return product(j, i, F_DIV);
	case IR_FSQRT:	return plain(j, i, F_SQRT);
	case IR_FMA:	return fma(j, i);
	case IR_FMIN:	return minmax(j, i, F_MIN);
	case IR_FMAX:	return minmax(j, i, F_MAX);
	case IR_FCMP:	return compare(j, i);
	case IR_FTOI:	return to_int(j, i);
	case IR_ITOF:	return from_int(j, i);
	case IR_FCVT:	return convert(j, i);
	case IR_BOX32:	return j->kind[i] == KIND_FP ? box(j, i) : 0;
	case IR_UNBOX32: return j->kind[i] == KIND_FP ? unbox(j, i) : 0;
	case IR_AND64:	return bits(j, i, V_AND);
	case IR_ANDN64:	return bits(j, i, V_BIC);
	case IR_OR64:	return bits(j, i, V_ORR);
	case IR_XOR64:	return bits(j, i, V_EOR);
	default:	return 0;
	}
}
