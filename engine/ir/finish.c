/*
 * The backward pass: dead operations and dead PUTs become NOP, uses are counted. A PUT is
 * dead if the same place is PUT again with nothing between that could fault, leave or
 * read it.
 */
#include "engine/ir/ir.h"
#include "kernel/base/str.h"

struct pass {
	bool overwritten[IR_MEMO];	/* state[8 * i] is written later, and not observed before */
};

static bool ir_is_get(enum ir_opcode op)
{
	return op >= IR_GET8 && op <= IR_GETV;
}

/* Nobody would notice if @o were not done: its result is unused and it has no other effect. */
static bool ir_removable(const struct ir_op *o)
{
	if (o->op == IR_CALL)
		return ((const struct ir_helper *)(uptr)o->imm)->flags & H_PURE;
	return ir_has(o->op, 'P') || ir_is_get(o->op) || o->op == IR_LDS;
}

static bool put_is_dead(const struct pass *p, const struct ir_op *o)
{
	u32 i = (u32)o->off / 8;

	return i < IR_MEMO && o->op != IR_PUTV && p->overwritten[i];
}

static void pass_observe(struct pass *p, const struct ir_op *o)
{
	if (ir_is_get(o->op)) {
		u32 i = (u32)o->off / 8;

		for (u32 k = i; k <= i + (o->op == IR_GETV) && k < IR_MEMO; k++)
			p->overwritten[k] = false;
	} else if (ir_has(o->op, 'M') || ir_has(o->op, 'X') || ir_has(o->op, 'B') ||
		   o->op == IR_LDS || o->op == IR_STS) {
		memset(p->overwritten, 0, sizeof(p->overwritten));
	} else if (o->op == IR_PUT64 && (u32)o->off / 8 < IR_MEMO) {
		p->overwritten[(u32)o->off / 8] = true;
	}
}

static void ir_sweep(struct ir_block *b)
{
	struct pass p = { 0 };

	for (u32 i = b->count - 1; i > 0; i--) {
		struct ir_op *o = &b->op[i];
		bool put = o->op >= IR_PUT8 && o->op <= IR_PUTV;

		if (put ? put_is_dead(&p, o) : !o->uses && ir_removable(o)) {
			o->op = IR_NOP;
			o->a = o->b = o->c = 0;
			continue;
		}
		pass_observe(&p, o);
		b->op[o->a].uses++;
		b->op[o->b].uses++;
		b->op[o->c].uses++;
	}
}

void ir_finish(struct ir_block *b, gva_t next_pc)
{
	if (!b->ended)
		ir_exit(b, next_pc, IR_CHAIN);
	ir_sweep(b);
}
