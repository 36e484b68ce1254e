/*
 * Floating point of the translator against engine/fp, operation by operation: results, and the
 * sticky flags. The guest ISA is the test's own: an instruction is a 4-byte number that says which
 * operation on which registers. Operands crowd where rounding, tininess and NaNs are decided.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "engine/back/jit/jit.h"
#include "engine/fp/fp.h"
#include "engine/ir/fp.h"
#include "engine/mem.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"
#include "kernel/base/str.h"

#define REGS	16		/* the first 12 are floating-point ones */
#define FREGS	12
#define ROUNDS	20000

struct toy {
	u64 reg[REGS];
	u64 pc;
};

static u64 seed_state = 1;
static u64 rnd(void)
{
	seed_state ^= seed_state << 13, seed_state ^= seed_state >> 7,
		seed_state ^= seed_state << 17;
	return seed_state * 0x2545f4914f6cdd1dull >> 8;
}

static u8 ram[4 * PAGE_SIZE] aligned_to(4096);

/* ---- instructions: bits 3:0 operation, 4 double, 5 other rounding, then four registers ---- */

static val_t operand(struct ir_block *b, u32 n, bool dbl)
{
	val_t v = ir_get64(b, 8 * (n % FREGS));

	return dbl ? v : ir_1(b, IR_UNBOX32, v);
}

static void result(struct ir_block *b, u32 n, val_t v, bool dbl)
{
	ir_put64(b, 8 * (n % FREGS), dbl ? v : ir_1(b, IR_BOX32, v));
}

static val_t compare(struct ir_block *b, u32 how, val_t x, val_t y, u8 aux)
{
	val_t v = ir_emit(b, IR_FCMP, x, y, 0, aux, 0, how > 0);

	return how == 2 ? ir_2(b, IR_SETLEU64, v, ir_const(b, 1)) :
			  ir_2(b, IR_SETEQ64, v, ir_const(b, how));
}

static void toy_insn(struct ir_block *b, u32 w)
{
	static const u16 op2[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FMIN, IR_FMAX };
	bool dbl = w >> 4 & 1;
	u32 d = w >> 8 & 15, x = w >> 12 & 15, y = w >> 16 & 15, z = w >> 20 & 15, k = w >> 24;
	u8 fmt = dbl ? IR_FP_D : IR_FP_S, other = dbl ? IR_FP_S : IR_FP_D;
	u8 rm = w >> 5 & 1 ? (u8)(k % 5 << 2) : IR_RM_DYNAMIC, aux = fmt | rm;
	val_t a = operand(b, x, dbl), c = operand(b, y, dbl);

	switch (w & 15) {
	case 0: case 1: case 2: case 3: case 4: case 5:
		result(b, d, ir_emit(b, op2[w & 15], a, c, 0, aux, 0, 0), dbl);
		break;
	case 6:
		result(b, d, ir_emit(b, IR_FSQRT, a, 0, 0, aux, 0, 0), dbl);
		break;
	case 7:
		ir_put64(b, 8 * (FREGS + d % 4), compare(b, k % 3, a, c, fmt));
		break;
	case 8:
		ir_put64(b, 8 * (FREGS + d % 4), ir_emit(b, IR_FTOI, a, 0, 0, aux, 0, k % 4));
		break;
	case 9:
		result(b, d, ir_emit(b, IR_ITOF, ir_get64(b, 8 * (FREGS + x % 4)), 0, 0, aux, 0,
				     k % 4), dbl);
		break;
	case 10:
		result(b, d, ir_emit(b, IR_FCVT, operand(b, x, !dbl), 0, 0, aux, 0, other), dbl);
		break;
	case 11:
		result(b, d, ir_2(b, IR_XOR64, a, ir_2(b, IR_ANDN64, c, a)), dbl);
		break;
	default:
		result(b, d, ir_emit(b, IR_FMA, a, c, operand(b, z, dbl), aux, 0, w & 3), dbl);
	}
}

static bool toy_translate(const struct code_window *w, struct ir_block *b)
{
	gva_t pc = w->pc;

	for (u32 i = 0; i < w->len / 4 && ir_insn(b, pc); i++, pc += 4) {
		toy_insn(b, load_le32(w->bytes + 4 * i));
		if (load_le32(w->bytes + 4 * i) % 64 == 0)
			break;
	}
	b->bytes = 4 * b->insns;
	return w->len >= 4;
}

static bool toy_fill(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	(void)len;
	g->fill_gpa = va;
	g->fill_host = ram + va;
	g->fill_len = (u32)(PAGE_SIZE - va % PAGE_SIZE);
	tlb_fill(g->tlb, access == ACCESS_FETCH ? &g->tlb->i : &g->tlb->d, va & PAGE_MASK,
		 va & PAGE_MASK, ram + (va & PAGE_MASK), true, false, PAGE_SIZE);
	return true;
}

static void toy_nothing(struct gcpu *g) { (void)g; }
static bool toy_no(struct gcpu *g) { (void)g; return false; }

#define AT(n) (8 * (n))
static const u16 hot[] = { AT(12), AT(13), 0 };
static const u16 hot_fp[] = { AT(9), AT(10), AT(6), AT(1), AT(2), AT(3), AT(5), 0 };

