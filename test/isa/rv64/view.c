/*
 * Translated code that finds memory through the host's MMU (memory-mode direct): the ends of the
 * address space, addresses next to checked ones, accesses across pages, pages that come, go and
 * change. Each site is hot before it meets what is odd. The same holds without views, of course.
 */
#include "emit.h"

#define ROUNDS	400
#define CLINT	0x2004000ull		/* mtimecmp */
#define TOP	0x4000000000ull		/* where the lower half of Sv39 ends */
#define BOTTOM	0xffffffc000000000ull	/* where the upper one begins */

static u64 high_middle[512] __attribute__((aligned(4096))),
	high_pte[512] __attribute__((aligned(4096)));
static u64 low_middle[512] __attribute__((aligned(4096))),
	low_pte[512] __attribute__((aligned(4096)));

static void sfence_va(u64 va) { __asm__ volatile("sfence.vma %0" : : "r"(va) : "memory"); }

/* Long enough for so many faults to be rare. */
static void idle(u64 faults)
{
	for (u64 i = 0; i < faults * 25000; i++)
		__asm__ volatile("");
}

/* ---- sites: each is one piece of translated code ---- */

#define LOADS(name, insn)								\
	__attribute__((noinline)) static u64 name(u64 va)				\
	{										\
		u64 v = 0x5eed;								\
		__asm__ volatile(insn " %0, 0(%1)" : "+r"(v) : "r"(va) : "memory");	\
		return v;								\
	}
LOADS(lb, "lb")
LOADS(lbu, "lbu")
LOADS(lh, "lh")
LOADS(lhu, "lhu")
LOADS(lw, "lw")
LOADS(lwu, "lwu")
LOADS(ld, "ld")
LOADS(device_ld, "ld")		/* sites that fault often give up their view */
LOADS(rights_ld, "ld")
LOADS(new_ld, "ld")
#define STORES(name, insn)								\
	__attribute__((noinline)) static u64 name(u64 va, u64 v)			\
	{										\
		__asm__ volatile(insn " %1, 0(%0)" : : "r"(va), "r"(v) : "memory");	\
		return 0;								\
	}
STORES(sb, "sb")
STORES(sh, "sh")
STORES(sw, "sw")
STORES(sd, "sd")
STORES(device_sd, "sd")
STORES(rights_sd, "sd")
STORES(new_sd, "sd")

__attribute__((noinline)) static u64 fld(u64 va)
{
	u64 v = 0;

	__asm__ volatile("fmv.d.x fa0, %0\n fld fa0, 0(%1)\n fmv.x.d %0, fa0"
			 : "+r"(v) : "r"(va) : "fa0", "memory");
	return v;
}
__attribute__((noinline)) static u64 flw(u64 va)
{
	u64 v = 0;

	__asm__ volatile("fmv.d.x fa0, %0\n flw fa0, 0(%1)\n fmv.x.d %0, fa0"
			 : "+r"(v) : "r"(va) : "fa0", "memory");
	return v;
}
__attribute__((noinline)) static u64 fsd(u64 va, u64 v)
{
	__asm__ volatile("fmv.d.x fa0, %1\n fsd fa0, 0(%0)"
			 : : "r"(va), "r"(v) : "fa0", "memory");
	return 0;
}
__attribute__((noinline)) static u64 fsw(u64 va, u64 v)
{
	__asm__ volatile("fmv.d.x fa0, %1\n fsw fa0, 0(%0)"
			 : : "r"(va), "r"(v) : "fa0", "memory");
	return 0;
}

static const struct {
	u64 (*load)(u64), (*store)(u64, u64);
	u32 len;
	u64 above;			/* bits set above what was loaded, if its sign is */
	bool always;			/* ... or in any case */
} sizes[] = {
	{ lb, sb, 1, ~0xffull, false }, { lbu, sb, 1, 0, false },
	{ lh, sh, 2, ~0xffffull, false }, { lhu, sh, 2, 0, false },
	{ lw, sw, 4, ~0xffffffffull, false }, { lwu, sw, 4, 0, false },
	{ flw, fsw, 4, ~0xffffffffull, true }, { ld, sd, 8, 0, false },
	{ fld, fsd, 8, 0, false },
};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static u64 mask_of(u32 i) { return sizes[i].len == 8 ? ~0ull : BIT(8 * sizes[i].len) - 1; }

