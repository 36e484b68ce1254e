/*
 * NaNs on their way through a block: random short programs over few registers and operands that
 * are mostly NaNs of all sorts and what makes them. Wherever a program ends, at a breakpoint, a
 * fault, a branch out of the block or after some rounds of a loop, every register has to hold the
 * guest's NaN, and so has memory. The judge is fpmodel.c.
 */
#include "emit.h"
#include "fpmodel.h"

enum kind {
	ADD, SUB, MUL, DIV, SQRT, WIDTH, FMA, SIGN_SAME, SIGN_NOT, SIGN_PRODUCT, MIN, LESS, MOVE_X,
	MOVE_F, LOAD, STORE, QUIET, HELPER, BRANCH, KINDS,
};
enum end { BREAK, BAD_LOAD, BAD_STORE, TAKEN, JUMP, INDIRECT, LOOP, ENDS };
enum { RMEM = 5, RBAD = 6, RTO = 7, RCOUNT = 8, RFLAGS = 9, RX = 10, XS = 6 };
enum { PROGRAMS = 1500, RUNS = 3, LENGTH = 20, ROUNDS = 3 };

struct insn {
	enum kind kind;
	u32 w, d, a, b, c, off;
};
struct world {
	u64 f[32], x[32], flags;
	u8 memory[64];
};

static struct insn program[LENGTH];
static u32 length;
static enum end end;
static u64 at_end;			/* address of the instruction that traps */
static u8 memory[64] __attribute__((aligned(64)));
static u16 code[256] __attribute__((aligned(64)));

#define PICK(table) table[random() % (sizeof(table) / sizeof(table[0]))]

static u64 operand(void)
{
	static const u64 doubles[] = {
		0x7ff8000000000000, 0x7ff8000000001234, 0xfff8000000000000, 0x7ff0000000000001,
		0xfff0000000000005, 0x7ff0000000000000, 0xfff0000000000000, 0, BIT(63),
		0x3ff0000000000000, 0xbff0000000000000, 0x4010000000000000,
	};
	static const u32 singles[] = {
		0x7fc00000, 0x7fc01234, 0xffc00000, 0x7f800001, 0xff800005, 0x7f800000, 0xff800000,
		0, 0x80000000, 0x3f800000, 0xbf800000, 0x40800000,
	};

	return random() % 2 ? PICK(doubles) : PICK(singles) | ~0ull << 32;
}

/* ---- what a program is ---- */

static void program_make(void)
{
	u32 w = random() % 2 ? 64 : 32, regs = 2 + random() % 30;

	length = 1 + random() % LENGTH;
	end = random() % ENDS;
	for (u32 i = 0; i < length; i++) {
		u64 v = random();

		program[i] = (struct insn){
			.kind = v % 2 ? v >> 1 & 3 : (v >> 1) % KINDS,
			.w = v >> 8 & 15 ? w : 96 - w,
			.d = (v >> 12) % regs, .a = (v >> 20) % regs, .b = (v >> 28) % regs,
			.c = (v >> 36) % regs, .off = v >> 44 & (v >> 50 & 1 ? 48 : 55),
		};
	}
}

static void insn_emit(const struct insn *i)
{
	static const u32 of[KINDS] = {
		0x7053, 0x08007053, 0x10007053, 0x18007053, 0x58007053, 0, 0x7043, 0x20000053,
		0x20001053, 0x20002053, 0x28000053, 0xa0001053, 0xe0000053, 0xf0000053,
	};
	bool wide = i->w == 64;
	u32 op = of[i->kind] | wide << 25, x = RX + i->d % XS;

	switch (i->kind) {
	case SQRT:	emit(r_type(op, i->d, i->a, 0)); break;
	case WIDTH:	emit(r_type(wide ? 0x42007053 : 0x40107053, i->d, i->a, 0)); break;
	case FMA:	emit(r_type(op | i->c << 27, i->d, i->a, i->b)); break;
	case LESS:	emit(r_type(op, x, i->a, i->b)); break;
	case MOVE_X:	emit(r_type(op, x, i->a, 0)); break;
	case MOVE_F:	emit(r_type(op, i->d, RX + i->a % XS, 0)); break;
	case LOAD:	emit(i_type(OP_FLD - (wide ? 0 : 0x1000), i->d, RMEM, i->off)); break;
	case STORE:	emit(s_type(OP_FSD - (wide ? 0 : 0x1000), RMEM, i->b, i->off)); break;
	case QUIET:
		emit(i_type(0x2073, RFLAGS, 0, 1));		/* frflags */
		emit(r_type(of[LESS] | wide << 25, x, i->a, i->b));
		emit(i_type(0x1073, 0, RFLAGS, 1));		/* fsflags */
		break;
	case HELPER:	emit(i_type(0x2073, x, 0, 3)); break;	/* frcsr */
	case BRANCH:	emit(b_type(OP_BNE, 0, 0, 8)); break;
	default:	emit(r_type(op, i->d, i->a, i->b)); break;
	}
}

static void loop_emit(void)
{
	emit(addi(RCOUNT, RCOUNT, -1));
	emit(b_type(OP_BNE, RCOUNT, 0, (s32)((code - at) * 2)));
}

