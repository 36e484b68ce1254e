/*
 * RV64 code to IR. The loop is here; what each instruction means is a row of rv64.def, from
 * which engine/tool/decode.c makes the decoder included below.
 *
 * A block ends at a jump, at an instruction after which context, translation or interrupt
 * enables may differ, after a conditional branch backwards (it repeats a loop, most likely, and an
 * exit at the end is cheaper than one before it), after a few others and at the end of the page.
 * The first FP instruction that finds FS clean ends its block too: the next one has ctx "dirty".
 */
#include "engine/front/rv64/rv64.h"
#include "kernel/base/str.h"

#define BRANCHES_MAX	4	/* side exits a block may have before it ends */

#define STATE_X(n)	((u32)offsetof(struct rv64_state, x) + 8 * (n))
#define STATE_F(n)	((u32)offsetof(struct rv64_state, f) + 8 * (n))
_Static_assert(STATE_F(32) <= 8 * IR_MEMO, "x and f registers are remembered by the builder");

struct translation {
	const struct code_window *w;
	struct ir_block *b;
	gva_t pc, next;		/* of this and the following instruction */
	u32 branches;
	bool marked_dirty;	/* FS was clean and this instruction changes that */
};

static val_t read_x(struct translation *tr, u32 n)
{
	return n ? ir_get64(tr->b, STATE_X(n)) : ir_const(tr->b, 0);
}

static void write_x(struct translation *tr, u32 n, val_t v)
{
	if (n)
		ir_put64(tr->b, STATE_X(n), v);
}

/* FP state changes: make FS dirty, once. */
static void fp_dirty(struct translation *tr)
{
	if (tr->w->ctx & CTX_FP_DIRTY || tr->marked_dirty)
		return;
	ir_call(tr->b, &rv64_fp_dirty, 0, 0, 0);
	tr->marked_dirty = true;
}

static void write_f(struct translation *tr, u32 n, val_t v)
{
	ir_put64(tr->b, STATE_F(n), v);
	fp_dirty(tr);
}

enum sign_inject { SIGN_SAME, SIGN_OPPOSITE, SIGN_PRODUCT };

/* @x with its sign as that of @y says; @y = 0: as its own does, which makes moves and the like. */
static val_t sign_inject(struct translation *tr, val_t x, val_t y, u64 sign, enum sign_inject how)
{
	val_t mask = ir_const(tr->b, sign), v = x;

	if (how == SIGN_PRODUCT)
		return y ? ir_2(tr->b, IR_XOR64, x, ir_2(tr->b, IR_AND64, y, mask)) :
			   ir_2(tr->b, IR_ANDN64, x, mask);
	if (y)
		v = ir_2(tr->b, IR_OR64, ir_2(tr->b, IR_ANDN64, x, mask),
			 ir_2(tr->b, IR_AND64, y, mask));
	return how == SIGN_SAME ? v : ir_2(tr->b, IR_XOR64, v, mask);
}

static bool rounding_valid(const struct translation *tr, u32 rm)
{
	return rm <= 4 || (rm == 7 && tr->w->ctx & CTX_FRM);
}

static void branch_if(struct translation *tr, enum ir_opcode op, val_t x, val_t y, s64 off)
{
	ir_branch(tr->b, op, x, y, tr->pc + (u64)off);
	tr->branches = off < 0 ? BRANCHES_MAX : tr->branches + 1;
}

static void ecall(struct translation *tr)
{
	u32 priv = tr->w->ctx & CTX_PRIV;

	if (priv == PRIV_S && tr->w->ctx & CTX_SBI) {
		ir_call(tr->b, &rv64_hypercall, 0, 0, 0);
		ir_exit(tr->b, tr->next, IR_CHECK);
	} else {
		ir_except(tr->b, CAUSE_ECALL_U + priv, ir_const(tr->b, 0));
	}
}

#define CSR_FFLAGS	1

/*
 * fflags read alone or written as a whole: compilers put both around each quiet comparison, so they
 * are not left to the helper. Not where a write would make FS dirty.
 */
