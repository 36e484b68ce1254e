/* Random RV64 programs from the rows of the instruction table. */
#pragma once

#include "diff.h"
#include "kernel/base/types.h"

struct rng { u64 s; };
static inline u64 rng_next(struct rng *r)
{
	r->s ^= r->s << 13, r->s ^= r->s >> 7, r->s ^= r->s << 17;
	return r->s * 0x2545f4914f6cdd1dull;
}
static inline u32 rng_below(struct rng *r, u32 n)
{
	return (u32)((rng_next(r) >> 32) * n >> 32);
}

/*
 * Fill in everything of @c->in and its code; equal seeds give equal cases. Extensions that the
 * peer lacks are left out.
 */
void gen_case(struct diff_case *c, u64 seed);
/* Bytes of the instruction at @at of the code. */
u32 gen_insn_len(const struct diff_case *c, u32 at);