static u64 extended(u32 i, u64 v)
{
	v &= mask_of(i);
	return v | (sizes[i].always || v >> (8 * sizes[i].len - 1) ? sizes[i].above : 0);
}

/* Two accesses to one base, of which the second may go unchecked: cause and tval tell. */
#define PAIR(name, first, second)							\
	__attribute__((noinline)) static u64 name(u64 base)				\
	{										\
		u64 a = 0, b = 0x5eed;							\
		__asm__ volatile(first "\n" second					\
				 : "+r"(a), "+r"(b) : "r"(base) : "memory", "t0");	\
		return b;								\
	}
PAIR(up_near, "ld %0, 0(%2)", "ld %1, 8(%2)")
PAIR(up_far, "ld %0, -2048(%2)", "ld %1, 2040(%2)")
PAIR(down_near, "ld %0, 0(%2)", "ld %1, -8(%2)")
PAIR(down_far, "ld %0, 2040(%2)", "ld %1, -2048(%2)")
PAIR(up_carry, "ld %0, 0(%2)", "lui t0, 0x3ffff\n add t0, t0, %2\n ld %1, 2040(t0)")
PAIR(up_carries, "ld %0, 0(%2)", "lui t0, 0x3ffff\n add t0, t0, %2\n lui %0, 0x3ffff\n"
     "add t0, t0, %0\n add t0, t0, %0\n add t0, t0, %0\n add t0, t0, %0\n ld %1, 0(t0)")
PAIR(down_carry, "ld %0, 0(%2)", "lui t0, 0xc0001\n add t0, t0, %2\n ld %1, -8(t0)")
PAIR(down_carries, "ld %0, 0(%2)", "lui t0, 0xc0001\n add t0, t0, %2\n lui %0, 0xc0001\n"
     "add t0, t0, %0\n add t0, t0, %0\n add t0, t0, %0\n add t0, t0, %0\n ld %1, 0(t0)")
PAIR(store_up, "ld %0, 0(%2)", "sd %1, 8(%2)")
PAIR(store_down, "ld %0, 0(%2)", "sd %1, -8(%2)")

/* After @good has made it hot, the second access at @base is to trap at @va. */
static u64 traps_at(u64 (*pair)(u64), u64 good, u64 base, u64 va, u64 cause)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++)
		pair(good);
	bad += TRAP_OF(pair(base)) != cause || trap.tval != va;
	for (u32 i = 0; i < 20; i++)
		bad += TRAP_OF(pair(good)) != NO_TRAP;
	return bad + (TRAP_OF(pair(base)) != cause || trap.tval != va);
}

/* ---- the address space's ends ---- */

#define GOOD	(TEST_VA + 2 * PAGE - 2048)	/* has pages on both sides; a GiB above is RAM */
#define FAR	(TEST_VA + 5 * 0x3ffff000ull)	/* leads to page 2 */

static u64 ends(u64 unused)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		bad += sd(TOP - 8, i) || ld(TOP - 8) != i || *(u64 *)(page[0] + PAGE - 8) != i;
		bad += sd(BOTTOM, ~(u64)i) || ld(BOTTOM) != ~(u64)i;
		bad += *(u64 *)page[1] != ~(u64)i;
	}
	for (u32 i = 0; i < SIZES; i++) {
		u32 len = sizes[i].len;

		bad += TRAP_OF(sizes[i].load(TOP - len)) != NO_TRAP;
		bad += TRAP_OF(sizes[i].load(BOTTOM)) != NO_TRAP;
		bad += TRAP_OF(sizes[i].load(TOP)) != LOAD_PAGE || trap.tval != TOP;
		bad += TRAP_OF(sizes[i].store(TOP, 1)) != STORE_PAGE || trap.tval != TOP;
		bad += TRAP_OF(sizes[i].load(BOTTOM - len)) != LOAD_PAGE;
		bad += trap.tval != BOTTOM - len;
		bad += TRAP_OF(sizes[i].store(BOTTOM - len, 1)) != STORE_PAGE;
		for (u32 k = 1; k < len; k++) {		/* across the end */
			bad += TRAP_OF(sizes[i].load(TOP - k)) != LOAD_PAGE;
			bad += TRAP_OF(sizes[i].store(TOP - k, 1)) != STORE_PAGE;
			bad += TRAP_OF(sizes[i].load(BOTTOM - k)) != LOAD_PAGE;
			bad += TRAP_OF(sizes[i].store(BOTTOM - k, 1)) != STORE_PAGE;
		}
	}
	bad += *(u64 *)(page[0] + PAGE - 8) != ROUNDS - 1 || *(u64 *)page[1] != ~(u64)(ROUNDS - 1);
	return bad + unused;
}

