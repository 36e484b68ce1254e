/*
 * Private to engine/front/x86: what a cell of the opcode maps in opcodes.def is made of.
 */
#pragma once

#include "kernel/base/types.h"

enum {
	UNDEFINED = 0,
	NOTHING = 1 << 0,		/* no operand but registers that the opcode names */
	MODRM = 1 << 1,
	NO_REG = 1 << 2, NO_MEM = 1 << 3,	/* that form is undefined */
	IS_REG = 1 << 4,		/* mod is ignored: MOV to and from CR and DR */
	LOCKS = 1 << 5, NOT64 = 1 << 6, PREFIX = 1 << 7,
	USES_SI = 1 << 8, USES_DI = 1 << 9, USES_BX = 1 << 10,
	/* look again: in row ROW(cell) of x86_choices */
	BY_REG = 1 << 11, BY_PP = 1 << 12, BY_MODE = 1 << 13,
	MAY_BE_VEX = 1 << 14,
};

/* Immediates: WB is ENTER's, FAR a far pointer, OFFSET that of MOV without ModRM. */
enum {
	I_B = 1 << 16, I_W = 2 << 16, I_Z = 3 << 16, I_V = 4 << 16, I_BB = 5 << 16, I_WB = 6 << 16,
	I_FAR = 7 << 16, I_OFFSET = 8 << 16, I_D = 9 << 16, I_MASK = 15 << 16,
};

/* Operand sizes: as the prefixes say; a byte; stack, near branches; never 16 bits; the mode's. */
enum {
	O_V = 0, O_B = 1 << 20, O_D64 = 2 << 20, O_Y = 3 << 20, O_N = 4 << 20,
	O_MASK = 7 << 20,
};

/* Width in memory: fixed; the operand size, that or 4 if it is more, twice that; a far pointer. */
enum {
	W_1 = 1 << 23, W_2 = 2 << 23, W_4 = 3 << 23, W_8 = 4 << 23, W_10 = 5 << 23, W_16 = 6 << 23,
	W_O = 7 << 23, W_Z = 8 << 23, W_2O = 9 << 23, W_P = 10 << 23,
};

#define IMM(cell)	((cell) >> 16 & 15)
#define OSIZE(cell)	((cell) >> 20 & 7)
#define WIDTH(cell)	((cell) >> 23 & 15)
#define ROW(cell)	((cell) >> 16)

extern const u32 x86_opcodes[4][16][16];	/* map, high digit, low digit */
extern const u32 x86_choices[][16];	/* BY_REG: 8 for memory, 8 for registers */
