/*
 * The verifier: a finished block obeys the signatures of ops.def. Run on every block in tests and
 * in audit mode.
 */
#include "engine/ir/ir.h"

static bool type_fits(char want, char have)
{
	if (want == 'w' || want == 'x')
		return have == 'w' || have == 'x';
	return want == have;
}

static bool operand_optional(enum ir_opcode op)
{
	return op == IR_CALL || op == IR_FLAGS;
}

static const char *operand_wrong(const struct ir_block *b, u32 at, u32 n)
{
	const struct ir_op *o = &b->op[at];
	const char *args = ir_info[o->op].args;
	val_t v = n == 0 ? o->a : n == 1 ? o->b : o->c;
	bool wanted = args[0] && (n == 0 || (args[1] && (n == 1 || args[2])));

	if (!wanted)
		return v ? "has too many operands" : NULL;
	if (!v)
		return operand_optional(o->op) ? NULL : "lacks an operand";
	if (v >= at)
		return "uses a value before it is made";
	if (!type_fits(args[n], ir_info[b->op[v].op].result))
		return "has an operand of the wrong type";
	return NULL;
}

static const char *op_wrong(const struct ir_block *b, u32 at)
{
	const struct ir_op *o = &b->op[at];
	const char *wrong;

	if (o->op >= IR_OP_COUNT)
		return "is not an operation";
	for (u32 n = 0; n < 3; n++)
		if ((wrong = operand_wrong(b, at, n)))
			return wrong;
	if (o->insn >= MAX(b->insns, 1u) || (at > 1 && o->insn < b->op[at - 1].insn))
		return "belongs to no instruction or to an earlier one";
	if (ir_has(o->op, 'X') && at != b->count - 1)
		return "ends the block before its end";
	if (o->op == IR_EXITIND && o->aux == IR_CHAIN)
		return "chains an indirect exit";
	return NULL;
}

const char *ir_verify(const struct ir_block *b, char *buf, size_t cap)
{
	if (b->count < 2 || b->count > IR_OPS_MAX || !ir_has(b->op[b->count - 1].op, 'X')) {
		fmt_buf(buf, cap, "block of %u operations has no end", b->count);
		return buf;
	}
	for (u32 i = 1; i < b->count; i++) {
		const char *wrong = op_wrong(b, i);

		if (wrong) {
			fmt_buf(buf, cap, "%%%u %s %s", i,
				b->op[i].op < IR_OP_COUNT ? ir_info[b->op[i].op].name : "?", wrong);
			return buf;
		}
	}
	return NULL;
}
