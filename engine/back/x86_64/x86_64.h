/* The x86-64 target of the translator as those see it who choose it. */
#pragma once

#include "kernel/base/types.h"

struct jit_target;

extern const struct jit_target x86_64_target;

/* What the CPU may have besides SSE2: bits for jit_host_features(). */
enum { X86_BMI1 = 1, X86_BMI2 = 2, X86_AVX = 4, X86_FMA = 8, X86_LZCNT = 16, X86_POPCNT = 32 };
