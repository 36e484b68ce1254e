/*
 * Guest memory on x86-64, through a view (mmu/view.h) or the linear page table (mmu/lpt.h):
 *
 *	lea  t, [base + off + HALF]
 *	shr  t, 39; jnz cold		not in the view: only if nothing near was checked before
 *	mov  d, gs:[base + off]		what is not mapped faults, and goes on at cold
 *
 *	lea  va, [base + off]
 *	shrx i, va, STATE		page number; its low 32 bits at most
 *	test va, len - 1; jnz cold	an access that might cross into another page
 *	add  va, [LPT + 8 * i]
 *	cmp  va, ram_size; jae cold	not in memory, or not entered
 *	mov  d, gs:[va]
 *
 * Loads and stores of x86-64 are in the order that acquire and release ask for.
 */
#include "engine/back/x86_64/asm.h"

static u32 length_of(enum ir_opcode op)
{
	switch (op) {
	case IR_LDU8: case IR_LDS8: case IR_ST8:	return 1;
	case IR_LDU16: case IR_LDS16: case IR_ST16:	return 2;
	case IR_LDU32: case IR_LDS32: case IR_ST32:	return 4;
	default:					return 8;
	}
}

/* The registers of an access and the way to the slow path. */
struct route {
	u8 va, index;
	u32 table;		/* displacement of the array */
	u8 *misaligned, *missing;
	struct x86_rm at;	/* the operand */
	u32 how;		/* OP_GUEST, if it is in GS */
};

static void address_to(struct jit *j, u8 va, val_t base, s32 off)
{
	const struct place *p = &j->place[base];
	u64 c;

	if (p->reg != NO_REG) {
		if (off)
			x86_lea(j, true, va, rm_mem(p->reg, off));
		else
			x86_move(j, va, p->reg);
		return;
	}
	if (ir_is_const(j->ir, base, &c)) {
		x86_imm(j, va, c + (u64)(s64)off);
		return;
	}
	if (p->freg != NO_REG)
		x86_from_fp(j, va, p->freg);
	else
		x86_load(j, va, rm_state(p->off));
	if (off)
		x86_alu_imm(j, ALU_ADD, true, rm_reg(va), off);
}

static void page_number(struct jit *j, u8 index, u8 va)
{
	bool wide = j->lpt_bits > LPT_BITS_MIN;

	if (j->features & X86_BMI2) {
		emit_vex(j, 0xf7 | MAP_0F38 | PRE_F2 | width(wide), index, STATE, rm_reg(va));
	} else {
		emit_op(j, 0x89 | width(wide), va, rm_reg(index));
		x86_shift_imm(j, 5, wide, index, PAGE_SHIFT);
	}
	if (wide)
		x86_alu_imm(j, ALU_AND, false, rm_reg(index), (s32)MASK(j->lpt_bits));
}

/* TEST of the low bits of @r. */
static u8 *misaligned(struct jit *j, u8 r, u32 len)
{
	emit_op(j, 0xf6 | OP_BYTE, 0, rm_reg(r));
	emit8(j, (u8)(len - 1));
	return x86_jcc(j, CC_X_NE);
}

/*
 * a->va has the address and gets its offset in RAM, or with views the host's address: GS is not the
 * RAM's then, and the table in no register.
 */
static void translate(struct jit *j, struct route *a, u32 len, bool write)
{
	struct x86_rm entry = rm_index(LPT, a->index, 3, 0);

	a->table = write ? 8u << j->lpt_bits : 0;
	a->misaligned = NULL;
	a->at = rm_mem(a->va, 0);
	a->how = j->views ? 0 : OP_GUEST;
	page_number(j, a->index, a->va);
	if (len > 1)
		a->misaligned = misaligned(j, a->va, len);
	if (j->views) {
		x86_shift_imm(j, 4, true, a->index, 3);
		x86_alu(j, ALU_ADD, true, a->index, rm_state(FRAME(j, lpt)));
		entry = rm_mem(a->index, 0);
	}
	entry.disp = (s32)a->table;
	x86_alu(j, ALU_ADD, true, a->va, entry);
	x86_alu(j, ALU_CMP, true, a->va, rm_state(FRAME(j, ram_size)));
	a->missing = x86_jcc(j, CC_X_AE);
	if (j->views)
		x86_alu(j, ALU_ADD, true, a->va, rm_state(FRAME(j, ram)));
}

