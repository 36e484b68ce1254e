/*
 * The interpreter, tier 0 and the oracle of the JIT: IR is lowered once to 16-byte
 * operations whose first word is the label to jump to (direct threading) and whose operands
 * are slots, 8-byte pieces of guest state or of the temporaries behind it. GETs and most PUTs
 * vanish: operations read and write the guest's registers in place.
 */
#pragma once

#include "engine/code.h"
#include "engine/slice.h"

/* Labels: every row of ops.def, and the forms below that only lowering makes. */
enum interp_label {
#define OP(name, result, args, props)		L_##name,
#define SCALAR(name, result, args, props, expr)	L_##name,
#define INT1(name, expr)			L_##name##32, L_##name##64,
#define INT3(name, expr)			L_##name##32, L_##name##64,
	/* second operand a slot or an immediate; 32-bit results also sign-extended at once */
#define INT2(name, expr)	L_##name##32, L_##name##64, L_##name##32i, L_##name##64i, \
				L_##name##32s, L_##name##32si,
#define BRANCH(name, cond)	L_##name##32, L_##name##64, L_##name##32i, L_##name##64i,
#define VEC(name, args, props)			L_##name,
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
	L_MOV,			/* d = a */
	L_LINK,			/* second half of an EXIT: the next block */
	L_COUNT
};

/* Bytes that interp_lower() will need at most for @ir. */
size_t interp_size(const struct ir_block *ir);
/*
 * Write the block and return its size in bytes; identity (gpa, hash, epoch, size) is the caller's.
 */
u32 interp_lower(struct gcpu *g, const struct ir_block *ir, struct block *b);

/* Label addresses relative to the first, valid after the first call of interp_go(). */
const s32 *interp_labels(void);

/*
 * Run blocks from the state's pc until about @budget instructions are done: the block that
 * would exceed it is not begun, and neither is host code. Returns why; pc and g->icount are
 * exact.
 */
enum slice_why interp_go(struct gcpu *g, s64 budget);
/* Run one block only, whatever its length; an exception stays parked: SLICE_RAISE. */
enum slice_why interp_try(struct gcpu *g, struct block *b);
/* The same, and the exception is taken. */
enum slice_why interp_block(struct gcpu *g, struct block *b);
