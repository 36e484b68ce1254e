/* What targets ask about floating-point operations before they write them. */
#include "engine/back/jit/jit.h"
#include "engine/fp/fp.h"

u32 jit_rounding(const struct jit *j, const struct ir_op *o)
{
	u32 rm = o->aux >> 2 & 7;

	return rm == 7 ? j->fp_rm : rm;
}

bool jit_rounds_right(const struct jit *j, const struct ir_op *o)
{
	return jit_rounding(j, o) == j->fp_rm && j->fp_rm != FP_RMM;
}

bool jit_is_single_or_double(u32 aux)
{
	return (aux & 3) == IR_FP_S || (aux & 3) == IR_FP_D;
}

bool jit_fcompare(const struct jit *j, u32 i, struct jit_fcompare *c)
{
	const struct ir_op *o = &j->ir->op[i], *set;

	c->set = jit_next_op(j, i);
	set = &j->ir->op[c->set];
	if (c->set >= j->ir->count || o->uses != 1 || set->a != i ||
	    !ir_is_const(j->ir, set->b, &c->want) || c->want > 1 ||
	    !jit_is_single_or_double(o->aux))
		return false;
	c->less_equal = set->op == IR_SETLEU64 && c->want == 1;
	return set->op == IR_SETEQ64 || c->less_equal;
}
