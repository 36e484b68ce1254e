/*
 * The intermediate representation of one block: block-local SSA, 24-byte operations in an
 * array; a value is the index of the operation that makes it. A front end appends with the
 * ir_* builder functions, which fold constants and remember what the state holds; then
 * ir_finish() removes what is dead; interpreter and JIT consume the rest.
 *
 * Exactness: PUTs are architectural and in order. At an operation that may fault (M in
 * ops.def) all PUTs before it are done and none after it, so a fault needs only the guest
 * instruction's index. The program counter is not PUT: exits set it, and the runner knows
 * it from that index.
 */
#pragma once

#include "engine/isa.h"

#define IR_INSNS_MAX	64	/* guest instructions in a block */
#define IR_OPS_MAX	1024
#define IR_OPS_ROOM	96	/* what one guest instruction may need at most */
#define IR_MEMO		128	/* 8-byte pieces of the state whose value is remembered */

typedef u16 val_t;		/* 0: none */

enum ir_opcode {
#define OP(name, result, args, props)		IR_##name,
#define SCALAR(name, result, args, props, expr)	IR_##name,
#define INT1(name, expr)			IR_##name##32, IR_##name##64,
#define INT2(name, expr)			IR_##name##32, IR_##name##64,
#define INT3(name, expr)			IR_##name##32, IR_##name##64,
#define BRANCH(name, cond)			IR_##name##32, IR_##name##64,
#define VEC(name, args, props)			IR_##name,
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
	IR_OP_COUNT
};

/* aux of EXIT and EXITIND: how the next block is found. */
enum ir_exit {
	IR_CHAIN,		/* same page, same context: patched link */
	IR_LOOKUP,		/* through the jump cache */
	IR_CHECK,		/* back to the run loop: context, interrupts, translation changed */
};

/* aux of memory operations. */
enum ir_mem {
	MEM_ACQUIRE = 1 << 0,
	MEM_RELEASE = 1 << 1,
	MEM_ALIGNED = 1 << 2,	/* or isa->misaligned is raised; AMO, CAS, LX, SX imply it */
	MEM_WRITE   = 1 << 3,	/* PROBE */
	MEM_SLOW    = 1 << 4,	/* the interpreter must not do it inline: see journal.h */
};

enum ir_amo {
	AMO_SWAP, AMO_ADD, AMO_AND, AMO_OR, AMO_XOR, AMO_ANDN,
	AMO_MINS, AMO_MAXS, AMO_MINU, AMO_MAXU,
};

/* aux of FP operations: format | rounding << 2. Rounding numbers are SoftFloat's. */
enum ir_fp {
	IR_FP_H = 0, IR_FP_S = 1, IR_FP_D = 2,
	IR_RM_NEAREST = 0 << 2, IR_RM_ZERO = 1 << 2, IR_RM_DOWN = 2 << 2, IR_RM_UP = 3 << 2,
	IR_RM_AWAY = 4 << 2,
	IR_RM_DYNAMIC = 7 << 2,	/* gcpu.fp_rm */
};

enum ir_int { IR_S32, IR_U32, IR_S64, IR_U64 };

/* kind of FLAGS; imm = kind << 2 | log2 bytes of the operands. */
enum flag_kind {
	FLAG_ADD, FLAG_ADC,		/* c: carry in (bit 0) */
	FLAG_SUB, FLAG_SBB,		/* x86: C is the borrow; c: borrow in */
	FLAG_ASUB, FLAG_ASBC,		/* Arm: C is not the borrow; c: carry in */
	FLAG_LOGIC,			/* of the result a: C = O = 0 */
	FLAG_INC, FLAG_DEC,		/* of the operand a; c: old flags, for C */
	FLAG_SHL, FLAG_SHR, FLAG_SAR,	/* a shifted by b (masked, not 0) */
	FLAG_ROL, FLAG_ROR,		/* c: old flags, only C and O change */
	FLAG_MULU, FLAG_MULS,		/* C = O = the product a * b does not fit */
};

enum flag_cc {
	CC_O, CC_NO, CC_C, CC_NC, CC_Z, CC_NZ, CC_BE /* C or Z */, CC_A, CC_S, CC_NS, CC_P, CC_NP,
	CC_L /* S != O */, CC_GE, CC_LE, CC_G,
	CC_HI /* Arm: C and not Z */, CC_LS,
};

enum { FL_C = 1 << 0, FL_P = 1 << 2, FL_A = 1 << 4, FL_Z = 1 << 6, FL_S = 1 << 7, FL_O = 1 << 11 };

u64 flags_compute(u64 kind_size, u64 a, u64 b, u64 c);
u64 flags_cc(u64 cc, u64 flags);

/*
 * A function that translated code calls. Before the call the runner stores the instruction's
 * pc in the state and what gcpu_icount() needs. H_PURE: touches no state. H_STATE: reads or
 * writes guest registers (what the builder remembered of them is forgotten). H_FAULT: may
 * park an exception. H_LEAVE: may set g->leave and fill *g->exit. A helper that changes ctx,
 * translation or interrupt enables is followed by an EXIT of kind IR_CHECK.
 */
enum ir_helper_flags { H_PURE = 1, H_STATE = 2, H_FAULT = 4, H_LEAVE = 8 };