static bool access_fflags(struct translation *tr, u32 insn, u32 d, val_t v, bool writes)
{
	u32 funct3 = insn >> 12 & 7;

	if (insn >> 20 != CSR_FFLAGS || !(tr->w->ctx & CTX_FP) ||
	    (writes && !(tr->w->ctx & CTX_FP_DIRTY && funct3 % 4 == 1)))
		return false;
	val_t old = d ? ir_emit(tr->b, IR_FFLAGS, 0, 0, 0, 0, 0, 0) : 0;

	if (writes && tr->b->op[v].op != IR_FFLAGS)
		v = ir_2(tr->b, IR_AND64, v, ir_const(tr->b, 0x1f));
	if (writes)
		ir_1(tr->b, IR_SETFFLAGS, v);
	write_x(tr, d, old);
	return true;
}

#define CSR_SSTATUS	0x100

/*
 * sstatus read, or a bit below 32 of it cleared: kernels disable interrupts that way all the time,
 * and nothing else can come of it.
 */
static bool access_sstatus(struct translation *tr, u32 insn, u32 d, bool writes)
{
	bool clears_low = (insn >> 12 & 7) == 7;
	u64 sd = tr->w->ctx & CTX_FP_DIRTY ? MSTATUS_SD : 0;
	s32 at = offsetof(struct rv64_state, mstatus);
	val_t old, v;

	if (insn >> 20 != CSR_SSTATUS || !(tr->w->ctx & CTX_PRIV) || (writes && !clears_low))
		return false;
	old = ir_get64(tr->b, at);
	v = ir_2(tr->b, IR_AND64, old, ir_const(tr->b, SSTATUS_WRITABLE));
	write_x(tr, d, ir_2(tr->b, IR_OR64, v, ir_const(tr->b, MSTATUS_UXL | sd)));
	if (writes && insn >> 15 & MSTATUS_SIE)
		ir_put64(tr->b, at, ir_2(tr->b, IR_ANDN64, old, ir_const(tr->b, MSTATUS_SIE)));
	return true;
}

static void access_csr(struct translation *tr, u32 insn, u32 d, val_t v, bool writes)
{
	if (access_fflags(tr, insn, d, v, writes) || access_sstatus(tr, insn, d, writes))
		return;
	write_x(tr, d, ir_call(tr->b, &rv64_csr, ir_const(tr->b, insn), v, 0));
	if (writes && rv64_csr_ends_block(insn))
		ir_exit(tr->b, tr->next, IR_CHECK);
}

/* orc.b: a byte becomes 0xff unless it is 0. Bit 7 of (x & 0x7f) + 0x7f: "low bits not 0". */
static val_t or_combine_bytes(struct translation *tr, val_t x)
{
	const u64 ones = ~0ull / 255;
	val_t low = ir_const(tr->b, 0x7f * ones), any;

	any = ir_2(tr->b, IR_ADD64, ir_2(tr->b, IR_AND64, x, low), low);
	any = ir_2(tr->b, IR_ANDN64, ir_2(tr->b, IR_OR64, any, x), low);
	return ir_2(tr->b, IR_MUL64, ir_2(tr->b, IR_SHR64, any, ir_const(tr->b, 7)),
		    ir_const(tr->b, 255));
}

#include "engine/front/rv64/vocabulary.h"
#include "engine/front/rv64/decode.inc"

static void translate_insn(struct translation *tr, u32 insn)
{
	bool defined = (insn & 3) == 3 ? decode32(tr, insn) : decode16(tr, insn);

	if (!defined)
		ir_except(tr->b, CAUSE_ILLEGAL, ir_const(tr->b, insn));
	else if (tr->marked_dirty && !tr->b->ended)
		ir_exit(tr->b, tr->next, IR_CHECK);
}

/* Bytes of the instruction at @at, 0 if it does not fit in @len; *insn gets it. */
static u32 fetch(const u8 *at, u32 len, u32 *insn)
{
	if (len < 2)
		return 0;
	*insn = load_le16(at);
	if ((*insn & 3) != 3)
		return 2;
	if (len < 4)
		return 0;
	*insn = load_le32(at);
	return 4;
}

bool rv64_translate(const struct code_window *w, struct ir_block *b)
{
	struct translation tr = { .w = w, .b = b };

	while (!b->ended && tr.branches < BRANCHES_MAX) {
		u32 insn, len = fetch(w->bytes + b->bytes, w->len - b->bytes, &insn);

		tr.pc = w->pc + b->bytes;
		tr.next = tr.pc + len;
		if (!len || !ir_insn(b, tr.pc))
			break;
		translate_insn(&tr, insn);
		b->bytes += len;
	}
	return b->insns != 0;
}
