/*
 * The x86 instruction decoder: prefixes, opcode, ModRM, SIB, displacement, immediate. Intel SDM
 * volume 2, chapter 2. All that depends on the opcode is data: opcodes.def.
 *
 * The bytes are copied first, with zeroes behind them, and taken apart without looking at how many
 * there are; whether there were enough is asked once, at the end. What was concluded from bytes
 * that were not there is then not believed.
 *
 * Where vendors differ this is AMD's way: 66 makes a near branch one of 16 bits in 64-bit mode
 * (Intel's CPUs ignore it there).
 */
#include "engine/front/x86/decode.h"
#include "engine/front/x86/opcodes.h"
#include "kernel/base/str.h"

/* Nothing reads further: 14 prefixes, then an opcode of 0F 3A, or as far as zeroes lead. */
struct reader {
	u8 b[48];
	u32 at;
};

static u8 next(struct reader *r)
{
	return r->b[r->at++];
}

/* @size bytes, sign-extended; 0: none. */
static u64 next_signed(struct reader *r, u32 size)
{
	u64 v = load_le64(r->b + r->at);

	r->at += size;
	return size ? (u64)sext(v, 8 * size) : 0;
}

/* ---- prefixes ---- */

static void prefix_note(struct x86_insn *i, u8 b)
{
	switch (b) {
	case 0x66: i->prefix |= X86_PREFIX_66; break;
	case 0x67: i->prefix |= X86_PREFIX_67; break;
	case 0xf0: i->prefix |= X86_PREFIX_LOCK; break;
	case 0xf2: case 0xf3: i->rep = b; break;
	case 0x64: i->seg = X86_FS; break;
	case 0x65: i->seg = X86_GS; break;
	default:	/* 26 2E 36 3E: ES CS SS DS have no meaning in 64-bit mode */
		if (i->mode != X86_MODE64)
			i->seg = b >> 3 & 3;
	}
}

/* To behind the first byte that is no prefix, which is returned. REX counts only just before it. */
static u8 prefixes(struct reader *r, struct x86_insn *i)
{
	for (;;) {
		u8 b = next(r);

		if (i->mode == X86_MODE64 && (b & 0xf0) == 0x40) {
			i->rex = b;
		} else if (x86_opcodes[0][b >> 4][b & 15] & PREFIX) {
			prefix_note(i, b);
			i->rex = 0;
		} else {
			return b;
		}
	}
}

static u8 pp_of(const struct x86_insn *i)
{
	if (i->rep)
		return i->rep == 0xf3 ? X86_PP_F3 : X86_PP_F2;
	return i->prefix & X86_PREFIX_66 ? X86_PP_66 : X86_PP_NONE;
}

/* ---- opcodes ---- */

enum { VEX_MAPS = 0xe, EVEX_MAPS = 0x6e, XOP_MAPS = 0x700 };	/* one bit each */

/* Which bytes of map 0F VEX and EVEX have, one bit each. */
static const u16 vex_0f[16] = {
	[0x1] = 0x00ff, [0x2] = 0xff00, [0x4] = 0x0cf6, [0x5] = 0xffff, [0x6] = 0xffff,
	[0x7] = 0xffff, [0x9] = 0x030f, [0xa] = 0x4000, [0xc] = 0x0074, [0xd] = 0xffff,
	[0xe] = 0xffff, [0xf] = 0x7fff,
};

/* What VEX, EVEX and XOP lead to has ModRM, with the one exception VZEROUPPER. */
static u32 vex_cell(const struct x86_insn *i)
{
	u32 op = i->op;

	if (i->map == X86_MAP_XOP_A)
		return MODRM | I_D;
	if (i->map != X86_MAP_0F)
		return i->map == X86_MAP_0F3A || i->map == X86_MAP_XOP_8 ? MODRM | I_B : MODRM;
	if (!(vex_0f[op >> 4] >> (op & 15) & 1))
		return UNDEFINED;
	if (op == 0x77)
		return i->vex == 4 ? UNDEFINED : NOTHING;
	return (op >= 0x70 && op <= 0x73) || op >> 4 == 0xc ? MODRM | I_B : MODRM;
}

