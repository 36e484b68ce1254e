/*
 * Memory as several harts see it: litmus tests, of which the forbidden outcome must never come
 * (RISC-V unprivileged spec, chapter RVWMO), counters by every kind of atomic, and locks around
 * plain data. Harts walk over many copies of the variables side by side.
 */
#include "emit.h"
#include "harts.h"

#define COPIES 1024
#define BATCHES 24
#define LOCK_ROUNDS 3000
#define ROUNDS 20000

/* ---- litmus tests ----------------------------------------------------------------------- */

static struct { u64 x, pad[7], y, pad2[7]; } place[COPIES];
static struct { u64 a, b; } result[HARTS][COPIES];
static volatile u64 progress[HARTS][8];

/* Wait a little for @other, so that both are at the same copy. */
static void near(u64 self, u64 other, u64 i)
{
	progress[self][0] = i;
	for (u32 n = 0; n < 200 && progress[other][0] + 1 <= i; n++)
		;
}

/* A hart's part: text with %0, %1 its results a and b, %2 &x, %3 &y, %4 = 1. */
#define PART(name, other, text)								\
	static void name(u64 hart)							\
	{										\
		for (u64 i = 0; i < COPIES; i++) {					\
			u64 a = 0, b = 0;						\
			near(hart, other, i);						\
			__asm__ volatile(text : "+&r"(a), "+&r"(b) : "r"(&place[i].x),	\
					 "r"(&place[i].y), "r"(1ull) : "memory");	\
			result[hart][i].a = a;						\
			result[hart][i].b = b;						\
		}									\
	}

PART(mp_send, 1, "sd %4, 0(%2)\n fence w, w\n sd %4, 0(%3)")
PART(mp_receive, 0, "ld %0, 0(%3)\n fence r, r\n ld %1, 0(%2)")
PART(mp_send_rl, 1, "sd %4, 0(%2)\n amoswap.d.rl %1, %4, (%3)\n li %1, 0")
PART(mp_receive_aq, 0, "amoor.d.aq %0, x0, (%3)\n ld %1, 0(%2)")
PART(mp_receive_lr, 0, "lr.d.aq %0, (%3)\n ld %1, 0(%2)")
PART(mp_send_byte, 1, "sw %4, 0(%2)\n fence w, w\n sb %4, 0(%3)")
PART(mp_receive_byte, 0, "lb %0, 0(%3)\n fence r, r\n lw %1, 0(%2)")
PART(sb_one, 1, "sd %4, 0(%2)\n fence rw, rw\n ld %0, 0(%3)")
PART(sb_two, 0, "sd %4, 0(%3)\n fence rw, rw\n ld %0, 0(%2)")
PART(sb_one_amo, 1, "amoswap.d.aqrl %1, %4, (%2)\n ld %0, 0(%3)")
PART(sb_two_amo, 0, "amoadd.d.aqrl %1, %4, (%3)\n ld %0, 0(%2)")
PART(lb_one, 1, "ld %0, 0(%2)\n fence r, w\n sd %4, 0(%3)")
PART(lb_two, 0, "ld %0, 0(%3)\n fence r, w\n sd %4, 0(%2)")
PART(lb_one_data, 1, "ld %0, 0(%2)\n xor %1, %0, %0\n add %1, %1, %4\n sd %1, 0(%3)")
PART(lb_two_data, 0, "ld %0, 0(%3)\n xor %1, %0, %0\n add %1, %1, %4\n sd %1, 0(%2)")
PART(co_write, 1, "sd %4, 0(%2)")
PART(co_read, 0, "ld %0, 0(%2)\n ld %1, 0(%2)")
PART(ww_one, 1, "li %1, 2\n sd %4, 0(%2)\n fence w, w\n sd %1, 0(%3)")
PART(ww_two, 0, "li %1, 2\n sd %4, 0(%3)\n fence w, w\n sd %1, 0(%2)")
PART(set_x, 2, "sd %4, 0(%2)")
PART(set_y, 3, "sd %4, 0(%3)")
PART(read_xy, 0, "ld %0, 0(%2)\n fence r, r\n ld %1, 0(%3)")
PART(read_yx, 1, "ld %0, 0(%3)\n fence r, r\n ld %1, 0(%2)")
/* write to read causality: 0 sets x, 1 sees it and sets y, 2 sees that and must see x */
PART(wrc_relay, 0, "ld %0, 0(%2)\n fence r, w\n sd %0, 0(%3)")
PART(wrc_read, 1, "ld %0, 0(%3)\n fence r, r\n ld %1, 0(%2)")

#define A(hart) result[hart][i].a
#define B(hart) result[hart][i].b
static bool mp_bad(u64 i) { return A(1) == 1 && B(1) == 0; }
static bool sb_bad(u64 i) { return A(0) == 0 && A(1) == 0; }
static bool lb_bad(u64 i) { return A(0) == 1 && A(1) == 1; }
static bool co_bad(u64 i) { return A(1) == 1 && B(1) == 0; }
static bool ww_bad(u64 i) { return place[i].x == 1 && place[i].y == 1; }
static bool iriw_bad(u64 i) { return A(2) == 1 && B(2) == 0 && A(3) == 1 && B(3) == 0; }
static bool wrc_bad(u64 i) { return A(2) == 1 && B(2) == 0; }

