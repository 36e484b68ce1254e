/*
 * What ops.def says, as a table, and the meaning of every scalar row as a function: the
 * constant folder, and the reference that tests hold the back ends to.
 */
#include "engine/ir/ir.h"
#include "engine/ir/scalar.h"

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

const struct ir_info ir_info[IR_OP_COUNT] = {
#define ROW(sym, fn, result, args, props)	[IR_##sym] = { #sym, fn, result, args, props },
#define OP(name, result, args, props)		ROW(name, NULL, result, args, props)
#define VEC(name, args, props)			ROW(name, NULL, 'v', args, props)
#define SCALAR(name, result, args, props, expr)	ROW(name, eval_##name, result, args, props)
#define PAIR(name, result, w, x, props)							\
	ROW(name##32, eval_##name##32, result ? result : 'w', w, props)			\
	ROW(name##64, eval_##name##64, result ? result : 'x', x, props)
#define INT1(name, expr)			PAIR(name, 0, "w", "x", "P")
#define INT2(name, expr)			PAIR(name, 0, "ww", "xx", "P")
#define INT3(name, expr)			PAIR(name, 0, "www", "xxx", "P")
#define BRANCH(name, cond)			PAIR(name, '-', "ww", "xx", "B")
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
#undef PAIR
#undef ROW
};
