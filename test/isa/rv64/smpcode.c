/*
 * Code and page tables that one hart changes and another uses: after the other's FENCE.I or
 * SFENCE.VMA the new ones are in force, before it the old or the new, and nothing else. It is
 * told by an interrupt, by memory, or not at all.
 */
#include "emit.h"
#include "harts.h"

#define ROUNDS 1000

static u8 code[2 * PAGE] __attribute__((aligned(4096)));
static u64 asked, answered, result, bad;
static bool by_ipi;

#define GET(v) __atomic_load_n(&(v), __ATOMIC_ACQUIRE)
#define SET(v, to) __atomic_store_n(&(v), to, __ATOMIC_RELEASE)

/* Hart 0: everything is written, let the other one look; returns what it saw. */
static u64 ask(u64 n)
{
	FULL_FENCE;
	if (by_ipi) {
		SET(asked, n);
		__asm__ volatile("fence rw, o" : : : "memory");
		ipi(1);
	} else {
		SET(asked, n);
	}
	while (GET(answered) != n)
		relax();
	return result;
}

/* The other: wait for request @n. */
static void await(u64 n)
{
	while (by_ipi && !(read_csr(mip) & MIP_MSIP))
		__asm__ volatile("wfi");
	if (by_ipi) {
		ipi_clear(1);
		__asm__ volatile("fence o, rw" : : : "memory");
	}
	while (GET(asked) != n)
		relax();
}

static void answer(u64 n, u64 v)
{
	result = v;
	SET(answered, n);
}

static void (*part)(u64 hart);
static void meet_and_go(u64 hart)
{
	harts_meet(2);				/* the interrupt that began this has been cleared */
	fence_i();
	part(hart);
}

static void run(const char *name, bool ipis, void (*fn)(u64 hart))
{
	by_ipi = ipis;
	part = fn;
	asked = answered = bad = 0;
	harts_run(2, meet_and_go);
	check(__FILE__, __LINE__, name, bad, 0);
}

#define RUN(ipis, fn) run(#fn, ipis, fn)

/* ---- FENCE.I ------------------------------------------------------------------------------ */

static u64 value(u64 n) { return n * 2654435761u >> 7 & 0x7ff; }

static void patching(u64 hart)
{
	for (u64 n = 1; n <= ROUNDS; n++) {
		u64 wrong = 0;

		if (!hart) {
			((u32 *)code)[0] = addi(10, 10, (s32)value(n));
			bad += ask(n) != 0;
			continue;
		}
		await(n);
		fence_i();
		for (u64 k = 0; k < 1 + n % 50; k++)
			wrong += call(code, k) != k + value(n) + 1;
		answer(n, wrong);
	}
}

/* Hart 1 runs the code all the time; it sees the old or the new, and after its fence the new. */
static void patching_under_way(u64 hart)
{
	u64 old = 0;

	for (u64 n = 1; n <= ROUNDS / 2; n++) {
		u64 wrong = 0, v = value(n);

		if (!hart) {
			for (volatile u32 k = 0; k < n % 300; k++)
				;
			((u32 *)code)[0] = addi(10, 10, (s32)v);
			bad += ask(n) != 0;
			continue;
		}
		while (GET(asked) != n) {
			u64 got = call(code, 0) - 1;

			wrong += got != old && got != v;
		}
		fence_i();
		wrong += call(code, 0) != v + 1;
		old = v;
		answer(n, wrong);
	}
}

/* Both write their own function on one page, and call the other's after a fence. */
static void both_write(u64 hart)
{
	u32 *mine = (u32 *)(code + 2048 + 64 * hart);
	u8 *theirs = code + 2048 + 64 * (1 - hart);
	u64 wrong = 0;

	for (u64 n = 1; n <= ROUNDS / 2; n++) {
		mine[0] = li(10, (s32)value(n + hart));
		mine[1] = RET;
		FULL_FENCE;
		harts_meet(2);
		fence_i();
		wrong += call(theirs, 0) != value(n + 1 - hart);
		wrong += call(mine, 0) != value(n + hart);
		harts_meet(2);
	}
	__atomic_fetch_add(&bad, wrong, __ATOMIC_SEQ_CST);
}

