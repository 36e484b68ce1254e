/*
 * The IR: folding, memory of the state, dead code, the verifier's teeth, flags and vectors against
 * plain C.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ir/ir.h"
#include "engine/ir/vec.h"

static struct ir_block *block(void)
{
	static struct ir_block b;

	ir_begin(&b, 0x1000, 0, IR_INSNS_MAX);
	assert_true(ir_insn(&b, 0x1000));
	return &b;
}

static u32 count(const struct ir_block *b, enum ir_opcode op)
{
	u32 n = 0;

	for (u32 i = 1; i < b->count; i++)
		n += b->op[i].op == op;
	return n;
}

static void folds_constants(void **state)
{
	struct ir_block *b = block();
	val_t x = ir_get64(b, 8);
	u64 v;

	(void)state;
	assert_true(ir_is_const(b, ir_2(b, IR_ADD64, ir_const(b, 40), ir_const(b, 2)), &v));
	assert_int_equal(v, 42);
	assert_true(ir_is_const(b, ir_2(b, IR_ADD32, ir_const(b, ~0u), ir_const(b, 2)), &v));
	assert_int_equal(v, 1);
	assert_int_equal(ir_2(b, IR_ADD64, ir_const(b, 0), x), x);
	assert_int_equal(ir_2(b, IR_SHL64, x, ir_const(b, 0)), x);
	assert_int_not_equal(ir_2(b, IR_ADD32, x, ir_const(b, 0)), x);	/* clears the upper half */
	ir_branch(b, IR_BREQ64, ir_const(b, 1), ir_const(b, 2), 0x2000);
	assert_false(b->ended);
	ir_branch(b, IR_BREQ64, ir_const(b, 2), ir_const(b, 2), 0x2000);
	assert_true(b->ended);
}

static void remembers_state(void **state)
{
	static const struct ir_helper touches = { .name = "touches", .flags = H_STATE };
	struct ir_block *b = block();
	val_t x = ir_get64(b, 8), c = ir_const(b, 7);

	(void)state;
	assert_int_equal(ir_get64(b, 8), x);
	ir_put64(b, 8, c);
	assert_int_equal(ir_get64(b, 8), c);
	ir_put(b, IR_PUT8, 9, c);
	assert_int_not_equal(ir_get64(b, 8), c);
	ir_put64(b, 16, c);
	ir_call(b, &touches, 0, 0, 0);
	assert_int_not_equal(ir_get64(b, 16), c);
	ir_put64(b, 16, c);
	ir_emit(b, IR_STS, x, x, 0, 3, 0, 0);		/* any register */
	assert_int_not_equal(ir_get64(b, 16), c);
}

static void sweeps_dead_code(void **state)
{
	struct ir_block *b = block();
	val_t x = ir_get64(b, 8), y = ir_2(b, IR_MUL64, x, x);

	(void)state;
	ir_put64(b, 16, y);		/* overwritten below, nothing in between looks */
	ir_put64(b, 16, x);
	ir_put64(b, 24, x);		/* seen by the load's fault */
	ir_load(b, IR_LDU64, x, 0, 0);	/* unused result, but it may fault */
	ir_put64(b, 24, x);
	ir_finish(b, 0x1004);
	assert_int_equal(count(b, IR_MUL64), 0);
	assert_int_equal(count(b, IR_PUT64), 3);
	assert_int_equal(count(b, IR_LDU64), 1);
	assert_int_equal(count(b, IR_EXIT), 1);
	assert_null(ir_verify(b, (char[80]){ 0 }, 80));
}

static void exits_choose_their_kind(void **state)
{
	struct ir_block *b = block();

	(void)state;
	ir_exit(b, 0x1ffe, IR_CHAIN);
	assert_int_equal(b->op[b->count - 1].aux, IR_CHAIN);
	b = block();
	ir_exit(b, 0x2000, IR_CHAIN);
	assert_int_equal(b->op[b->count - 1].aux, IR_LOOKUP);
	b = block();
	ir_exit(b, 0x1004, IR_CHECK);
	assert_int_equal(b->op[b->count - 1].aux, IR_CHECK);
	assert_false(ir_insn(b, 0x1004));
}