/* From an address that is in the view to one that is not. */
static u64 beyond(u64 unused)
{
	u64 bad = 0, in = TOP - 8;

	bad += traps_at(up_near, GOOD, in, TOP, LOAD_PAGE);
	bad += traps_at(up_far, GOOD, TOP - 2040, TOP, LOAD_PAGE);
	bad += traps_at(up_carry, GOOD, in, in + 0x3ffff000 + 2040, LOAD_PAGE);
	bad += traps_at(up_carries, TEST_VA, in, in + 5 * 0x3ffff000ull, LOAD_PAGE);
	bad += traps_at(store_up, GOOD, in, TOP, STORE_PAGE);
	bad += traps_at(down_near, GOOD, BOTTOM, BOTTOM - 8, LOAD_PAGE);
	bad += traps_at(down_far, GOOD, BOTTOM + 2040, BOTTOM - 8, LOAD_PAGE);
	bad += traps_at(down_carry, 0x80001000, BOTTOM, BOTTOM - 0x3ffff000 - 8, LOAD_PAGE);
	bad += traps_at(down_carries, FAR, BOTTOM, BOTTOM - 5 * 0x3ffff000ull, LOAD_PAGE);
	bad += traps_at(store_down, GOOD, BOTTOM, BOTTOM - 8, STORE_PAGE);
	return bad + unused;
}

static void ends_map(void)
{
	low_middle[511] = PTE(low_pte, PTE_V);
	low_pte[511] = PTE(page[0], PTE_RWX);
	low_pte[FAR / PAGE % 512] = PTE(page[2], PTE_RWX);
	root[255] = root[FAR >> 30] = PTE(low_middle, PTE_V);
	high_middle[0] = PTE(high_pte, PTE_V);
	high_pte[0] = PTE(page[1], PTE_RWX);
	root[256] = PTE(high_middle, PTE_V);
	for (u32 i = 0; i < 4; i++)
		pte[i] = PTE(page[i], PTE_RWX);
	sfence();
}

/* ---- across pages ---- */

static u8 *byte_of(u64 va) { return page[(va - TEST_VA) / PAGE] + va % PAGE; }

/* All sizes at all places around the end of page 0, whose successor is page 1. */
static u64 misaligned(u64 unused)
{
	u64 bad = 0;

	for (u32 round = 0; round < 40; round++)
		for (u32 i = 0; i < SIZES; i++)
			for (u64 va = TEST_VA + PAGE - 9; va < TEST_VA + PAGE + 2; va++) {
				u64 v = random(), got = 0;

				sizes[i].store(va, v);
				bad += sizes[i].load(va) != extended(i, v);
				for (u32 k = 0; k < sizes[i].len; k++)
					got |= (u64)*byte_of(va + k) << 8 * k;
				bad += got != (v & mask_of(i));
			}
	return bad + unused;
}

static void word_set(u64 va, u64 v)
{
	for (u32 k = 0; k < 8; k++)
		*byte_of(va + k) = (u8)(v >> 8 * k);
}

