/*
 * Panic: a broken invariant of the hypervisor itself. Stops every CPU, prints message,
 * symbolised backtrace, recent errors and log to the early console, halts (or, in the
 * hosted process, exits 70).
 */
#pragma once

#include "kernel/base/types.h"

_Noreturn void panic(const char *fmt, ...) printf_like(1, 2);

#define assert(cond) \
	((cond) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond))
