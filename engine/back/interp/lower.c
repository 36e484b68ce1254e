/*
 * From IR to the interpreter's operations, in one forward pass.
 *
 * Every IR value gets a location: a slot of the guest state as long as the register still
 * holds it, else a temporary slot. An operation whose result is PUT by the very next one
 * writes the register itself. Before a register is overwritten, a value that lives there and
 * is used later is moved out. Constants become immediates where the operation has such a
 * form, else a temporary on first use; the constant 0 is a slot that is always zero.
 */
#include "engine/back/interp/interp.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define NOWHERE		UINT16_MAX
#define SIDES_MAX	(2 * IR_INSNS_MAX)	/* side exits of a block; an x86 REP has two */

/*
 * An operation takes two temporaries at most: a vector, or its address and its value, or a
 * constant, or what is moved out of a register (once, then it stays). Two are always zero.
 */
#define TEMPS (2 * IR_OPS_MAX + 2)
_Static_assert(8 * TEMPS <= GCPU_TEMPS - 1024, "what lies at their end is the translator's");
_Static_assert(4 * IR_OPS_MAX + 8 <= UINT16_MAX, "operations are counted in 16 bits");

struct lower {
	const struct ir_block *ir;
	struct block *b;
	const s32 *go;
	u32 xops, sides;
	u16 zero, temps, temps_end;	/* slots */
	u16 loc[IR_OPS_MAX];		/* of each value */
	u16 last[IR_OPS_MAX];		/* the last operation that uses it */
	val_t holds[IR_MEMO];		/* the value that lives in state slot i, or 0 */
	struct { u32 xop; u64 pc; u16 rest; u8 how; } side[SIDES_MAX];
};

size_t interp_size(const struct ir_block *ir)
{
	/* itself (a CALL twice), a move out of a register for its value, a side exit's two */
	size_t xops = 4 * (size_t)ir->count + 8;
	size_t tail = ir->insns * sizeof(u16);

	return ALIGN_UP(sizeof(struct block) + xops * sizeof(struct xop) + tail, (size_t)16);
}

static struct xop *xop_add(struct lower *l, enum interp_label label)
{
	struct xop *x = &l->b->code[l->xops++];

	*x = (struct xop){ .go = l->go[label] };
	return x;
}

static u16 temp_new(struct lower *l, u32 slots)
{
	u16 t = l->temps;

	assert(t + slots <= l->temps_end);
	l->temps = (u16)(t + slots);
	return t;
}

/* The slot that holds @v, making one for a constant. */
static u16 slot_of(struct lower *l, val_t v)
{
	const struct ir_op *o = &l->ir->op[v];

	if (!v || (o->op == IR_CONST && o->imm == 0))
		return l->zero;
	if (o->op == IR_CONST && l->loc[v] == NOWHERE) {
		struct xop *x = xop_add(l, L_CONST);

		l->loc[v] = x->d = temp_new(l, 1);
		x->imm64 = o->imm;
	}
	return l->loc[v];
}

/* Move the value that lives in state slot @s out of the way if it is used after operation @at. */
static void slot_vacate(struct lower *l, u32 s, u32 at)
{
	val_t v = s < IR_MEMO ? l->holds[s] : 0;

	if (!v)
		return;
	l->holds[s] = 0;
	if (l->last[v] <= at)
		return;
	struct xop *x = xop_add(l, L_MOV);

	x->a = (u16)s;
	l->loc[v] = x->d = temp_new(l, 1);
}

static void slots_vacate_all(struct lower *l, u32 at)
{
	for (u32 s = 0; s < IR_MEMO; s++)
		slot_vacate(l, s, at);
}

static u32 next_op(const struct lower *l, u32 i)
{
	do
		i++;
	while (i < l->ir->count && l->ir->op[i].op == IR_NOP);
	return i;
}