/* One of the two pages is not there or may only be read: nothing may have changed. */
static u64 half_there(u64 flags)
{
	u64 bad = 0, end = TEST_VA + PAGE;

	for (u32 i = 0; i < SIZES; i++)
		for (u32 n = 0; n < 2; n++)
			for (u32 k = 1; k < sizes[i].len; k++) {
				u64 va = end - k, fault = n ? end : va, v = random() | 1;

				for (u32 r = 0; r < 8; r++)
					sizes[i].store(va, v);
				word_set(end - 8, 0x1122334455667788);
				word_set(end, 0x99aabbccddeeff00);
				pte[n] = PTE(page[n], flags);
				sfence_va(n ? end : TEST_VA);
				bad += TRAP_OF(sizes[i].store(va, v)) != STORE_PAGE;
				bad += trap.tval != fault;
				bad += TRAP_OF(sizes[i].load(va)) != (flags ? NO_TRAP : LOAD_PAGE);
				bad += !flags && trap.tval != fault && (n || !on_qemu);
				bad += *(u64 *)(page[0] + PAGE - 8) != 0x1122334455667788;
				bad += *(u64 *)page[1] != 0x99aabbccddeeff00;
				pte[n] = PTE(page[n], PTE_RWX);
				sfence_va(n ? end : TEST_VA);
				bad += TRAP_OF(sizes[i].store(va, v)) != NO_TRAP;
				bad += sizes[i].load(va) != extended(i, v);
				idle(4);
			}
	return bad;
}

/* ---- devices beside memory ---- */

/* One site that goes to memory and to a device in turn, of @run accesses each. */
static u64 alternating(u64 run)
{
	u64 bad = 0, ram = TEST_VA + 64;

	for (u32 i = 0; i < 2 * ROUNDS; i++) {
		u64 at_device = i / run % 2, va = at_device ? CLINT : ram, v = ~(u64)i;

		bad += device_sd(va, v) != 0;
		bad += device_ld(va) != v;
	}
	return bad;
}

/* A table that maps the device behind page 0: an access that crosses gets both parts right. */
static u64 into_device(u64 unused)
{
	u64 bad = 0, end = TEST_VA + PAGE;

	pte[1] = PTE(0x2004000, PTE_RWX);
	sfence_va(end);
	for (u32 i = 0; i < ROUNDS; i++) {
		sd(end, 0x0807060504030201 * (i % 8 + 1));
		*(u64 *)(page[0] + PAGE - 8) = i;
		if (i % 3 == 0)
			bad += ld(end - 8) != i;
		bad += !on_qemu && lwu(end - 2) >> 16 != lhu(end);
	}
	pte[1] = PTE(page[1], PTE_RWX);
	sfence_va(end);
	return bad + unused;
}

/* ---- pages that change ---- */

/* Loads and stores by hot code after each change of the entry, fenced by address. */
static u64 rights(u64 unused)
{
	static const u64 flags[] = {
		PTE_RWX, PTE_RWX & ~PTE_W, 0, PTE_V | PTE_X | PTE_A | PTE_D, PTE_RWX | PTE_U,
	};
	u64 bad = 0, va = TEST_VA + 128;

	for (u32 i = 0; i < ROUNDS / 4; i++) {
		u32 kind = (u32)random() % 5, k = (u32)random() & 3;
		bool reads = kind < 2, writes = kind == 0;

		*(u64 *)(page[k] + 128) = i;
		pte[0] = PTE(page[k], flags[kind]);
		sfence_va(random() % 2 ? va : TEST_VA);
		for (u32 n = 0; n < 1 + i % 3; n++) {
			u64 got = 0;

			bad += TRAP_OF(got = rights_ld(va)) != (reads ? NO_TRAP : LOAD_PAGE);
			bad += reads ? got != i : trap.tval != va;
			bad += TRAP_OF(rights_sd(va, i)) != (writes ? NO_TRAP : STORE_PAGE);
			bad += *(u64 *)(page[k] + 128) != i;
		}
		idle(4);
	}
	pte[0] = PTE(page[0], PTE_RWX);
	sfence_va(va);
	return bad + unused;
}

/* Read first, so that it may be mapped for reading; then written, then code. */
static u64 stores_to_code(u64 unused)
{
	u64 bad = 0;
	u32 *code = (u32 *)(TEST_VA + PAGE + 512);

	for (u32 i = 0; i < ROUNDS; i++) {
		sw((u64)code, addi(10, 10, (s32)(i % 1024)));
		sw((u64)code + 4, RET);
		fence_i();
		for (u32 n = 0; n < 3; n++)
			bad += call(code, i) != i + i % 1024;
		sd((u64)code + 64, i);			/* elsewhere in its page */
		bad += ld((u64)code + 64) != i || call(code, 1) != 1 + i % 1024;
	}
	return bad + unused;
}

/*
 * More pages than a block is let fault for, all of them the same page of memory: the block goes on
 * without its view.
 */
