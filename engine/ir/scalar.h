/* What the expressions in ops.def use besides C's operators. */
#pragma once

#include "engine/ir/ir.h"

static inline u64 bits_popcount(u64 v)
{
	return (u64)__builtin_popcountll(v);
}

static inline u64 bits_reverse(u64 v)
{
	return __builtin_bitreverse64(v);
}