/* Each row breaks one rule of a sound block; the verifier must say so. */
static void verifier_bites(void **state)
{
	static const struct { u32 at; struct ir_op op; const char *says; } bad[] = {
		{ 2, { .op = IR_ADD64, .a = 1 }, "lacks an operand" },
		{ 2, { .op = IR_ADD64, .a = 1, .b = 2 }, "before it is made" },
		{ 2, { .op = IR_CONST, .a = 1 }, "too many operands" },
		{ 2, { .op = IR_VADD, .a = 1, .b = 1 }, "wrong type" },
		{ 2, { .op = IR_FLAGPACK, .a = 1 }, "wrong type" },
		{ 2, { .op = IR_EXIT }, "before its end" },
		{ 2, { .op = IR_NOP, .insn = 9 }, "instruction" },
		{ 2, { .op = IR_OP_COUNT }, "not an operation" },
		{ 3, { .op = IR_NOP }, "no end" },
		{ 3, { .op = IR_EXITIND, .a = 1, .aux = IR_CHAIN }, "chains" },
	};
	char text[120];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct ir_block *b = block();

		ir_put64(b, 16, ir_get64(b, 8));
		ir_exit(b, 0x1004, IR_CHAIN);
		assert_int_equal(b->count, 4);
		assert_null(ir_verify(b, text, sizeof(text)));
		b->op[bad[i].at] = bad[i].op;
		const char *says = ir_verify(b, text, sizeof(text));

		assert_non_null(says);
		assert_non_null(strstr(says, bad[i].says));
	}
}

static void prints(void **state)
{
	char text[400];
	struct sink_buf out = sink_buf_init(text, sizeof(text));
	struct ir_block *b = block();

	(void)state;
	ir_put64(b, 16, ir_2(b, IR_ADD64, ir_get64(b, 8), ir_const(b, 5)));
	ir_finish(b, 0x1004);
	ir_print(b, &out.sink);
	assert_non_null(strstr(text, " 0x1000:\n"));
	assert_non_null(strstr(text, "%3   = ADD64 %1, %2\n"));
	assert_non_null(strstr(text, "PUT64 %3 @16\n"));
	assert_non_null(strstr(text, "EXIT #0x1004\n"));
}

static u64 rnd(void)
{
	static u64 s = 88172645463325252ull;
	static const u64 corner[] = {
		0,          1,          ~0ull, 1ull << 63, (1ull << 63) - 1, 0x80000000,
		0x7fffffff, 0xffffffff, 0x80,  0x7f,       0xffff8000
	};

	s ^= s << 13, s ^= s >> 7, s ^= s << 17;
	return s % 4 ? s : corner[s / 8 % ARRAY_LEN(corner)];
}

static void finds_rotations(void **state)
{
	struct ir_block *b = block();
	val_t x = ir_get64(b, 8), n = ir_const(b, 7), m = ir_const(b, 25), left, right, v;

	(void)state;
	right = ir_1(b, IR_SX32, ir_2(b, IR_SHR32, x, n));
	left = ir_1(b, IR_SX32, ir_2(b, IR_SHL32, x, m));
	v = ir_2(b, IR_OR64, left, right);
	assert_int_equal(b->op[v].op, IR_SX32);
	assert_int_equal(b->op[b->op[v].a].op, IR_ROTR32);
	v = ir_2(b, IR_ADD32, right, left);
	assert_int_equal(b->op[v].op, IR_ROTR32);
	v = ir_2(b, IR_XOR64, ir_2(b, IR_SHR64, x, n), ir_2(b, IR_SHL64, x, ir_const(b, 57)));
	assert_int_equal(b->op[v].op, IR_ROTR64);
	/* The shift to the left is not extended; the counts leave a gap; not the same value. */
	v = ir_2(b, IR_OR64, ir_2(b, IR_SHL32, x, m), right);
	assert_int_equal(b->op[v].op, IR_OR64);
	v = ir_2(b, IR_OR64, left, ir_2(b, IR_SHR32, x, ir_const(b, 8)));
	assert_int_equal(b->op[v].op, IR_OR64);
	v = ir_2(b, IR_OR64, left, ir_2(b, IR_SHR32, ir_get64(b, 16), n));
	assert_int_equal(b->op[v].op, IR_OR64);
}

