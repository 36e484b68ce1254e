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

/* Nothing reads further than 8 bytes from 19 on: behind 15 there are no more than disp and imm. */
struct reader {
	u8 b[32];
	u32 at;
};

static u8 next(struct reader *r)
{
	return r->b[r->at++];
}

/* @size bytes, 1 to 8, sign-extended. */
static u64 next_signed(struct reader *r, u32 size)
{
	u64 v = load_le64(r->b + r->at);

	r->at += size;
	return (u64)sext(v, 8 * size);
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
 * What may open VEX, EVEX and XOP: outside 64-bit mode they are LES, LDS and BOUND unless ModRM
 * would name a register; XOP (AMD APM volume 3, 1.2.7) is POP unless its map is one that exists.
 */
static bool is_vex(const struct reader *r, const struct x86_insn *i, u8 b)
{
	u8 a = r->b[r->at];

	if (b == 0x8f)
		return (a & 31) >= X86_MAP_XOP_8;
	return i->mode == X86_MODE64 || a >= 0xc0;
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
	u32 cell = x86_opcodes[X86_MAP_ONE][b >> 4][b & 15];

	if (cell & MAY_BE_VEX && is_vex(r, i, b)) {
		bool bad = i->rex || i->rep || i->prefix & (X86_PREFIX_66 | X86_PREFIX_LOCK);

		cell = vex(r, i, b);
		return bad ? UNDEFINED : cell;
	}
	i->op = b;
	if (b != 0x0f)
		return cell;
	i->map = X86_MAP_0F;
	i->pp = pp_of(i);
	b = next(r);
	if (b == 0x38 || b == 0x3a) {
		i->map = b == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
		b = next(r);
	}
	i->op = b;
	return x86_opcodes[i->map][b >> 4][b & 15];
}

/* The cell of the row that ModRM's reg, the mandatory prefix or the mode choose. */
static u32 choose(u32 cell, const struct x86_insn *i)
{
	const u32 *row = x86_choices[ROW(cell)];

	if (cell & BY_REG)
		return row[(i->modrm >> 3 & 7) | (i->modrm >= 0xc0) << 3];
	return row[cell & BY_PP ? i->pp : i->mode == X86_MODE64];
}

/* Is it an instruction at all? ModRM and the prefixes are known. */
static bool is_defined(const struct x86_insn *i, u32 cell)
{
	bool mem = i->modrm < 0xc0;		/* only asked of what has ModRM */
	u32 excluded = (mem ? NO_MEM : NO_REG) | (i->mode == X86_MODE64 ? NOT64 : 0);

	if (i->prefix & X86_PREFIX_LOCK && !(cell & LOCKS && mem))
		return false;
	return cell != UNDEFINED && !(cell & excluded);
}

/* ---- sizes ---- */

/* Operand sizes: by mode; by 66 and W; by what the cell says: V, B, D64, Y, N. */
static const u8 osizes[3][4][8] = {
	[X86_MODE16] = { { 2, 1, 2, 4, 4 }, { 2, 1, 2, 4, 4 },		/* none; W */
			 { 4, 1, 4, 4, 4 }, { 4, 1, 4, 4, 4 } },	/* 66; 66 and W */
	[X86_MODE32] = { { 4, 1, 4, 4, 4 }, { 4, 1, 4, 4, 4 },
			 { 2, 1, 2, 4, 4 }, { 2, 1, 2, 4, 4 } },
	[X86_MODE64] = { { 4, 1, 8, 4, 8 }, { 8, 1, 8, 8, 8 },
			 { 2, 1, 2, 4, 8 }, { 8, 1, 8, 8, 8 } },
};

/* Address sizes: by mode and 67. */
static const u8 asizes[3][2] = { { 2, 4 }, { 4, 2 }, { 8, 4 } };

/* Widths in memory: by what the cell says; by operand size / 2. */
static const u8 widths[16][5] = {
	[WIDTH(W_1)] = { 1, 1, 1, 1, 1 },	[WIDTH(W_2)] = { 2, 2, 2, 2, 2 },
	[WIDTH(W_4)] = { 4, 4, 4, 4, 4 },	[WIDTH(W_8)] = { 8, 8, 8, 8, 8 },
	[WIDTH(W_10)] = { 10, 10, 10, 10, 10 }, [WIDTH(W_16)] = { 16, 16, 16, 16, 16 },
	[WIDTH(W_O)] = { 1, 2, 4, 0, 8 },	[WIDTH(W_Z)] = { 1, 2, 4, 0, 4 },
	[WIDTH(W_2O)] = { 2, 4, 8, 0, 16 },	[WIDTH(W_P)] = { 3, 4, 6, 0, 10 },
};

/* Bytes of immediates, in the same way; of the second. */
static const u8 imm_sizes[16][5] = {
	[IMM(I_B)] = { 1, 1, 1, 1, 1 },		[IMM(I_W)] = { 2, 2, 2, 2, 2 },
	[IMM(I_D)] = { 4, 4, 4, 4, 4 },		[IMM(I_Z)] = { 1, 2, 4, 0, 4 },
	[IMM(I_V)] = { 1, 2, 4, 0, 8 },		[IMM(I_FAR)] = { 1, 2, 4, 0, 4 },
	[IMM(I_BB)] = { 1, 1, 1, 1, 1 },	[IMM(I_WB)] = { 2, 2, 2, 2, 2 },
};
static const u8 imm2_sizes[16] = { [IMM(I_FAR)] = 2, [IMM(I_BB)] = 1, [IMM(I_WB)] = 1 };

static void sizes(struct x86_insn *i, u32 cell)
{
	u32 row = (i->prefix & X86_PREFIX_66) << 1 | (i->rex >> 3 & 1);

	i->osize = osizes[i->mode][row][OSIZE(cell)];
	i->asize = asizes[i->mode][(i->prefix & X86_PREFIX_67) != 0];
}

/* ---- memory operands ---- */

/* 16-bit forms: two registers or one, and a displacement alone in place of [BP]. */
static void ea16(struct x86_insn *i)
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
		ea16(i);
	else
		ea32(r, i);
	if (i->disp_size)
		i->disp = next_signed(r, i->disp_size);
}

