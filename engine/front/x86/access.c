/*
 * Instructions that touch memory or ports, carried out one access at a time. Nearly all of x86 that
 * devices ever see has one form: to = to ALU from, where the two are registers, immediates, memory
 * or ports. So an opcode is a row of three words, and one function takes the steps: fetch from,
 * fetch to, compute, store to, commit.
 *
 * Not here: the stack and branches through device memory, shifts, vectors. They are refused.
 */
#include "engine/front/x86/access.h"

#define EFER_LMA	BIT(10)

enum place {
	NOWHERE,
	REG, ACC, SREG,		/* ModRM's register, rAX, ModRM's segment register */
	IMM, COND,		/* the immediate; whether the opcode's condition holds */
	EA, SI, DI, PORT,	/* outside the CPU: to be asked for */
};

/* In place of an operation: what to do is in ModRM's reg. */
enum { GROUP_80 = 0x80, GROUP_F6, GROUP_FE, GROUP_BA };

#define BOTH_WAYS(op, alu) \
	[op] = { EA, REG, alu }, [op + 1] = { EA, REG, alu }, \
	[op + 2] = { REG, EA, alu }, [op + 3] = { REG, EA, alu }

static const struct x86_form one_byte[256] = {
	BOTH_WAYS(0x00, X86_ADD), BOTH_WAYS(0x08, X86_OR), BOTH_WAYS(0x10, X86_ADC),
	BOTH_WAYS(0x18, X86_SBB), BOTH_WAYS(0x20, X86_AND), BOTH_WAYS(0x28, X86_SUB),
	BOTH_WAYS(0x30, X86_XOR), BOTH_WAYS(0x38, X86_CMP), BOTH_WAYS(0x88, X86_MOV),
	[0x63] = { REG, EA, X86_MOVSX },
	[0x6c ... 0x6d] = { DI, PORT, X86_MOV },
	[0x6e ... 0x6f] = { PORT, SI, X86_MOV },
	[0x80 ... 0x83] = { EA, IMM, GROUP_80 },
	[0x84 ... 0x85] = { EA, REG, X86_TEST },
	[0x86 ... 0x87] = { EA, REG, X86_XCHG },
	[0x8c] = { EA, SREG, X86_MOV },
	[0xa0 ... 0xa1] = { ACC, EA, X86_MOV },
	[0xa2 ... 0xa3] = { EA, ACC, X86_MOV },
	[0xa4 ... 0xa5] = { DI, SI, X86_MOV },
	[0xa6 ... 0xa7] = { SI, DI, X86_CMP },
	[0xaa ... 0xab] = { DI, ACC, X86_MOV },
	[0xac ... 0xad] = { ACC, SI, X86_MOV },
	[0xae ... 0xaf] = { ACC, DI, X86_CMP },
	[0xc6 ... 0xc7] = { EA, IMM, X86_MOV },
	[0xe4 ... 0xe5] = { ACC, PORT, X86_MOV },
	[0xe6 ... 0xe7] = { PORT, ACC, X86_MOV },
	[0xec ... 0xed] = { ACC, PORT, X86_MOV },
	[0xee ... 0xef] = { PORT, ACC, X86_MOV },
	[0xf6 ... 0xf7] = { EA, IMM, GROUP_F6 },
	[0xfe ... 0xff] = { EA, IMM, GROUP_FE },
};

static const struct x86_form map_0f[256] = {
	[0x40 ... 0x4f] = { REG, EA, X86_CMOV },
	[0x90 ... 0x9f] = { EA, COND, X86_MOV },
	[0xa3] = { EA, REG, X86_BT },
	[0xab] = { EA, REG, X86_BTS },
	[0xb0 ... 0xb1] = { EA, REG, X86_CMPXCHG },
	[0xb3] = { EA, REG, X86_BTR },
	[0xb6 ... 0xb7] = { REG, EA, X86_MOV },
	[0xba] = { EA, IMM, GROUP_BA },
	[0xbb] = { EA, REG, X86_BTC },
	[0xbe ... 0xbf] = { REG, EA, X86_MOVSX },
	[0xc0 ... 0xc1] = { EA, REG, X86_XADD },
	[0xc3] = { EA, REG, X86_MOV },			/* MOVNTI */
};

