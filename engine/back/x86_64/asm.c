/* Encoding of x86-64 instructions, and the target's table of functions. */
#include "engine/back/x86_64/asm.h"

static void emit_modrm(struct jit *j, u8 reg, struct x86_rm rm)
{
	u8 r = (u8)((reg & 7) << 3), base = rm.reg & 7;
	bool sib = rm.index != NO_REG || base == RSP;
	bool none = rm.disp == 0 && base != RBP;	/* RBP, R13: no form without displacement */
	bool small = rm.disp >= -128 && rm.disp < 128;

	if (rm.mem && rm.reg == NO_REG) {	/* as if RBP without displacement were the base */
		emit8(j, r | 4);
		emit8(j, (u8)(rm.scale << 6 | (rm.index & 7) << 3 | RBP));
		emit32(j, (u32)rm.disp);
		return;
	}

	if (!rm.mem) {
		emit8(j, (u8)(0xc0 | r | base));
		return;
	}
	emit8(j, (u8)((none ? 0 : small ? 0x40 : 0x80) | r | (sib ? 4 : base)));
	if (sib)
		emit8(j, (u8)(rm.scale << 6 | (rm.index == NO_REG ? 4 : rm.index & 7) << 3 | base));
	if (none)
		return;
	if (small)
		emit8(j, (u8)rm.disp);
	else
		emit32(j, (u32)rm.disp);
}

static u8 rex_bits(u8 reg, struct x86_rm rm)
{
	u8 index = rm.mem && rm.index != NO_REG ? rm.index : 0;
	u8 base = rm.reg != NO_REG ? rm.reg : 0;

	return (u8)((reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1));
}

void emit_op(struct jit *j, u32 op, u8 reg, struct x86_rm rm)
{
	static const u8 prefix[] = { 0, 0x66, 0xf3, 0xf2 };
	u8 rex = (u8)((op & OP_W ? 8 : 0) | rex_bits(reg, rm));
	u32 map = op >> 8 & 3, pre = op >> 12 & 3;

	if (op & OP_GUEST)
		emit8(j, 0x65);
	if (op & OP_LOCK)
		emit8(j, 0xf0);
	if (pre)
		emit8(j, prefix[pre]);
	if (rex || (op & OP_BYTE && (reg >= RSP || (!rm.mem && rm.reg >= RSP))))
		emit8(j, (u8)(0x40 | rex));
	if (map)
		emit8(j, 0x0f);
	if (map > 1)
		emit8(j, map == 2 ? 0x38 : 0x3a);
	emit8(j, (u8)op);
	emit_modrm(j, reg, rm);
}

void emit_vex(struct jit *j, u32 op, u8 reg, u8 second, struct x86_rm rm)
{
	static const u8 pp[] = { 0, 1, 2, 3 };
	u8 rex = (u8)(rex_bits(reg, rm) ^ 7);	/* stored inverted */
	u32 map = op >> 8 & 3;
	u8 tail = (u8)((~second & 15) << 3 | pp[op >> 12 & 3]);

	if (op & OP_GUEST)
		emit8(j, 0x65);
	if (map == 1 && !(op & OP_W) && (rex & 3) == 3) {
		emit8(j, 0xc5);
		emit8(j, (u8)((rex & 4) << 5 | tail));
	} else {
		emit8(j, 0xc4);
		emit8(j, (u8)(rex << 5 | map));
		emit8(j, (u8)((op & OP_W ? 0x80 : 0) | tail));
	}
	emit8(j, (u8)op);
	emit_modrm(j, reg, rm);
}

void x86_alu_imm(struct jit *j, enum x86_alu alu, bool wide, struct x86_rm rm, s32 imm)
{
	bool small = imm >= -128 && imm < 128;

	emit_op(j, (small ? 0x83 : 0x81) | width(wide), (u8)alu, rm);
	if (small)
		emit8(j, (u8)imm);
	else
		emit32(j, (u32)imm);
}

void x86_move(struct jit *j, u8 d, u8 s)
{
	if (d != s)
		emit_op(j, 0x89 | OP_W, s, rm_reg(d));
}

