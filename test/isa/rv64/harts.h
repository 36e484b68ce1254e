/* Several harts: a function run by some of them at once, and a place where they meet. */
#pragma once

#include "isa.h"

#define HARTS 4
/* Run @fn(hart) on harts 0 to @n - 1; returns when all are done. Hart 0 calls it. */
void harts_run(u32 n, void (*fn)(u64 hart));
/* Wait, inside such a function, for all @n. */
void harts_meet(u32 n);
static inline void relax(void) { INSN(0x0100000f); }	/* pause */
static inline void ipi(u64 hart) { ((volatile u32 *)0x2000000)[hart] = 1; }
static inline void ipi_clear(u64 hart) { ((volatile u32 *)0x2000000)[hart] = 0; }
#define MIP_MSIP BIT(3)
#define FULL_FENCE __asm__ volatile("fence rw, rw" : : : "memory")
