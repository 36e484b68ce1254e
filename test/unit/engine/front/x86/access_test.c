/*
 * Emulated accesses of x86 instructions: which steps they ask for, where, and what they leave; what
 * native_test.c cannot run: other modes, segments, ports, refusals, accesses given up half-way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/front/x86/access.h"

static struct x86_state st;
static struct x86_insn insn;
static struct x86_access a;

static void start(enum x86_mode mode)
{
	memset(&st, 0, sizeof(st));
	for (u32 n = 0; n < 16; n++)
		st.gpr[n] = 0x1111111111111111ull * n;
	for (u32 n = 0; n < X86_SEGS; n++)
		st.seg[n].base = 0x10000 * (n + 1);
	st.seg[X86_CS].attr = mode == X86_MODE64 ? X86_SEG_L : mode == X86_MODE32 ? X86_SEG_DB : 0;
	st.efer = mode == X86_MODE64 ? BIT(10) : 0;
	st.rip = 0x1000;
	st.rflags = 2;
	assert_int_equal(x86_mode(&st), mode);
}

/* Decode @hex and begin. */
static enum x86_step begin(const char *hex)
{
	u8 bytes[16];
	u32 n = 0;

	for (unsigned b; sscanf(hex + 2 * n, "%2x", &b) == 1; n++)
		bytes[n] = (u8)b;
	assert_int_equal(x86_decode(bytes, n, x86_mode(&st), &insn), n);
	return x86_access_begin(&a, &st, &insn);
}

static enum x86_step next(u64 value)
{
	return x86_access_next(&a, &st, value);
}

static void expect_step(enum x86_step step, u64 va, u32 width, u64 value)
{
	assert_int_equal(a.step, step);
	assert_int_equal(a.va, va);
	assert_int_equal(a.width, width);
	assert_int_equal(a.value, value);
}

static void moves(void **unused)
{
	(void)unused;
	start(X86_MODE64);
	begin("8b4008");				/* mov eax, [rax + 8] */
	expect_step(X86_READ, 8, 4, 0);
	assert_int_equal(a.seg, X86_DS);
	assert_int_equal(next(~0ull), X86_DONE);
	assert_int_equal(st.gpr[X86_RAX], 0xffffffff);
	assert_int_equal(st.rip, 0x1003);
	begin("4889d9");				/* a register operand is no access */
	assert_int_equal(a.step, X86_REFUSED);
	begin("884b01");				/* mov [rbx + 1], cl */
	expect_step(X86_WRITE, 0x3333333333333334, 1, 0x11);
	assert_int_equal(next(0), X86_DONE);
	begin("882b");					/* mov [rbx], ch */
	expect_step(X86_WRITE, 0x3333333333333333, 1, 0x11);
	begin("48c703feffffff");			/* mov qword [rbx], -2 */
	expect_step(X86_WRITE, 0x3333333333333333, 8, ~1ull);
	begin("8c1b");					/* mov [rbx], ds */
	expect_step(X86_WRITE, 0x3333333333333333, 2, 0);
	begin("488b0510000000");			/* mov rax, [rip + 16] */
	expect_step(X86_READ, st.rip + 7 + 16, 8, 0);
}

/* Nothing changes before the last step: the access may be given up. */
static void given_up(void **unused)
{
	static const char *const hex[] = {
		"8b03", "f0480fc10b", "870b", "f00fb10b", "a5", "f3a6", "fe03",
		"6c", "6e", "66ab", "0fab0b", "e460", "ee",
	};

	(void)unused;
	for (u32 n = 0; n < ARRAY_LEN(hex); n++) {
		struct x86_state before;
		enum x86_step step;

		start(X86_MODE64);
		before = st;
		for (step = begin(hex[n]); step != X86_DONE; step = next(5)) {
			assert_int_not_equal(step, X86_REFUSED);
			assert_memory_equal(&before, &st, sizeof(st));
		}
		assert_int_equal(st.rip != before.rip, !a.again);
	}
}

static void read_modify_write(void **unused)
{
	(void)unused;
	start(X86_MODE64);
	begin("f0011b");				/* lock add [rbx], ebx */
	expect_step(X86_READ, 0x3333333333333333, 4, 0);
	assert_true(a.locked);
	next(0xcccccccd);
	expect_step(X86_WRITE, 0x3333333333333333, 4, 0);
	assert_int_equal(next(0), X86_DONE);
	assert_int_equal(st.rflags, 2 | X86_CF | X86_PF | X86_AF | X86_ZF);
	begin("870b");					/* xchg [rbx], ecx */
	assert_true(a.locked);
	next(0x12345678);
	expect_step(X86_WRITE, 0x3333333333333333, 4, 0x11111111);
	next(0);
	assert_int_equal(st.gpr[X86_RCX], 0x12345678);
	begin("0fb10b");				/* cmpxchg [rbx], ecx: not equal */
	assert_false(a.locked);
	next(7);
	expect_step(X86_WRITE, 0x3333333333333333, 4, 7);
	next(0);
	assert_int_equal(st.gpr[X86_RAX], 7);
	begin("392b");					/* cmp [rbx], ebp: no write */
	assert_int_equal(next(0x55555555), X86_DONE);
	assert_true(st.rflags & X86_ZF);
}