static void drops_extensions_nobody_sees(void **state)
{
	struct ir_block *b = block();
	val_t x = ir_get64(b, 8), y = ir_get64(b, 16), v;

	(void)state;
	v = ir_1(b, IR_SX32, ir_2(b, IR_ADD32, x, y));
	ir_put64(b, 24, v);			/* seen if the store below faults */
	v = ir_2(b, IR_XOR64, v, y);		/* its low half alone is extended */
	v = ir_1(b, IR_SX32, ir_2(b, IR_ADD32, v, x));
	ir_store(b, IR_ST32, x, 0, ir_1(b, IR_SX32, ir_2(b, IR_SUB32, x, y)), 0);
	ir_put64(b, 24, v);			/* is seen */
	ir_finish(b, 0x1004);
	assert_null(ir_verify(b, (char[80]){ 0 }, 80));
	assert_int_equal(count(b, IR_SX32), 2);
	b = block();
	x = ir_get64(b, 8);
	v = ir_1(b, IR_SX32, ir_2(b, IR_ADD32, x, x));
	ir_put64(b, 24, v);
	ir_put64(b, 24, ir_2(b, IR_SHR64, v, ir_const(b, 1)));	/* looks at the upper half */
	ir_finish(b, 0x1004);
	assert_int_equal(count(b, IR_SX32), 1);
}

/* What @b leaves in state slot 0, if slot 1 is @x and slot 2 is @y. */
static u64 run(const struct ir_block *b, u64 x, u64 y)
{
	u64 v[IR_OPS_MAX] = { 0 }, slot[4] = { 0, x, y, 0 };

	for (u32 i = 1; i < b->count; i++) {
		const struct ir_op *o = &b->op[i];

		if (o->op == IR_CONST)
			v[i] = o->imm;
		else if (o->op == IR_GET64)
			v[i] = slot[o->off / 8];
		else if (o->op == IR_PUT64)
			slot[o->off / 8] = v[o->a];
		else if (ir_is_scalar(o->op))
			v[i] = ir_eval(o->op, v[o->a], v[o->b], v[o->c], o->imm);
	}
	return slot[0];
}

static void rotations_change_no_value(void **state)
{
	static const u16 ops[] = {
		IR_OR32, IR_XOR32, IR_ADD32, IR_SUB32, IR_OR64, IR_XOR64, IR_ADD64, IR_AND64,
	};

	(void)state;
	for (u32 n = 0; n < 50000; n++) {
		struct ir_block *b = block();
		u32 op = ops[n % ARRAY_LEN(ops)], wide = n / 8 % 2, bits = wide ? 64 : 32;
		u32 shl = wide ? IR_SHL64 : IR_SHL32, shr = wide ? IR_SHR64 : IR_SHR32;
		u64 x = rnd(), l = rnd() % bits, r = rnd() % 8 ? bits - l : rnd() % bits;
		val_t v = ir_get64(b, 8), left = ir_2(b, shl, v, ir_const(b, l));
		val_t right = ir_2(b, shr, v, ir_const(b, r));
		u64 a = ir_eval(shl, x, l, 0, 0), c = ir_eval(shr, x, r, 0, 0);

		if (rnd() % 2)
			left = ir_1(b, IR_SX32, left), a = ir_eval(IR_SX32, a, 0, 0, 0);
		if (rnd() % 2)
			right = ir_1(b, IR_SX32, right), c = ir_eval(IR_SX32, c, 0, 0, 0);
		ir_put64(b, 0, n / 16 % 2 ? ir_2(b, op, left, right) : ir_2(b, op, right, left));
		ir_finish(b, 0x1004);
		assert_int_equal(run(b, x, 0), n / 16 % 2 ? ir_eval(op, a, c, 0, 0) :
							    ir_eval(op, c, a, 0, 0));
	}
}