static const struct litmus {
	const char *name;
	bool (*bad)(u64 i);
	u32 harts;
	void (*part[HARTS])(u64 hart);
} litmus[] = {
	{ "MP", mp_bad, 2, { mp_send, mp_receive } },
	{ "MP+rl+aq", mp_bad, 2, { mp_send_rl, mp_receive_aq } },
	{ "MP+rl+lr.aq", mp_bad, 2, { mp_send_rl, mp_receive_lr } },
	{ "MP, narrow", mp_bad, 2, { mp_send_byte, mp_receive_byte } },
	{ "SB", sb_bad, 2, { sb_one, sb_two } },
	{ "SB+amo", sb_bad, 2, { sb_one_amo, sb_two_amo } },
	{ "SB+amo+fence", sb_bad, 2, { sb_one_amo, sb_two } },
	{ "LB", lb_bad, 2, { lb_one, lb_two } },
	{ "LB+data", lb_bad, 2, { lb_one_data, lb_two_data } },
	{ "CoRR", co_bad, 2, { co_write, co_read } },
	{ "2+2W", ww_bad, 2, { ww_one, ww_two } },
	{ "WRC", wrc_bad, 3, { set_x, wrc_relay, wrc_read } },
	{ "IRIW", iriw_bad, 4, { set_x, set_y, read_xy, read_yx } },
};
static const struct litmus *now;

static void litmus_part(u64 hart)
{
	for (u32 i = 0; i < BATCHES; i++) {
		harts_meet(now->harts);
		now->part[hart](hart);
		harts_meet(now->harts);
		if (hart)
			continue;
		for (u64 k = 0; k < COPIES; k++) {
			if (now->bad(k))
				check(__FILE__, __LINE__, now->name, k, ~0ull);
			place[k].x = place[k].y = 0;
		}
		for (u32 k = 0; k < HARTS; k++)
			progress[k][0] = 0;
	}
}

/* ---- atomics: exact whatever the interleaving -------------------------------------------- */

static struct { u64 before, word, after; } cell __attribute__((aligned(64)));
static u64 told[HARTS], bad_bits;

#define COUNTER(name, text)								\
	static void name(u64 hart)							\
	{										\
		(void)hart;								\
		for (u32 i = 0; i < ROUNDS; i++)					\
			__asm__ volatile(text : : "r"(&cell.word), "r"(1ull)		\
					 : "t0", "t1", "memory");			\
	}
COUNTER(add_w, "amoadd.w t0, %1, (%0)")
COUNTER(add_d, "amoadd.d x0, %1, (%0)")
COUNTER(lrsc_w, "1: lr.w t0, (%0)\n addw t0, t0, %1\n sc.w t1, t0, (%0)\n bnez t1, 1b")
COUNTER(lrsc_d, "1: lr.d.aq t0, (%0)\n add t0, t0, %1\n sc.d.rl t1, t0, (%0)\n bnez t1, 1b")

/* Each hart toggles its own bits and must find them as it left them. */
#define TOGGLE(name, size, bits)							\
	static void name(u64 hart)							\
	{										\
		u64 mine = (BIT(bits) - 1) << (hart * bits), old, wrong = 0;		\
		for (u32 i = 0; i < ROUNDS; i++) {					\
			__asm__ volatile("amoor." size " %0, %2, (%1)"			\
					 : "=r"(old) : "r"(&cell.word), "r"(mine) : "memory");	\
			wrong += (old & mine) != 0;					\
			__asm__ volatile("amoand." size " %0, %2, (%1)"			\
					 : "=r"(old) : "r"(&cell.word), "r"(~mine) : "memory");	\
			wrong += (old & mine) != mine;					\
			__asm__ volatile("amoxor." size " x0, %1, (%0)\n"		\
					 "amoxor." size " %2, %1, (%0)"			\
					 : : "r"(&cell.word), "r"(mine), "r"(old) : "memory");	\
		}									\
		__atomic_fetch_add(&bad_bits, wrong, __ATOMIC_SEQ_CST);			\
	}
TOGGLE(toggle_w, "w", 8)
TOGGLE(toggle_d, "d", 16)

/* Tokens change hands; none is lost or doubled. */
#define SWAP(name, size)								\
	static void name(u64 hart)							\
	{										\
		u64 mine = hart + 100;							\
		for (u32 i = 0; i < ROUNDS; i++)					\
			__asm__ volatile("amoswap." size " %0, %0, (%1)"		\
					 : "+r"(mine) : "r"(&cell.word) : "memory");	\
		told[hart] = mine;							\
	}
SWAP(swap_w, "w")
SWAP(swap_d, "d")

