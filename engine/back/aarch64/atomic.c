/*
 * Atomics on AArch64: with LSE where the CPU has it, else a loop around the exclusive monitor. The
 * guest's own monitor is gcpu->excl, as in engine/mem.c: its store compares what its load saw.
 *
 * Acquire and release of the guest become those of the instruction.
 */
#include "engine/back/aarch64/asm.h"

/* Load and store exclusive, and compare and swap; | size << 30. */
#define A_LDXR		0x085f7c00u
#define A_LDX_ACQUIRE	0x00008000u
#define A_STXR		0x08007c00u	/* | status << 16 */
#define A_STX_RELEASE	0x00008000u
#define A_LDAR		0x08dffc00u
#define A_CAS		0x08a07c00u
#define A_CAS_ACQUIRE	0x00400000u
#define A_CAS_RELEASE	0x00008000u
/* LDADD and its kin */
#define A_LSE		0x38200000u
#define A_LSE_ACQUIRE	0x00800000u
#define A_LSE_RELEASE	0x00400000u

static u32 order(const struct ir_op *o, u32 acquire, u32 release)
{
	return (o->aux & MEM_ACQUIRE ? acquire : 0) | (o->aux & MEM_RELEASE ? release : 0);
}

static u32 size_of(const struct ir_op *o)
{
	return (u32)(o->imm >> 8) & 3;
}

/* ---- the slow way: base and value are as they were ---- */

static void cold_atomic(struct jit *j, struct jit_cold *c)
{
	a64_fix(j, c->from[0]);
	a64_state(j, A_STR, c->r[0], FRAME(j, arg[0]));
	if (c->r[1] != NO_REG)
		a64_state(j, A_STR, c->r[1], FRAME(j, arg[1]));
	a64_slow(j, c->site);
	a64_state(j, A_LDR, c->r[2], FRAME(j, ret));
	a64_b_to(j, c->back);
}

static u32 atomic_end(struct jit *j, u32 i, u8 *from, u8 base, u8 value, u8 d)
{
	const struct ir_op *o = &j->ir->op[i];
	struct jit_cold *c = jit_cold(j, cold_atomic);

	c->from[0] = from;
	c->back = j->at;
	c->site = jit_site(j, SITE_OP, o->op | (u64)o->aux << 16 | o->imm << 32, 0);
	c->r[0] = base;
	c->r[1] = value;
	c->r[2] = d;
	return i;
}

/* @t = the address in the host's memory of what @base points to. */
static u8 *host_address(struct jit *j, u8 t, u8 base, u32 size, bool write)
{
	u8 *from = a64_translate(j, t, base, size, write);

	a64_3(j, A_ADD | A64_W(true), t, RAM, t);
	return from;
}

/* ---- read, modify, write ---- */

/* opc of the LSE instruction, which inverts the operand where IR wants AND. */
static const u8 lse_opc[] = {
	[AMO_SWAP] = 8, [AMO_ADD] = 0, [AMO_AND] = 1, [AMO_OR] = 3, [AMO_XOR] = 2, [AMO_ANDN] = 1,
	[AMO_MINS] = 5, [AMO_MAXS] = 4, [AMO_MINU] = 7, [AMO_MAXU] = 6,
};

static void amo_lse(struct jit *j, const struct ir_op *o, u8 d, u8 s, u8 at)
{
	u32 kind = o->imm & 0xff;

	if (kind == AMO_AND) {
		a64_3(j, A_ORN | A64_W(true), SCRATCH, ZR, s);
		s = SCRATCH;
	}
	a64_3(j, A_STORE(size_of(o)) | A_LSE | (u32)lse_opc[kind] << 12 |
		 order(o, A_LSE_ACQUIRE, A_LSE_RELEASE), d, at, s);
}

/* SCRATCH = what becomes of @old. */
static void amo_combine(struct jit *j, u32 kind, bool wide, u8 old, u8 s)
{
	static const u32 op[] = {
		[AMO_ADD] = A_ADD, [AMO_AND] = A_AND, [AMO_OR] = A_ORR, [AMO_XOR] = A_EOR,
		[AMO_ANDN] = A_BIC,
	};
	static const u8 cc[] = {
		[AMO_MINS] = LT, [AMO_MAXS] = GT, [AMO_MINU] = LO, [AMO_MAXU] = HI,
	};

	if (kind == AMO_SWAP) {
		a64_move(j, SCRATCH, s);
	} else if (kind <= AMO_ANDN) {
		a64_3(j, op[kind] | A64_W(wide), SCRATCH, old, s);
	} else {
		a64_cmp(j, wide, old, s);
		a64_csel(j, wide, SCRATCH, old, s, cc[kind]);
	}
}

