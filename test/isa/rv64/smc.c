/*
 * Code that changes while it is hot: patched in place, through another address, next to data,
 * in its own block, and entered in the middle of its instructions. What is mapped where is
 * remap.c's subject. FENCE.I makes changes visible; without it old and new code are both right.
 */
#include "emit.h"

static u8 code[2 * PAGE] __attribute__((aligned(4096)));
#define CODE16(i) (((u16 *)code)[i])
#define CODE32(i) (((u32 *)code)[i])

static void begin(void *to) { at = to; }

/* A function patched again and again, called a different number of times in between. */
static void patched(u32 rounds, u32 calls)
{
	u64 bad = 0;

	begin(code);
	emit(0);
	emit(addi(10, 10, 1));
	emit(RET);
	for (u32 i = 0; i < rounds; i++) {
		u32 v = (u32)random() & 0x7ff;

		CODE32(0) = addi(10, 10, (s32)v);
		fence_i();
		for (u32 k = calls ? (u32)random() % calls : 1; k; k--)
			bad += call(code, k) != k + v + 1;
	}
	CHECK_EQ(bad, 0);
}

/*
 * A loop that patches itself: a0 += 1 becomes a0 += a2, a2 counting down from a1. @gap: no-ops
 * between the store and what it changes; negative: it lies before the store.
 */
static void in_own_block(s32 gap, bool compressed)
{
	u32 n = 300, *target, *loop;
	u64 want = 0;

	begin(code + 512);
	emit(li(10, 0));
	emit(li(12, (s32)n));
	loop = (u32 *)at;
	target = loop;
	if (gap < 0) {
		emit(addi(10, 10, 1));
		for (s32 i = gap; i < -1; i++)
			emit(addi(0, 0, 0));
	}
	emit(addi(12, 12, -1));
	emit(i_type(0x1013, 13, 12, compressed ? 59 : 20));	/* the immediate in its place */
	if (compressed)
		emit(i_type(0x5013, 13, 13, 57));
	emit(r_type(OP_ADD, 13, 13, 11));
	emit(s_type(compressed ? 0x1023 : 0x2023, 14, 13, 0));	/* sh or sw a3, 0(a4) */
	emit(FENCE_I);
	if (gap >= 0) {
		for (s32 i = 0; i < gap; i++)
			emit(addi(0, 0, 0));
		target = (u32 *)at;
		if (compressed)
			emit16(c_addi(10, 1));
		else
			emit(addi(10, 10, 1));
	}
	emit(b_type(OP_BNE, 12, 0, (s32)((u8 *)loop - (u8 *)at)));
	emit(RET);
	fence_i();
	/* what the loop adds: before the store it is what the round before has written */
	for (u32 i = n, last = 1; i--; last = i)
		want += compressed ? i & 31 : gap < 0 ? last : i;
	register u64 a0 __asm__("a0");
	register u64 a1 __asm__("a1") = compressed ? c_addi(10, 0) : addi(10, 10, 0);
	register u64 a4 __asm__("a4") = (u64)target;

	__asm__ volatile("jalr %1" : "=r"(a0) : "r"(code + 512), "r"(a1), "r"(a4)
			 : "ra", "a2", "a3", "memory");
	CHECK_EQ(a0, want);
}

/* The loop of compiled C patches an instruction of the page that it runs in itself. */
__attribute__((noinline, aligned(4096))) static u64 own_page(u32 rounds)
{
	u64 sum = 0, want = 0;

	for (u32 i = 0; i < rounds; i++) {
		register u64 got __asm__("a0");

		__asm__ volatile("la t0, 1f\n sw %1, 0(t0)\n fence.i\n"
				 ".option push\n .option norvc\n 1: li %0, 0\n .option pop"
				 : "=&r"(got) : "r"(li(10, i & 0x7ff)) : "t0", "memory");
		sum += got;
		want += i & 0x7ff;
	}
	return sum - want;
}

/* A counter on the page of the code that counts. The code is changed at times, without a fence. */
static void beside_data(bool fence)
{
	u64 *counter = (u64 *)(code + 1024), *step = counter + 200, bad = 0;

	begin(code + 64);
	emit(i_type(OP_LD, 11, 10, 0));
	emit(addi(11, 11, 1));
	emit(s_type(OP_SD, 10, 11, 0));
	emit(li(12, 0));					/* patched */
	emit(s_type(OP_SD, 10, 12, 1600));
	emit(addi(10, 11, 0));
	emit(RET);
	fence_i();
	*counter = 0;
	for (u32 i = 1; i <= 30000; i++) {
		if (i % 64 == 0) {
			CODE32(16 + 3) = li(12, (s32)(i >> 6));
			if (fence)
				fence_i();
		}
		bad += call(code + 64, (u64)counter) != i;
		/* never ahead; without a fence it may go back: caches forget what they like */
		bad += *step > i >> 6 || (fence && *step != i >> 6);
	}
	CHECK_EQ(bad, 0);
	CHECK_EQ(*counter, 30000);
	fence_i();
	call(code + 64, (u64)counter);
	CHECK_EQ(*step, 30000 >> 6);
}

