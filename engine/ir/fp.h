/* The floating-point rows of ops.def, by soft-float under the guest's own rules. */
#pragma once

#include "engine/ir/ir.h"

/* Evaluate @op = IR_FADD .. IR_FCLASS; @arg = aux | imm << 8. Sticky flags go to g->fp_flags. */
u64 ir_fp_eval(struct gcpu *g, enum ir_opcode op, u64 a, u64 b, u64 c, u32 arg);