static void segments(void **unused)
{
	(void)unused;
	start(X86_MODE64);
	st.seg[X86_GS].base = 0xffff888000000000;
	begin("65a11000000000000000");
	expect_step(X86_READ, 0xffff888000000010, 4, 0);
	assert_int_equal(a.seg, X86_GS);
	begin("368b03");				/* SS has no base here */
	expect_step(X86_READ, 0x3333333333333333, 4, 0);
	start(X86_MODE32);
	begin("8b03");
	expect_step(X86_READ, 0x33333333 + 0x40000, 4, 0);
	begin("8b4500");				/* [ebp]: SS */
	expect_step(X86_READ, 0x55555555 + 0x30000, 4, 0);
	st.gpr[X86_RBX] = 0xfffffff0;			/* 4 GiB wrap */
	begin("8b03");
	expect_step(X86_READ, 0x3fff0, 4, 0);
	start(X86_MODE16);
	begin("8b4002");				/* [bx + si + 2] wraps at 64 KiB */
	expect_step(X86_READ, (0x3333 + 0x6666 + 2) + 0x40000, 2, 0);
	st.gpr[X86_RBX] = 0xffff;
	begin("8b4002");
	expect_step(X86_READ, 0x6667 + 0x40000, 2, 0);
	next(0xabcd);
	assert_int_equal(st.gpr[X86_RAX], 0xabcd);
}

static void strings(void **unused)
{
	(void)unused;
	start(X86_MODE16);
	st.gpr[X86_RCX] = 0x77770002;
	st.gpr[X86_RSI] = 0x7777ffff;
	st.gpr[X86_RDI] = 0x10;
	begin("64f3a5");				/* rep movsw from FS */
	expect_step(X86_READ, 0xffff + 0x50000, 2, 0);
	next(0x1234);
	expect_step(X86_WRITE, 0x10 + 0x10000, 2, 0x1234);
	assert_int_equal(a.seg, X86_ES);
	assert_int_equal(next(0), X86_DONE);
	assert_true(a.again);
	assert_int_equal(st.gpr[X86_RSI], 0x77770001);
	assert_int_equal(st.gpr[X86_RCX], 0x77770001);
	assert_int_equal(st.rip, 0x1000);
	st.rflags |= X86_DF;
	x86_access_begin(&a, &st, &insn);
	next(1);
	assert_int_equal(next(0), X86_DONE);
	assert_false(a.again);
	assert_int_equal(st.gpr[X86_RSI], 0x7777ffff);
	assert_int_equal(st.rip, 0x1003);
	assert_int_equal(begin("f3a5"), X86_DONE);	/* nothing left to do */
	assert_false(a.again);
	assert_int_equal(st.rip, 0x1005);
}

static void ports(void **unused)
{
	(void)unused;
	start(X86_MODE64);
	begin("e460");
	expect_step(X86_IN, 0x60, 1, 0);
	next(0x1ff);
	assert_int_equal(st.gpr[X86_RAX], 0xff);
	begin("48ed");					/* in eax, dx: never 64 bits */
	expect_step(X86_IN, 0x2222, 4, 0);
	next(~0ull);
	assert_int_equal(st.gpr[X86_RAX], 0xffffffff);
	begin("66ef");
	expect_step(X86_OUT, 0x2222, 2, 0xffff);
	assert_int_equal(next(0), X86_DONE);
	begin("e6fe");
	expect_step(X86_OUT, 0xfe, 1, 0xff);
	begin("6d");
	expect_step(X86_IN, 0x2222, 4, 0);
	next(0x12345678);
	expect_step(X86_WRITE, 0x7777777777777777, 4, 0x12345678);
	next(0);
	assert_int_equal(st.gpr[X86_RDI], 0x777777777777777b);
	begin("f36e");
	expect_step(X86_READ, 0x6666666666666666, 1, 0);
	next(0x5a);
	expect_step(X86_OUT, 0x2222, 1, 0x5a);
	next(0);
	assert_true(a.again);
	assert_int_equal(st.gpr[X86_RCX], 0x1111111111111110);
	assert_int_equal(st.gpr[X86_RSI], 0x6666666666666667);
}

static void refusals(void **unused)
{
	static const char *const hex[] = {
		"ff30", "8f00", "ff10", "0fae00", "660f6f00", "c5fc2800", "d100", "0f0100",
		"480fc708", "488d00", "90", "0fa2", "f720", "8e00", "d7",
	};

	(void)unused;
	start(X86_MODE64);
	for (u32 n = 0; n < ARRAY_LEN(hex); n++) {
		struct x86_state before = st;

		if (begin(hex[n]) != X86_REFUSED || !a.why)
			fail_msg("%s", hex[n]);
		assert_memory_equal(&before, &st, sizeof(st));
	}
	start(X86_MODE32);
	assert_int_equal(begin("6300"), X86_REFUSED);	/* ARPL */
}

static void skipping(void **unused)
{
	(void)unused;
	start(X86_MODE32);
	st.rip = 0xffffffff;
	st.rflags |= X86_RF;
	st.shadow = 3;
	x86_skip(&st, 2);
	assert_int_equal(st.rip, 1);
	assert_int_equal(st.rflags, 2);
	assert_int_equal(st.shadow, 0);
	start(X86_MODE64);
	st.rip = 0xffffffff;
	x86_skip(&st, 2);
	assert_int_equal(st.rip, 0x100000001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),     cmocka_unit_test(given_up),
		cmocka_unit_test(read_modify_write), cmocka_unit_test(segments),
		cmocka_unit_test(strings),   cmocka_unit_test(ports),
		cmocka_unit_test(refusals),  cmocka_unit_test(skipping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
