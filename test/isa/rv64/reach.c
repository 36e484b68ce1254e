/*
 * A guest that tries to get out: addresses that differ from one in use only in bits that a
 * translator may be tempted not to look at, and addresses around the ends of memory. The good
 * address is hot, so whatever caches its translation is warm; each bad one must trap with its own
 * address, and nothing may be stored.
 */
#include "emit.h"

#define RAM		0x80000000ull
#define ROUNDS		3000

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

/* All addresses that share the low bits of @good, by one changed bit and by two. */
static u64 aliases(u64 good, u32 lowest, u64 load, u64 store)
{
	u64 bad = 0;

	for (u32 n = lowest; n < 64; n++)
		for (u32 k = n; k < 64; k++) {
			u64 va = good ^ (BIT(n) | BIT(k));

			warm(good);
			bad += escapes(va, load, store);
			bad += peek(good) != ROUNDS - 1;
		}
	return bad;
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
	paging_off();
}
