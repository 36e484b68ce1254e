/*
 * From a finished IR block to host code, in one pass: what kind each value is and where it is used
 * last is counted first; then each operation is written by the target or, without an inline form,
 * becomes a call of jit_slow(); then comes the cold code.
 */
#include "engine/back/jit/jit.h"

#include "kernel/base/panic.h"
#include "kernel/base/str.h"

static bool is_fp_slot(const struct jit *j, const struct ir_op *o)
{
	return o->off % 8 == 0 && o->off / 8 < IR_MEMO && j->pins->fp[o->off / 8];
}

/* Is @o's operand @n a floating-point value? */
static bool wants_fp(const struct jit *j, const struct ir_op *o, u32 n)
{
	switch (o->op) {
	case IR_FADD: case IR_FSUB: case IR_FMUL: case IR_FDIV: case IR_FSQRT: case IR_FMA:
	case IR_FMIN: case IR_FMAX: case IR_FCMP: case IR_FTOI: case IR_FCVT: case IR_FRINT:
	case IR_UNBOX32: case IR_UNBOX16: case IR_BOX32:
		return true;
	case IR_PUT64:
		return is_fp_slot(j, o);
	default:
		return false;
	}
}

static bool is_load(enum ir_opcode op)
{
	return op == IR_LDU32 || op == IR_LDU64;
}

/* Kinds that do not depend on operands. */
static enum jit_kind kind_of(const struct jit *j, const struct ir_op *o)
{
	if (ir_info[o->op].result == 'v')
		return KIND_VEC;
	switch (o->op) {
	case IR_FADD: case IR_FSUB: case IR_FMUL: case IR_FDIV: case IR_FSQRT: case IR_FMA:
	case IR_FMIN: case IR_FMAX: case IR_ITOF: case IR_FCVT: case IR_FRINT:
		return KIND_FP;
	case IR_GET64:
		return is_fp_slot(j, o) ? KIND_FP : KIND_INT;
	case IR_BOX32:
		return KIND_FP;
	case IR_UNBOX32:
	case IR_AND64: case IR_ANDN64: case IR_OR64: case IR_XOR64:	/* of sign bits */
		return (enum jit_kind)j->kind[o->a];
	default:
		return KIND_INT;
	}
}

static bool is_arithmetic(const struct ir_op *o)
{
	return o->op >= IR_FADD && o->op <= IR_FCLASS && o->op != IR_ITOF;
}

/* Does @o look at no more than the low half of its operands? */
static bool is_narrow(const struct ir_op *o)
{
	u32 format = o->op == IR_FCVT ? (u32)o->imm : o->aux;

	return o->op == IR_BOX32 || o->op == IR_ST32 ||
	       (is_arithmetic(o) && (format & 3) == IR_FP_S);
}

/* In how many ways of each kind a value is used. */
struct uses {
	u16 fp, arithmetic, narrow;
};

static void uses_count(struct jit *j, struct uses *uses)
{
	const struct ir_block *ir = j->ir;

	for (u32 i = 1; i < ir->count; i++) {
		const struct ir_op *o = &ir->op[i];
		const val_t v[3] = { o->a, o->b, o->c };

		for (u32 n = 0; n < 3; n++) {
			struct uses *u = &uses[v[n]];

			u->fp += wants_fp(j, o, n);
			u->arithmetic += is_arithmetic(o);
			u->narrow += is_narrow(o);
		}
	}
}

static bool is_scaling(const struct jit *j, val_t v)
{
	const struct ir_op *o = &j->ir->op[v];
	u64 count;

	return o->op == IR_SHL64 && o->uses == 1 && ir_is_const(j->ir, o->b, &count) &&
	       count >= 1 && count <= 3;
}

/* Sums of a value, which may be constant, and a scaled one. */
static void scaled_find(struct jit *j)
{
	const struct ir_block *ir = j->ir;

	memset(j->scaled, 0, ir->count * sizeof(j->scaled[0]));
	for (u32 i = 1; i < ir->count; i++) {
		const struct ir_op *o = &ir->op[i];
		val_t v = is_scaling(j, o->a) ? o->a : o->b;

		if (o->op != IR_ADD64 || !is_scaling(j, v))
			continue;
		j->scaled[v] = true;
		j->last[ir->op[v].a] = MAX(j->last[ir->op[v].a], (u16)i);
	}
}

static void survey_fp(struct jit *j)
{
	const struct ir_block *ir = j->ir;
	struct uses uses[IR_OPS_MAX];

	memset(uses, 0, ir->count * sizeof(uses[0]));
	memset(j->boxed, false, ir->count * sizeof(j->boxed[0]));
	uses_count(j, uses);
	for (u32 i = 1; i < ir->count; i++) {
		const struct ir_op *o = &ir->op[i];
		const struct uses *u = &uses[i];

		j->kind[i] = (u8)kind_of(j, o);
		if (is_load(o->op) && o->uses && u->fp == o->uses)
			j->kind[i] = KIND_FP;
		j->lazy[i] = o->op == IR_UNBOX32 && j->kind[i] == KIND_FP &&
			     u->arithmetic == o->uses;
		j->narrow[i] = u->narrow == o->uses;
	}
	/* What a lazy unboxing reads is used where the unboxed value is. */
	for (u32 i = ir->count - 1; i > 0; i--)
		if (j->lazy[i])
			j->last[ir->op[i].a] = MAX(j->last[ir->op[i].a], j->last[i]);
}