/* The base itself is in a->va: the operand in the view, checked as far as need be. */
static void find_in_view(struct jit *j, struct route *a, const struct ir_op *o, u32 len)
{
	bool check = jit_view_check(j, o->a, o->off), align = o->aux & MEM_ALIGNED && len > 1;
	u8 t;

	a->at = rm_mem(a->va, o->off);
	a->how = OP_GUEST;
	a->index = NO_REG;
	a->misaligned = a->missing = NULL;
	if (!check && !align)
		return;
	t = jit_temp(j);
	x86_lea(j, true, t, rm_index(a->va, LPT, 0, o->off));
	if (align)
		a->misaligned = misaligned(j, t, len);
	if (check) {
		x86_shift_imm(j, 5, true, t, 39);
		a->missing = x86_jcc(j, CC_X_NE);
	}
}
_Static_assert(VIEW_SIZE == BIT(39), "the shift leaves nothing of what is in the view");

static struct jit_cold *access_cold(struct jit *j, const struct route *a, u32 kind, u64 arg,
				    void (*write)(struct jit *j, struct jit_cold *c))
{
	struct jit_cold *c = jit_cold(j, write);

	c->from[0] = a->misaligned;
	c->from[1] = a->missing;
	c->back = j->at;
	c->site = jit_site(j, kind, arg, 0);
	c->r[0] = a->va;
	c->r[1] = a->index;
	c->n = a->index == NO_REG ? a->at.disp : (s32)a->table;
	return c;
}

/* The same for a load or store, the instruction at @at. */
static struct jit_cold *load_store_cold(struct jit *j, const struct route *a, u32 kind, u64 arg,
					u8 *at, void (*write)(struct jit *j, struct jit_cold *c))
{
	struct jit_cold *c;

	while (j->in_view && j->at < at + X86_DIVERT)
		emit8(j, 0x90);						/* NOP */
	c = access_cold(j, a, kind, arg, write);
	if (j->in_view)
		jit_site_access(j, at);
	return c;
}

void x86_divert(u8 *at, const u8 *at_rx, const u8 *to)
{
	s32 d = (s32)(to - (at_rx + 5));

	*at = 0xe9;							/* JMP */
	__builtin_memcpy(at + 1, &d, 4);
}

static void cold_arrive(struct jit *j, u8 *from)
{
	if (from)
		x86_fix(j, from);
}

/*
 * A load or store in the table that is misaligned, but stays in its page, goes on where it was
 * found to be; else the jump to where it does not.
 */
static u8 *cold_misaligned(struct jit *j, const struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];
	u8 *at = c->from[0], *crosses;

	x86_fix(j, at);
	if (o->aux & MEM_ALIGNED)
		return x86_jmp(j);
	x86_lea(j, true, c->r[1], rm_mem(c->r[0], (s32)length_of(o->op) - 1));
	x86_alu(j, ALU_XOR, true, c->r[1], rm_reg(c->r[0]));
	x86_shift_imm(j, 5, true, c->r[1], PAGE_SHIFT);
	crosses = x86_jcc(j, CC_X_NE);
	page_number(j, c->r[1], c->r[0]);
	x86_jmp_to(j, at);
	return crosses;
}

/* The address as it was, into the frame. */
static void cold_address(struct jit *j, const struct jit_cold *c)
{
	struct x86_rm to = rm_state(FRAME(j, arg[0]));
	bool in_view = c->r[1] == NO_REG;

	cold_arrive(j, c->from[1]);
	if (!in_view)
		x86_alu(j, ALU_SUB, true, c->r[0], j->views ? rm_mem(c->r[1], c->n) :
			rm_index(LPT, c->r[1], 3, c->n));
	cold_arrive(j, c->from[0]);
	x86_store(j, to, c->r[0]);
	if (in_view && c->n)
		x86_alu_imm(j, ALU_ADD, true, to, c->n);
}

static void cold_load(struct jit *j, struct jit_cold *c)
{
	bool fp = j->kind[c->op] == KIND_FP;

	if (c->r[1] != NO_REG && c->from[0])
		c->from[0] = cold_misaligned(j, c);
	cold_address(j, c);
	x86_slow(j, c->site);
	if (fp)
		x86_fload(j, c->r[2], rm_state(FRAME(j, ret)), OP_W);
	else
		x86_load(j, c->r[2], rm_state(FRAME(j, ret)));
	x86_jmp_to(j, c->back);
}