static void program_emit(void)
{
	at = code;
	for (u32 i = 0; i < length; i++)
		insn_emit(&program[i]);
	if (end == BAD_LOAD)
		emit(i_type(OP_FLD, program[0].d, RBAD, 0));
	else if (end == BAD_STORE)
		emit(s_type(OP_FSD, RBAD, program[0].d, 0));
	else if (end == TAKEN)
		emit(b_type(OP_BNE, RMEM, 0, 16));
	else if (end == JUMP)
		emit(j_type(0, 16));
	else if (end == INDIRECT)
		emit(RTO << 15 | 0x67);
	else if (end == LOOP)
		loop_emit();
	at_end = (u64)at - (end == BAD_LOAD || end == BAD_STORE ? 4 : 0) +
		 (end == TAKEN || end == JUMP ? 12 : 0);
	for (u32 i = 0; i < 4; i++)
		emit(EBREAK);
	fence_i();
}

/* ---- what it does ---- */

static u64 read_f(const struct world *m, u32 n, u32 w)
{
	return w == 64 ? m->f[n] : m->f[n] >> 32 == 0xffffffff ? (u32)m->f[n] : 0x7fc00000;
}

static void move_model(struct world *m, const struct insn *i)
{
	u64 v = 0, bytes = i->w / 8;

	if (i->kind == MOVE_X) {
		m->x[RX + i->d % XS] = i->w == 64 ? m->f[i->a] : (u64)(s32)m->f[i->a];
		return;
	}
	if (i->kind == STORE) {
		for (u32 k = 0; k < bytes; k++)
			m->memory[i->off + k] = (u8)(m->f[i->b] >> 8 * k);
		return;
	}
	for (u32 k = 0; i->kind == LOAD && k < bytes; k++)
		v |= (u64)m->memory[i->off + k] << 8 * k;
	if (i->kind == MOVE_F)
		v = m->x[RX + i->a % XS];
	m->f[i->d] = i->w == 64 ? v : v | ~0ull << 32;
}

static void insn_model(struct world *m, const struct insn *i)
{
	struct fp_model fp = { RNE, 0 };
	u32 w = i->w, from = i->kind == WIDTH ? 96 - w : w, x = RX + i->d % XS;
	u64 a = read_f(m, i->a, from), b = read_f(m, i->b, w), c = read_f(m, i->c, w), v = 0;
	u64 sign = BIT(w - 1);

	switch (i->kind) {
	case ADD:	v = fp_add(&fp, w, a, b); break;
	case SUB:	v = fp_add(&fp, w, a, b ^ sign); break;
	case MUL:	v = fp_mul(&fp, w, a, b); break;
	case DIV:	v = fp_div(&fp, w, a, b); break;
	case SQRT:	v = fp_sqrt(&fp, w, a); break;
	case WIDTH:	v = fp_convert(&fp, from, w, a); break;
	case FMA:	v = fp_fma(&fp, w, a, b, c); break;
	case SIGN_SAME:	v = (a & ~sign) | (b & sign); break;
	case SIGN_NOT:	v = (a & ~sign) | (~b & sign); break;
	case SIGN_PRODUCT: v = a ^ (b & sign); break;
	case MIN:	v = fp_minmax(&fp, w, a, b, false); break;
	case LESS:	m->x[x] = fp_compare(&fp, w, a, b, FLT); m->flags |= fp.flags; return;
	case QUIET:
		m->x[RFLAGS] = m->flags;
		m->x[x] = fp_compare(&fp, w, a, b, FLT);
		return;
	case HELPER:	m->x[x] = m->flags; return;
	case BRANCH:	return;
	default:	move_model(m, i); return;
	}
	m->f[i->d] = w == 64 ? v : v | ~0ull << 32;
	m->flags |= fp.flags;
}

/* ---- both ---- */

static u64 differs(const struct world *m, const struct regs *out)
{
	u64 bad = (out->fcsr != m->flags) + (out->epc != at_end);

	for (u32 i = 0; i < 32; i++)
		bad += out->f[i] != m->f[i];
	for (u32 i = RFLAGS; i < RX + XS; i++)
		bad += out->x[i] != m->x[i];
	for (u32 i = 0; i < sizeof(memory); i++)
		bad += memory[i] != m->memory[i];
	return bad;
}

static u64 run_wrong(void)
{
	static struct regs in, out;
	static struct world m;

	regs_random(&in);
	for (u32 i = 0; i < 32; i++)
		m.f[i] = in.f[i] = operand();
	for (u32 i = 0; i < sizeof(memory); i++)
		m.memory[i] = memory[i] = (u8)(operand() >> i % 8 * 8);
	in.x[RMEM] = (u64)memory;
	in.x[RBAD] = BIT(50);
	in.x[RTO] = at_end;
	in.x[RCOUNT] = ROUNDS;
	for (u32 i = 0; i < 32; i++)
		m.x[i] = in.x[i];
	m.flags = 0;
	probe(&in, &out, (u64)code, read_csr(mstatus) | MPP);
	for (u32 round = 0; round < (end == LOOP ? ROUNDS : 1); round++)
		for (u32 i = 0; i < length; i++)
			insn_model(&m, &program[i]);
	return differs(&m, &out);
}

void isa_main(void)
{
	u64 bad[ENDS] = { 0 };

	set_csr(mstatus, FS);
	for (u32 i = 0; i < PROGRAMS; i++) {
		program_make();
		program_emit();
		for (u32 run = 0; run < RUNS; run++)
			bad[end] += run_wrong() != 0;
	}
	CHECK_EQ(bad[BREAK], 0);
	CHECK_EQ(bad[BAD_LOAD], 0);
	CHECK_EQ(bad[BAD_STORE], 0);
	CHECK_EQ(bad[TAKEN], 0);
	CHECK_EQ(bad[JUMP], 0);
	CHECK_EQ(bad[INDIRECT], 0);
	CHECK_EQ(bad[LOOP], 0);
}