/* W, vvvv, L and pp stand alike in the last byte of VEX and the middle one of EVEX. */
static void vex_note(struct x86_insn *i, u8 rxb, u8 b)
{
	if (i->mode != X86_MODE64)
		rxb = 0;
	i->rex = (u8)(0x40 | rxb | (b >> 7) << 3);
	i->vvvv = (u8)(~b >> 3 & (i->mode == X86_MODE64 ? 15 : 7));
	i->pp = b & 3;
}

/* EVEX has a bit more of each register number; that of vvvv is in its last byte. */
static u32 evex(struct reader *r, struct x86_insn *i)
{
	u8 a = next(r), b = next(r);

	i->vex = 4;
	i->evex = next(r);
	i->map = a & 7;
	vex_note(i, ~a >> 5 & 7, b);
	if (i->mode == X86_MODE64) {
		i->vvvv |= (u8)((~i->evex & 8) << 1);
		i->reg = (u8)(~a & 0x10);
	}
	i->vlen = i->evex >> 5 & 3;
	i->op = next(r);
	return a & 8 || !(b & 4) || !(BIT(i->map) & EVEX_MAPS) ? UNDEFINED : vex_cell(i);
}

/* Two bytes: the map is 0F, X, B and W are 0, and R stands where W does in the longer form. */
static u32 vex2(struct reader *r, struct x86_insn *i)
{
	u8 a = next(r);

	i->vex = 2;
	i->map = X86_MAP_0F;
	vex_note(i, ~a >> 5 & 4, a & 0x7f);
	i->vlen = a >> 2 & 1;
	i->op = next(r);
	return vex_cell(i);
}

static u32 vex3(struct reader *r, struct x86_insn *i, u32 maps)
{
	u8 a = next(r), b = next(r);

	i->vex = 3;
	i->map = a & 31;
	vex_note(i, ~a >> 5 & 7, b);
	i->vlen = b >> 2 & 1;
	i->op = next(r);
	return BIT(i->map) & maps ? vex_cell(i) : UNDEFINED;
}

/*
 * Outside 64-bit mode they are LES, LDS and BOUND unless ModRM would name a register; XOP (AMD APM
 * volume 3, 1.2.7) is POP unless its map is one that exists.
 */
static bool is_vex(const struct reader *r, const struct x86_insn *i, u8 b)
{
	u8 a = r->b[r->at];

	switch (b) {
	case 0xc4: case 0xc5: case 0x62: return i->mode == X86_MODE64 || a >= 0xc0;
	case 0x8f: return (a & 31) >= X86_MAP_XOP_8;
	}
	return false;
}

static u32 vex(struct reader *r, struct x86_insn *i, u8 b)
{
	switch (b) {
	case 0x62: return evex(r, i);
	case 0xc5: return vex2(r, i);
	case 0x8f: return vex3(r, i, XOP_MAPS);
	}
	return vex3(r, i, VEX_MAPS);
}

/* The opcode, at @b and behind; what the maps say of it. */
static u32 opcode(struct reader *r, struct x86_insn *i, u8 b)
{
	if (is_vex(r, i, b)) {
		bool bad = i->rex || i->rep || i->prefix & (X86_PREFIX_66 | X86_PREFIX_LOCK);
		u32 cell = vex(r, i, b);

		return bad ? UNDEFINED : cell;
	}
	if (b == 0x0f) {
		i->map = X86_MAP_0F;
		b = next(r);
		if (b == 0x38 || b == 0x3a) {
			i->map = b == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
			b = next(r);
		}
	}
	i->op = b;
	i->pp = pp_of(i);
	return x86_opcodes[i->map][b >> 4][b & 15];
}

/* The cell of the row that ModRM's reg or the mandatory prefix choose. */
static u32 choose(u32 cell, const struct x86_insn *i)
{
	if (cell & BY_REG)
		return x86_choices[ROW(cell)][(i->modrm >> 3 & 7) | (i->modrm >= 0xc0) << 3];
	return cell & BY_PP ? x86_choices[ROW(cell)][i->pp] : cell;
}