/* lui a1, 0x45150 hides c.li a0, 5 in its upper half, and so on: two programs in one. */
static void in_the_middle(void)
{
	u64 bad = 0;

	for (u32 round = 0; round < 40; round++) {
		u32 hidden = c_li(10, round % 16), shown = hidden << 16 | 11 << 7 | OP_LUI;

		begin(code + 256);
		for (u32 i = 0; i < 8; i++) {
			emit(shown);
			emit16(0x952e);				/* c.add a0, a1 */
		}
		emit16(C_RET);
		fence_i();
		for (u32 i = 0; i < 50; i++) {
			register u64 a0 __asm__("a0") = i, a1 __asm__("a1") = 3 * i;
			u64 value = (u64)(s64)(s32)(hidden << 16);

			__asm__ volatile("jalr %2" : "+r"(a0), "+r"(a1) : "r"(code + 256) : "ra");
			bad += a0 != i + 8 * value || a1 != value;
			/* c.li, c.add, then lui again: seven of them */
			a1 = 3 * i;
			__asm__ volatile("jalr %2" : "+r"(a0), "+r"(a1) : "r"(code + 258) : "ra");
			bad += a0 != round % 16 + 3 * i + 7 * value;
		}
	}
	CHECK_EQ(bad, 0);
}

/* Blocks of one or two 2-byte instructions, every one of them an entry. */
static void tiny_blocks(void)
{
	u64 bad = 0;
	u32 n = PAGE / 2 - 2;

	begin(code);
	for (u32 i = 0; i < n; i++)
		emit16(cj_type(2));
	emit16(C_RET);
	fence_i();
	for (u32 i = 0; i < n; i += 1)
		bad += call(code + 2 * i, i) != i;
	begin(code);
	for (u32 i = 0; i < n; i++)
		emit16(i % 2 ? cj_type(2) : c_addi(10, 1));
	fence_i();
	for (u32 i = 0; i < n; i++)
		bad += call(code + 2 * i, 0) != (n - i) / 2;
	/* there and back: even slots lead forward, then odd ones home to slot 1 */
	begin(code);
	for (u32 i = 0; i < 1000; i++)
		emit16(i == 998 ? cj_type(2) : i == 1 ? C_RET : cj_type(i % 2 ? -4 : 4));
	fence_i();
	for (u32 i = 0; i < 1000; i += 3)
		bad += call(code + 2 * i, i) != i;
	CHECK_EQ(bad, 0);
}

/* One halfword of many changes, somewhere; everything else of the page must stay usable. */
static void one_of_many(void)
{
	u64 bad = 0, sum = 0;
	u8 step[512];

	begin(code);
	for (u32 i = 0; i < 512; i++) {
		step[i] = 1;
		emit16(c_addi(10, 1));
		emit16(i % 3 ? 1 : cj_type(2));			/* c.nop */
		sum++;
	}
	emit16(C_RET);
	fence_i();
	for (u32 i = 0; i < 2000; i++) {
		u32 k = (u32)random() % 512, v = 1 + (u32)random() % 15;

		sum += v - step[k];
		step[k] = (u8)v;
		CODE16(2 * k) = (u16)c_addi(10, v);
		fence_i();
		bad += call(code, i) != i + (u32)sum;
	}
	CHECK_EQ(bad, 0);
}

/* A 4-byte instruction that becomes two of 2 bytes, and back. */
static void lengths(void)
{
	u64 bad = 0;

	begin(code);
	emit(0);
	emit(RET);
	for (u32 i = 0; i < 1000; i++) {
		CODE32(0) = i % 2 ? addi(10, 10, 100) : c_addi(10, 3) | c_addi(10, 4) << 16;
		fence_i();
		for (u32 k = 0; k < i % 40; k++)
			bad += call(code, k) != k + (i % 2 ? 100 : 7);
	}
	CHECK_EQ(bad, 0);
}

/* A call leads to code that patches its caller right after the call. */
static void caller(void)
{
	u64 bad = 0;

	begin(code);
	emit(addi(5, 1, 0));					/* t0 = ra */
	emit(j_type(1, 32));
	emit(addi(10, 10, 0));					/* patched by the callee */
	emit(addi(1, 5, 0));
	emit(RET);
	begin(code + 36);
	emit(i_type(0x1013, 6, 10, 20));			/* slli t1, a0, 20 */
	emit(r_type(OP_ADD, 6, 6, 11));
	emit(s_type(0x2023, 1, 6, 0));				/* sw t1, 0(ra) */
	emit(FENCE_I);
	emit(RET);
	fence_i();
	for (u64 i = 0; i < 2000; i++) {
		register u64 a0 __asm__("a0") = i & 0x3ff, a1 __asm__("a1") = addi(10, 10, 0);

		__asm__ volatile("jalr %2" : "+r"(a0) : "r"(a1), "r"(code)
				 : "ra", "t0", "t1", "memory");
		bad += a0 != 2 * (i & 0x3ff);
	}
	CHECK_EQ(bad, 0);
}

void isa_main(void)
{
	patched(2000, 1);
	patched(500, 100);
	patched(20, 5000);
	for (s32 gap = -3; gap < 4; gap++)
		in_own_block(gap, false);
	for (s32 gap = 0; gap < 4; gap++)
		in_own_block(gap, true);
	CHECK_EQ(own_page(3000), 0);
	beside_data(false);
	beside_data(true);
	in_the_middle();
	tiny_blocks();
	one_of_many();
	lengths();
	caller();
	patched(100000, 0);
}
