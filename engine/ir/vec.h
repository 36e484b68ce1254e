/*
 * 128-bit vector operations on pairs of u64, little-endian lanes: the interpreter's meaning of the
 * VEC rows.
 */
#pragma once

#include "engine/ir/ir.h"

struct fp_policy;

union vec {
	u64 x[2];
	u8 b[16];
};

/* What a vector operation gets besides its operands. */
struct vec_arg {
	u8 aux;
	u32 imm;
	struct gcpu *g;		/* FP: policy, rounding, flags */
};

#define OP(name, result, args, props)
#define SCALAR(name, result, args, props, expr)
#define INT1(name, expr)
#define INT2(name, expr)
#define INT3(name, expr)
#define BRANCH(name, cond)
#define VEC(name, args, props) \
	void vec_##name(u64 *d, const u64 *a, const u64 *b, const u64 *c, \
			const struct vec_arg *arg);
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"

u64 vec_get(const u64 *a, u32 lane, u32 index);		/* VGET */
u64 vec_movmsk(const u64 *a, u32 lane);			/* VMOVMSK */
