/*
 * x86-64 instructions as bytes: the few forms that the translator writes. Intel SDM vol. 2,
 * chapter 2 (prefixes, ModRM, VEX). An operand is a register or memory at base + index * scale +
 * displacement; state is addressed from STATE, which points STATE_BIAS bytes into it.
 */
#pragma once

#include "engine/back/jit/jit.h"
#include "engine/back/x86_64/x86_64.h"

enum x86_reg {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
};

/*
 * STATE points into the guest state where most of the hot registers are in reach of a one-byte
 * displacement. Its low six bits are 12 (the state is aligned to 64): as a shift count it turns an
 * address into a page number.
 */
#define STATE		RBP
#define STATE_BIAS	140
#define LPT		R14		/* frame->memory[0]: the table, or with views half a view */
#define BUDGET		R15
#define X86_FREGS	16
#define X86_FTEMPS	(1u << 0 | 1u << 1 | 1u << 2 | 1u << 3)
_Static_assert(STATE_BIAS % 64 == PAGE_SHIFT, "STATE is a shift count");

struct x86_rm {
	u8 reg;			/* the register, or the base; NO_REG: an index alone */
	u8 index;		/* or NO_REG */
	u8 scale;		/* log2 */
	bool mem;
	s32 disp;
};

/* Opcodes: the byte, its map, its mandatory prefix. */
enum {
	MAP_0F = 1 << 8, MAP_0F38 = 2 << 8, MAP_0F3A = 3 << 8,
	PRE_66 = 1 << 12, PRE_F3 = 2 << 12, PRE_F2 = 3 << 12,
	OP_W = 1 << 16,			/* 64-bit operands */
	OP_BYTE = 1 << 17,		/* the register is a byte: SPL.. need a REX prefix */
	OP_LOCK = 1 << 18,
	OP_GUEST = 1 << 19,		/* memory operand in GS: of the guest's RAM or view */
};

enum x86_cc {
	CC_X_O, CC_X_NO, CC_X_B, CC_X_AE, CC_X_E, CC_X_NE, CC_X_BE, CC_X_A,
	CC_X_S, CC_X_NS, CC_X_P, CC_X_NP, CC_X_L, CC_X_GE, CC_X_LE, CC_X_G,
};

/* The /digit of the immediate groups. */
enum x86_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static inline struct x86_rm rm_reg(u8 r)
{
	return (struct x86_rm){ .reg = r, .index = NO_REG };
}

static inline struct x86_rm rm_mem(u8 base, s32 disp)
{
	return (struct x86_rm){ .reg = base, .index = NO_REG, .mem = true, .disp = disp };
}

static inline struct x86_rm rm_index(u8 base, u8 index, u8 scale, s32 disp)
{
	return (struct x86_rm){ base, index, scale, true, disp };
}

/* At @off from the guest state. */
static inline struct x86_rm rm_state(s32 off)
{
	return rm_mem(STATE, off - STATE_BIAS);
}

static inline void emit8(struct jit *j, u8 v)
{
	*j->at++ = v;
}

static inline void emit32(struct jit *j, u32 v)
{
	__builtin_memcpy(j->at, &v, 4);
	j->at += 4;
}

static inline void emit64(struct jit *j, u64 v)
{
	__builtin_memcpy(j->at, &v, 8);
	j->at += 8;
}

/* One instruction: @op with @reg in ModRM.reg. With @imm_len bytes of immediate to follow. */
void emit_op(struct jit *j, u32 op, u8 reg, struct x86_rm rm);
/* With a VEX prefix: three operands; OP_W is VEX.W. */
void emit_vex(struct jit *j, u32 op, u8 reg, u8 second, struct x86_rm rm);

/* ---- instructions ---- */
static inline u32 width(bool wide)
{
	return wide ? OP_W : 0;
}

void x86_alu_imm(struct jit *j, enum x86_alu alu, bool wide, struct x86_rm rm, s32 imm);
void x86_move(struct jit *j, u8 d, u8 s);
void x86_imm(struct jit *j, u8 d, u64 v);

static inline void x86_alu(struct jit *j, enum x86_alu alu, bool wide, u8 d, struct x86_rm rm)
{
	emit_op(j, (u32)alu << 3 | 3 | width(wide), d, rm);
}

static inline void x86_lea(struct jit *j, bool wide, u8 d, struct x86_rm rm)
{
	emit_op(j, 0x8d | width(wide), d, rm);
}

/* 64-bit load and store. */
static inline void x86_load(struct jit *j, u8 d, struct x86_rm rm)
{
	emit_op(j, 0x8b | OP_W, d, rm);
}

static inline void x86_store(struct jit *j, struct x86_rm rm, u8 s)
{
	emit_op(j, 0x89 | OP_W, s, rm);
}

/* Shift by an immediate: @digit 4 SHL, 5 SHR, 7 SAR, 1 ROR, 0 ROL. */
static inline void x86_shift_imm(struct jit *j, u8 digit, bool wide, u8 d, u8 count)
{
	emit_op(j, 0xc1 | width(wide), digit, rm_reg(d));
	emit8(j, count);
}