/* Each value's last use and kind. A load is of FP kind if all who use it want that. */
static void survey(struct jit *j)
{
	const struct ir_block *ir = j->ir;

	memset(j->last, 0, ir->count * sizeof(j->last[0]));
	memset(j->lazy, false, ir->count * sizeof(j->lazy[0]));
	memset(j->near, false, ir->count * sizeof(j->near[0]));
	for (u32 i = 1; i < ir->count; i++) {
		const struct ir_op *o = &ir->op[i];

		j->kind[i] = ir_info[o->op].result == 'v' ? KIND_VEC : KIND_INT;
		j->last[o->a] = j->last[o->b] = j->last[o->c] = (u16)i;
	}
	scaled_find(j);
	if (j->fp)
		survey_fp(j);
	jit_sink(j);
}

u32 jit_site(struct jit *j, enum jit_site_kind kind, u64 arg, u32 extra)
{
	u32 n = j->sites++;

	j->b->site[n] = (struct jit_site){ .arg = arg, .extra = extra, .kind = (u8)kind,
					   .insn = j->ir->op[j->op].insn, .index = (u16)n };
	return n;
}

u32 jit_site_place(const struct jit *j, u32 site)
{
	return code_place(j->code, &j->b->site[site]);
}

struct jit_cold *jit_cold(struct jit *j, void (*write)(struct jit *j, struct jit_cold *c))
{
	struct jit_cold *c = &j->cold[j->colds++];

	assert(j->colds <= ARRAY_LEN(j->cold));
	*c = (struct jit_cold){ .write = write, .op = j->op, .suspects = j->suspects };
	return c;
}

void jit_site_access(struct jit *j, const u8 *at)
{
	u32 n = jit_site(j, SITE_ACCESS, 0, (u32)(at - j->start));

	j->b->site[n].insn = 0;
}

/* How far from a checked address others may be: the guard, less what accesses are long. */
#define NEAR	(INT32_MAX / 2)
_Static_assert(2u * NEAR + 64 < VIEW_GUARD, "what is near is in the view or its guard");

bool jit_view_check(struct jit *j, val_t base, s32 off)
{
	const struct ir_block *ir = j->ir;
	s64 at = off;
	u64 c;

	while (ir->op[base].op == IR_ADD64 && ir_is_const(ir, ir->op[base].b, &c) &&
	       at + (s64)c >= -NEAR && at + (s64)c <= NEAR) {
		at += (s64)c;
		base = ir->op[base].a;
	}
	if (j->near[base] && at - j->near_at[base] >= -NEAR && at - j->near_at[base] <= NEAR)
		return false;
	j->near[base] = true;
	j->near_at[base] = (s32)at;
	return true;
}

void jit_arg(struct jit *j, u32 n, val_t v)
{
	s32 to = FRAME(j, arg[0]) + 8 * (s32)n;
	const struct place *p;

	v = jit_root(j, v);
	p = &j->place[v];
	if (j->ir->op[v].op == IR_CONST)
		j->t->store_imm(j, to, j->ir->op[v].imm);
	else if (j->kind[v] == KIND_VEC)
		j->t->address(j, to, p->off);
	else if (p->freg != NO_REG)
		j->t->fstore(j, to, p->freg);
	else
		j->t->store(j, to, jit_use(j, v));
}

/* Bring the result of jit_slow() to where the value of operation @i is wanted. */
static void result_take(struct jit *j, u32 i)
{
	if (j->kind[i] == KIND_FP)
		j->t->fload(j, jit_fdef(j, i), FRAME(j, ret));
	else
		j->t->load(j, jit_def(j, i), FRAME(j, ret));
}

u32 jit_call_slow(struct jit *j, u32 i, enum jit_site_kind kind, u64 arg)
{
	const struct ir_op *o = &j->ir->op[i];
	const val_t v[3] = { o->a, o->b, o->c };
	char result = ir_info[o->op].result;
	u32 extra = (u32)o->off;

	for (u32 n = 0; n < 3; n++)
		if (v[n])
			jit_arg(j, n, v[n]);
	if (result == 'v')
		extra = (u32)jit_def_memory(j, i);
	j->t->slow(j, jit_site(j, kind, arg, extra));
	j->locked = j->flocked = 0;		/* the operands have been read */
	if (result != '-' && result != 'v' && o->uses)
		result_take(j, i);
	return i;
}