/* Is it an instruction at all? ModRM and the prefixes are known. */
static bool is_defined(const struct x86_insn *i, u32 cell)
{
	bool mem = i->has_modrm && i->modrm < 0xc0 && !(cell & IS_REG);

	if (cell == UNDEFINED || (cell & NOT64 && i->mode == X86_MODE64))
		return false;
	if (i->prefix & X86_PREFIX_LOCK && !(cell & LOCKS && mem))
		return false;
	return !(cell & (mem ? NO_MEM : NO_REG));
}

/* ---- sizes ---- */

static u8 osize_of(const struct x86_insn *i, u32 cell)
{
	bool is64 = i->mode == X86_MODE64, p66 = i->prefix & X86_PREFIX_66;
	u8 size = is64 && i->rex & 8 ? 8 : (i->mode == X86_MODE16) != p66 ? 2 : 4;

	switch (cell & O_MASK) {
	case O_B:   return 1;
	case O_Y:   return MAX(size, 4);
	case O_D64: return is64 && size == 4 ? 8 : size;
	case O_N:   return is64 ? 8 : 4;
	}
	return size;
}

static u8 asize_of(const struct x86_insn *i)
{
	static const u8 size[3][2] = { { 2, 4 }, { 4, 2 }, { 8, 4 } };

	return size[i->mode][(i->prefix & X86_PREFIX_67) != 0];
}

static u8 width_of(const struct x86_insn *i, u32 cell)
{
	switch (cell & W_MASK) {
	case W_1:  return 1;
	case W_2:  return 2;
	case W_4:  return 4;
	case W_8:  return 8;
	case W_10: return 10;
	case W_16: return 16;
	case W_O:  return i->osize;
	case W_Z:  return MIN(i->osize, 4);
	case W_2O: return 2 * i->osize;
	case W_P:  return 2 + i->osize;
	case W_S:  return i->mode == X86_MODE64 ? 10 : 6;
	case W_SX: return i->mode == X86_MODE64 ? MIN(i->osize, 4) : 2;
	}
	return 0;
}

/* ---- memory operands ---- */

/* 16-bit forms: two registers or one, and a displacement alone in place of [BP]. */
static void ea16(struct reader *r, struct x86_insn *i)
{
	static const u8 base[8] = { X86_RBX, X86_RBX, X86_RBP, X86_RBP,
				    X86_RSI, X86_RDI, X86_RBP, X86_RBX };
	static const u8 index[8] = { X86_RSI, X86_RDI, X86_RSI, X86_RDI,
				     X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG };
	u32 mod = i->modrm >> 6, rm = i->modrm & 7;

	i->base = base[rm];
	i->index = index[rm];
	i->disp_size = (u8)mod;
	if (mod == 0 && rm == 6) {
		i->base = X86_NO_REG;
		i->disp_size = 2;
	}
}

/* SIB. The number 4 is no index, but R12 is one. */
static void ea_sib(struct reader *r, struct x86_insn *i)
{
	u8 sib = next(r);
	u8 index = (u8)((sib >> 3 & 7) | (i->rex & 2) << 2);

	i->scale = sib >> 6;
	i->base = (u8)((sib & 7) | (i->rex & 1) << 3);
	i->index = index == 4 && !(i->mem & X86_MEM_VSIB) ? X86_NO_REG : index;
	if (i->mem & X86_MEM_VSIB && i->vex == 4)
		i->index |= i->vvvv & 16;
	if ((sib & 7) == 5 && i->modrm < 0x40) {
		i->base = X86_NO_REG;
		i->disp_size = 4;
	}
}

/* 32- and 64-bit forms: what REX.B is does not matter to the special cases 4 and 5. */
static void ea32(struct reader *r, struct x86_insn *i)
{
	u32 mod = i->modrm >> 6, rm = i->modrm & 7;

	i->disp_size = mod == 2 ? 4 : (u8)mod;
	if (rm == 4) {
		ea_sib(r, i);
	} else if (mod == 0 && rm == 5) {
		i->base = i->mode == X86_MODE64 ? X86_RIP : X86_NO_REG;
		i->disp_size = 4;
	} else {
		i->base = i->rm;
	}
}

