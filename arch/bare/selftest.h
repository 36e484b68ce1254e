/*
 * What translated code relies on, tried on every CPU at boot: code runs where it may and only
 * there, the vector registers are switched on, a sparse array moves from CPU to CPU. Panics.
 */
#pragma once

#include "kernel/base/types.h"

/*
 * The host's: position-independent code of @len bytes that adds its two arguments by way of the
 * widest vector registers, u64 f(u64, u64).
 */
const void *selftest_code(u64 *len);

void selftest_begin(void);	/* boot CPU, when there is memory */
void selftest_look(void);	/* boot CPU, before it lets another one start and after that */
void selftest_cpu(void);	/* that CPU, before it is online */
void selftest_end(void);	/* boot CPU, when all have started */
