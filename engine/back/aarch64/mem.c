/*
 * Guest memory on AArch64, through a view (mmu/view.h) or the linear page table (mmu/lpt.h):
 *
 *	sbfx t, va, #0, #39; cmp t, va; b.ne cold	only if nothing near was checked before
 *	ldr  d, [VIEW, va]		what is not mapped faults, and goes on at cold
 *
 *	ubfx i, va, #12, #bits		page number
 *	ldr  i, [LPT, i, lsl #3]
 *	tst  va, #len - 1		an access that might cross into another page
 *	add  i, i, va
 *	ccmp i, RAM_SIZE, #2, eq	not in memory, or not entered
 *	b.hs cold
 *	ldr  d, [RAM, i]		also from cold, if it was misaligned only, in its page
 *
 * Plain accesses are as weakly ordered as RISC-V's and Arm's are; acquire and release are LDAR and
 * STLR, which do what both architectures ask for.
 */
#include "engine/back/aarch64/asm.h"

/* What must be aligned: here also what LDAR and STLR are for. */
#define MEM_STRICT	(MEM_ALIGNED | MEM_ACQUIRE | MEM_RELEASE)

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
	if (write && j->views)
		a64_state(j, A_LDR, SCRATCH, FRAME(j, lpt_write));
	a64_index(j, A_LDR, t, !write ? LPT : j->views ? SCRATCH : LPT_WRITE, t, true);
	if (!size) {
		a64_3(j, A_ADD | A64_W(true), t, t, va);
		a64_cmp(j, true, t, RAM_SIZE);
	} else {
		a64_logic_imm(j, A_ANDS, true, ZR, va, MASK(size));
		a64_3(j, A_ADD | A64_W(true), t, t, va);
		a64_ccmp(j, t, RAM_SIZE, EQ, NZCV_C);
	}
	return a64_bcc(j, HS);
}

/* How an access finds its memory: at base + index, or by jumps to the slow path. */
struct route {
	u8 base, index;
	u8 *from[2];
	u8 *at;			/* the access */
};

/* Through the table or the view, as the block is to. */
static void find(struct jit *j, struct route *r, const struct ir_op *o, u8 t, u8 va, u32 size)
{
	bool write = o->op >= IR_ST8 && o->op <= IR_ST64;

	*r = (struct route){ .base = RAM, .index = t };
	if (!j->in_view) {
		r->from[0] = a64_translate(j, t, va, size, write);
		return;
	}
	r->base = VIEW;
	r->index = va;
	if (jit_view_check(j, o->a, o->off)) {
		a64_bfm(j, A_SBFM, true, t, va, 0, 38);
		a64_cmp(j, true, t, va);
		r->from[0] = a64_bcc(j, NE);
	}
	if (size && o->aux & MEM_STRICT) {
		a64_logic_imm(j, A_ANDS, true, ZR, va, MASK(size));
		r->from[1] = a64_bcc(j, NE);
	}
}
_Static_assert(VIEW_SIZE == BIT(39), "so many bits of an address are in the view");

static struct jit_cold *access_cold(struct jit *j, const struct route *r, u8 va, u8 data, u32 kind,
				    u64 arg, void (*write)(struct jit *j, struct jit_cold *c))
{
	struct jit_cold *c = jit_cold(j, write);

	c->from[0] = r->from[0];
	c->from[1] = r->from[1];
	c->back = j->at;
	c->site = jit_site(j, kind, arg, 0);
	c->r[0] = va;
	c->r[1] = data;
	c->r[3] = r->index;
	if (j->in_view)
		jit_site_access(j, r->at);
	else if ((arg & ACC_LEN) > 1 && !(arg >> ACC_MEM & MEM_STRICT))
		c->from[2] = r->at;
	return c;
}

void a64_divert(u8 *at, const u8 *at_rx, const u8 *to)
{
	u32 b = 0x14000000 | ((u32)((to - at_rx) >> 2) & 0x3ffffff);

	__builtin_memcpy(at, &b, 4);
}

/* What is in memory and does not reach into another page goes on at the access. */
static void cold_misaligned(struct jit *j, const struct jit_cold *c)
{
	u32 len = j->b->site[c->site].arg & ACC_LEN;

	a64_add_imm(j, true, SCRATCH, c->r[0], (s32)len - 1);
	a64_3(j, A_EOR | A64_W(true), SCRATCH, SCRATCH, c->r[0]);
	a64_logic_imm(j, A_ANDS, true, ZR, SCRATCH, PAGE_MASK);
	a64_ccmp(j, c->r[3], RAM_SIZE, EQ, NZCV_C);
	a64_fix_to(a64_bcc(j, LO), c->from[2]);
}

static void cold_begin(struct jit *j, const struct jit_cold *c)
{
	for (u32 i = 0; i < 2; i++)
		if (c->from[i])
			a64_fix(j, c->from[i]);
	if (c->from[2])
		cold_misaligned(j, c);
	a64_state(j, A_STR, c->r[0], FRAME(j, arg[0]));
}

/* ---- loads ---- */

static void cold_load(struct jit *j, struct jit_cold *c)
{
	bool fp = j->kind[c->op] == KIND_FP;

	cold_begin(j, c);
	a64_slow(j, c->site);
	a64_state(j, fp ? A_LDR_D : A_LDR, c->r[1], FRAME(j, ret));
	a64_b_to(j, c->back);
}

/* LDAR has one form of address, and no sign extension. */
static void load_acquire(struct jit *j, struct route *r, u32 size, bool is_signed, bool fp, u8 d,
			 u8 at)
{
	u8 to = fp ? SCRATCH : d;

	a64_3(j, A_ADD | A64_W(true), at, r->base, r->index);
	r->at = j->at;
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
	struct route r;

	/* A pinned register keeps its value until the access has succeeded. */
	va = o->off && (fp || !(j->t->temps >> d & 1)) ? jit_temp(j) : d;
	va = address_of(j, base, o->off, va);
	find(j, &r, o, t, va, size);
	r.at = j->at;
	if (o->aux & MEM_ACQUIRE)
		load_acquire(j, &r, size, is_signed, fp, d, t);
	else if (fp)
		a64_index(j, A_LOAD(size) | A_FP, d, r.base, r.index, false);
	else
		a64_index(j, is_signed ? A_LOADS(size) : A_LOAD(size), d, r.base, r.index, false);
	access_cold(j, &r, va, d, SITE_LOAD, arg, cold_load);
	return i;
}

/* ---- stores ---- */

static void cold_store(struct jit *j, struct jit_cold *c)
{
	cold_begin(j, c);
	a64_state(j, c->r[2] ? A_STR_D : A_STR, c->r[1], FRAME(j, arg[1]));
	a64_slow(j, c->site);
	a64_b_to(j, c->back);
}

static void store_release(struct jit *j, struct route *r, u32 size, bool fp, u8 s, u8 at)
{
	if (fp)
		a64_from_fp(j, SCRATCH, s);
	a64_3(j, A_ADD | A64_W(true), at, r->base, r->index);
	r->at = j->at;
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
	struct route r;

	find(j, &r, o, t, va, size);
	r.at = j->at;
	if (o->aux & MEM_RELEASE)
		store_release(j, &r, size, fp, s, t);
	else
		a64_index(j, A_STORE(size) | (fp ? A_FP : 0), s, r.base, r.index, false);
	access_cold(j, &r, va, s, SITE_STORE, 1u << size | (u64)o->aux << ACC_MEM,
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