/* Is operation @i a PUT64 of @v into a remembered slot? */
static bool is_put_of(const struct lower *l, u32 i, val_t v)
{
	const struct ir_op *o = &l->ir->op[i];

	return i < l->ir->count && o->op == IR_PUT64 && o->a == v && o->off % 8 == 0 &&
	       o->off / 8 < IR_MEMO;
}

/*
 * Choose where value @result goes, before the operands of its operation are read. Returns the
 * last operation that is done with it: @result, or the PUT that it swallows.
 */
static u32 place_result(struct lower *l, u32 width, u32 result)
{
	u32 n = next_op(l, result);

	if (width == 1 && is_put_of(l, n, (val_t)result)) {
		u32 s = (u32)l->ir->op[n].off / 8;

		slot_vacate(l, s, n);
		l->loc[result] = (u16)s;
		l->holds[s] = (val_t)result;
		return n;
	}
	l->loc[result] = temp_new(l, width);
	return result;
}

static bool const_fits(const struct lower *l, val_t v, u32 bits, s32 *imm)
{
	u64 c;

	if (!ir_is_const(l->ir, v, &c) || (u64)sext(c, bits) != c)
		return false;
	*imm = (s32)c;
	return true;
}

/* 32-bit operations look at the low half only: any constant fits. */
static bool const_imm(const struct lower *l, val_t v, bool wide, s32 *imm)
{
	u64 c;

	if (wide || !ir_is_const(l->ir, v, &c))
		return const_fits(l, v, 32, imm);
	*imm = (s32)(u32)c;
	return true;
}

/* The first label of each operation's group, and what kind of group it is. */
enum form { FORM_PLAIN, FORM_INT2, FORM_BRANCH };

