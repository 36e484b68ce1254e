/*
 * A guest that tries to get out: addresses that differ from one in use only in bits that a
 * translator may be tempted not to look at, and addresses around the ends of memory. The good
 * address is hot, so whatever caches its translation is warm; each bad one must trap with its own
 * address, and nothing may be stored. The same for addresses that displacements lead to, and from
 * the ends of the address space to what is behind them.
 */
#include "emit.h"

#define RAM		0x80000000ull
#define ROUNDS		3000

static u64 low_middle[512] __attribute__((aligned(4096))),
	low_pte[512] __attribute__((aligned(4096)));

__attribute__((noinline)) static u64 peek(u64 va)
{
	u64 v;

	__asm__ volatile("ld %0, 0(%1)" : "=r"(v) : "r"(va), "0"(0x5eed) : "memory");
	return v;
}
__attribute__((noinline)) static void poke(u64 va, u64 v)
{
	__asm__ volatile("sd %1, 0(%0)" : : "r"(va), "r"(v) : "memory");
}
__attribute__((noinline)) static u64 add(u64 va, u64 v)
{
	u64 old = 0x5eed;

	__asm__ volatile("amoadd.d %0, %2, (%1)" : "+&r"(old) : "r"(va), "r"(v) : "memory");
	return old;
}

/* By displacements; and after the base itself was accessed, which then is known to be good. */
#define BY(name, first, off)								\
	__attribute__((noinline)) static u64 peek_##name(u64 base)			\
	{										\
		u64 v = 0x5eed, w;							\
		__asm__ volatile(first "ld %0, " off "(%2)"				\
				 : "+r"(v), "=&r"(w) : "r"(base) : "memory");		\
		return v;								\
	}										\
	__attribute__((noinline)) static void poke_##name(u64 base, u64 v)		\
	{										\
		u64 w;									\
		__asm__ volatile(first "sd %0, " off "(%2)"				\
				 : "+r"(v), "=&r"(w) : "r"(base) : "memory");		\
	}
BY(above, "", "2040")
BY(below, "", "-2048")
BY(above_good, "ld %1, 0(%2)\n", "2040")
BY(below_good, "ld %1, 0(%2)\n", "-2048")

static void warm(u64 va)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		poke(va, i);
		if (peek(va) != i || add(va, 0) != i)
			return;
	}
}

/* Does each kind of access at @va trap as it should? */
static u64 escapes(u64 va, u64 load, u64 store)
{
	u64 bad = 0;

	bad += TRAP_OF(peek(va)) != load || trap.tval != va;
	bad += TRAP_OF(poke(va, ~va)) != store || trap.tval != va;
	if (!on_qemu)					/* reports a load */
		bad += TRAP_OF(add(va, 1)) != store || trap.tval != va;
	return bad;
}

/* The same for a base and a displacement that lead to @va. */
static u64 escapes_by_displacement(u64 va, u64 load, u64 store)
{
	u64 bad = 0;

	bad += TRAP_OF(peek_above(va - 2040)) != load || trap.tval != va;
	bad += TRAP_OF(poke_above(va - 2040, ~va)) != store || trap.tval != va;
	bad += TRAP_OF(peek_below(va + 2048)) != load || trap.tval != va;
	bad += TRAP_OF(poke_below(va + 2048, ~va)) != store || trap.tval != va;
	return bad;
}

/* All addresses that share the low bits of @good, by one changed bit and by two. */
static u64 aliases(u64 good, u32 lowest, u64 load, u64 store)
{
	u64 bad = 0;

	for (u32 n = lowest; n < 64; n++)
		for (u32 k = n; k < 64; k++) {
			u64 va = good ^ (BIT(n) | BIT(k));

			warm(good);
			bad += escapes(va, load, store);
			bad += escapes_by_displacement(va, load, store);
			bad += peek(good) != ROUNDS - 1;
		}
	return bad;
}

#define TOP	BIT(38)			/* the ends of Sv39's halves, with a page inside each */
#define BOTTOM	(0 - BIT(38))

/* From each address of the last page to those behind it. */
static u64 ends(u64 unused)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		bad += peek_above_good(TOP - PAGE) != *(u64 *)(page[2] + 2040);
		bad += peek_below_good(BOTTOM + PAGE - 8) != *(u64 *)(page[3] + PAGE - 2056);
	}
	for (u64 d = 1; d <= 2040; d++) {
		u64 va = TOP + 2040 - d;

		bad += TRAP_OF(peek_above_good(TOP - d)) != LOAD_PAGE || trap.tval < TOP - 8;
		bad += d >= 8 && trap.tval != va;
		bad += TRAP_OF(poke_above_good(TOP - d, ~va)) != STORE_PAGE;
		bad += TRAP_OF(peek_below_good(BOTTOM + d - 1)) != LOAD_PAGE;
		bad += trap.tval != BOTTOM + d - 2049;
		bad += TRAP_OF(poke_below_good(BOTTOM + d - 1, ~va)) != STORE_PAGE;
		bad += trap.tval != BOTTOM + d - 2049;
		if (d % 64 == 0)
			sfence();		/* a new key, and perhaps another view */
	}
	for (u32 i = 0; i < 512; i++)
		bad += ((u64 *)page[2])[i] != i || ((u64 *)page[3])[i] != ~(u64)i;
	return bad + unused;
}

static void ends_map(void)
{
	for (u32 i = 0; i < 512; i++)
		((u64 *)page[2])[i] = i, ((u64 *)page[3])[i] = ~(u64)i;
	pte[511] = PTE(page[2], PTE_RWX);
	middle[511] = PTE(pte, PTE_V);
	root[255] = PTE(middle, PTE_V);
	low_pte[0] = PTE(page[3], PTE_RWX);
	low_middle[0] = PTE(low_pte, PTE_V);
	root[256] = PTE(low_middle, PTE_V);
}

/* Without translation: nothing but devices and RAM is there, and 56 bits of address. */
static u64 physical(u64 unused)
{
	u64 good = (u64)page[0], bad = 0;

	bad += aliases(good, on_qemu ? 36 : 33, LOAD_ACCESS, STORE_ACCESS);
	if (on_qemu)			/* has devices around */
		return bad + unused;
	warm(good);
	for (u64 low = 1; low <= 64; low++)		/* below RAM on this board: nothing */
		bad += escapes(RAM - low * PAGE, LOAD_ACCESS, STORE_ACCESS);
	for (u32 n = 35; n < 56; n++) {
		bad += escapes(BIT(n), LOAD_ACCESS, STORE_ACCESS);
		bad += escapes(0 - BIT(n), LOAD_ACCESS, STORE_ACCESS);
	}
	return bad + unused;
}

/* Sv39: bits 63 to 39 must repeat bit 38. */
static u64 virtual(u64 good)
{
	return aliases(good, 38, LOAD_PAGE, STORE_PAGE);
}

void isa_main(void)
{
	CHECK_EQ(physical(0), 0);
	paging_on();
	pte[0] = PTE(page[1], PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, virtual, TEST_VA), 0);
	ends_map();
	sfence();
	CHECK_EQ(run_in(S, ends, 0), 0);
	paging_off();
}
