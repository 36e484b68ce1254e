/*
 * IEEE 754 arithmetic by RISC-V's rules (canonical NaNs, tininess after rounding) in plain
 * integer C: slow, short, and sharing nothing with what it judges.
 */
#pragma once

#include "isa.h"

enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };
enum { RNE, RTZ, RDN, RUP, RMM };

struct fp_model {			/* where an operation rounds and what it flags */
	u32 rm, flags;
};

/* @bits: 32 or 64; values are bit patterns without a box. */
u64 fp_add(struct fp_model *m, u32 bits, u64 a, u64 b);
u64 fp_mul(struct fp_model *m, u32 bits, u64 a, u64 b);
u64 fp_fma(struct fp_model *m, u32 bits, u64 a, u64 b, u64 c);	/* a * b + c */
u64 fp_div(struct fp_model *m, u32 bits, u64 a, u64 b);
u64 fp_sqrt(struct fp_model *m, u32 bits, u64 a);
u64 fp_minmax(struct fp_model *m, u32 bits, u64 a, u64 b, bool max);
enum { FEQ, FLT, FLE };
u64 fp_compare(struct fp_model *m, u32 bits, u64 a, u64 b, u32 how);
u64 fp_class(u32 bits, u64 a);
u64 fp_convert(struct fp_model *m, u32 from, u32 to, u64 a);
u64 fp_from_int(struct fp_model *m, u32 bits, u64 v, u32 width, bool is_signed);
/* The result is sign-extended from @width, as a register holds it. */
u64 fp_to_int(struct fp_model *m, u32 bits, u64 a, u32 width, bool is_signed);
static inline u64 fp_negate(u32 bits, u64 a) { return a ^ BIT(bits - 1); }