static const struct {
	u16 label;
	u8 form;
	bool wide;
} shape[IR_OP_COUNT] = {
#define PLAIN(sym)				[IR_##sym] = { L_##sym, FORM_PLAIN, true },
#define OP(name, result, args, props)		PLAIN(name)
#define SCALAR(name, result, args, props, expr)	PLAIN(name)
#define INT1(name, expr)			PLAIN(name##32) PLAIN(name##64)
#define INT3(name, expr)			PLAIN(name##32) PLAIN(name##64)
#define VEC(name, args, props)			PLAIN(name)
#define PAIR(name, form)			[IR_##name##32] = { L_##name##32, form, false }, \
						[IR_##name##64] = { L_##name##64, form, true },
#define INT2(name, expr)			PAIR(name, FORM_INT2)
#define BRANCH(name, cond)			PAIR(name, FORM_BRANCH)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
#undef PAIR
#undef PLAIN
};

/* Forms of a group, as offsets from its first label: see enum interp_label. */
enum { FORM_IMM = 2, FORM_SX = 4, FORM_SX_IMM = 5 };

static u32 lower_int2(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	bool wide = shape[o->op].wide, sx = false;
	u32 n = next_op(l, i), result = i;
	s32 imm = 0;
	bool is_imm = const_imm(l, o->b, wide, &imm);

	if (!wide && o->uses == 1 && n < l->ir->count && l->ir->op[n].op == IR_SX32 &&
	    l->ir->op[n].a == i) {
		sx = true;
		result = n;
	}
	u16 a = slot_of(l, o->a), b = is_imm ? 0 : slot_of(l, o->b);
	u32 done = place_result(l, 1, result);
	u32 form = sx ? (is_imm ? FORM_SX_IMM : FORM_SX) : is_imm ? FORM_IMM : 0;
	struct xop *x = xop_add(l, shape[o->op].label + form);

	x->d = l->loc[result];
	x->a = a;
	x->b = b;
	x->imm = imm;
	return done;
}

static void side_add(struct lower *l, u32 xop, const struct ir_op *o)
{
	assert(l->sides < ARRAY_LEN(l->side));
	l->side[l->sides].xop = xop;
	l->side[l->sides].pc = o->imm;
	l->side[l->sides].rest = (u16)(l->ir->insns - 1 - o->insn);
	l->side[l->sides++].how = o->aux;
}

static u32 lower_branch(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	s32 imm = 0;
	bool is_imm = const_fits(l, o->b, 16, &imm);
	u16 a = slot_of(l, o->a), b = is_imm ? (u16)imm : slot_of(l, o->b);
	struct xop *x = xop_add(l, shape[o->op].label + (is_imm ? FORM_IMM : 0));

	x->a = a;
	x->b = b;
	side_add(l, l->xops - 1, o);
	return i;
}

/*
 * An EXIT takes two operations: the second holds the link. d = instructions of the block not done.
 */
static void exit_add(struct lower *l, u64 pc, u32 rest, u32 how)
{
	struct xop *x = xop_add(l, L_EXIT);

	x->d = (u16)rest;
	x->a = (u16)how;
	x->imm64 = pc;
	xop_add(l, L_LINK)->link = NULL;
}

static u32 lower_get(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	u32 s = (u32)o->off / 8;

	if (o->op == IR_GET64 && o->off % 8 == 0 && s < IR_MEMO) {
		l->loc[i] = (u16)s;
		l->holds[s] = (val_t)i;
		return i;
	}
	u32 done = place_result(l, o->op == IR_GETV ? 2 : 1, i);
	struct xop *x = xop_add(l, shape[o->op].label);

	x->d = l->loc[i];
	x->imm = o->off;
	return done;
}

static u32 lower_put(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	u32 s = (u32)o->off / 8;
	u16 a = slot_of(l, o->a);

	slot_vacate(l, s, i);
	if (o->op == IR_PUTV)
		slot_vacate(l, s + 1, i);
	if (l->loc[o->a] != NOWHERE)
		a = slot_of(l, o->a);		/* it may have lived in the very slot */
	struct xop *x = xop_add(l, is_put_of(l, i, o->a) ? L_MOV : shape[o->op].label);

	x->a = a;
	x->d = (u16)s;
	x->imm = o->off;
	return i;
}

static u32 lower_call(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	const struct ir_helper *h = (const struct ir_helper *)(uptr)o->imm;
	u16 a = slot_of(l, o->a), b = slot_of(l, o->b), c = slot_of(l, o->c);

	if (h->flags & H_STATE) {
		slots_vacate_all(l, i - 1);
		a = slot_of(l, o->a), b = slot_of(l, o->b), c = slot_of(l, o->c);
	}
	u32 done = place_result(l, 1, i);
	struct xop *x = xop_add(l, L_CALL);

	x->d = l->loc[i];
	x->a = a;
	x->b = b;
	x->c = c;
	x->imm = o->insn;
	x = xop_add(l, L_LINK);
	x->d = (u16)h->flags;
	x->imm64 = (uptr)h->fn;
	return done;
}

/* What the interpreter finds in ->imm: per group of operations. */
static s32 plain_imm(const struct ir_op *o)
{
	if (ir_has(o->op, 'M') && o->op >= IR_LDU8 && o->op <= IR_STV)
		return o->off;
	if (o->op == IR_CAS)
		return (s32)(o->insn | o->imm << 8 | (u32)o->aux << 24);
	if (o->op == IR_LDS || o->op == IR_STS)
		return o->off;
	if ((o->op >= IR_FADD && o->op <= IR_FCLASS) || ir_info[o->op].result == 'v' ||
	    o->op == IR_VGET || o->op == IR_VMOVMSK)
		return (s32)(o->aux | o->imm << 8);
	return (s32)o->imm;
}

/* Operations that use ->imm for something else get their displacement added before. */
static u16 slot_of_address(struct lower *l, u16 base, s32 off)
{
	struct xop *x = xop_add(l, L_ADD64i);

	x->a = base;
	x->imm = off;
	return x->d = temp_new(l, 1);
}

static u32 lower_plain(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];
	const struct ir_info *info = &ir_info[o->op];
	u16 a = slot_of(l, o->a), b = slot_of(l, o->b), c = slot_of(l, o->c), d = 0;
	u32 done = i;

	if (o->off && o->op >= IR_PROBE && o->op <= IR_ZEROBLK)
		a = slot_of_address(l, a, o->off);
	if (o->op == IR_STS)
		slots_vacate_all(l, i - 1), a = slot_of(l, o->a), b = slot_of(l, o->b);
	if (info->result != '-') {
		done = place_result(l, info->result == 'v' ? 2 : 1, i);
		d = l->loc[i];
	}
	struct xop *x = xop_add(l, shape[o->op].label);

	x->d = d;
	x->a = a;
	x->b = b;
	x->c = (ir_has(o->op, 'M') && o->op != IR_CAS) || o->op == IR_EXITIND ?
	       (u16)(o->insn | o->aux << 8) : c;
	if (o->op == IR_LDS || o->op == IR_STS)
		x->c = o->aux;
	x->imm = plain_imm(o);
	return done;
}

