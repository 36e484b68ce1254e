/*
 * AArch64 instructions as words: the few forms that the translator writes. Arm ARM DDI 0487,
 * chapters C4 (encodings), C6 and C7 (instructions). An opcode is the word with all fields zero;
 * A64_W() makes it the 64-bit one.
 */
#pragma once

#include "engine/back/aarch64/aarch64.h"
#include "engine/back/jit/jit.h"

/*
 * Who is who. X0 to X4 are temporaries; X5 to X17 and X26 to X28 the guest's. X18 is the
 * platform's, X29 stays the C code's frame pointer. The link register is scratch inside one
 * instruction of the IR, and of any access that lies out of reach of an immediate offset.
 */
enum a64_reg {
	STATE = 19,		/* the guest state */
	FRAME_AT = 20,		/* struct jit_frame; behind it the jump cache */
	BUDGET = 21,
	RAM = 22,		/* frame->ram */
	RAM_SIZE = 23,
	LPT = 24,		/* frame->lpt: for reading */
	LPT_WRITE = 25,			/* frame->memory[1]: for writing; or the view: */
	VIEW = LPT_WRITE,
	C_FRAME = 29,
	SCRATCH = 30,
	ZR = 31, SP = 31,	/* which one, is the instruction's choice */
};
#define A64_TEMPS	5
#define BOX_MASK	31	/* V31: the upper half of a single's box */

enum a64_cc { EQ, NE, HS, LO, MI, PL, VS, VC, HI, LS, GE, LT, GT, LE };

#define A64_W(wide)	((u32)(wide) << 31)

/* d, n, m: with m shifted left, by a64_3_lsl() */
#define A_ADD		0x0b000000u
#define A_ADDS		0x2b000000u
#define A_SUB		0x4b000000u
#define A_SUBS		0x6b000000u
#define A_AND		0x0a000000u
#define A_BIC		0x0a200000u
#define A_ORR		0x2a000000u
#define A_ORN		0x2a200000u
#define A_EOR		0x4a000000u
#define A_EON		0x4a200000u
#define A_ANDS		0x6a000000u
/* d, n, m */
#define A_UDIV		0x1ac00800u
#define A_SDIV		0x1ac00c00u
#define A_LSLV		0x1ac02000u
#define A_LSRV		0x1ac02400u
#define A_ASRV		0x1ac02800u
#define A_RORV		0x1ac02c00u
#define A_MUL		0x1b007c00u
#define A_MSUB		0x1b008000u	/* | minuend << 10 */
#define A_SMULL		0x9b207c00u	/* 64 bits of 32 */
#define A_UMULL		0x9ba07c00u
#define A_SMULH		0x9b407c00u
#define A_UMULH		0x9bc07c00u
#define A_CSEL		0x1a800000u	/* | condition << 12 */
#define A_CSINC		0x1a800400u
#define A_EXTR		0x13800000u	/* | N << 22 | shift << 10 */
/* d, n */
#define A_RBIT		0x5ac00000u
#define A_REV_W		0x5ac00800u
#define A_REV_X		0xdac00c00u
#define A_CLZ		0x5ac01000u
/* a64_bfm() */
#define A_SBFM		0x13000000u
#define A_BFM		0x33000000u
#define A_UBFM		0x53000000u
/* system registers and barriers, | register */
#define A_MRS_FPCR	0xd53b4400u
#define A_MSR_FPCR	0xd51b4400u
#define A_MRS_FPSR	0xd53b4420u
#define A_MSR_FPSR	0xd51b4420u
#define A_DMB_ISH	0xd5033bbfu

/*
 * Loads and stores: size (log2), direction and kind of register. How the address is made, comes
 * from the function that writes them.
 */
#define A_STORE(size)	((u32)(size) << 30)
#define A_LOAD(size)	(A_STORE(size) | 1u << 22)
#define A_LOADS(size)	(A_STORE(size) | 2u << 22)	/* sign-extended to 64 bits */
#define A_FP		(1u << 26)
#define A_LDR		A_LOAD(3)
#define A_STR		A_STORE(3)
#define A_LDR_W		A_LOAD(2)
#define A_STR_W		A_STORE(2)
#define A_LDR_D		(A_LDR | A_FP)
#define A_STR_D		(A_STR | A_FP)

static inline void emit(struct jit *j, u32 insn)
{
	__builtin_memcpy(j->at, &insn, 4);
	j->at += 4;
}

static inline void a64_3(struct jit *j, u32 op, u8 d, u8 n, u8 m)
{
	emit(j, op | (u32)m << 16 | (u32)n << 5 | d);
}

static inline void a64_3_lsl(struct jit *j, u32 op, u8 d, u8 n, u8 m, u32 shift)
{
	a64_3(j, op | shift << 10, d, n, m);
}

static inline void a64_2(struct jit *j, u32 op, u8 d, u8 n)
{
	a64_3(j, op, d, n, 0);
}

/* Bit fields; the shifts by a constant and the extensions are among them. */
static inline void a64_bfm(struct jit *j, u32 op, bool wide, u8 d, u8 n, u32 immr, u32 imms)
{
	a64_2(j, op | A64_W(wide) | (u32)wide << 22 | immr << 16 | imms << 10, d, n);
}

/* Compare @n and @m if @cc, else set the flags to @nzcv. */
#define NZCV_C	2