/* Words that folding knows, in any order: the block computes what they say one by one. */
static void folding_changes_no_value(void **state)
{
	static const u16 ops[] = {
		IR_ADD32, IR_SUB32, IR_SHL32, IR_SHR32, IR_SAR32, IR_OR32, IR_XOR32, IR_ROTR32,
		IR_ADD64, IR_SUB64, IR_SHL64, IR_SHR64, IR_SAR64, IR_OR64, IR_XOR64, IR_AND64,
		IR_SX32,  IR_SX32,  IR_ZX32,  IR_SX16,  IR_SX32,  IR_ZX8,   IR_SEL64, IR_XOR64,
		IR_SETLTU64, IR_SETLTS64, IR_SETEQ64, IR_SETNE64, IR_AND64, IR_ANDN64,
	};
	static const u64 constant[] = {
		0, 1, 1, 7, 8, 16, 24, 25, 31, 32, 33, 39, 40, 48, 57, 63, ~0ull,
	};

	(void)state;
	for (u32 n = 0; n < 100000; n++) {
		struct ir_block *b = block();
		u64 value[16] = { rnd(), rnd() }, x = value[0], y = value[1];
		val_t v[16] = { ir_get64(b, 8), ir_get64(b, 16) };
		u32 made = 2;

		for (; made < 16; made++) {
			u32 op = ops[rnd() / 64 % ARRAY_LEN(ops)], p, q, r;

			p = rnd() / 64 % made, q = rnd() / 64 % made, r = rnd() / 64 % made;
			if (rnd() / 64 % 2) {
				value[made] = constant[rnd() / 64 % ARRAY_LEN(constant)];
				v[made] = ir_const(b, value[made]);
				q = made++;
			}
			if (made == 16)
				break;
			u32 args = (u32)strlen(ir_info[op].args);

			v[made] = ir_3(b, op, v[p], args > 1 ? v[q] : 0, args > 2 ? v[r] : 0);
			value[made] = ir_eval(op, value[p], value[q], value[r], 0);
		}
		ir_put64(b, 0, v[made - 1]);
		ir_finish(b, 0x1004);
		assert_null(ir_verify(b, (char[80]){ 0 }, 80));
		assert_int_equal(run(b, x, y), value[made - 1]);
	}
}

/* Flags by wide arithmetic: carry is the bit above, overflow a result that does not fit. */
static void flags_agree_with_wide_arithmetic(void **state)
{
	(void)state;
	for (u32 n = 0; n < 200000; n++) {
		u32 size = rnd() % 4, bits = 8u << size;
		u64 a = rnd() & MASK(bits), b = rnd() & MASK(bits), c = rnd() & 1;
		u128 sum = (u128)a + b + c;
		s128 ssum = (s128)sext(a, bits) + sext(b, bits) + (s128)c;
		u64 f = flags_compute(FLAG_ADC << 2 | size, a, b, c);

		assert_int_equal(!!(f & FL_C), (u64)(sum >> bits) & 1);
		assert_int_equal(!!(f & FL_O), ssum != sext((u64)ssum, bits));
		assert_int_equal(!!(f & FL_Z), ((u64)sum & MASK(bits)) == 0);
		assert_int_equal(!!(f & FL_S), (u64)sum >> (bits - 1) & 1);
		assert_int_equal(!!(f & FL_A), ((a & 15) + (b & 15) + c) >> 4);
		f = flags_compute(FLAG_SBB << 2 | size, a, b, c);
		s128 sdiff = (s128)sext(a, bits) - sext(b, bits) - (s128)c;
		assert_int_equal(!!(f & FL_C), (u128)a < (u128)b + c);
		assert_int_equal(!!(f & FL_O), sdiff != sext((u64)sdiff, bits));
		assert_int_equal(!!(f & FL_A), (a & 15) < (b & 15) + c);
		assert_int_equal(flags_compute(FLAG_ASBC << 2 | size, a, b, !c), f ^ FL_C);
		assert_int_equal(flags_cc(CC_L, flags_compute(FLAG_SUB << 2 | size, a, b, 0)),
				 sext(a, bits) < sext(b, bits));
		assert_int_equal(flags_cc(CC_BE, flags_compute(FLAG_SUB << 2 | size, a, b, 0)),
				 a <= b);
		assert_int_equal(flags_cc(CC_HI, flags_compute(FLAG_ASUB << 2 | size, a, b, 0)),
				 a > b);
		assert_int_equal(flags_compute(FLAG_INC << 2 | size, a, 0, FL_C) & FL_C, FL_C);
		assert_int_equal(!!(flags_compute(FLAG_MULU << 2 | size, a, b, 0) & FL_C),
				 (u128)a * b >> bits != 0);
	}
}

