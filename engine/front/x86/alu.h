/*
 * x86 integer operations on values, with their exact flags. For what is emulated away from the
 * translator: instructions that touched a device.
 */
#pragma once

#include "kernel/base/types.h"

enum x86_flag {
	X86_CF = 1 << 0, X86_PF = 1 << 2, X86_AF = 1 << 4, X86_ZF = 1 << 6, X86_SF = 1 << 7,
	X86_TF = 1 << 8, X86_IF = 1 << 9, X86_DF = 1 << 10, X86_OF = 1 << 11, X86_RF = 1 << 16,
	X86_STATUS = X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF | X86_OF,
};

enum x86_alu {
	X86_ADD, X86_OR, X86_ADC, X86_SBB, X86_AND, X86_SUB, X86_XOR, X86_CMP,	/* by opcode */
	X86_TEST, X86_NOT, X86_NEG, X86_INC, X86_DEC,
	X86_BT, X86_BTS, X86_BTR, X86_BTC,
	X86_CMPXCHG, X86_XADD, X86_XCHG, X86_CMOV,	/* these read their destination */
	X86_MOV, X86_MOVSX, X86_MOVBE,			/* these do not */
};

/*
 * Up to X86_BTC: what @op makes of destination @a and source @b, of @size bytes (1, 2, 4, 8; higher
 * bits may be anything), and of the flags. CMP, TEST and BT return something to throw away. What
 * the manuals leave undefined is as CPUs do it: AF of logic is 0, BT changes CF only.
 */
u64 x86_alu(enum x86_alu op, u32 size, u64 a, u64 b, u64 *rflags);

/* Condition @cc, the low four bits of Jcc, SETcc, CMOVcc. */
bool x86_condition(u64 rflags, u32 cc);