/* Opcode of a load into a whole register. */
static u32 load_opcode(enum ir_opcode op)
{
	switch (op) {
	case IR_LDU8:	return 0xb6 | MAP_0F;
	case IR_LDU16:	return 0xb7 | MAP_0F;
	case IR_LDU32:	return 0x8b;
	case IR_LDS8:	return 0xbe | MAP_0F | OP_W;
	case IR_LDS16:	return 0xbf | MAP_0F | OP_W;
	case IR_LDS32:	return 0x63 | OP_W;
	default:	return 0x8b | OP_W;
	}
}

/* The base alone into a->va: its own register @reg, or one for it, a->va if that is given. */
static void base_to(struct jit *j, struct route *a, val_t base, u8 reg)
{
	if (reg == NO_REG) {
		a->va = a->va == NO_REG ? jit_temp(j) : a->va;
		address_to(j, a->va, base, 0);
	} else {
		a->va = reg;
	}
}

static u32 load(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 len = length_of(o->op);
	bool fp = j->kind[i] == KIND_FP, is_signed = o->op >= IR_LDS8;
	u64 arg = len | (is_signed ? ACC_SIGNED : 0) | (u64)o->aux << ACC_MEM;
	u8 base = j->place[o->a].reg, d, *at;
	struct route a;

	if (base != NO_REG)
		j->locked |= 1u << base;
	d = fp ? jit_fdef(j, i) : jit_def(j, i);
	/* A pinned register keeps its value until the access has succeeded. */
	a.va = !fp && j->t->temps >> d & 1 ? d : NO_REG;
	if (j->in_view) {
		base_to(j, &a, o->a, base);
		find_in_view(j, &a, o, len);
	} else {
		a.va = a.va == NO_REG ? jit_temp(j) : a.va;
		a.index = jit_temp(j);
		if (base != NO_REG && o->off)
			x86_lea(j, true, a.va, rm_mem(base, o->off));
		else if (base != NO_REG)
			x86_move(j, a.va, base);
		else
			address_to(j, a.va, o->a, o->off);
		translate(j, &a, len, false);
	}
	at = j->at;
	if (fp)
		x86_fload(j, d, a.at, a.how | width(len == 8));
	else
		emit_op(j, load_opcode(o->op) | a.how, d, a.at);
	load_store_cold(j, &a, SITE_LOAD, arg, at, cold_load)->r[2] = d;
	return i;
}

static void cold_store(struct jit *j, struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];
	struct x86_rm to = rm_state(FRAME(j, arg[1]));

	if (c->r[1] != NO_REG && c->from[0])
		c->from[0] = cold_misaligned(j, c);
	cold_address(j, c);
	if (c->r[3] == 2)
		j->t->store_imm(j, FRAME(j, arg[1]), j->ir->op[o->b].imm);
	else if (c->r[3])
		x86_fstore(j, to, c->r[2], OP_W);
	else
		x86_store(j, to, c->r[2]);
	x86_slow(j, c->site);
	x86_jmp_to(j, c->back);
}

/* The prefix of 16-bit operands. */
static u32 operand16(u32 len)
{
	return len == 2 ? PRE_66 : 0;
}

static void store_value(struct jit *j, const struct route *a, u32 len, u8 s)
{
	emit_op(j, (len == 1 ? 0x88 | OP_BYTE : 0x89) | width(len == 8) | operand16(len) | a->how,
		s, a->at);
}

static void store_constant(struct jit *j, const struct route *a, u32 len, s32 v)
{
	emit_op(j, (len == 1 ? 0xc6 : 0xc7) | width(len == 8) | operand16(len) | a->how, 0, a->at);
	if (len == 1)
		emit8(j, (u8)v);
	else if (len == 2)
		emit8(j, (u8)v), emit8(j, (u8)(v >> 8));
	else
		emit32(j, (u32)v);
}