static inline void a64_ccmp(struct jit *j, u8 n, u8 m, enum a64_cc cc, u32 nzcv)
{
	a64_3(j, 0xfa400000 | (u32)cc << 12 | nzcv, 0, n, m);
}

static inline void a64_csel(struct jit *j, bool wide, u8 d, u8 n, u8 m, enum a64_cc cc)
{
	a64_3(j, A_CSEL | A64_W(wide) | (u32)cc << 12, d, n, m);
}

static inline void a64_cset(struct jit *j, u8 d, enum a64_cc cc)
{
	a64_3(j, A_CSINC | (u32)(cc ^ 1) << 12, d, ZR, ZR);
}

static inline void a64_cmp(struct jit *j, bool wide, u8 n, u8 m)
{
	a64_3(j, A_SUBS | A64_W(wide), ZR, n, m);
}

void a64_move(struct jit *j, u8 d, u8 s);
void a64_imm(struct jit *j, u8 d, u64 v);
/* Does an ADD, SUB or comparison take it? */
bool a64_add_fits(s64 imm);
/* d = n + imm, d and n not ZR. What does not fit goes through SCRATCH. */
void a64_add_imm(struct jit *j, bool wide, u8 d, u8 n, s64 imm);
void a64_cmp_imm(struct jit *j, bool wide, u8 n, s64 imm);
/* @op one of AND, ORR, EOR, ANDS. False, and nothing written: there is no such immediate. */
bool a64_logic_imm(struct jit *j, u32 op, bool wide, u8 d, u8 n, u64 imm);

/* ---- memory ---- */
/* At @off from the guest state, or in the frame behind it. */
void a64_state(struct jit *j, u32 op, u8 r, s32 off);
bool a64_reaches(const struct jit *j, u32 op, s32 off);		/* ... without SCRATCH? */
/* At base + off, where off is a multiple of the size and less than 4096 times that. */
void a64_mem(struct jit *j, u32 op, u8 r, u8 base, u32 off);
/* At base + index, or base + (index << size). */
void a64_index(struct jit *j, u32 op, u8 r, u8 base, u8 index, bool scaled);
/* Two of 8 bytes at base + off, off a multiple of 8 from -512 to 504; @op: LDR, STR, also of D. */
void a64_pair(struct jit *j, u32 op, u8 r, u8 r2, u8 base, s32 off);

/* ---- branches: a fix is given the address of the instruction ---- */
static inline u8 *a64_b(struct jit *j)
{
	emit(j, 0x14000000);
	return j->at - 4;
}

static inline u8 *a64_bcc(struct jit *j, enum a64_cc cc)
{
	emit(j, 0x54000000 | cc);
	return j->at - 4;
}

static inline u8 *a64_cbz(struct jit *j, bool wide, u8 r)
{
	emit(j, 0x34000000 | A64_W(wide) | r);
	return j->at - 4;
}

static inline u8 *a64_cbnz(struct jit *j, bool wide, u8 r)
{
	emit(j, 0x35000000 | A64_W(wide) | r);
	return j->at - 4;
}

void a64_fix_to(u8 *from, const u8 *to);

/* Let the branch end here. */
static inline void a64_fix(struct jit *j, u8 *from)
{
	a64_fix_to(from, j->at);
}

static inline void a64_b_to(struct jit *j, const u8 *to)
{
	a64_fix_to(a64_b(j), to);
}

static inline void a64_bl_to(struct jit *j, const u8 *to)
{
	emit(j, 0x94000000);
	a64_fix_to(j->at - 4, to);
}

static inline void a64_br(struct jit *j, u8 r)
{
	emit(j, 0xd61f0000 | (u32)r << 5);
}

static inline void a64_ret(struct jit *j)
{
	emit(j, 0xd65f03c0);
}

/* ---- operands ---- */
/* The register of @v, or ZR if it is the constant 0: not for instructions that take it for SP. */
u8 a64_use(struct jit *j, val_t v);

/* Common code, as written: it lies in the same memory. */
static inline const u8 *a64_shared(const struct jit *j, u32 at)
{
	return j->code->rw + at;
}

/* One operation each; 0: no inline form. */
u32 a64_op_int(struct jit *j, u32 i);
u32 a64_op_mem(struct jit *j, u32 i);
u32 a64_op_atomic(struct jit *j, u32 i);
u32 a64_op_fp(struct jit *j, u32 i);
u32 a64_op_flow(struct jit *j, u32 i);

/* int.c: compare the operands of @o; the flags are the result. */
void a64_compare(struct jit *j, const struct ir_op *o, bool wide);

/* mem.c: @t = the offset in RAM of @va; the branch to the slow path. */
u8 *a64_translate(struct jit *j, u8 t, u8 va, u32 size, bool write);

void a64_divert(u8 *at, const u8 *at_rx, const u8 *to);

/* flow.c */
void a64_begin(struct jit *j);
void a64_shared_code(struct jit *j);
void a64_slow(struct jit *j, u32 site);
u32 a64_link(u8 *at, const u8 *at_rx, const u8 *to, u32 stamp, bool guarded);

/* fp.c */
void a64_fp_constants(struct jit *j);
u32 a64_fp_state(u32 rm);
u8 a64_fp_flags(u32 *state);
void a64_fmove(struct jit *j, u8 d, u8 s);
void a64_to_fp(struct jit *j, u8 d, u8 s);
void a64_from_fp(struct jit *j, u8 d, u8 s);
