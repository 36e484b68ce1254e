/*
 * Generated code for the ISA tests: a small assembler that writes where emit.at points, and
 * probe(), which runs what was written with every register set and shows every register after.
 */
#pragma once

#include "isa.h"

struct regs {
	u64 x[32], f[32], fcsr;
	/* of the trap that ended it; instret: its instructions and a constant, see probe_insns() */
	u64 cause, epc, tval, status, instret;
};
u64 probe(const struct regs *in, struct regs *out, u64 entry, u64 status);
/* The same in privilege @priv, with the instruction count made exact. QEMU has no such count. */
u64 probe_in(u64 priv, const struct regs *in, struct regs *out, u64 entry);
void regs_random(struct regs *r);		/* x0 stays 0 */

extern u64 seed;
static inline u64 random(void)			/* xorshift64* */
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1d;
}

extern u16 *at;					/* where the next instruction goes */
static inline void emit16(u32 w) { *at++ = (u16)w; }
static inline void emit(u32 w) { emit16(w); emit16(w >> 16); }
static inline void fence_i(void) { __asm__ volatile("fence.i" : : : "memory"); }

/* Formats; @op is the instruction with its fields zero. */
static inline u32 r_type(u32 op, u32 rd, u32 rs1, u32 rs2)
{
	return op | rd << 7 | rs1 << 15 | rs2 << 20;
}
static inline u32 i_type(u32 op, u32 rd, u32 rs1, u32 imm)
{
	return op | rd << 7 | rs1 << 15 | imm << 20;
}
static inline u32 s_type(u32 op, u32 rs1, u32 rs2, u32 imm)
{
	return op | (imm & 31) << 7 | rs1 << 15 | rs2 << 20 | imm >> 5 << 25;
}
static inline u32 b_type(u32 op, u32 rs1, u32 rs2, s32 to)
{
	u32 i = (u32)to;

	return op | rs1 << 15 | rs2 << 20 | (i >> 11 & 1) << 7 | (i >> 1 & 15) << 8 |
	       (i >> 5 & 63) << 25 | (i >> 12 & 1) << 31;
}
static inline u32 j_type(u32 rd, s32 to)
{
	u32 i = (u32)to;

	return 0x6f | rd << 7 | (i >> 12 & 0xff) << 12 | (i >> 11 & 1) << 20 |
	       (i >> 1 & 0x3ff) << 21 | (i >> 20 & 1) << 31;
}
/* c.j, +-2 KiB */
static inline u32 cj_type(s32 to)
{
	u32 i = (u32)to;

	return 0xa001 | (i >> 11 & 1) << 12 | (i >> 4 & 1) << 11 | (i >> 8 & 3) << 9 |
	       (i >> 10 & 1) << 8 | (i >> 6 & 1) << 7 | (i >> 7 & 1) << 6 | (i >> 1 & 7) << 3 |
	       (i >> 5 & 1) << 2;
}

enum {
	OP_ADDI = 0x13, OP_XORI = 0x4013, OP_LUI = 0x37, OP_AUIPC = 0x17, OP_ADD = 0x33,
	OP_SUB = 0x40000033, OP_MUL = 0x02000033, OP_XOR = 0x4033, OP_LD = 0x3003,
	OP_SD = 0x3023, OP_BNE = 0x1063, OP_BLTU = 0x6063, OP_FLD = 0x3007, OP_FSD = 0x3027,
};
#define RET 0x8067u
#define C_RET 0x8082u
#define EBREAK 0x100073u
#define FENCE_I 0x100fu
static inline u32 li(u32 rd, s32 imm) { return i_type(OP_ADDI, rd, 0, (u32)imm & 0xfff); }
static inline u32 addi(u32 rd, u32 rs, s32 imm)
{
	return i_type(OP_ADDI, rd, rs, (u32)imm & 0xfff);
}
static inline u32 c_li(u32 rd, u32 imm) { return 0x4001 | rd << 7 | (imm & 31) << 2; }
static inline u32 c_addi(u32 rd, u32 imm) { return 1 | rd << 7 | (imm & 31) << 2; }

typedef u64 fn_t(u64);
static inline u64 call(const void *code, u64 arg) { return ((fn_t *)code)(arg); }
