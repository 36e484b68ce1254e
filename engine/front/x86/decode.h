/*
 * One x86 instruction taken apart: where it ends, what its fields are, what it addresses. What it
 * means is said elsewhere. Intel SDM volume 2, chapters 2 and 3; AMD APM volume 3, chapter 1.
 *
 * The decoder knows every documented encoding of the one-byte, 0F, 0F38 and 0F3A maps by opcode,
 * ModRM's reg and mandatory prefix; of VEX, EVEX and XOP it finds operands and end.
 */
#pragma once

#include "engine/front/x86/state.h"

#define X86_INSN_MAX	15		/* bytes; more is #GP */

/* By CS.L and CS.D: 64-bit mode; else the default operand and address size. */
enum x86_mode { X86_MODE16, X86_MODE32, X86_MODE64 };

enum x86_map {
	X86_MAP_ONE, X86_MAP_0F, X86_MAP_0F38, X86_MAP_0F3A, X86_MAP_EVEX_5 = 5, X86_MAP_EVEX_6,
	X86_MAP_XOP_8 = 8, X86_MAP_XOP_9, X86_MAP_XOP_A,
};

enum x86_prefix { X86_PREFIX_66 = 1, X86_PREFIX_67 = 2, X86_PREFIX_LOCK = 4 };

/* Mandatory prefix, in VEX's numbers. */
enum x86_pp { X86_PP_NONE, X86_PP_66, X86_PP_F3, X86_PP_F2 };

enum x86_mem {
	X86_MEM_EA   = 1,	/* by ModRM or an offset: seg, base, index, scale, disp */
	X86_MEM_SI   = 2,	/* string instructions: seg:rSI */
	X86_MEM_DI   = 4,	/* ES:rDI, no override */
	X86_MEM_XLAT = 8,	/* seg:rBX + AL */
	X86_MEM_VSIB = 16,	/* with EA: @index is a vector register, one address per element */
};

#define X86_NO_REG	0xff
#define X86_RIP		16		/* as a base: the address of the next instruction */

struct x86_insn {
	u8 len;
	u8 mode;		/* enum x86_mode it was decoded for */
	u8 map, op;		/* enum x86_map and the byte there */
	u8 prefix;		/* bits of enum x86_prefix */
	u8 rep;			/* 0, 0xf2 or 0xf3: the last one */
	u8 pp;			/* enum x86_pp; one-byte map: 0 */
	u8 rex;			/* 0, or 0x40 and W R X B: of VEX and its like as well */
	u8 vex;			/* bytes of the prefix: 0; VEX 2, 3; XOP 3; EVEX 4 */
	u8 vvvv, vlen;		/* its register; log2(bits / 128) */
	u8 evex;		/* the last byte of the prefix: z, L'L, b, V', aaa */
	u8 osize, asize;	/* bytes of general registers: 1, 2, 4, 8; 2, 4, 8 */
	u8 modrm;
	bool has_modrm;
	u8 reg, rm;		/* of ModRM with the bits of REX; @rm unless it is memory */
	u8 mem;			/* bits of enum x86_mem: memory operands, the stack's not counted */
	u8 width;		/* of that operand in bytes; 0: not accessed, or it varies */
	u8 seg;			/* enum x86_seg_index, the default or an override */
	u8 base, index;		/* enum x86_reg, X86_NO_REG, X86_RIP */
	u8 scale;		/* 0..3: by 1, 2, 4, 8 */
	u8 disp_size, imm_size;	/* bytes; EVEX: a disp of one byte counts units of the operand */
	u16 imm2;		/* ENTER's level, a far pointer's selector, EXTRQ's second byte */
	u64 disp, imm;		/* both sign-extended from their size */
};

/* Instead of a length. */
enum {
	X86_MORE = 0,		/* the bytes given are the beginning of an instruction */
	X86_INVALID = -1,	/* undefined: #UD */
	X86_TOO_LONG = -2,	/* more than X86_INSN_MAX bytes: #GP(0) */
};

/*
 * Take apart what starts at bytes[0..len): its length (1..15) or one of the above; only with a
 * length all of *@i is valid. Bytes behind the 15th are not looked at. Each byte is read once.
 */
int x86_decode(const u8 *bytes, u32 len, enum x86_mode mode, struct x86_insn *i);

/* Only the length. */
int x86_insn_length(const u8 *bytes, u32 len, enum x86_mode mode);

/*
 * The instruction decoded last, for exits that come from the same place again and again: then the
 * bytes are compared and not decoded. All zeroes at first.
 */
struct x86_recent {
	u64 bytes[2];			/* 0 to 7 and 7 to 14 */
	struct x86_insn insn;
};

/* x86_decode() of X86_INSN_MAX bytes into r->insn. */
int x86_decode_recent(struct x86_recent *r, const u8 *bytes, enum x86_mode mode);
