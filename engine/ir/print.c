/* The printer: a block as text, an operation a line, instructions as headings. */
#include "engine/ir/ir.h"

static void print_operands(const struct ir_op *o, struct sink *to)
{
	const val_t v[3] = { o->a, o->b, o->c };
	const char *sep = " ";

	for (u32 n = 0; n < 3; n++) {
		if (!v[n])
			continue;
		sink_printf(to, "%s%%%u", sep, v[n]);
		sep = ", ";
	}
}

static void print_op(const struct ir_block *b, u32 i, struct sink *to)
{
	const struct ir_op *o = &b->op[i];
	const struct ir_info *info = &ir_info[o->op];

	if (info->result == '-')
		sink_printf(to, "        %s", info->name);
	else
		sink_printf(to, "  %%%-3u = %s", i, info->name);
	print_operands(o, to);
	if (o->op == IR_CALL)
		sink_printf(to, " %s", ((const struct ir_helper *)(uptr)o->imm)->name);
	else if (o->imm || o->op == IR_CONST)
		sink_printf(to, " #%#llx", (unsigned long long)o->imm);
	if (o->off)
		sink_printf(to, " @%d", o->off);
	if (o->aux)
		sink_printf(to, " !%u", o->aux);
	sink_puts(to, "\n");
}

void ir_print(const struct ir_block *b, struct sink *to)
{
	u32 insn = UINT32_MAX;

	sink_printf(to, "block %#llx ctx %#x: %u instructions, %u operations\n",
		    (unsigned long long)b->pc, b->ctx, b->insns, b->count - 1);
	for (u32 i = 1; i < b->count; i++) {
		if (b->op[i].op == IR_NOP)
			continue;
		if (b->op[i].insn != insn) {
			insn = b->op[i].insn;
			sink_printf(to, " %#llx:\n", (unsigned long long)b->pc + b->insn_pc[insn]);
		}
		print_op(b, i, to);
	}
}