static const struct x86_form groups[][8] = {
	[GROUP_80 - GROUP_80] = {
		{ EA, IMM, X86_ADD }, { EA, IMM, X86_OR }, { EA, IMM, X86_ADC },
		{ EA, IMM, X86_SBB }, { EA, IMM, X86_AND }, { EA, IMM, X86_SUB },
		{ EA, IMM, X86_XOR }, { EA, IMM, X86_CMP } },
	[GROUP_F6 - GROUP_80] = {
		{ EA, IMM, X86_TEST }, { EA, IMM, X86_TEST }, { EA, IMM, X86_NOT },
		{ EA, IMM, X86_NEG } },
	[GROUP_FE - GROUP_80] = {
		{ EA, IMM, X86_INC }, { EA, IMM, X86_DEC } },
	[GROUP_BA - GROUP_80] = {
		[4] = { EA, IMM, X86_BT }, { EA, IMM, X86_BTS }, { EA, IMM, X86_BTR },
		{ EA, IMM, X86_BTC } },
};

static struct x86_form form_of(const struct x86_insn *i)
{
	static const struct x86_form load_be = { REG, EA, X86_MOVBE };
	static const struct x86_form store_be = { EA, REG, X86_MOVBE };
	struct x86_form f = { NOWHERE };

	if (i->vex || (i->map == X86_MAP_ONE && i->op == 0x63 && i->mode != X86_MODE64))
		return f;				/* the second is ARPL */
	if (i->map == X86_MAP_ONE)
		f = one_byte[i->op];
	else if (i->map == X86_MAP_0F)
		f = map_0f[i->op];
	else if (i->map == X86_MAP_0F38 && (i->op & 0xfe) == 0xf0 && i->pp != X86_PP_F2)
		f = i->op & 1 ? store_be : load_be;
	if (f.alu >= GROUP_80)
		f = groups[f.alu - GROUP_80][i->reg & 7];
	return f;
}

/* ---- registers ---- */

/* The low @size bytes, 1 to 8. */
static u64 low(u64 v, u32 size)
{
	return v << (64 - 8 * size) >> (64 - 8 * size);
}

/* AH, CH, DH, BH: numbers 4 to 7 of bytes where there is no REX. */
static bool is_high(const struct x86_insn *i, u32 n, u32 size)
{
	return size == 1 && !i->rex && n >= 4 && n < 8;
}

static u64 reg_read(const struct x86_state *st, u32 n, u32 size)
{
	return low(st->gpr[n], size);
}

/* 32 bits clear the upper half, 8 and 16 leave the rest alone. */
static void reg_write(struct x86_state *st, u32 n, u64 v, u32 size)
{
	u64 kept = size < 4 ? ~MASK(8 * size) : 0;

	st->gpr[n] = (st->gpr[n] & kept) | low(v, size);
}

static u64 operand_read(const struct x86_state *st, const struct x86_insn *i, u32 size)
{
	if (is_high(i, i->reg, size))
		return st->gpr[i->reg - 4] >> 8 & 0xff;
	return reg_read(st, i->reg, size);
}

static void operand_write(struct x86_state *st, const struct x86_insn *i, u64 v, u32 size)
{
	u64 *high = &st->gpr[(i->reg - 4) & 15];

	if (is_high(i, i->reg, size))
		*high = (*high & ~0xff00ull) | (v & 0xff) << 8;
	else
		reg_write(st, i->reg, v, size);
}

/* ---- addresses ---- */

enum x86_mode x86_mode(const struct x86_state *st)
{
	u16 attr = st->seg[X86_CS].attr;

	if (st->efer & EFER_LMA && attr & X86_SEG_L)
		return X86_MODE64;
	return attr & X86_SEG_DB ? X86_MODE32 : X86_MODE16;
}

u64 x86_effective(const struct x86_state *st, const struct x86_insn *i)
{
	u64 ea = i->disp;

	if (i->base == X86_RIP)
		ea += st->rip + i->len;
	else if (i->base != X86_NO_REG)
		ea += st->gpr[i->base];
	if (i->index != X86_NO_REG)
		ea += st->gpr[i->index] << i->scale;
	return low(ea, i->asize);
}