static void shifts_set_carry_from_the_last_bit_out(void **state)
{
	(void)state;
	assert_int_equal(flags_compute(FLAG_SHL << 2, 0x81, 1, 0) & (FL_C | FL_O), FL_C | FL_O);
	assert_int_equal(flags_compute(FLAG_SHR << 2, 0x81, 1, 0) & (FL_C | FL_O), FL_C | FL_O);
	assert_int_equal(flags_compute(FLAG_SAR << 2, 0x81, 1, 0) & (FL_C | FL_O), FL_C);
	assert_int_equal(flags_compute(FLAG_SAR << 2 | 3, 1ull << 63, 63, 0) & (FL_C | FL_S), FL_S);
	assert_int_equal(flags_compute(FLAG_ROL << 2, 0x80, 1, FL_Z), FL_Z | FL_C | FL_O);
	assert_int_equal(flags_compute(FLAG_ROR << 2, 0x01, 1, 0), FL_C | FL_O);
}

static void eval_knows_the_corners(void **state)
{
	(void)state;
	assert_int_equal(ir_eval(IR_DIVS64, 1ull << 63, ~0ull, 0, 0), 1ull << 63);
	assert_int_equal(ir_eval(IR_REMS64, 1ull << 63, ~0ull, 0, 0), 0);
	assert_int_equal(ir_eval(IR_DIVS32, 0x80000000, 0xffffffff, 0, 0), 0x80000000);
	assert_int_equal(ir_eval(IR_DIVU32, 5, 0, 0, 0), 0);
	assert_int_equal(ir_eval(IR_REMU64, 5, 0, 0, 0), 5);
	assert_int_equal(ir_eval(IR_DIVS64, (u64)-7, 2, 0, 0), (u64)-3);
	assert_int_equal(ir_eval(IR_REMS32, (u32)-7, 2, 0, 0), (u32)-1);
	assert_int_equal(ir_eval(IR_MULHU64, ~0ull, ~0ull, 0, 0), ~0ull - 1);
	assert_int_equal(ir_eval(IR_MULHS64, ~0ull, ~0ull, 0, 0), 0);
	assert_int_equal(ir_eval(IR_MULHSU64, ~0ull, ~0ull, 0, 0), ~0ull);
	assert_int_equal(ir_eval(IR_CLZ32, 0, 0, 0, 0), 32);
	assert_int_equal(ir_eval(IR_CLZ32, 1, 0, 0, 0), 31);
	assert_int_equal(ir_eval(IR_CTZ64, 0, 0, 0, 0), 64);
	assert_int_equal(ir_eval(IR_BSWAP32, 0x11223344, 0, 0, 0), 0x44332211);
	assert_int_equal(ir_eval(IR_BITREV32, 1, 0, 0, 0), 0x80000000);
	assert_int_equal(ir_eval(IR_ROTR32, 1, 1, 0, 0), 0x80000000);
	assert_int_equal(ir_eval(IR_ROTR64, 1, 64, 0, 0), 1);
	assert_int_equal(ir_eval(IR_SAR32, 0x80000000, 33, 0, 0), 0xc0000000);
	assert_int_equal(ir_eval(IR_EXTR64, 1, 0, 4, 0), 1ull << 60);
	assert_int_equal(ir_eval(IR_EXTR32, 1, 7, 0, 0), 7);
	assert_int_equal(ir_eval(IR_BFXS, 0xf0, 0, 0, 4 | 4 << 8), ~0ull);
	assert_int_equal(ir_eval(IR_BFI, ~0ull, 0, 0, 8 | 8 << 8), 0xffffffffffff00ffull);
	assert_int_equal(ir_eval(IR_UNBOX32, 0xffffffff3f800000ull, 0, 0, 0), 0x3f800000);
	assert_int_equal(ir_eval(IR_UNBOX32, 0x3f800000, 0, 0, 0), 0x7fc00000);
}

