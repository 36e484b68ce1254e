/*
 * More code than a code cache holds: twenty thousand generated functions called in random order,
 * calling each other and jumping into each other, some rewritten on the way.
 */
#include "emit.h"

#define COUNT 20000
#define BYTES 64u
static u8 code[COUNT][BYTES] __attribute__((aligned(4096)));
static u8 kind[COUNT];

static u64 constant(u32 i, u32 version) { return (i * 2654435761u ^ version * 40503u) & 0x7ff; }
static u8 version[COUNT];

/* Functions of kind 6 and 7 go on in function i + 1; the last one cannot. */
static void write_function(u32 i)
{
	s32 c = (s32)constant(i, version[i]);

	at = (u16 *)code[i];
	emit(addi(11, 10, c));
	switch (kind[i]) {
	case 0: emit(r_type(OP_XOR, 10, 10, 11)); break;
	case 1: emit(r_type(OP_MUL, 10, 10, 11)); break;
	case 2:						/* if (a0 < a1) a0 += 7; */
		emit(b_type(OP_BLTU, 10, 11, 8));
		emit(j_type(0, 8));
		emit(addi(10, 10, 7));
		break;
	case 3:						/* a small loop */
		emit(li(12, 5));
		emit(r_type(OP_ADD, 10, 10, 11));
		emit(addi(12, 12, -1));
		emit(b_type(OP_BNE, 12, 0, -8));
		break;
	case 4:						/* through memory */
		emit(s_type(OP_SD, 2, 11, 0xff8));	/* sd a1, -8(sp) */
		emit(i_type(OP_LD, 10, 2, 0xff8));
		break;
	case 5: emit16(c_addi(10, 9)); emit(r_type(OP_SUB, 10, 10, 11)); break;
	case 6:
		emit(addi(10, 11, 1));
		emit(j_type(0, (s32)((u8 *)code[i + 1] - (u8 *)at)));
		break;
	default:					/* falls through no-ops into the next one */
		while ((u8 *)at < code[i + 1])
			emit16(1);
		return;
	}
	emit(RET);
}

static u64 model(u32 i, u64 a0)
{
	for (;; i++) {
		u64 a1 = a0 + constant(i, version[i]);

		switch (kind[i]) {
		case 0: return a0 ^ a1;
		case 1: return a0 * a1;
		case 2: return a0 < a1 ? a0 + 7 : a0;
		case 3: return a0 + 5 * a1;
		case 4: return a1;
		case 5: return a0 + 9 - a1;
		case 6: a0 = a1 + 1; break;
		default: break;
		}
	}
}

static void write_all(void)
{
	for (u32 i = 0; i < COUNT; i++) {
		kind[i] = i == COUNT - 1 ? 0 : (u8)((u32)random() % 8);
		write_function(i);
	}
	fence_i();
}

static void run(u32 calls, u32 range, u32 rewrite_every)
{
	u64 bad = 0;

	for (u32 n = 1; n <= calls; n++) {
		u32 i = (u32)random() % range;
		u64 a0 = random();

		if (rewrite_every && n % rewrite_every == 0) {
			version[i]++;
			write_function(i);
			fence_i();
		}
		bad += call(code[i], a0) != model(i, a0);
	}
	CHECK_EQ(bad, 0);
}

/* Every function in turn, several times over: the worst order for a cache that drops the oldest. */
static void sweep(u32 times)
{
	u64 bad = 0;

	while (times--)
		for (u32 i = 0; i < COUNT; i++)
			bad += call(code[i], i) != model(i, i);
	CHECK_EQ(bad, 0);
}

void isa_main(void)
{
	write_all();
	run(60000, COUNT, 0);
	sweep(3);
	run(60000, 50, 0);
	run(20000, 500, 100);
	run(20000, COUNT, 10);
}