u64 x86_linear(const struct x86_state *st, enum x86_mode mode, u32 seg, u64 ea)
{
	if (mode != X86_MODE64)
		return (u32)(st->seg[seg].base + ea);
	return seg == X86_FS || seg == X86_GS ? st->seg[seg].base + ea : ea;
}

/* BT and its like with a register reach beyond the operand: by its upper bits, with their sign. */
static u64 bit_offset(const struct x86_access *a, const struct x86_state *st)
{
	const struct x86_insn *i = a->insn;

	if (a->form.alu < X86_BT || a->form.alu > X86_BTC || a->form.from != REG)
		return 0;
	return (u64)((sext(st->gpr[i->reg], 8 * i->osize) >> 3) & -(s64)i->osize);
}

static u64 offset_of(const struct x86_access *a, const struct x86_state *st, enum place p)
{
	const struct x86_insn *i = a->insn;

	if (p == EA)
		return low(x86_effective(st, i) + bit_offset(a, st), i->asize);
	return reg_read(st, p == SI ? X86_RSI : X86_RDI, i->asize);
}

/* ---- steps ---- */

static bool is_outside(enum place p)
{
	return p >= EA;
}

static bool is_judge(enum x86_alu op)		/* only flags come of it */
{
	return op == X86_CMP || op == X86_TEST || op == X86_BT;
}

static enum x86_step ask(struct x86_access *a, const struct x86_state *st, enum place p, bool write)
{
	const struct x86_insn *i = a->insn;

	if (p == PORT) {
		a->va = i->imm_size ? (u8)i->imm : (u16)st->gpr[X86_RDX];
		a->step = write ? X86_OUT : X86_IN;
	} else {
		a->seg = p == DI ? X86_ES : i->seg;
		a->va = x86_linear(st, i->mode, a->seg, offset_of(a, st, p));
		a->step = write ? X86_WRITE : X86_READ;
	}
	a->value = write ? a->result : 0;
	return a->step;
}

static u64 fetch(const struct x86_access *a, const struct x86_state *st, enum place p)
{
	const struct x86_insn *i = a->insn;

	switch (p) {
	case REG:  return operand_read(st, i, a->width);
	case ACC:  return reg_read(st, X86_RAX, a->width);
	case SREG: return st->seg[i->reg & 7].sel;
	case COND: return x86_condition(st->rflags, i->op);
	default:   return low(i->imm, a->width);
	}
}

static u64 compare_exchange(struct x86_access *a, const struct x86_state *st)
{
	x86_alu(X86_CMP, a->width, st->gpr[X86_RAX], a->to, &a->rflags);
	return a->rflags & X86_ZF ? a->from : a->to;
}

static u64 compute(struct x86_access *a, const struct x86_state *st)
{
	a->rflags = st->rflags;
	switch (a->form.alu) {
	case X86_MOV:     case X86_XCHG: return a->from;
	case X86_MOVSX:   return (u64)sext(a->from, 8 * a->width);
	case X86_MOVBE:   return __builtin_bswap64(a->from) >> (64 - 8 * a->width);
	case X86_CMOV:    return x86_condition(st->rflags, a->insn->op) ? a->from : a->to;
	case X86_CMPXCHG: return compare_exchange(a, st);
	case X86_XADD:    return x86_alu(X86_ADD, a->width, a->to, a->from, &a->rflags);
	}
	return x86_alu(a->form.alu, a->width, a->to, a->from, &a->rflags);
}

static void skip(struct x86_state *st, u32 len, enum x86_mode mode)
{
	st->rip += len;
	if (mode != X86_MODE64)
		st->rip = (u32)st->rip;
	st->rflags &= ~(u64)X86_RF;
	st->shadow = 0;
}

void x86_skip(struct x86_state *st, u32 len)
{
	skip(st, len, x86_mode(st));
}

