/* Encoding of AArch64 instructions, and the target's table of functions. */
#include "engine/back/aarch64/asm.h"

#include "kernel/base/panic.h"

/* ---- immediates ---- */

/*
 * The fields N:immr:imms of a bitmask immediate (Arm ARM, DecodeBitMasks): a run of ones, rotated,
 * in an element of 2 to 64 bits that repeats. Neither all zeros nor all ones.
 */
static bool bitmask(u64 v, bool wide, u32 *fields)
{
	u32 size = 64, at, ones;
	u64 mask = ~0ull, run;
	bool inverted;

	if (!wide)
		v = (u32)v | v << 32;
	if (v == 0 || v == ~0ull)
		return false;
	while (size > 2 && (v & MASK(size / 2)) == (v >> size / 2 & MASK(size / 2)))
		size /= 2;
	mask = size == 64 ? ~0ull : MASK(size);
	v &= mask;
	/* Of the run and the gap between two, one does not wrap around. */
	inverted = v & 1 && v >> (size - 1) & 1;
	run = inverted ? ~v & mask : v;
	at = (u32)__builtin_ctzll(run);
	run = (run >> at) + 1;
	if (run & (run - 1))
		return false;
	ones = (u32)__builtin_ctzll(run);
	if (inverted) {
		at += ones;
		ones = size - ones;
	}
	*fields = (u32)(size == 64) << 12 | ((size - at) & (size - 1)) << 6 |
		  ((-size << 1 | (ones - 1)) & 63);
	return true;
}

bool a64_logic_imm(struct jit *j, u32 op, bool wide, u8 d, u8 n, u64 imm)
{
	u32 fields;

	if (!bitmask(imm, wide, &fields))
		return false;
	a64_2(j, (op & 0x60000000) | 0x12000000 | A64_W(wide) | fields << 10, d, n);
	return true;
}

/* The pieces of @v that are not @fill, from the lowest. */
static u32 pieces(u64 v, u16 fill, u32 *count)
{
	u32 set = 0;

	*count = 0;
	for (u32 i = 0; i < 4; i++)
		if ((u16)(v >> 16 * i) != fill) {
			set |= 1u << i;
			++*count;
		}
	return set;
}

void a64_imm(struct jit *j, u8 d, u64 v)
{
	u32 zeros, ones, set = pieces(v, 0, &zeros), clear = pieces(v, 0xffff, &ones);
	bool negate = ones < zeros;
	u32 op = negate ? 0x92800000 : 0xd2800000;		/* MOVN, MOVZ */

	if (MIN(zeros, ones) > 1 && a64_logic_imm(j, A_ORR, true, d, ZR, v))
		return;
	if (negate)
		set = clear;
	if (!set)
		set = 1;
	for (u32 i = 0; i < 4; i++) {
		u16 piece = (u16)(v >> 16 * i);

		if (!(set >> i & 1))
			continue;
		if (negate && op == 0x92800000)
			piece = (u16)~piece;
		emit(j, op | i << 21 | (u32)piece << 5 | d);
		op = 0xf2800000;				/* MOVK */
	}
}

bool a64_add_fits(s64 imm)
{
	u64 v = (u64)(imm < 0 ? -imm : imm);

	return v < 4096 || (v % 4096 == 0 && v < 4096 << 12);
}

static void add_imm(struct jit *j, bool wide, bool flags, u8 d, u8 n, s64 imm)
{
	u64 v = (u64)(imm < 0 ? -imm : imm);
	u32 shifted = v >= 4096;

	if (a64_add_fits(imm)) {
		a64_2(j, (imm < 0 ? 0x51000000 : 0x11000000) | (u32)flags << 29 | A64_W(wide) |
			 shifted << 22 | (u32)(shifted ? v >> 12 : v) << 10, d, n);
		return;
	}
	a64_imm(j, SCRATCH, wide ? (u64)imm : (u32)imm);
	a64_3(j, (flags ? A_ADDS : A_ADD) | A64_W(wide), d, n, SCRATCH);
}

void a64_add_imm(struct jit *j, bool wide, u8 d, u8 n, s64 imm)
{
	add_imm(j, wide, false, d, n, imm);
}

void a64_cmp_imm(struct jit *j, bool wide, u8 n, s64 imm)
{
	/* The carry of an addition of 0 is not that of a subtraction. */
	if (imm == 0) {
		a64_2(j, 0x71000000 | A64_W(wide), ZR, n);
	} else if (a64_add_fits(imm)) {
		add_imm(j, wide, true, ZR, n, -imm);
	} else {
		a64_imm(j, SCRATCH, wide ? (u64)imm : (u32)imm);
		a64_cmp(j, wide, n, SCRATCH);
	}
}

void a64_move(struct jit *j, u8 d, u8 s)
{
	if (d != s)
		a64_3(j, A_ORR | A64_W(true), d, ZR, s);
}

/* ---- memory ---- */

#define UNSCALED	0x38000000u
#define SCALED		0x39000000u
#define INDEXED		0x38206800u

void a64_mem(struct jit *j, u32 op, u8 r, u8 base, u32 off)
{
	u32 size = op >> 30;

	assert(!(off & MASK(size)) && off >> size < 4096);
	a64_2(j, op | SCALED | off >> size << 10, r, base);
}

