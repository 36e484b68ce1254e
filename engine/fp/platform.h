/*
 * What Berkeley SoftFloat asks of its platform, and the way into it for fp.c: include this,
 * then softfloat.h. Both must be compiled alike, or the two would disagree about types.
 * Rounding mode, tininess and flags live in thread-local variables of the library.
 */
#pragma once

#define LITTLEENDIAN			1
#define INLINE				static inline
#define INLINE_LEVEL			5
#define THREAD_LOCAL			_Thread_local
#define SOFTFLOAT_FAST_INT64		1
#define SOFTFLOAT_FAST_DIV32TO16	1
#define SOFTFLOAT_FAST_DIV64TO32	1
#define SOFTFLOAT_ROUND_ODD		1
#define SOFTFLOAT_BUILTIN_CLZ		1
#define SOFTFLOAT_INTRINSIC_INT128	1

#include "opts-GCC.h"