/* Lower operation @i; returns the last operation that is done with it. */
static u32 lower_op(struct lower *l, u32 i)
{
	const struct ir_op *o = &l->ir->op[i];

	switch (o->op) {
	case IR_NOP:
	case IR_CONST:
		return i;
	case IR_GET8: case IR_GET16: case IR_GET32: case IR_GET64: case IR_GETV:
		return lower_get(l, i);
	case IR_PUT8: case IR_PUT16: case IR_PUT32: case IR_PUT64: case IR_PUTV:
		return lower_put(l, i);
	case IR_CALL:
		return lower_call(l, i);
	case IR_EXIT:
		exit_add(l, o->imm, 0, o->aux);
		return i;
	default:
		break;
	}
	switch ((enum form)shape[o->op].form) {
	case FORM_INT2:		return lower_int2(l, i);
	case FORM_BRANCH:	return lower_branch(l, i);
	case FORM_PLAIN:	break;
	}
	return lower_plain(l, i);
}

static void lower_begin(struct lower *l, struct gcpu *g, const struct ir_block *ir, struct block *b)
{
	l->ir = ir;
	l->b = b;
	l->go = interp_labels();
	l->xops = l->sides = 0;
	l->zero = (u16)(ALIGN_UP(g->isa->state_size, (size_t)16) / 8);
	l->temps = (u16)(l->zero + 2);
	l->temps_end = (u16)(l->zero + TEMPS);
	memset(l->loc, 0xff, ir->count * sizeof(l->loc[0]));
	memset(l->last, 0, ir->count * sizeof(l->last[0]));
	memset(l->holds, 0, sizeof(l->holds));
	for (u32 i = 1; i < ir->count; i++)
		l->last[ir->op[i].a] = l->last[ir->op[i].b] = l->last[ir->op[i].c] = (u16)i;
	*b = (struct block){ .pc = ir->pc, .ctx = ir->ctx,
			     .insns = (u16)ir->insns, .bytes = (u16)ir->bytes };
}

/* The tables behind the code; returns the size of the whole block. */
static u32 lower_end(struct lower *l)
{
	struct block *b = l->b;

	b->xops = (u16)l->xops;
	b->insn_pc = (u16 *)(b->code + l->xops);
	memcpy(b->insn_pc, l->ir->insn_pc, b->insns * sizeof(u16));
	return (u32)ALIGN_UP((size_t)((u8 *)(b->insn_pc + b->insns) - (u8 *)b), (size_t)16);
}

u32 interp_lower(struct gcpu *g, const struct ir_block *ir, struct block *b)
{
	struct lower l;

	lower_begin(&l, g, ir, b);
	for (u32 i = 1; i < ir->count; i++)
		i = lower_op(&l, i);
	for (u32 s = 0; s < l.sides; s++) {
		u32 x = l.side[s].xop;

		b->code[x].imm = (s32)(l.xops - x);
		exit_add(&l, l.side[s].pc, l.side[s].rest, l.side[s].how);
	}
	return lower_end(&l);
}