/* Operations that every target leaves to jit_slow(). */
static u32 lower_slow(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	jit_settle(j, ~0u);
	if (o->op == IR_CALL) {
		if (((const struct ir_helper *)(uptr)o->imm)->flags & H_STATE)
			jit_vacate_all(j);
		return jit_call_slow(j, i, SITE_CALL, o->imm);
	}
	if (o->op == IR_EXCEPT)			/* does not come back */
		return jit_call_slow(j, i, SITE_EXCEPT, o->imm);
	if (o->op == IR_STS)			/* any register of the guest may be meant */
		jit_vacate_all(j);
	u64 imm = o->op == IR_LDV ? (u32)o->off : o->imm;

	for (u32 n = 0; n < 3; n++)	/* see slow.c */
		if (j->lazy[n == 0 ? o->a : n == 1 ? o->b : o->c])
			imm |= BIT(SLOW_UNBOX + n);

	return jit_call_slow(j, i, SITE_OP, o->op | (u64)o->aux << 16 | imm << 32);
}

/* Vectors have no registers: they are copied to and from the state in memory. */
static u32 lower_vector_state(struct jit *j, u32 i, bool get)
{
	const struct ir_op *o = &j->ir->op[i];
	s32 own = get ? jit_def_memory(j, i) : j->place[o->a].off;
	u32 first = (u32)o->off / 8;
	u8 t;

	if (!get)
		jit_vacate(j, first, first + 1);
	jit_sync(j, first, first + 1, true);
	t = jit_temp(j);
	for (s32 k = 0; k < 16; k += 8) {
		j->t->load(j, t, (get ? o->off : own) + k);
		j->t->store(j, (get ? own : o->off) + k, t);
	}
	if (!get)
		jit_sync(j, first, first + 1, false);
	return i;
}

/*
 * Settle what operation @o is going to look at. Arithmetic takes any NaN, but in a double's bits it
 * might see a single's box.
 */
static void settle_for(struct jit *j, const struct ir_op *o)
{
	const val_t v[3] = { o->a, o->b, o->c };
	bool leaves = o->op == IR_EXIT || o->op == IR_EXITIND || jit_is_last_branch(j, o);
	u32 regs = leaves ? ~0u : 0;

	for (u32 n = 0; n < 3; n++) {
		u8 r = j->place[jit_root(j, v[n])].freg;

		if (r == NO_REG)
			continue;
		if (!is_arithmetic(o) && o->op != IR_BOX32)
			regs |= 1u << r;
		else if (is_narrow(o))
			regs |= 1u << r & j->suspects.regs[1];
	}
	jit_settle(j, regs);
}

static bool has_room(const struct jit *j)
{
	return (size_t)(j->end - j->at) >= JIT_MARGIN;
}

/* Operation @i, whose sunk operands have been done. */
static u32 lower_one(struct jit *j, u32 i)
{
	u32 done;

	switch (j->ir->op[i].op) {
	case IR_NOP: case IR_CONST:
		return i;
	case IR_UNBOX32:
		if (j->lazy[i])
			return i;
		break;
	case IR_SHL64:
		if (j->scaled[i])
			return i;
		break;
	case IR_GET64:
		return jit_get(j, i);
	case IR_PUT64:
		return jit_put(j, i);
	case IR_GETV:
		return lower_vector_state(j, i, true);
	case IR_PUTV:
		return lower_vector_state(j, i, false);
	default:
		break;
	}
	if (jit_suspects(j))
		settle_for(j, &j->ir->op[i]);
	done = j->t->op(j, i);
	return done ? done : lower_slow(j, i);
}

/* The last operation that is done with @i: a sunk operand's may be @i itself. */
static u32 lower_op(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	const val_t v[3] = { o->a, o->b, o->c };
	u32 done = 0;

	for (u32 n = 0; n < 3 && done < i; n++)
		if (j->sunk[v[n]]) {
			j->sunk[v[n]] = false;
			done = lower_op(j, v[n]);
		}
	if (done < i) {
		j->full |= !has_room(j);
		if (j->full)
			return i;
		j->op = i;
		done = lower_one(j, i);
		for (u32 k = i + 1; k <= done; k++)
			j->sunk[k] = false;
	}
	j->op = done;
	jit_places_end_op(j);
	return done;
}

static void cold_write(struct jit *j, struct jit_cold *c)
{
	struct jit_site *s = &j->b->site[c->site];

	j->op = c->op;
	j->suspects = c->suspects;
	if (j->in_view && (s->kind == SITE_LOAD || s->kind == SITE_STORE))
		s->extra = (u32)(j->at - j->start);
	c->write(j, c);
}

bool jit_lower(struct jit *j, const struct ir_block *ir, struct block *b)
{
	j->ir = ir;
	j->b = b;
	j->op = 0;
	j->sites = j->colds = 0;
	j->full = false;
	j->pins = &j->pins_of[j->fp];
	survey(j);
	jit_places_init(j);
	if (!has_room(j))
		return false;
	j->t->begin(j);
	for (u32 i = 1; i < ir->count && !j->full; i++)
		if (!j->sunk[i])
			i = lower_op(j, i);
	if (j->full)
		return false;
	j->cold_at = j->at;
	for (u32 i = 0; i < j->colds; i++) {
		if (!has_room(j))
			return false;
		cold_write(j, &j->cold[i]);
	}
	return true;
}