/* The target of a jump across pages changes, and the jump itself. */
static void jumps(u64 hart)
{
	for (u64 n = 1; n <= ROUNDS; n++) {
		u64 wrong = 0;

		if (!hart) {
			at = (u16 *)(code + 256);
			emit(j_type(0, (s32)(PAGE - 256 + 64 * (n % 16))));
			((u32 *)(code + PAGE + 64 * (n % 16)))[0] = li(10, (s32)value(n));
			bad += ask(n) != 0;
			continue;
		}
		await(n);
		fence_i();
		for (u64 k = 0; k < 1 + n % 20; k++)
			wrong += call(code + 256, k) != value(n);
		answer(n, wrong);
	}
}

/* ---- SFENCE.VMA --------------------------------------------------------------------------- */

static u64 call_there(u64 va) { return call((void *)va, 0); }

/* Hart 1 reads, writes and runs a page that hart 0 maps elsewhere. */
static void shootdown(u64 hart)
{
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	sfence();
	for (u64 n = 1; n <= ROUNDS; n++) {
		u64 wrong = 0, shown = value(n) & 3;

		if (!hart) {
			pte[0] = PTE(page[shown], PTE_RWX);
			*(u64 *)(page[shown] + 8) = n;
			bad += ask(n) != 0;
			bad += *(u64 *)(page[shown] + 8) != n + 1;
			continue;
		}
		await(n);
		if (n & 1)
			sfence();
		else
			__asm__ volatile("sfence.vma %0" : : "r"(TEST_VA) : "memory");
		wrong += load_as(S, TEST_VA + 8) != NO_TRAP || loaded != n;
		wrong += store_as(S, TEST_VA + 8, n + 1) != NO_TRAP;
		wrong += run_in(S, call_there, TEST_VA + 64) != shown;
		answer(n, wrong);
	}
	write_csr(satp, 0);
	sfence();
}

/* The page is there or not: hart 1 must fault after its fence, and only then. */
static void revoking(u64 hart)
{
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	sfence();
	for (u64 n = 1; n <= ROUNDS; n++) {
		static const u64 flags[] = { PTE_RWX, 0, PTE_V | PTE_R | PTE_A, PTE_RWX & ~PTE_X };
		u64 wrong = 0, f = flags[n & 3];

		if (!hart) {
			pte[0] = PTE(page[0], f);
			bad += ask(n) != 0;
			continue;
		}
		await(n);
		sfence();
		wrong += load_as(S, TEST_VA + 8) != (f & PTE_R ? NO_TRAP : LOAD_PAGE);
		wrong += store_as(S, TEST_VA + 8, 0) != (f & PTE_W ? NO_TRAP : STORE_PAGE);
		wrong += TRAP_OF(run_in(S, call_there, TEST_VA + 64)) !=
			 (f & PTE_X ? NO_TRAP : FETCH_PAGE);
		answer(n, wrong);
	}
	write_csr(satp, 0);
	sfence();
}

void isa_main(void)
{
	at = (u16 *)code;
	emit(0);
	emit(addi(10, 10, 1));
	emit(RET);
	for (u32 i = 0; i < 16; i++)
		((u32 *)(code + PAGE + 64 * i))[1] = RET;
	for (u32 i = 0; i < 4; i++) {
		((u32 *)(page[i] + 64))[0] = li(10, (s32)i);
		((u32 *)(page[i] + 64))[1] = RET;
	}
	paging_on();
	paging_off();
	((u32 *)code)[0] = addi(10, 10, 0);
	fence_i();
	RUN(true, patching);
	RUN(false, patching);
	((u32 *)code)[0] = addi(10, 10, 0);
	if (!on_qemu)		/* 7.2 misses a store between translation and protection */
		RUN(false, patching_under_way);
	RUN(false, both_write);
	RUN(true, jumps);
	RUN(true, shootdown);
	RUN(false, shootdown);
	RUN(true, revoking);
}