static void operand_implied(struct x86_insn *i, u32 cell)
{
	i->mem = (u8)((cell & USES_SI ? X86_MEM_SI : 0) | (cell & USES_DI ? X86_MEM_DI : 0) |
		      (cell & USES_BX ? X86_MEM_XLAT : 0));
}

/* ---- immediates ---- */

static void immediate(struct reader *r, struct x86_insn *i, u32 cell)
{
	u32 kind = IMM(cell);

	if (kind == IMM(I_OFFSET)) {
		i->mem = X86_MEM_EA;
		i->disp_size = i->asize;
		i->disp = next_signed(r, i->asize);
		return;
	}
	i->imm_size = imm_sizes[kind][i->osize / 2];
	i->imm = next_signed(r, i->imm_size);
	if (imm2_sizes[kind])
		i->imm2 = (u16)next_signed(r, imm2_sizes[kind]) & MASK(8 * imm2_sizes[kind]);
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
		if (cell & (BY_REG | BY_PP | BY_MODE))
			cell = choose(cell, i);
	}
	if (!is_defined(i, cell))
		return false;
	sizes(i, cell);
	if (cell & MODRM)
		operand(r, i, cell);
	if (cell & I_MASK)
		immediate(r, i, cell);
	if (cell & (USES_SI | USES_DI | USES_BX))
		operand_implied(i, cell);
	if (i->seg == X86_SEGS)
		i->seg = i->base == X86_RSP || i->base == X86_RBP ? X86_SS : X86_DS;
	if (i->mem)
		i->width = widths[WIDTH(cell)][i->osize / 2];
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

int x86_decode_recent(struct x86_recent *r, const u8 *bytes, enum x86_mode mode)
{
	u64 low = load_le64(bytes), high = load_le64(bytes + X86_INSN_MAX - 8);
	u8 copied[X86_INSN_MAX];
	int len;

	if (r->insn.len && r->bytes[0] == low && r->bytes[1] == high && r->insn.mode == mode)
		return r->insn.len;
	store_le64(copied, r->bytes[0] = low);
	store_le64(copied + X86_INSN_MAX - 8, r->bytes[1] = high);
	len = x86_decode(copied, X86_INSN_MAX, mode, &r->insn);
	if (len <= 0)
		r->insn.len = 0;
	return len;
}
