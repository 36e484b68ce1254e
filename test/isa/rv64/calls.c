/*
 * Jumps whose target is found at run time: deep recursion, returns to other places than the call
 * came from, many targets of one jump, many calls of one target, odd targets, coroutines.
 */
#include "emit.h"

#define TARGETS 8192

static u8 code[64 << 10] __attribute__((aligned(4096)));

__attribute__((noinline)) static u64 fibonacci(u64 n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
__attribute__((noinline)) static u64 deep(u64 n)
{
	return n ? deep(n - 1) * 3 + n : 1;
}
static u64 deep_model(u64 n)
{
	u64 v = 1;

	for (u64 i = 1; i <= n; i++)
		v = v * 3 + i;
	return v;
}

static void recursion(void)
{
	CHECK_EQ(fibonacci(22), 17711);
	for (u64 n = 0; n < 300; n++)
		CHECK_EQ(deep(n), deep_model(n));
}

/* One jump, 8192 targets of 8 bytes, at offsets that meet in any table of a power of 2. */
static void targets(void)
{
	u64 bad = 0;

	at = (u16 *)code;
	for (u32 i = 0; i < TARGETS; i++) {
		emit(li(10, (s32)(i & 0x7ff)));
		emit16(C_RET);
		emit16(1);
	}
	fence_i();
	for (u32 i = 0; i < 100000; i++) {
		u32 k = i & 1 ? (u32)random() % TARGETS : (i / 2 * 512 + i / 64) % TARGETS;

		bad += call(code + 8 * k, 0) != (k & 0x7ff);
	}
	CHECK_EQ(bad, 0);
}

/* A callee that returns 4 bytes further on if a0 is odd. Bit 0 of its address is ignored. */
static void returns(void)
{
	u64 bad = 0;

	at = (u16 *)code;
	emit(addi(5, 1, 0));					/* t0 = ra */
	emit(j_type(1, 24));
	emit(addi(10, 10, 100));				/* skipped or not */
	emit(addi(10, 10, 1));
	emit(addi(1, 5, 0));
	emit(RET);
	emit(addi(0, 0, 0));
	emit(i_type(0x7013, 6, 10, 1));				/* andi t1, a0, 1 */
	emit(i_type(0x1013, 6, 6, 2));				/* slli t1, t1, 2 */
	emit(r_type(OP_ADD, 1, 1, 6));
	emit(RET);
	fence_i();
	for (u64 i = 0; i < 20000; i++) {
		register u64 a0 __asm__("a0") = i;

		__asm__ volatile("jalr %1" : "+r"(a0) : "r"((u8 *)code + (i % 3 == 1))
				 : "ra", "t0", "t1");
		bad += a0 != i + (i & 1 ? 1 : 101);
	}
	CHECK_EQ(bad, 0);
}

/*
 * Two coroutines that change places by jalr t0, 0(t0), which reads what it writes: one adds 1
 * to a0, the other doubles it.
 */
static void coroutines(void)
{
	u64 a, want = 0;

	__asm__ volatile("li %0, 0\n li t1, 5000\n la t0, 3f\n"
			 "1: addi %0, %0, 1\n jalr t0, 0(t0)\n addi %0, %0, 3\n jalr t0, 0(t0)\n"
			 "addi t1, t1, -1\n bnez t1, 1b\n j 2f\n"
			 "3: slli %0, %0, 1\n jalr t0, 0(t0)\n xori %0, %0, 5\n jalr t0, 0(t0)\n"
			 "j 3b\n 2:" : "=&r"(a) : : "t0", "t1");
	for (u32 i = 0; i < 5000; i++)
		want = ((((want + 1) << 1) + 3) ^ 5);
	CHECK_EQ(a, want);
}

/* jalr drops bit 0; targets 2 bytes apart are told apart. */
static void odd(void)
{
	u64 bad = 0;

	at = (u16 *)code;
	for (u32 i = 0; i < 31; i++)
		emit16(c_addi(10, 1));
	emit16(C_RET);
	fence_i();
	for (u32 i = 0; i < 20000; i++) {
		u32 k = (u32)random() % 31;

		bad += call(code + 2 * k + (i & 1), 0) != 31 - k;
	}
	CHECK_EQ(bad, 0);
}

/* Calls from many places to one function, each of which must come back to its own. */
static void callers(void)
{
	u64 bad = 0;
	u16 *loop;

	at = (u16 *)code;
	emit(addi(10, 10, 1));					/* the function */
	emit(RET);
	loop = at;
	emit(addi(5, 1, 0));
	emit(li(11, 0));
	for (u32 i = 0; i < 1000; i++) {
		emit(j_type(1, (s32)(((u16 *)code - at) * 2)));
		emit(i_type(OP_XORI, 10, 10, i & 0x7ff));
	}
	emit(addi(1, 5, 0));
	emit(RET);
	fence_i();
	for (u64 n = 0; n < 40; n++) {
		register u64 a0 __asm__("a0") = n;
		u64 want = n;

		for (u32 i = 0; i < 1000; i++)
			want = (want + 1) ^ (i & 0x7ff);
		__asm__ volatile("jalr %1" : "+r"(a0) : "r"(loop) : "ra", "t0", "a1");
		bad += a0 != want;
	}
	CHECK_EQ(bad, 0);
}

void isa_main(void)
{
	recursion();
	targets();
	returns();
	coroutines();
	odd();
	callers();
}