static void amo_loop(struct jit *j, const struct ir_op *o, u8 d, u8 s, u8 at, u8 status)
{
	u32 size = size_of(o);
	u8 old = d == s ? jit_temp(j) : d, *again;

	again = j->at;
	a64_2(j, A_STORE(size) | A_LDXR | order(o, A_LDX_ACQUIRE, 0), old, at);
	amo_combine(j, o->imm & 0xff, size == 3, old, s);
	a64_3(j, A_STORE(size) | A_STXR | order(o, 0, A_STX_RELEASE), SCRATCH, at, status);
	a64_fix_to(a64_cbnz(j, false, status), again);
	a64_move(j, d, old);
}

static u32 amo(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	bool lse = j->features & A64_LSE;
	u8 base, s, d, t, status, *from;

	if (o->off || size_of(o) < 2)
		return 0;
	base = jit_use(j, o->a);
	s = a64_use(j, o->b);
	d = jit_def(j, i);
	t = jit_temp(j);
	status = lse ? NO_REG : jit_temp(j);
	from = host_address(j, t, base, size_of(o), true);
	if (lse)
		amo_lse(j, o, d, s, t);
	else
		amo_loop(j, o, d, s, t, status);
	return atomic_end(j, i, from, base, s, d);
}

/* ---- the guest's exclusive monitor ---- */

#define EXCL(member)	offsetof(struct gcpu, excl.member)

static u32 load_exclusive(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 size = size_of(o);
	u8 base, d, t, *from;

	if (o->off || size < 2)
		return 0;
	base = jit_use(j, o->a);
	d = jit_def(j, i);
	t = jit_temp(j);
	from = host_address(j, t, base, size, false);
	if (o->aux & MEM_ACQUIRE)
		a64_2(j, A_STORE(size) | A_LDAR, d, t);
	else
		a64_mem(j, A_LOAD(size), d, t, 0);
	a64_state(j, A_LDR, SCRATCH, FRAME(j, g));
	a64_mem(j, A_STR, t, SCRATCH, EXCL(host));
	a64_mem(j, A_STR, d, SCRATCH, EXCL(value));
	a64_imm(j, t, 1u << size);
	a64_mem(j, A_STR_W, t, SCRATCH, EXCL(len));
	return atomic_end(j, i, from, base, NO_REG, d);
}

/* Store @s if @expect is there: the flags are EQ. */
static void store_if(struct jit *j, const struct ir_op *o, u8 s, u8 at, u8 expect)
{
	u32 size = size_of(o);
	u8 *again, *lost;

	if (j->features & A64_LSE) {
		a64_move(j, SCRATCH, expect);
		a64_3(j, A_STORE(size) | A_CAS | order(o, A_CAS_ACQUIRE, A_CAS_RELEASE), s, at,
		      SCRATCH);
		a64_cmp(j, true, SCRATCH, expect);
		return;
	}
	again = j->at;
	a64_2(j, A_STORE(size) | A_LDXR | order(o, A_LDX_ACQUIRE, 0), SCRATCH, at);
	a64_cmp(j, true, SCRATCH, expect);
	lost = a64_bcc(j, NE);
	a64_3(j, A_STORE(size) | A_STXR | order(o, 0, A_STX_RELEASE), s, at, SCRATCH);
	a64_fix_to(a64_cbnz(j, false, SCRATCH), again);
	a64_fix(j, lost);
}

static u32 store_exclusive(struct jit *j, u32 i)
{
	const struct ir_op *o = &j->ir->op[i];
	u32 size = size_of(o);
	u8 base, s, d, t, expect, *from, *lost;

	if (o->off || size < 2)
		return 0;
	base = jit_use(j, o->a);
	s = a64_use(j, o->b);
	d = jit_def(j, i);
	t = jit_temp(j);
	expect = jit_temp(j);
	from = host_address(j, t, base, size, true);
	a64_state(j, A_LDR, SCRATCH, FRAME(j, g));
	a64_mem(j, A_LDR, expect, SCRATCH, EXCL(host));
	a64_mem(j, A_STR, ZR, SCRATCH, EXCL(host));
	a64_cmp(j, true, expect, t);
	a64_mem(j, A_LDR_W, expect, SCRATCH, EXCL(len));
	a64_2(j, 0x7a400800 | (1u << size) << 16 | EQ << 12, 0, expect);	/* CCMP #len, #0 */
	a64_mem(j, A_LDR, expect, SCRATCH, EXCL(value));
	lost = a64_bcc(j, NE);
	store_if(j, o, s, t, expect);
	a64_fix(j, lost);
	a64_cset(j, d, NE);
	return atomic_end(j, i, from, base, s, d);
}

u32 a64_op_atomic(struct jit *j, u32 i)
{
	switch (j->ir->op[i].op) {
	case IR_AMO:	return amo(j, i);
	case IR_LX:	return load_exclusive(j, i);
	case IR_SX:	return store_exclusive(j, i);
	default:	return 0;
	}
}