static u64 new_pages(u64 unused)
{
	u64 bad = 0;

	for (u32 i = 0; i < 512; i++)
		pte[i] = PTE(page[i % 4], PTE_RWX);
	sfence();
	for (u32 round = 0; round < 6; round++) {
		for (u32 i = 0; i < 512; i++)
			bad += new_sd(TEST_VA + i * PAGE + 8 * i, i + round) != 0;
		for (u32 i = 0; i < 512; i++)
			bad += new_ld(TEST_VA + i * PAGE + 8 * i) != i + round;
		if (round % 2)
			sfence();
	}
	for (u32 i = 0; i < 64; i++) {			/* and sees changes as before */
		pte[i] = 0;
		sfence_va(TEST_VA + i * PAGE);
		bad += TRAP_OF(new_ld(TEST_VA + i * PAGE)) != LOAD_PAGE;
		bad += TRAP_OF(new_sd(TEST_VA + i * PAGE, 0)) != STORE_PAGE;
	}
	for (u32 i = 0; i < 4; i++)
		pte[i] = PTE(page[i], PTE_RWX);
	sfence();
	return bad + unused;
}

/* ---- the base itself is loaded, and the base is the value ---- */

static u64 chains(u64 unused)
{
	u64 bad = 0, va = TEST_VA + 1024, *word = (u64 *)(page[0] + 1024), p;

	for (u32 i = 0; i < ROUNDS; i++) {
		word[0] = va + 64, word[8] = va + 128, word[16] = i;
		p = va;
		__asm__ volatile("ld %0, 0(%0)\n ld %0, 0(%0)\n ld %0, 0(%0)" : "+r"(p) :
				 : "memory");
		bad += p != i;
		p = va;
		__asm__ volatile("sd %0, 8(%0)" : "+r"(p) : : "memory");
		bad += word[1] != va;
		p = TEST_VA + 600 * PAGE;		/* not there: the base stays what it was */
		__asm__ volatile("ld %0, 8(%0)" : "+r"(p) : : "memory");
		bad += p != TEST_VA + 600 * PAGE || trap.tval != p + 8;
	}
	return bad + unused;
}

static u64 without_translation(u64 unused)
{
	u64 bad = 0, good = (u64)page[2];

	for (u32 i = 0; i < ROUNDS; i++)
		bad += sd(good, i) || ld(good) != i;
	for (u32 n = 38; n < 64 && !on_qemu; n++) {	/* which has a PCI window there */
		u64 va = BIT(n) + good, below = BIT(n) - 8;

		bad += TRAP_OF(ld(va)) != LOAD_ACCESS || trap.tval != va;
		bad += TRAP_OF(sd(va, 0)) != STORE_ACCESS || trap.tval != va;
		bad += TRAP_OF(up_near(below)) != LOAD_ACCESS || trap.tval != BIT(n);
		bad += TRAP_OF(down_near(0 - BIT(n))) != LOAD_ACCESS;
		bad += trap.tval != -BIT(n) - 8;
	}
	return bad + (ld(good) != ROUNDS - 1) + unused;
}

void isa_main(void)
{
	CHECK_EQ(without_translation(0), 0);
	paging_on();
	ends_map();
	CHECK_EQ(run_in(S, ends, 0), 0);
	CHECK_EQ(run_in(S, beyond, 0), 0);
	CHECK_EQ(run_in(S, misaligned, 0), 0);
	CHECK_EQ(run_in(S, half_there, 0), 0);
	CHECK_EQ(run_in(S, half_there, PTE_RWX & ~PTE_W), 0);
	CHECK_EQ(run_in(S, alternating, 1), 0);
	CHECK_EQ(run_in(S, alternating, 7), 0);
	CHECK_EQ(run_in(S, alternating, 100), 0);
	CHECK_EQ(run_in(S, into_device, 0), 0);
	CHECK_EQ(run_in(S, rights, 0), 0);
	CHECK_EQ(run_in(S, stores_to_code, 0), 0);
	CHECK_EQ(run_in(S, new_pages, 0), 0);
	CHECK_EQ(run_in(S, chains, 0), 0);
	paging_off();
	CHECK_EQ(run_in(S, without_translation, 0), 0);
}
