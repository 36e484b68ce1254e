/* The registers of whatever an exception interrupted, as vectors.S stores them. */
#pragma once

#include "kernel/base/types.h"

struct frame {
	u64 x[31], sp, elr, spsr, esr, far;
};
_Static_assert(sizeof(struct frame) == 36 * 8, "vectors.S");

/* Callee-saved registers at a point to come back to, see probe_run in vectors.S. */
struct probe {
	u64 x19_x30[12], sp;
};
bool probe_run(void (*attempt)(u64 arg), u64 arg, struct probe *p);