void a64_index(struct jit *j, u32 op, u8 r, u8 base, u8 index, bool scaled)
{
	a64_3(j, op | INDEXED | (u32)scaled << 12, r, base, index);
}

/* The register that @off is counted from, and from there. */
static u8 base_of(const struct jit *j, s32 *off)
{
	if ((u32)*off < j->frame)
		return STATE;
	*off -= (s32)j->frame;
	return FRAME_AT;
}

static bool is_scaled(u32 op, s32 off)
{
	u32 size = op >> 30;

	return !((u32)off & MASK(size)) && off >> size < 4096;
}

bool a64_reaches(const struct jit *j, u32 op, s32 off)
{
	base_of(j, &off);
	return is_scaled(op, off) || off < 256;
}

void a64_state(struct jit *j, u32 op, u8 r, s32 off)
{
	u8 base = base_of(j, &off);

	assert(off >= 0);
	if (is_scaled(op, off)) {
		a64_mem(j, op, r, base, (u32)off);
	} else if (off < 256) {
		a64_2(j, op | UNSCALED | (u32)off << 12, r, base);
	} else {
		a64_imm(j, SCRATCH, (u64)off);
		a64_index(j, op, r, base, SCRATCH, false);
	}
}

void a64_pair(struct jit *j, u32 op, u8 r, u8 r2, u8 base, s32 off)
{
	u32 form = op & A_FP ? 0x6d000000 : 0xa9000000;

	assert(!(off & 7) && off >= -512 && off < 512);
	a64_2(j, form | (op & 1u << 22) | ((u32)off >> 3 & 127) << 15 | (u32)r2 << 10, r, base);
}

/* ---- branches ---- */

void a64_fix_to(u8 *from, const u8 *to)
{
	s64 d = (to - from) >> 2;
	u32 insn, bits, at;

	__builtin_memcpy(&insn, from, 4);
	bits = (insn & 0x7c000000) == 0x14000000 ? 26 : 19;	/* B and BL, or conditional */
	at = bits == 26 ? 0 : 5;
	assert(d == sext((u64)d, bits));
	insn = (insn & ~(u32)(MASK(bits) << at)) | (u32)((u64)d & MASK(bits)) << at;
	__builtin_memcpy(from, &insn, 4);
}

/* ---- operands ---- */

u8 a64_use(struct jit *j, val_t v)
{
	u64 c;

	return ir_is_const(j->ir, v, &c) && c == 0 ? ZR : jit_use(j, v);
}

/* ---- the target ---- */

static void load(struct jit *j, u8 d, s32 off)
{
	a64_state(j, A_LDR, d, off);
}

static void store(struct jit *j, s32 off, u8 s)
{
	a64_state(j, A_STR, s, off);
}

static void fload(struct jit *j, u8 d, s32 off)
{
	a64_state(j, A_LDR_D, d, off);
}

static void fstore(struct jit *j, s32 off, u8 s)
{
	a64_state(j, A_STR_D, s, off);
}

static void store_imm(struct jit *j, s32 off, u64 v)
{
	if (v == 0) {
		a64_state(j, A_STR, ZR, off);
	} else if (a64_reaches(j, A_STR, off)) {
		a64_imm(j, SCRATCH, v);
		a64_state(j, A_STR, SCRATCH, off);
	} else {			/* two registers, and all may be taken */
		a64_state(j, A_STR, 0, FRAME(j, saved[0]));
		a64_imm(j, 0, v);
		a64_state(j, A_STR, 0, off);
		a64_state(j, A_LDR, 0, FRAME(j, saved[0]));
	}
}

static void address(struct jit *j, s32 to, s32 off)
{
	a64_add_imm(j, true, SCRATCH, base_of(j, &off), off);
	a64_state(j, A_STR, SCRATCH, to);
}

static void setup(struct jit_frame *f)
{
	(void)f;			/* constants are in the code */
}

static u32 op(struct jit *j, u32 i)
{
	enum ir_opcode o = j->ir->op[i].op;

	if (o >= IR_LDU8 && o <= IR_ZEROBLK)
		return a64_op_mem(j, i);
	if (o >= IR_FADD && o <= IR_UNBOX16)
		return j->fp ? a64_op_fp(j, i) : 0;
	if (o <= IR_BRGES64)
		return a64_op_flow(j, i);
	if (j->kind[i] == KIND_FP)
		return a64_op_fp(j, i);
	return o <= IR_BFI ? a64_op_int(j, i) : 0;
}

static const u8 pins[] = { 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 26, 27, 28 };
static const u8 fpins[] = {
	4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
	28, 29, 30,
};

const struct jit_target aarch64_target = {
	.name = "aarch64",
	.pin = pins, .pins = ARRAY_LEN(pins),
	.fpin = fpins, .fpins = ARRAY_LEN(fpins),
	.temps = (1u << A64_TEMPS) - 1, .ftemps = 0xf,
	.move = a64_move, .imm = a64_imm,
	.fmove = a64_fmove, .to_fp = a64_to_fp, .from_fp = a64_from_fp,
	.load = load, .store = store, .fload = fload, .fstore = fstore,
	.store_imm = store_imm, .address = address,
	.setup = setup, .common = a64_shared_code, .begin = a64_begin,
	.op = op, .slow = a64_slow, .link = a64_link,
	.divert = a64_divert, .divert_len = 4,
	.fp_state = a64_fp_state, .fp_flags = a64_fp_flags,
};