/* A maximum only grows, a minimum only shrinks; the last is that of all. */
static u64 offer(u64 hart, u32 i) { return (hart * ROUNDS + i) * 2654435761u & 0x7fffffff; }
#define EXTREME(name, insn, worse)							\
	static void name(u64 hart)							\
	{										\
		u64 last = cell.word, wrong = 0;					\
		for (u32 i = 0; i < ROUNDS; i++) {					\
			s64 old, v = (s64)offer(hart, i), was = (s64)last;		\
			__asm__ volatile(insn " %0, %2, (%1)" : "=&r"(old)		\
					 : "r"(&cell.word), "r"(v) : "memory");		\
			wrong += old worse was;						\
			last = (u64)(old worse v ? v : old);				\
		}									\
		__atomic_fetch_add(&bad_bits, wrong, __ATOMIC_SEQ_CST);			\
	}
EXTREME(max_w, "amomax.w", <)
EXTREME(max_d, "amomax.d", <)
EXTREME(maxu_w, "amomaxu.w", <)
EXTREME(maxu_d, "amomaxu.d", <)
EXTREME(min_w, "amomin.w", >)
EXTREME(min_d, "amomin.d", >)
EXTREME(minu_w, "amominu.w", >)
EXTREME(minu_d, "amominu.d", >)

static void start_cell(u64 v)
{
	cell.before = cell.after = ~0ull;
	cell.word = v;
	bad_bits = 0;
}

static void atomics(void)
{
	static void (*const counters[])(u64) = { add_w, add_d, lrsc_w, lrsc_d };
	static void (*const toggles[])(u64) = { toggle_w, toggle_d };
	static void (*const swaps[])(u64) = { swap_w, swap_d };
	static void (*const maxima[])(u64) = { max_w, max_d, maxu_w, maxu_d };
	static void (*const minima[])(u64) = { min_w, min_d, minu_w, minu_d };
	u64 most = 0, least = ~0ull, sum;

	for (u32 i = 0; i < 4; i++) {
		start_cell(0);
		harts_run(HARTS, counters[i]);
		CHECK_EQ(cell.word, HARTS * ROUNDS);
	}
	for (u32 i = 0; i < 2; i++) {
		start_cell(0);
		harts_run(HARTS, toggles[i]);
		CHECK_EQ(cell.word, 0);
		CHECK_EQ(bad_bits, 0);
		start_cell(99);
		harts_run(HARTS, swaps[i]);
		sum = cell.word;
		for (u32 k = 0; k < HARTS; k++)
			sum += told[k];
		CHECK_EQ(sum, 99 + 100 + 101 + 102 + 103);
	}
	for (u32 i = 0; i < HARTS * ROUNDS; i++) {
		most = offer(0, i) > most ? offer(0, i) : most;
		least = offer(0, i) < least ? offer(0, i) : least;
	}
	for (u32 i = 0; i < 4; i++) {
		start_cell(0);
		harts_run(HARTS, maxima[i]);
		CHECK_EQ(cell.word, most);
		start_cell(0x7fffffff);
		harts_run(HARTS, minima[i]);
		CHECK_EQ(cell.word, least);
		CHECK_EQ(bad_bits, 0);
	}
	CHECK_EQ(cell.before & cell.after, ~0ull);
}

/* ---- plain data under a lock -------------------------------------------------------------- */

static u32 lock;
static u64 plain[3];

#define LOCKED(name, take, drop)							\
	static void name(u64 hart)							\
	{										\
		(void)hart;								\
		for (u32 i = 0; i < LOCK_ROUNDS; i++) {					\
			__asm__ volatile("1: " take "\n beqz t0, 2f\n .4byte 0x0100000f\n"	\
					 "j 1b\n 2:" : : "r"(&lock), "r"(1) : "t0", "memory");	\
			plain[0]++;							\
			plain[1] += plain[0];						\
			plain[2] = plain[1] ^ plain[0];					\
			__asm__ volatile(drop : : "r"(&lock) : "memory");		\
		}									\
	}
LOCKED(lock_swap, "amoswap.w.aq t0, %1, (%0)", "amoswap.w.rl x0, x0, (%0)")
LOCKED(lock_fence, "amoswap.w t0, %1, (%0)\n fence r, rw", "fence rw, w\n sw x0, 0(%0)")
LOCKED(lock_lrsc, "lr.w.aq t0, (%0)\n bnez t0, 3f\n sc.w t0, %1, (%0)\n 3:",
       "fence rw, w\n sw x0, 0(%0)")

static void locks(void)
{
	static void (*const kinds[])(u64) = { lock_swap, lock_fence, lock_lrsc };
	u64 n = HARTS * LOCK_ROUNDS;

	for (u32 i = 0; i < 3; i++) {
		plain[0] = plain[1] = plain[2] = 0;
		harts_run(HARTS, kinds[i]);
		CHECK_EQ(plain[0], n);
		CHECK_EQ(plain[1], n * (n + 1) / 2);
		CHECK_EQ(plain[2], plain[0] ^ plain[1]);
	}
}

void isa_main(void)
{
	for (u32 i = 0; i < sizeof(litmus) / sizeof(litmus[0]); i++) {
		now = &litmus[i];
		harts_run(now->harts, litmus_part);
		CHECK(true);
	}
	atomics();
	locks();
}
