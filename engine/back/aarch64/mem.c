/*
 * Guest memory on AArch64, through the linear page table (mmu/lpt.h):
 *
 *	add  va, base, #off
 *	ubfx i, va, #12, #bits		page number
 *	ldr  i, [LPT, i, lsl #3]
 *	tst  va, #len - 1		an access that might cross into another page
 *	add  i, i, va
 *	ccmp i, RAM_SIZE, #2, eq	not in memory, or not entered
 *	b.hs cold
 *	ldr  d, [RAM, i]
 *
 * Plain accesses are as weakly ordered as RISC-V's and Arm's are; acquire and release are LDAR and
 * STLR, which do what both architectures ask for.
 */
#include "engine/back/aarch64/asm.h"

/* log2 of the length. */
static u32 size_of(enum ir_opcode op)
{
	switch (op) {
	case IR_LDU8: case IR_LDS8: case IR_ST8:	return 0;
	case IR_LDU16: case IR_LDS16: case IR_ST16:	return 1;
	case IR_LDU32: case IR_LDS32: case IR_ST32:	return 2;
	default:					return 3;
	}
}

/* The address: the base's own register if there is no displacement, else in @t. */
static u8 address_of(struct jit *j, u8 base, s32 off, u8 t)
{
	if (!off)
		return base;
	a64_add_imm(j, true, t, base, off);
	return t;
}

u8 *a64_translate(struct jit *j, u8 t, u8 va, u32 size, bool write)
{
	a64_bfm(j, A_UBFM, true, t, va, PAGE_SHIFT, PAGE_SHIFT + j->lpt_bits - 1);
	a64_index(j, A_LDR, t, write ? LPT_WRITE : LPT, t, true);
	if (!size) {
		a64_3(j, A_ADD | A64_W(true), t, t, va);
		a64_cmp(j, true, t, RAM_SIZE);
	} else {
		a64_logic_imm(j, A_ANDS, true, ZR, va, MASK(size));
		a64_3(j, A_ADD | A64_W(true), t, t, va);
		a64_3(j, 0xfa400000 | EQ << 12 | 2, 0, t, RAM_SIZE);	/* CCMP; 2: the carry */
	}
	return a64_bcc(j, HS);
}

static struct jit_cold *access_cold(struct jit *j, u8 *from, u8 va, u8 data, u32 kind, u64 arg,
				    void (*write)(struct jit *j, struct jit_cold *c))
{
	struct jit_cold *c = jit_cold(j, write);

	c->from[0] = from;
	c->back = j->at;
	c->site = jit_site(j, kind, arg, 0);
	c->r[0] = va;
	c->r[1] = data;
	return c;
}

/* ---- loads ---- */

static void cold_load(struct jit *j, struct jit_cold *c)
{
	bool fp = j->kind[c->op] == KIND_FP;

	a64_fix(j, c->from[0]);
	a64_state(j, A_STR, c->r[0], FRAME(j, arg[0]));
	a64_slow(j, c->site);
	a64_state(j, fp ? A_LDR_D : A_LDR, c->r[1], FRAME(j, ret));
	a64_b_to(j, c->back);
}

/* LDAR has one form of address, and no sign extension. */
static void load_acquire(struct jit *j, u32 size, bool is_signed, bool fp, u8 d, u8 at)
{
	u8 to = fp ? SCRATCH : d;

	a64_3(j, A_ADD | A64_W(true), at, RAM, at);
	a64_2(j, A_STORE(size) | 0x08dffc00, to, at);
	if (fp)
		a64_to_fp(j, d, to);
	else if (is_signed)
		a64_bfm(j, A_SBFM, true, d, d, 0, (8u << size) - 1);
}

static u32 load(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 size = size_of(o->op);
	bool fp = j->kind[i] == KIND_FP, is_signed = o->op >= IR_LDS8;
	u64 arg = 1u << size | (is_signed ? ACC_SIGNED : 0) | (u64)o->aux << ACC_MEM;
	u8 base = jit_use(j, o->a), d = fp ? jit_fdef(j, i) : jit_def(j, i);
	u8 t = jit_temp(j), va;
	u8 *from;

	/* A pinned register keeps its value until the access has succeeded. */
	va = o->off && (fp || !(j->t->temps >> d & 1)) ? jit_temp(j) : d;
	va = address_of(j, base, o->off, va);
	from = a64_translate(j, t, va, size, false);
	if (o->aux & MEM_ACQUIRE)
		load_acquire(j, size, is_signed, fp, d, t);
	else if (fp)
		a64_index(j, A_LOAD(size) | A_FP, d, RAM, t, false);
	else
		a64_index(j, is_signed ? A_LOADS(size) : A_LOAD(size), d, RAM, t, false);
	access_cold(j, from, va, d, SITE_LOAD, arg, cold_load);
	return i;
}

/* ---- stores ---- */

static void cold_store(struct jit *j, struct jit_cold *c)
{
	a64_fix(j, c->from[0]);
	a64_state(j, A_STR, c->r[0], FRAME(j, arg[0]));
	a64_state(j, c->r[2] ? A_STR_D : A_STR, c->r[1], FRAME(j, arg[1]));
	a64_slow(j, c->site);
	a64_b_to(j, c->back);
}

static void store_release(struct jit *j, u32 size, bool fp, u8 s, u8 at)
{
	if (fp)
		a64_from_fp(j, SCRATCH, s);
	a64_3(j, A_ADD | A64_W(true), at, RAM, at);
	a64_2(j, A_STORE(size) | 0x089ffc00, fp ? SCRATCH : s, at);
}

static u32 store(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 size = size_of(o->op);
	const struct place *p = &j->place[o->b];
	bool fp = p->freg != NO_REG && p->reg == NO_REG && size >= 2;
	u8 base = jit_use(j, o->a), s = fp ? p->freg : a64_use(j, o->b);
	u8 t = jit_temp(j), va = address_of(j, base, o->off, o->off ? jit_temp(j) : base);
	u8 *from = a64_translate(j, t, va, size, true);

	if (o->aux & MEM_RELEASE)
		store_release(j, size, fp, s, t);
	else
		a64_index(j, A_STORE(size) | (fp ? A_FP : 0), s, RAM, t, false);
	access_cold(j, from, va, s, SITE_STORE, 1u << size | (u64)o->aux << ACC_MEM,
		    cold_store)->r[2] = fp;
	return i;
}

u32 a64_op_mem(struct jit *j, u32 i)
{
	enum ir_opcode op = j->ir->op[i].op;

	if (op >= IR_LDU8 && op <= IR_LDS32)
		return load(j, i);
	if (op >= IR_ST8 && op <= IR_ST64)
		return store(j, i);
	if (op == IR_FENCE) {
		emit(j, A_DMB_ISH);
		return i;
	}
	return a64_op_atomic(j, i);
}