static u32 store(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 len = length_of(o->op);
	const struct place *p = &j->place[o->b];
	s32 imm = 0;
	bool is_imm = x86_imm_fits(j, o->b, len == 8, &imm);
	bool fp = !is_imm && p->freg != NO_REG && p->reg == NO_REG && len >= 4;
	u8 s = is_imm ? NO_REG : fp ? p->freg : jit_use(j, o->b);
	u8 base = j->place[o->a].reg, *at;
	struct route a = { .va = NO_REG };

	if (base != NO_REG)
		j->locked |= 1u << base;
	if (j->in_view) {
		base_to(j, &a, o->a, base);
		find_in_view(j, &a, o, len);
	} else {
		a.va = jit_temp(j);
		address_to(j, a.va, o->a, o->off);
		/* The base has done its work, if it is not the value as well. */
		if (base != NO_REG && base != s)
			j->locked &= ~(1u << base);
		a.index = jit_temp(j);
		translate(j, &a, len, true);
	}
	at = j->at;
	if (is_imm)
		store_constant(j, &a, len, imm);
	else if (fp)
		x86_fstore(j, a.at, s, a.how | width(len == 8));
	else
		store_value(j, &a, len, s);
	struct jit_cold *c = load_store_cold(j, &a, SITE_STORE, len | (u64)o->aux << ACC_MEM, at,
					     cold_store);
	c->r[2] = s;
	c->r[3] = is_imm ? 2 : fp;
	return i;
}

/* ---- atomics, zeroing: their slow path is the operation itself ---- */

static void cold_op(struct jit *j, struct jit_cold *c)
{
	const struct ir_op *o = &j->ir->op[c->op];

	if (o->op == IR_ZEROBLK)
		x86_fix(j, c->from[1]);
	else
		cold_address(j, c);
	if (c->r[3] == 2)
		j->t->store_imm(j, FRAME(j, arg[1]), j->ir->op[o->b].imm);
	else if (c->r[3])
		x86_store(j, rm_state(FRAME(j, arg[1])), c->r[2]);
	x86_slow(j, c->site);
	if (ir_info[o->op].result != '-')
		x86_load(j, RAX, rm_state(FRAME(j, ret)));
	x86_jmp_to(j, c->back);
}

/* The address without what the cold path adds itself, so o->off is not for it. */
static void op_cold(struct jit *j, const struct route *a, u32 i, u8 value, u8 how)
{
	const struct ir_op *o = &j->ir->op[i];
	struct jit_cold *c = access_cold(j, a, SITE_OP, o->op | (u64)o->aux << 16 | o->imm << 32,
					 cold_op);

	c->r[2] = value;
	c->r[3] = how;
}

/* RAX for the result and RCX for the address; what they held moves. */
static struct route atomic_route(struct jit *j, const struct ir_op *o)
{
	struct route a = { .va = RCX, .index = RDX };

	jit_take(j, RAX);
	jit_take(j, RCX);
	jit_take(j, RDX);
	address_to(j, RCX, o->a, o->off);
	return a;
}

static u32 result_in_rax(struct jit *j, u32 i)
{
	j->locked = 1u << RAX;
	if (j->ir->op[i].uses)
		x86_move(j, jit_def(j, i), RAX);
	return i;
}

/* RAX = @v, which is where no temporary is. */
static void value_to(struct jit *j, u8 r, val_t v)
{
	address_to(j, r, v, 0);
}

/* RAX = old value; [RCX] changes by a compare-exchange loop, with @alu's result in RDX. */
static void exchange_loop(struct jit *j, const struct route *a, val_t v, enum x86_alu alu,
			  bool wide, bool inverted)
{
	u8 *again;

	emit_op(j, 0x8b | width(wide) | a->how, RAX, a->at);
	again = j->at;
	value_to(j, RDX, v);
	if (inverted)
		emit_op(j, 0xf7 | width(wide), 2, rm_reg(RDX));		/* NOT */
	x86_alu(j, alu, wide, RDX, rm_reg(RAX));
	emit_op(j, 0xb1 | MAP_0F | width(wide) | OP_LOCK | a->how, RDX, a->at);	/* CMPXCHG */
	x86_fix_to(x86_jcc(j, CC_X_NE), again);
}

static u32 amo(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	static const u8 alu[] = {
		[AMO_AND] = ALU_AND, [AMO_ANDN] = ALU_AND, [AMO_OR] = ALU_OR, [AMO_XOR] = ALU_XOR,
	};
	u32 kind = o->imm & 0xff, len = 1u << (o->imm >> 8);
	bool wide = len == 8;
	struct route a;

	if (len < 4 || kind > AMO_ANDN)
		return 0;
	a = atomic_route(j, o);
	value_to(j, RAX, o->b);
	translate(j, &a, len, true);
	if (kind == AMO_ADD)
		emit_op(j, 0xc1 | MAP_0F | width(wide) | OP_LOCK | a.how, RAX, a.at);
	else if (kind == AMO_SWAP)
		emit_op(j, 0x87 | width(wide) | a.how, RAX, a.at);
	else
		exchange_loop(j, &a, o->b, alu[kind], wide, kind == AMO_ANDN);
	op_cold(j, &a, i, RAX, 1);
	return result_in_rax(j, i);
}

