/*
 * The backward pass: dead operations and dead PUTs become NOP, uses are counted. A PUT is
 * dead if the same place is PUT again with nothing between that could fault, leave or
 * read it. Extensions to 64 bits whose upper half nobody looks at are replaced by what they extend.
 */
#include "engine/ir/ir.h"
#include "kernel/base/str.h"

struct pass {
	bool overwritten[IR_MEMO];	/* state[8 * i] is written later, and not observed before */
	bool high[IR_OPS_MAX];		/* the value's upper half matters to what is left */
	bool extends;			/* an extension is left whose does not */
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

static bool ir_is_extension(const struct ir_op *o)
{
	return o->op == IR_SX32 || o->op == IR_ZX32;
}

/* Does the upper half of @o's operand @n matter? @high: that of the result does. */
static bool ir_looks_high(const struct ir_op *o, u32 n, bool high)
{
	switch (o->op) {
	case IR_SX8: case IR_SX16: case IR_SX32: case IR_ZX8: case IR_ZX16: case IR_ZX32:
		return false;
	case IR_BFXU: case IR_BFXS:
		return (o->imm & 63) + (o->imm >> 8) > 32;
	case IR_ST8: case IR_ST16: case IR_ST32:
		return n == 0;
	case IR_SHL64:
		return n == 0 && high;
	case IR_SHR64: case IR_SAR64: case IR_ROTR64:
		return n == 0;
	case IR_ADD64: case IR_SUB64: case IR_MUL64: case IR_AND64: case IR_OR64: case IR_XOR64:
	case IR_ANDN64: case IR_ORN64: case IR_XNOR64:
		return high;
	case IR_SEL64:
		return n == 0 || high;
	default:
		return ir_info[o->op].args[n] != 'w';
	}
}

static void pass_use(struct pass *p, struct ir_block *b, u32 i)
{
	const struct ir_op *o = &b->op[i];
	const val_t v[3] = { o->a, o->b, o->c };

	for (u32 n = 0; n < 3; n++) {
		b->op[v[n]].uses++;
		if (v[n] && ir_looks_high(o, n, p->high[i]))
			p->high[v[n]] = true;
	}
	if (ir_is_extension(o) && !p->high[i])
		p->extends = true;
}

/* Let who uses an extension whose upper half does not matter use its operand. */
static void ir_unextend(struct ir_block *b, const struct pass *p)
{
	val_t same[IR_OPS_MAX];

	for (u32 i = 0; i < b->count; i++) {
		struct ir_op *o = &b->op[i];

		same[i] = (val_t)i;
		o->a = same[o->a];
		o->b = same[o->b];
		o->c = same[o->c];
		if (!ir_is_extension(o) || p->high[i])
			continue;
		same[i] = o->a;
		b->op[o->a].uses += o->uses - 1;
		o->op = IR_NOP;
		o->a = 0;
	}
}

static void ir_sweep(struct ir_block *b)
{
	struct pass p;

	memset(p.overwritten, 0, sizeof(p.overwritten));
	memset(p.high, 0, b->count);
	p.extends = false;

	for (u32 i = b->count - 1; i > 0; i--) {
		struct ir_op *o = &b->op[i];
		bool put = o->op >= IR_PUT8 && o->op <= IR_PUTV;

		if (put ? put_is_dead(&p, o) : !o->uses && ir_removable(o)) {
			o->op = IR_NOP;
			o->a = o->b = o->c = 0;
			continue;
		}
		pass_observe(&p, o);
		pass_use(&p, b, i);
	}
	if (p.extends)
		ir_unextend(b, &p);
}

void ir_finish(struct ir_block *b, gva_t next_pc)
{
	if (!b->ended)
		ir_exit(b, next_pc, IR_CHAIN);
	ir_sweep(b);
}
