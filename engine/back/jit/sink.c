/*
 * Values that are used once are made where they are used, if all they are made of is at hand there
 * anyway: compilers order a guest's code for its many registers, and here temporaries are few.
 */
#include "engine/back/jit/jit.h"

#include "kernel/base/str.h"

/* As far as an operation is moved: this bounds the search for what is overwritten in between. */
#define FAR	100

static bool may_sink(const struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];

	return o->uses == 1 && j->kind[i] == KIND_INT && !j->scaled[i] &&
	       ((o->op >= IR_ADD32 && o->op <= IR_ROTR64) ||
		(o->op >= IR_SETEQ32 && o->op <= IR_SETLES64) ||
		(o->op >= IR_SX8 && o->op <= IR_BFXS));
}

static u8 slot_of(const struct ir_op *o)
{
	return (u8)MIN((u32)o->off / 8, IR_MEMO);
}

/* Do operations @i up to @end change state slot @slot? */
static bool is_overwritten(const struct jit *j, u32 slot, u32 i, u32 end)
{
	for (; i < end; i++) {
		const struct ir_op *o = &j->ir->op[i];

		if (o->op == IR_PUT64 ? (u32)o->off / 8 == slot :
		    (o->op >= IR_PUT8 && o->op <= IR_PUTV) || o->op == IR_STS || o->op == IR_CALL)
			return true;
	}
	return false;
}

/* Is @v, an operand at @i or later, in a register of the guest or somewhere else at @to anyway? */
static bool is_there(const struct jit *j, const u8 *home, val_t v, u32 i, u32 to)
{
	return !v || j->ir->op[v].op == IR_CONST || j->last[v] >= to ||
	       (home[v] < IR_MEMO && !is_overwritten(j, home[v], i, to));
}

/* ... or can it be made there? */
static bool at_hand(const struct jit *j, const u8 *home, val_t v, u32 i, u32 to)
{
	const struct ir_op *o = &j->ir->op[v];

	if (j->scaled[v])
		return is_there(j, home, o->a, i, to);
	return is_there(j, home, v, i, to) ||
	       (may_sink(j, v) && to < v + FAR && at_hand(j, home, o->a, v, to) &&
		at_hand(j, home, o->b, v, to));
}

void jit_sink(struct jit *j)
{
	const struct ir_block *ir = j->ir;
	u16 user[IR_OPS_MAX];		/* where the value is used, or would be if it were sunk */
	u8 home[IR_OPS_MAX];		/* the state slot that holds it, or IR_MEMO */
	u16 last[IR_OPS_MAX];		/* as if nothing were sunk */

	memcpy(last, j->last, ir->count * sizeof(last[0]));
	memset(j->sunk, 0, ir->count * sizeof(j->sunk[0]));
	for (u32 i = 0; i < ir->count; i++) {
		const struct ir_op *o = &ir->op[i];

		home[i] = o->op == IR_GET64 ? slot_of(o) : IR_MEMO;
		if (o->op == IR_PUT64)
			home[o->a] = slot_of(o);
	}
	for (u32 i = ir->count - 1; i > 0; i--) {
		const struct ir_op *o = &ir->op[i];
		val_t a = j->scaled[o->a] ? ir->op[o->a].a : o->a;
		val_t b = j->scaled[o->b] ? ir->op[o->b].a : o->b;
		u32 to = may_sink(j, i) ? user[i] : 0;

		if (to > jit_next_op(j, i) && to < i + FAR && at_hand(j, home, o->a, i, to) &&
		    at_hand(j, home, o->b, i, to)) {
			j->sunk[i] = true;
			j->last[i] = last[i];
			j->last[a] = MAX(j->last[a], (u16)to);
			j->last[b] = MAX(j->last[b], (u16)to);
		} else {
			to = i;
		}
		/* What is scaled is not made: it may be used further away than it seems. */
		user[o->a] = user[o->b] = user[o->c] = j->scaled[i] ? 0 : (u16)to;
	}
}