void x86_imm(struct jit *j, u8 d, u64 v)
{
	if (v == 0) {
		emit_op(j, 0x31, d, rm_reg(d));		/* changes flags: no one keeps any */
	} else if (v <= UINT32_MAX) {
		if (d >= R8)
			emit8(j, 0x41);
		emit8(j, (u8)(0xb8 | (d & 7)));
		emit32(j, (u32)v);
	} else if ((u64)(s32)v == v) {
		emit_op(j, 0xc7 | OP_W, 0, rm_reg(d));
		emit32(j, (u32)v);
	} else {
		emit8(j, (u8)(0x48 | d >> 3));
		emit8(j, (u8)(0xb8 | (d & 7)));
		emit64(j, v);
	}
}

struct x86_rm x86_rm_of(struct jit *j, val_t v)
{
	const struct place *p = &j->place[v];

	if (p->reg == NO_REG && p->freg == NO_REG && p->mem)
		return rm_state(p->off);
	return rm_reg(jit_use(j, v));
}

bool x86_imm_fits(const struct jit *j, val_t v, bool wide, s32 *imm)
{
	u64 c;

	if (!ir_is_const(j->ir, v, &c) || (wide && (u64)(s32)c != c))
		return false;
	*imm = (s32)(u32)c;
	return true;
}

/* ---- the target ---- */

static void load(struct jit *j, u8 d, s32 off)
{
	x86_load(j, d, rm_state(off));
}

static void store(struct jit *j, s32 off, u8 s)
{
	x86_store(j, rm_state(off), s);
}

static void fload(struct jit *j, u8 d, s32 off)
{
	x86_fload(j, d, rm_state(off), OP_W);
}

static void fstore(struct jit *j, s32 off, u8 s)
{
	x86_fstore(j, rm_state(off), s, OP_W);
}

static void store_half(struct jit *j, s32 off, u32 v)
{
	emit_op(j, 0xc7, 0, rm_state(off));
	emit32(j, v);
}

static void store_imm(struct jit *j, s32 off, u64 v)
{
	if ((u64)(s32)v == v) {
		emit_op(j, 0xc7 | OP_W, 0, rm_state(off));
		emit32(j, (u32)v);
		return;
	}
	store_half(j, off, (u32)v);
	store_half(j, off + 4, (u32)(v >> 32));
}

static void address(struct jit *j, s32 to, s32 off)
{
	u8 t = jit_temp(j);

	x86_lea(j, true, t, rm_state(off));
	x86_store(j, rm_state(to), t);
}

static u32 op(struct jit *j, u32 i)
{
	enum ir_opcode o = j->ir->op[i].op;

	if (o >= IR_LDU8 && o <= IR_ZEROBLK)
		return x86_op_mem(j, i);
	if (o >= IR_FADD && o <= IR_UNBOX16)
		return j->fp ? x86_op_fp(j, i) : 0;
	if (o <= IR_BRGES64)
		return x86_op_flow(j, i);
	if (j->kind[i] == KIND_FP)
		return x86_op_fp(j, i);
	return o <= IR_BFI ? x86_op_int(j, i) : 0;
}

static const u8 pins[] = { R12, RBX, RDI, RSI, R8, R9, R10, R11, R13 };
static const u8 fpins[] = { 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

const struct jit_target x86_64_target = {
	.name = "x86_64",
	.pin = pins, .pins = ARRAY_LEN(pins),
	.fpin = fpins, .fpins = ARRAY_LEN(fpins),
	.temps = 1 << RAX | 1 << RCX | 1 << RDX,
	.ftemps = X86_FTEMPS,
	.move = x86_move, .imm = x86_imm,
	.fmove = x86_fmove, .to_fp = x86_to_fp, .from_fp = x86_from_fp,
	.load = load, .store = store, .fload = fload, .fstore = fstore,
	.store_imm = store_imm, .address = address,
	.setup = x86_setup, .common = x86_shared_code, .begin = x86_begin,
	.op = op, .slow = x86_slow, .settle = x86_settle, .link = x86_link,
	.divert = x86_divert, .divert_len = X86_DIVERT,
	.fp_state = x86_fp_state, .fp_flags = x86_fp_flags,
};