static void vectors_work_by_lane(void **state)
{
	u64 a[2] = { 0x0102030405060708ull, 0x807f00ff10203040ull };
	u64 b[2] = { 0x1111111111111111ull, 0x80808080ff00ff00ull }, d[2];
	u64 high[2] = { a[1], 0 }, by[2] = { b[1], 0 };
	struct vec_arg bytes = { .aux = 0 }, words = { .aux = 1 }, by4 = { .aux = 0, .imm = 4 };

	(void)state;
	vec_VADDSS(d, a, b, NULL, &bytes);
	assert_int_equal(d[1] >> 56, 0x80);			/* -128 + -128 stays -128 */
	vec_VSUBSU(d, a, b, NULL, &bytes);
	assert_int_equal(d[0], 0);
	vec_VZIPLO(d, a, b, NULL, &bytes);
	assert_int_equal(d[0], 0x1105110611071108ull);
	vec_VUZPHI(d, a, b, NULL, &words);
	assert_int_equal(d[0], 0x807f102001020506ull);
	vec_VEXT(d, a, b, NULL, &by4);
	assert_int_equal(d[0], 0x1020304001020304ull);
	vec_VREV(d, a, b, NULL, &by4);
	assert_int_equal(d[0], 0x0403020108070605ull);
	vec_VWIDES(d, high, b, NULL, &bytes);
	assert_int_equal(d[1], 0xff80007f0000ffffull);
	vec_VNARROW(d, a, b, NULL, &words);
	assert_int_equal(d[0], 0x7fff204002040608ull);
	vec_VSHLS(d, high, by, NULL, &bytes);
	assert_int_equal(d[0] & 0xff, 0x40);			/* by 0 */
	assert_int_equal(d[0] >> 24 & 0xff, 0x08);		/* by -1 */
	assert_int_equal(vec_movmsk(a, 0), 0x9000);
	assert_int_equal(vec_get(a, 1, 7), 0x807f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds_constants),
		cmocka_unit_test(remembers_state),
		cmocka_unit_test(sweeps_dead_code),
		cmocka_unit_test(exits_choose_their_kind),
		cmocka_unit_test(verifier_bites),
		cmocka_unit_test(prints),
		cmocka_unit_test(finds_rotations),
		cmocka_unit_test(drops_extensions_nobody_sees),
		cmocka_unit_test(rotations_change_no_value),
		cmocka_unit_test(folding_changes_no_value),
		cmocka_unit_test(flags_agree_with_wide_arithmetic),
		cmocka_unit_test(shifts_set_carry_from_the_last_bit_out),
		cmocka_unit_test(eval_knows_the_corners),
		cmocka_unit_test(vectors_work_by_lane),
	};

	return cmocka_run_group_tests_name("engine/ir", tests, NULL, NULL);
}