/* rSI and rDI on by an element; REP counts, and goes on while there is a reason to. */
static void string_on(struct x86_access *a, struct x86_state *st)
{
	const struct x86_insn *i = a->insn;
	u64 step = st->rflags & X86_DF ? -(u64)a->width : a->width;
	u64 left;

	if (i->mem & X86_MEM_SI)
		reg_write(st, X86_RSI, st->gpr[X86_RSI] + step, i->asize);
	if (i->mem & X86_MEM_DI)
		reg_write(st, X86_RDI, st->gpr[X86_RDI] + step, i->asize);
	if (!i->rep)
		return;
	left = low(st->gpr[X86_RCX] - 1, i->asize);
	reg_write(st, X86_RCX, left, i->asize);
	a->again = left && (a->form.alu != X86_CMP ||
			    !(st->rflags & X86_ZF) == (i->rep == 0xf2));
}

/* The second result of CMPXCHG, XADD and XCHG: what was in memory. */
static void exchange(const struct x86_access *a, struct x86_state *st)
{
	if (a->form.alu != X86_CMPXCHG)
		operand_write(st, a->insn, a->to, a->width);
	else if (!(a->rflags & X86_ZF))
		reg_write(st, X86_RAX, a->to, a->width);
}

/* All of the state that changes, changes here. */
static enum x86_step commit(struct x86_access *a, struct x86_state *st)
{
	const struct x86_insn *i = a->insn;
	enum x86_alu op = a->form.alu;

	if (a->form.to == REG && !is_judge(op))
		operand_write(st, i, a->result, i->osize);
	else if (a->form.to == ACC && !is_judge(op))
		reg_write(st, X86_RAX, a->result, a->width);
	else if (op >= X86_CMPXCHG && op <= X86_XCHG)
		exchange(a, st);
	st->rflags = a->rflags;
	if (i->mem & (X86_MEM_SI | X86_MEM_DI))
		string_on(a, st);
	if (!a->again)
		skip(st, i->len, i->mode);
	return a->step = X86_DONE;
}

enum { HAVE_FROM = 1, HAVE_TO, HAVE_STORED };

static enum x86_step go(struct x86_access *a, struct x86_state *st)
{
	const struct x86_form *f = &a->form;

	if (a->have < HAVE_FROM) {
		a->have = HAVE_FROM;
		if (is_outside(f->from))
			return ask(a, st, f->from, false);
		a->from = fetch(a, st, f->from);
	}
	if (a->have < HAVE_TO) {
		a->have = HAVE_TO;
		if (f->alu < X86_MOV && is_outside(f->to))
			return ask(a, st, f->to, false);
		if (f->alu < X86_MOV)
			a->to = fetch(a, st, f->to);
	}
	if (a->have < HAVE_STORED) {
		a->have = HAVE_STORED;
		a->result = compute(a, st);
		if (is_outside(f->to) && !is_judge(f->alu))
			return ask(a, st, f->to, true);
	}
	return commit(a, st);
}

static enum x86_step refuse(struct x86_access *a)
{
	const struct x86_insn *i = a->insn;

	if (i->vex || i->width > 8)
		a->why = "a vector instruction";
	else if (i->map == X86_MAP_ONE && (i->op == 0xff || i->op == 0x8f))
		a->why = "a push, a pop or a branch through memory";
	else
		a->why = "an instruction that is not emulated";
	return a->step = X86_REFUSED;
}

enum x86_step x86_access_begin(struct x86_access *a, struct x86_state *st,
			       const struct x86_insn *i)
{
	bool port;

	a->insn = i;
	a->form = form_of(i);
	a->have = 0;
	a->again = false;
	a->why = NULL;
	port = a->form.to == PORT || a->form.from == PORT;
	if (a->form.to == NOWHERE || (!i->mem && !port))
		return refuse(a);
	a->width = i->mem ? i->width : MIN(i->osize, 4);
	a->locked = i->prefix & X86_PREFIX_LOCK || a->form.alu == X86_XCHG;
	if (i->rep && i->mem & (X86_MEM_SI | X86_MEM_DI) && !reg_read(st, X86_RCX, i->asize)) {
		skip(st, i->len, i->mode);
		return a->step = X86_DONE;
	}
	return go(a, st);
}

enum x86_step x86_access_next(struct x86_access *a, struct x86_state *st, u64 value)
{
	value = low(value, a->width);
	if (a->step == X86_READ || a->step == X86_IN) {
		if (a->have == HAVE_FROM)
			a->from = value;
		else
			a->to = value;
	}
	return go(a, st);
}