/* Gathers and scatters: 0F38 90 to 93, and EVEX A0 to A3, C6, C7. */
static bool has_vsib(const struct x86_insn *i)
{
	if (!i->vex || i->map != X86_MAP_0F38)
		return false;
	return (i->op & 0xfc) == 0x90 ||
	       (i->vex == 4 && ((i->op & 0xfc) == 0xa0 || (i->op & 0xfe) == 0xc6));
}

static void operand(struct reader *r, struct x86_insn *i, u32 cell)
{
	i->reg |= (u8)((i->modrm >> 3 & 7) | (i->rex & 4) << 1);
	i->rm = (u8)((i->modrm & 7) | (i->rex & 1) << 3);
	if (i->modrm >= 0xc0 || cell & IS_REG) {
		if (i->vex == 4)
			i->rm |= (u8)((i->rex & 2) << 3);
		return;
	}
	i->mem = has_vsib(i) ? X86_MEM_EA | X86_MEM_VSIB : X86_MEM_EA;
	if (i->asize == 2)
		ea16(r, i);
	else
		ea32(r, i);
	i->disp = next_signed(r, i->disp_size);
}

/* What has no ModRM but memory operands; the segment of all of them. */
static void operand_implied(struct x86_insn *i, u32 cell)
{
	if (cell & USES_SI)
		i->mem |= X86_MEM_SI;
	if (cell & USES_DI)
		i->mem |= X86_MEM_DI;
	if (cell & USES_BX)
		i->mem |= X86_MEM_XLAT;
	if (i->seg == X86_SEGS)
		i->seg = i->base == X86_RSP || i->base == X86_RBP ? X86_SS : X86_DS;
	if (i->mem)
		i->width = width_of(i, cell);
}

/* ---- immediates ---- */

static void immediate(struct reader *r, struct x86_insn *i, u32 cell)
{
	switch (cell & I_MASK) {
	case 0:	      return;
	case I_B:     case I_BB: i->imm_size = 1; break;
	case I_W:     case I_WB: i->imm_size = 2; break;
	case I_Z:     case I_FAR: i->imm_size = MIN(i->osize, 4); break;
	case I_D:     i->imm_size = 4; break;
	case I_V:     i->imm_size = i->osize; break;
	case I_OFFSET:
		i->mem = X86_MEM_EA;
		i->disp_size = i->asize;
		i->disp = next_signed(r, i->asize);
		return;
	}
	i->imm = next_signed(r, i->imm_size);
	if ((cell & I_MASK) == I_FAR)
		i->imm2 = (u16)next_signed(r, 2);
	else if ((cell & I_MASK) == I_BB || (cell & I_MASK) == I_WB)
		i->imm2 = next(r);
}

/* ---- all of it ---- */

static void copy(struct reader *r, const u8 *bytes, u32 len)
{
	if (len == X86_INSN_MAX)
		__builtin_memcpy(r->b, bytes, X86_INSN_MAX);
	else
		memcpy(r->b, bytes, len);
}

/* False: undefined. */
static bool decode(struct reader *r, struct x86_insn *i)
{
	u32 cell = opcode(r, i, prefixes(r, i));

	if (cell & MODRM) {
		i->modrm = next(r);
		i->has_modrm = true;
		cell = choose(choose(cell, i), i);
	}
	if (!is_defined(i, cell))
		return false;
	i->osize = osize_of(i, cell);
	i->asize = asize_of(i);
	if (i->has_modrm)
		operand(r, i, cell);
	immediate(r, i, cell);
	operand_implied(i, cell);
	return true;
}

int x86_decode(const u8 *bytes, u32 len, enum x86_mode mode, struct x86_insn *i)
{
	struct reader r = { .at = 0 };
	bool defined;

	len = MIN(len, X86_INSN_MAX);
	copy(&r, bytes, len);
	*i = (struct x86_insn){ .mode = (u8)mode, .seg = X86_SEGS,
				.base = X86_NO_REG, .index = X86_NO_REG };
	defined = decode(&r, i);
	if (r.at > len)
		return len < X86_INSN_MAX ? X86_MORE : X86_TOO_LONG;
	i->len = (u8)r.at;
	return defined ? i->len : X86_INVALID;
}

int x86_insn_length(const u8 *bytes, u32 len, enum x86_mode mode)
{
	struct x86_insn i;

	return x86_decode(bytes, len, mode, &i);
}
