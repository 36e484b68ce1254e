/* Floating-point operations of the IR, by soft-float: the rules of the guest at hand around SoftFloat-3e. */
#pragma once

#include "engine/ir/ir.h"

/* @op = IR_FADD .. IR_FCLASS; @arg = aux | imm << 8 as in ops.def. */
u64 interp_fp(struct gcpu *g, enum ir_opcode op, u64 a, u64 b, u64 c, u32 arg);
