/* PMP: kinds of regions, priority, partial matches, locking, WARL fields. */
#include "isa.h"

enum { R = 1, W = 2, X = 4, TOR = 8, NA4 = 16, NAPOT = 24, L = 128 };
#define ALL (NAPOT | R | W | X)

static void set_cfg(u32 i, u64 v)
{
	u64 shift = 8 * (i % 8), keep;

	if (i < 8) {
		keep = read_csr(pmpcfg0) & ~(0xffull << shift);
		write_csr(pmpcfg0, keep | v << shift);
	} else {
		keep = read_csr(pmpcfg2) & ~(0xffull << shift);
		write_csr(pmpcfg2, keep | v << shift);
	}
}

static void fields(void)
{
	write_csr(pmpaddr9, 0x12345);				/* granularity: 4 bytes */
	CHECK_EQ(read_csr(pmpaddr9), 0x12345);
	write_csr(pmpaddr9, 0);
	if (!on_qemu) {
		write_csr(pmpcfg2, ~0ull & ~0x8080808080808080);
		CHECK_EQ(read_csr(pmpcfg2), 0x1f1f1f1f1f1f1f1f);
		write_csr(pmpcfg2, 0);
		write_csr(pmpaddr15, ~0ull);
		CHECK_EQ(read_csr(pmpaddr15), BIT(54) - 1);
		write_csr(pmpaddr15, 0);
		set_cfg(9, W);
		CHECK_EQ(read_csr(pmpcfg2), 0);			/* W without R */
		CHECK_EQ(read_csr(0x3a4), 0);			/* pmpcfg4: not there */
		CHECK_EQ(read_csr(0x3c0), 0);			/* pmpaddr16 */
	}
}

/* Entry 7 opens everything; entry 1 is under test, entry 0 bounds it. */
static void kinds(void)
{
	u64 at = (u64)page[0];

	write_csr(pmpcfg0, 0);
	write_csr(pmpaddr7, ~0ull);
	CHECK_EQ(load_as(S, at), LOAD_ACCESS);			/* nothing grants */
	CHECK_EQ(TRAP_OF(*(volatile u64 *)at), NO_TRAP);	/* M needs no grant */
	set_cfg(7, ALL);
	CHECK_EQ(load_as(S, at), NO_TRAP);
	write_csr(pmpaddr1, at >> 2 | 0x1ff);			/* NAPOT 4 KiB, none */
	set_cfg(1, NAPOT);
	CHECK_EQ(load_as(S, at), LOAD_ACCESS);
	CHECK_EQ(trap.tval, at);
	CHECK_EQ(store_as(U, at + 4088, 0), STORE_ACCESS);
	CHECK_EQ(load_as(S, at + 4096), NO_TRAP);
	CHECK_EQ(load_as(S, at - 8), NO_TRAP);
	set_cfg(1, NAPOT | R);
	CHECK_EQ(load_as(S, at), NO_TRAP);
	CHECK_EQ(store_as(S, at, 0), STORE_ACCESS);
	write_csr(pmpaddr0, (at + 64) >> 2);
	write_csr(pmpaddr1, (at + 128) >> 2);			/* TOR [64, 128) */
	set_cfg(1, TOR);
	CHECK_EQ(load_as(S, at + 56), NO_TRAP);
	CHECK_EQ(load_as(S, at + 64), LOAD_ACCESS);
	CHECK_EQ(load_as(S, at + 120), LOAD_ACCESS);
	CHECK_EQ(load_as(S, at + 128), NO_TRAP);
	CHECK_EQ(load_as(S, at + 60), LOAD_ACCESS);		/* half of it */
	write_csr(pmpaddr1, (at + 32) >> 2);			/* empty range */
	CHECK_EQ(load_as(S, at + 64), NO_TRAP);
	write_csr(pmpaddr1, at >> 2);
	set_cfg(1, NA4);
	CHECK_EQ(load_as(S, at), LOAD_ACCESS);
	CHECK_EQ(load_as(S, at + 8), NO_TRAP);
	set_cfg(1, NA4 | R | W | X);		/* matches half: fails although both allow */
	CHECK_EQ(load_as(S, at), LOAD_ACCESS);
	set_cfg(1, 0);
}

static u64 run_at(u64 at) { return TRAP_OF(((u64 (*)(void))at)()); }

static void fetch(void)
{
	u64 at = (u64)page[1];

	*(u32 *)at = 0x8067;					/* ret */
	__asm__ volatile("fence.i");
	CHECK_EQ(run_in(S, run_at, at), NO_TRAP);
	write_csr(pmpaddr1, at >> 2 | 0x1ff);
	set_cfg(1, NAPOT | R | W);
	CHECK_EQ(run_in(S, run_at, at), FETCH_ACCESS);
	CHECK_EQ(TRAP_OF(((void (*)(void))at)()), NO_TRAP);
	set_cfg(1, NAPOT | X);
	CHECK_EQ(run_in(S, run_at, at), NO_TRAP);
	CHECK_EQ(load_as(S, at), LOAD_ACCESS);
	/* an edge inside the page: what lies before it still runs */
	write_csr(pmpaddr1, (at + 64) >> 2 | 7);
	set_cfg(1, NAPOT);
	CHECK_EQ(run_in(S, run_at, at), NO_TRAP);
	for (u32 i = 0; i < 18; i++)
		((u32 *)at)[i] = i == 17 ? 0x8067 : 0x13;
	__asm__ volatile("fence.i");
	if (!on_qemu) {					/* which forgets the edge in its TLB */
		CHECK_EQ(run_in(S, run_at, at), FETCH_ACCESS);
		CHECK_EQ(trap.tval, at + 64);
	}
	set_cfg(1, 0);
}

static void tables(void)
{
	pte[0] = PTE(page[0], PTE_RWX);
	paging_on();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	write_csr(pmpaddr1, (u64)pte >> 2 | 0x1ff);
	set_cfg(1, NAPOT);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), LOAD_ACCESS);		/* the walk itself */
	CHECK_EQ(store_as(S, TEST_VA, 0), STORE_ACCESS);
	set_cfg(1, NAPOT | R);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	paging_off();
	set_cfg(1, 0);
}

/* Last: a lock stays until reset. */
static void locks(void)
{
	u64 at = (u64)page[3];

	write_csr(pmpaddr2, (at + 2048) >> 2);
	write_csr(pmpaddr3, (at + 4096) >> 2);
	set_cfg(3, TOR | R | L);
	CHECK_EQ(TRAP_OF(*(volatile u64 *)(at + 2048)), NO_TRAP);
	CHECK_EQ(TRAP_OF(*(volatile u64 *)(at + 2048) = 1), STORE_ACCESS);	/* binds M too */
	CHECK_EQ(TRAP_OF(*(volatile u64 *)at = 1), NO_TRAP);
	set_cfg(3, 0);
	write_csr(pmpaddr3, 0);
	write_csr(pmpaddr2, 0);					/* base of a locked range */
	CHECK_EQ(read_csr(pmpcfg0) >> 24 & 0xff, TOR | R | L);
	CHECK_EQ(read_csr(pmpaddr3), (at + 4096) >> 2);
	CHECK_EQ(read_csr(pmpaddr2), (at + 2048) >> 2);
}

void isa_main(void)
{
	fields();
	kinds();
	fetch();
	tables();
	locks();
}
