/* The AArch64 target of the translator as those see it who choose it. */
#pragma once

struct jit_target;

extern const struct jit_target aarch64_target;

/* What the CPU may have besides Armv8.0 with FP: bits for jit_host_features(). */
enum { A64_LSE = 1 };