/* 32-bit displacement jumps; the address after them is what a fix is given. */
static inline u8 *x86_jcc(struct jit *j, enum x86_cc cc)
{
	emit8(j, 0x0f);
	emit8(j, (u8)(0x80 | cc));
	emit32(j, 0);
	return j->at;
}

static inline u8 *x86_jmp(struct jit *j)
{
	emit8(j, 0xe9);
	emit32(j, 0);
	return j->at;
}

/* Short forward jumps, inside one operation. */
static inline u8 *x86_jcc_short(struct jit *j, enum x86_cc cc)
{
	emit8(j, (u8)(0x70 | cc));
	emit8(j, 0);
	return j->at;
}

static inline u8 *x86_jmp_short(struct jit *j)
{
	emit8(j, 0xeb);
	emit8(j, 0);
	return j->at;
}

static inline void x86_fix_short(struct jit *j, u8 *from)
{
	from[-1] = (u8)(j->at - from);
}

static inline void x86_fix_to(u8 *from, const u8 *to)
{
	s32 d = (s32)(to - from);

	__builtin_memcpy(from - 4, &d, 4);
}

/* Let the jump end here. */
static inline void x86_fix(struct jit *j, u8 *from)
{
	x86_fix_to(from, j->at);
}

static inline void x86_jmp_to(struct jit *j, const u8 *to)
{
	x86_fix_to(x86_jmp(j), to);
}

/* Common code, as written: it lies in the same memory. */
static inline const u8 *x86_common(const struct jit *j, u32 at)
{
	return j->code->rw + at;
}

/* Where @v may be read from: a register or memory. A constant gets a register. */
struct x86_rm x86_rm_of(struct jit *j, val_t v);
/* Is @v a constant that fits a sign-extended 32-bit immediate? For 32-bit operations all do. */
bool x86_imm_fits(const struct jit *j, val_t v, bool wide, s32 *imm);

/* int.c, mem.c, fp.c, fpbits.c, flow.c: an operation each; 0: no inline form. */
u32 x86_op_int(struct jit *j, u32 i);
u32 x86_op_mem(struct jit *j, u32 i);
u32 x86_op_fp(struct jit *j, u32 i);
u32 x86_op_fpbits(struct jit *j, u32 i);
u32 x86_op_flow(struct jit *j, u32 i);

/* int.c: compare the operands of @o; EFLAGS are the result. */
void x86_compare(struct jit *j, const struct ir_op *o, bool wide);

/* mem.c */
#define X86_DIVERT	5		/* bytes that every load and store of a view has */
void x86_divert(u8 *at, const u8 *at_rx, const u8 *to);

/* flow.c */
void x86_begin(struct jit *j);
bool x86_clears_target(const struct jit *j, val_t v);
void x86_shared_code(struct jit *j);
void x86_slow(struct jit *j, u32 site);
u32 x86_link(u8 *at, const u8 *at_rx, const u8 *to, u32 stamp, bool guarded);

/* fp.c */
void x86_setup(struct jit_frame *f);
u32 x86_fp_state(u32 rm);
u8 x86_fp_flags(u32 *state);
void x86_fmove(struct jit *j, u8 d, u8 s);
void x86_to_fp(struct jit *j, u8 d, u8 s);
void x86_from_fp(struct jit *j, u8 d, u8 s);
/* A double (OP_W) or a single; in guest memory (OP_GUEST). */
void x86_fload(struct jit *j, u8 d, struct x86_rm rm, u32 how);
void x86_fstore(struct jit *j, struct x86_rm rm, u8 s, u32 how);

static inline bool x86_avx(const struct jit *j)
{
	return j->features & X86_AVX;
}

/* A move or the like: no second source. */
void emit_fp(struct jit *j, u32 op, u8 reg, struct x86_rm rm);
/* d = a op rm. Without AVX @d must not be @rm's register unless it is @a's too. */
void emit_fp3(struct jit *j, u32 op, u8 d, u8 a, struct x86_rm rm);
/* UCOMIS or (signal) COMIS. */
void emit_fcompare(struct jit *j, bool dbl, bool signal, u8 a, struct x86_rm b);

/* fpbits.c */
enum {					/* frame->mask[] */
	MASK_BOX, MASK_SIGN_D, MASK_SIGN_S, MASK_ABS_D, MASK_ABS_S, NAN_S, NAN_D,
};
/* Suspects (jit.h) that are compared in pairs, two at once: each jump is to lead to its fix. */
struct x86_nans {
	u32 count;
	struct x86_nan_pair {
		u8 *from, *back;
		u8 r[2];		/* perhaps the same */
		bool dbl;
	} pair[X86_FREGS / 2 + 1];
};

void x86_nans_find(struct jit *j, u32 regs, struct x86_nans *n);
void x86_nans_fix(struct jit *j, const struct x86_nans *n);
void x86_settle(struct jit *j, u32 regs);