/* The monitor is the host's address. */
static void host_address(struct jit *j, const struct route *a)
{
	if (a->how)
		x86_alu(j, ALU_ADD, true, a->va, rm_state(FRAME(j, ram)));
}

#define EXCL(member) ((s32)offsetof(struct gcpu, excl.member))

static u32 load_exclusive(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 len = 1u << (o->imm >> 8);
	struct route a;

	if (len < 4)
		return 0;
	a = atomic_route(j, o);
	translate(j, &a, len, false);
	emit_op(j, 0x8b | width(len == 8) | a.how, RAX, a.at);
	x86_load(j, RDX, rm_state(FRAME(j, g)));
	host_address(j, &a);
	x86_store(j, rm_mem(RDX, EXCL(host)), RCX);
	x86_store(j, rm_mem(RDX, EXCL(value)), RAX);
	emit_op(j, 0xc7, 0, rm_mem(RDX, EXCL(len)));
	emit32(j, len);
	op_cold(j, &a, i, 0, 0);
	return result_in_rax(j, i);
}

/* RAX = 0 stored, 1 not. The monitor is given up either way. */
static u32 store_exclusive(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 len = 1u << (o->imm >> 8);
	u8 *elsewhere, *other_size, *end;
	struct route a;

	if (len < 4)
		return 0;
	a = atomic_route(j, o);
	value_to(j, RAX, o->b);
	translate(j, &a, len, true);
	x86_load(j, RDX, rm_state(FRAME(j, g)));
	host_address(j, &a);
	x86_alu(j, ALU_CMP, true, RCX, rm_mem(RDX, EXCL(host)));
	emit_op(j, 0xc7 | OP_W, 0, rm_mem(RDX, EXCL(host)));		/* MOV keeps the flags */
	emit32(j, 0);
	elsewhere = x86_jcc_short(j, CC_X_NE);
	x86_alu_imm(j, ALU_CMP, false, rm_mem(RDX, EXCL(len)), (s32)len);
	other_size = x86_jcc_short(j, CC_X_NE);
	x86_load(j, RAX, rm_mem(RDX, EXCL(value)));
	value_to(j, RDX, o->b);
	emit_op(j, 0xb1 | MAP_0F | width(len == 8) | OP_LOCK, RDX, rm_mem(RCX, 0));
	emit_op(j, 0x90 | CC_X_NE | MAP_0F | OP_BYTE, 0, rm_reg(RAX));
	emit_op(j, 0xb6 | MAP_0F | OP_BYTE, RAX, rm_reg(RAX));
	end = x86_jmp_short(j);
	x86_fix_short(j, elsewhere);
	x86_fix_short(j, other_size);
	x86_imm(j, RAX, 1);
	x86_fix_short(j, end);
	op_cold(j, &a, i, RAX, 1);
	return result_in_rax(j, i);
}

static u32 zero_block(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 len = (u32)o->imm;
	struct route a;

	if (len > 64)
		return 0;
	a = atomic_route(j, o);
	/* A fault reports the operand, so that goes on to the slow path. */
	x86_store(j, rm_state(FRAME(j, arg[0])), RCX);
	x86_alu_imm(j, ALU_AND, true, rm_reg(RCX), -(s32)len);
	translate(j, &a, 1, true);
	for (u32 k = 0; k < len; k += 8) {
		emit_op(j, 0xc7 | OP_W | a.how, 0, rm_mem(RCX, (s32)k));
		emit32(j, 0);
	}
	op_cold(j, &a, i, 0, 0);
	return i;
}

u32 x86_op_mem(struct jit *j, u32 i)
{
	enum ir_opcode op = j->ir->op[i].op;

	switch (op) {
	case IR_AMO:	return amo(j, i);
	case IR_LX:	return load_exclusive(j, i);
	case IR_SX:	return store_exclusive(j, i);
	case IR_ZEROBLK: return zero_block(j, i);
	default:	break;
	}

	if (op >= IR_LDU8 && op <= IR_LDS32)
		return load(j, i);
	if (op >= IR_ST8 && op <= IR_ST64)
		return store(j, i);
	if (op == IR_FENCE) {
		emit_op(j, 0x83 | OP_LOCK, ALU_OR, rm_mem(RSP, 0));	/* MFENCE, but faster */
		emit8(j, 0);
		return i;
	}
	return 0;
}