static const struct isa toy_isa = {
	.name = "toy", .hot = hot, .hot_fp = hot_fp, .ctx_fp = 1, .fp = &rv64_fp,
	.state_size = sizeof(struct toy), .pc_offset = offsetof(struct toy, pc), .pc_align = 2,
	.longest = 4,
	.reset = toy_nothing, .translate = toy_translate, .fill = toy_fill, .raise = toy_nothing,
	.interrupt = toy_no, .wakes = toy_no,
};

/* ---- the two machines ---- */

static struct gcpu g, ref;
static struct space space;
static struct cpu self;
void gcpu_kick(struct gcpu *x) { (void)x; }

static void evaluate(struct toy *t, const struct ir_block *b)
{
	static u64 v[IR_OPS_MAX];

	for (u32 i = 1; i < b->count; i++) {
		const struct ir_op *o = &b->op[i];
		u64 x = v[o->a], y = v[o->b], z = v[o->c];

		if (o->op == IR_CONST)
			v[i] = o->imm;
		else if (o->op == IR_GET64)
			v[i] = t->reg[o->off / 8];
		else if (o->op == IR_PUT64)
			t->reg[o->off / 8] = x;
		else if (o->op == IR_EXIT)
			t->pc = o->imm;
		else if (ir_is_scalar(o->op))
			v[i] = ir_eval(o->op, x, y, z, o->imm);
		else if (o->op != IR_NOP)
			v[i] = ir_fp_eval(&ref, o->op, x, y, z, o->aux | (u32)o->imm << 8);
	}
}

/* Exponents around 0, the root of the smallest number, 1, the end; and where singles begin. */
static u64 number(bool dbl)
{
	static const u16 e64[] = { 0, 508, 1020, 2043, 894 }, e32[] = { 0, 60, 124, 251, 100 };
	u32 frac = dbl ? 52 : 23;
	u64 e = (dbl ? e64 : e32)[rnd() % 5] + rnd() % 8, m = rnd();

	e = MIN(e, dbl ? 2047u : 255u);
	switch (rnd() % 5) {
	case 0: m = ~0ull; break;
	case 1: m = 0; break;
	case 2: m = ~0ull << rnd() % frac; break;
	case 3: m = 1ull << rnd() % frac; break;
	}
	return (rnd() & 1) << (dbl ? 63 : 31) | e << frac | (m & MASK(frac));
}

static u64 any(void)
{
	switch (rnd() % 8) {
	case 0: return number(false);
	case 1: case 2: case 3: return number(true);
	default: return number(false) | ~0ull << 32;
	}
}

static void machine_open(u32 rm, u32 features)
{
	memset(&g, 0, sizeof(g));
	g.isa = ref.isa = &toy_isa;
	g.runner = &jit_runner;
	g.space = &space;
	g.ctx = 1 | rm << 1;
	cpu_self = &self;
	if (!space.count)
		assert_int_equal(space_map_ram(&space, 0, sizeof(ram), ram, "ram"), OK);
	assert_int_equal(gcpu_init(&g), OK);
	g.code->jit->features &= features;
	g.fp_rm = ref.fp_rm = (u8)rm;
}

/* Run the block at a random place from random registers on both. */
static void round_compare(u32 round)
{
	static struct ir_block ir;
	struct toy *t = g.st, want;
	struct exit x;

	t->pc = 4 * (rnd() % 1000);
	for (u32 i = 0; i < REGS; i++)
		t->reg[i] = i < FREGS || rnd() % 2 ? any() : rnd() >> rnd() % 64;
	g.fp_flags = ref.fp_flags = rnd() % 4 ? 0 : rnd() & 31;
	want = *t;
	ir_begin(&ir, t->pc, g.ctx, IR_INSNS_MAX);
	toy_translate(&(struct code_window){ .pc = t->pc, .bytes = ram + t->pc,
					     .len = (u32)(PAGE_SIZE - t->pc) }, &ir);
	ir_finish(&ir, t->pc + ir.bytes);
	evaluate(&want, &ir);
	g.budget = ir.insns;
	g.runner->run(&g, &x);
	for (u32 i = 0; i < REGS; i++)
		if (t->reg[i] != want.reg[i])
			fail_msg("round %u, mode %u, pc %llx, register %u: %llx, not %llx", round,
				 g.fp_rm, (unsigned long long)ir.pc, i,
				 (unsigned long long)t->reg[i], (unsigned long long)want.reg[i]);
	if (g.fp_flags != ref.fp_flags)
		fail_msg("round %u, mode %u, pc %llx: flags %x, not %x", round, g.fp_rm,
			 (unsigned long long)ir.pc, g.fp_flags, ref.fp_flags);
	assert_int_equal(t->pc, want.pc);
}

static void compare_with(u32 features)
{
	for (u32 rm = 0; rm < 5; rm++) {
		machine_open(rm, features);
		for (u32 i = 0; i < PAGE_SIZE; i += 4) {
			u32 w = (u32)rnd() & ~(rnd() % 4 ? 32u : 0);

			memcpy(ram + i, &w, 4);
		}
		for (u32 round = 0; round < ROUNDS; round++)
			round_compare(round);
		gcpu_fini(&g);
	}
}

static void agrees_with_softfloat(void **state)
{
	(void)state;
	compare_with(UINT32_MAX);
}

static void agrees_without_extensions(void **state)
{
	(void)state;
	compare_with(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_softfloat),
		cmocka_unit_test(agrees_without_extensions),
	};

	return cmocka_run_group_tests_name("engine/back/fp", tests, NULL, NULL);
}