struct ir_helper {
	const char *name;
	u64 (*fn)(struct gcpu *g, u64 a, u64 b, u64 c);
	u32 flags;
};

struct ir_op {
	u16 op;			/* enum ir_opcode */
	u8 insn;		/* index of the guest instruction in the block */
	u8 aux;
	val_t a, b, c;
	u16 uses;		/* filled by ir_finish() */
	s32 off;		/* state offset or address displacement */
	u64 imm;
};
_Static_assert(sizeof(struct ir_op) == 24, "IR operations are 24 bytes");

struct ir_block {
	gva_t pc;		/* of the first instruction */
	u32 ctx;
	u32 limit;		/* at most this many instructions, 1..IR_INSNS_MAX */
	u32 count;		/* operations; 0 is never used */
	u32 insns;		/* guest instructions begun */
	u32 bytes;		/* guest bytes consumed, set by translate() */
	bool ended;		/* an X operation has been appended */
	u16 insn_pc[IR_INSNS_MAX + 1];	/* offset of each instruction from pc */
	val_t memo[IR_MEMO];	/* the value that state[8 * i] holds as an i64, or 0 */
	bool sx32[IR_OPS_MAX];	/* the value is known to be its low half, sign-extended */
	struct ir_op op[IR_OPS_MAX];
};

/* What the rows say about an operation. */
struct ir_info {
	const char *name;
	/* of a scalar one: what it computes */
	u64 (*eval)(u64 a, u64 b, u64 c, u64 imm);
	char result, args[4], props[3];
};
extern const struct ir_info ir_info[IR_OP_COUNT];

static inline bool ir_has(enum ir_opcode op, char prop)
{
	return ir_info[op].props[0] == prop || ir_info[op].props[1] == prop;
}

/* Begin a block; then for each guest instruction ir_insn() and operations; then ir_finish(). */
void ir_begin(struct ir_block *b, gva_t pc, u32 ctx, u32 limit);
/* Start the next guest instruction at @pc; false when the block is full and must end before it. */
bool ir_insn(struct ir_block *b, gva_t pc);
/* End with an EXIT to @next_pc unless an X operation did, remove dead operations, count uses. */
void ir_finish(struct ir_block *b, gva_t next_pc);
/* Check types, order and ranges of a finished block; NULL, or what is wrong (text in @buf). */
const char *ir_verify(const struct ir_block *b, char *buf, size_t cap);
void ir_print(const struct ir_block *b, struct sink *to);

/* Evaluate a scalar operation (INT*, SCALAR): the constant folder and the tests' reference. */
static inline bool ir_is_scalar(enum ir_opcode op)
{
	return ir_info[op].eval != NULL;
}

static inline u64 ir_eval(enum ir_opcode op, u64 a, u64 b, u64 c, u64 imm)
{
	return ir_info[op].eval(a, b, c, imm);
}

/* The builders. All operands are values of this block. */
val_t ir_emit(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, val_t z, u8 aux, s32 off,
	      u64 imm);
val_t ir_const(struct ir_block *b, u64 v);
bool ir_is_const(const struct ir_block *b, val_t v, u64 *out);
val_t ir_get64(struct ir_block *b, u32 off);
void ir_put64(struct ir_block *b, u32 off, val_t v);

/* Other widths and vectors: @op = IR_GET8 ... IR_GETV, IR_PUT8 ... IR_PUTV. */
val_t ir_get(struct ir_block *b, enum ir_opcode op, u32 off);
void ir_put(struct ir_block *b, enum ir_opcode op, u32 off, val_t v);

static inline val_t ir_1(struct ir_block *b, enum ir_opcode op, val_t x)
{
	return ir_emit(b, op, x, 0, 0, 0, 0, 0);
}

static inline val_t ir_2(struct ir_block *b, enum ir_opcode op, val_t x, val_t y)
{
	return ir_emit(b, op, x, y, 0, 0, 0, 0);
}

static inline val_t ir_3(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, val_t z)
{
	return ir_emit(b, op, x, y, z, 0, 0, 0);
}

/* Memory: @op one of LDU8..LDV, ST8..STV; the address is base + off; @mem = enum ir_mem bits. */
static inline val_t ir_load(struct ir_block *b, enum ir_opcode op, val_t base, s32 off, u8 mem)
{
	return ir_emit(b, op, base, 0, 0, mem, off, 0);
}

static inline void ir_store(struct ir_block *b, enum ir_opcode op, val_t base, s32 off, val_t v,
			    u8 mem)
{
	ir_emit(b, op, base, v, 0, mem, off, 0);
}

val_t ir_call(struct ir_block *b, const struct ir_helper *h, val_t x, val_t y, val_t z);
/* IR_CHAIN becomes IR_LOOKUP by itself when @pc lies in another page. */
void ir_exit(struct ir_block *b, gva_t pc, enum ir_exit how);
void ir_exit_to(struct ir_block *b, val_t pc, enum ir_exit how);
/* Side exit to @pc; @op = IR_BREQ32 ... IR_BRGES64. */
void ir_branch(struct ir_block *b, enum ir_opcode op, val_t x, val_t y, gva_t pc);
void ir_except(struct ir_block *b, u32 cause, val_t value);
void ir_except_if(struct ir_block *b, val_t cond, u32 cause, val_t value);
