/*
 * What ops.def says, as a table, and the meaning of every scalar row as a function: the
 * constant folder, and the reference that tests hold the back ends to.
 */
#include "engine/ir/ir.h"
#include "engine/ir/scalar.h"

const struct ir_info ir_info[IR_OP_COUNT] = {
#define ROW(sym, result, args, props)		[IR_##sym] = { #sym, result, args, props },
#define OP(name, result, args, props)		ROW(name, result, args, props)
#define SCALAR(name, result, args, props, expr)	ROW(name, result, args, props)
#define INT1(name, expr)	ROW(name##32, 'w', "w", "P")   ROW(name##64, 'x', "x", "P")
#define INT2(name, expr)	ROW(name##32, 'w', "ww", "P")  ROW(name##64, 'x', "xx", "P")
#define INT3(name, expr)	ROW(name##32, 'w', "www", "P") ROW(name##64, 'x', "xxx", "P")
#define BRANCH(name, cond)	ROW(name##32, '-', "ww", "B")  ROW(name##64, '-', "xx", "B")
#define VEC(name, args, props)			ROW(name, 'v', args, props)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
#undef ROW
};

bool ir_has(enum ir_opcode op, char prop)
{
	for (const char *p = ir_info[op].props; *p; p++)
		if (*p == prop)
			return true;
	return false;
}

/* One function per row and width, so that U, S and N mean the right thing. */
#define EVAL(sym, type_u, type_s, bits, expr)						\
	static u64 eval_##sym(u64 wide_a, u64 wide_b, u64 wide_c, u64 imm)		\
	{										\
		typedef type_u U; typedef type_s S; enum { N = bits };			\
		U a = (U)wide_a, b = (U)wide_b, c = (U)wide_c;				\
		(void)a, (void)b, (void)c, (void)imm, (void)(S)0, (void)N;		\
		return (U)(expr);							\
	}
#define OP(name, result, args, props)
#define VEC(name, args, props)
#define SCALAR(name, result, args, props, expr)	EVAL(name, u64, s64, 64, expr)
#define INT1(name, expr)	EVAL(name##32, u32, s32, 32, expr) \
				EVAL(name##64, u64, s64, 64, expr)
#define INT2(name, expr)	INT1(name, expr)
#define INT3(name, expr)	INT1(name, expr)
#define BRANCH(name, cond)	INT1(name, cond)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"

typedef u64 eval_fn(u64 a, u64 b, u64 c, u64 imm);

static eval_fn *const eval[IR_OP_COUNT] = {
#define OP(name, result, args, props)
#define VEC(name, args, props)
#define SCALAR(name, result, args, props, expr)	[IR_##name] = eval_##name,
#define INT1(name, expr)	[IR_##name##32] = eval_##name##32, \
				[IR_##name##64] = eval_##name##64,
#define INT2(name, expr)	INT1(name, expr)
#define INT3(name, expr)	INT1(name, expr)
#define BRANCH(name, cond)	INT1(name, cond)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
};

bool ir_is_scalar(enum ir_opcode op)
{
	return eval[op] != NULL;
}

u64 ir_eval(enum ir_opcode op, u64 a, u64 b, u64 c, u64 imm)
{
	return eval[op](a, b, c, imm);
}
