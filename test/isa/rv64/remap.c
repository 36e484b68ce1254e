/*
 * Code whose mapping changes while it is hot: aliases, other pages at the same address, address
 * spaces told apart by ASID, pages that lose X, instructions and blocks that cross pages. All of
 * it in S-mode with Sv39; every function here that takes and returns a u64 runs there.
 */
#include "emit.h"

#define ROUNDS 1000

static u64 root2[512] __attribute__((aligned(4096))), middle2[512] __attribute__((aligned(4096))),
	pte2[512] __attribute__((aligned(4096)));

static void sfence_va(u64 va) { __asm__ volatile("sfence.vma %0" : : "r"(va) : "memory"); }
static void sfence_asid(u64 a) { __asm__ volatile("sfence.vma x0, %0" : : "r"(a) : "memory"); }
static void sfence_both(u64 va, u64 a)
{
	__asm__ volatile("sfence.vma %0, %1" : : "r"(va), "r"(a) : "memory");
}

/* @page[i] + @offset: return a0 + 100 * (i + 1), of as many instructions as may be. */
static void functions(u32 offset)
{
	for (u32 i = 0; i < 4; i++) {
		at = (u16 *)(page[i] + offset);
		for (u32 k = 0; k < 4; k++)
			emit(addi(10, 10, 25 * (s32)(i + 1)));
		emit(RET);
	}
	fence_i();
}

/* Written through one address, run through two others, which tell where they are. */
static u64 aliases(u64 rounds)
{
	u8 *one = (u8 *)TEST_VA + 128, *two = one + PAGE;
	u32 *writable = (u32 *)(two + PAGE);
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		s32 v = (s32)(random() & 0x7ff);

		writable[0] = OP_AUIPC | 10 << 7;
		writable[1] = addi(10, 10, v);
		writable[2] = RET;
		fence_i();
		for (u32 k = 0; k < 1 + i % 8; k++) {
			bad += call(one, 0) != (u64)one + (u64)v;
			bad += call(two, 0) != (u64)two + (u64)v;
			bad += call(page[0] + 128, 0) != (u64)page[0] + 128 + (u64)v;
		}
		((u32 *)(page[0] + 128))[1] = addi(10, 10, 1);		/* and through the third */
		fence_i();
		bad += call(one, 0) != (u64)one + 1;
	}
	return bad;
}

static void alias_pages(void)
{
	pte[0] = PTE(page[0], PTE_RWX & ~PTE_W);
	pte[1] = PTE(page[0], PTE_RWX);
	pte[2] = PTE(page[0], PTE_RWX & ~PTE_X);
	sfence();
	CHECK_EQ(run_in(S, aliases, ROUNDS), 0);
	for (u32 i = 0; i < 3; i++)
		pte[i] = 0;
}

/* The same address, four pages in turn, every form of the fence. */
static u64 other_page(u64 form)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		pte[0] = PTE(page[i & 3], PTE_RWX);
		switch (form) {
		case 0: sfence(); break;
		case 1: sfence_va(TEST_VA); break;
		case 2: sfence_asid(5); break;
		default: sfence_both(TEST_VA + 64, 5); break;
		}
		for (u32 k = 0; k < 1 + i % 7; k++)
			bad += call((void *)(TEST_VA + 64), i) != i + 100 * (1 + (i & 3));
	}
	return bad;
}

static void set_space(const u64 *table, u64 asid)
{
	write_csr(satp, 8ull << 60 | asid << 44 | (u64)table >> 12);
}

/* Two address spaces with other code at the same address; no fence but after a change. */
static u64 spaces(u64 fence_every)
{
	u64 bad = 0;
	u32 shown[2] = { 0, 1 };

	for (u32 i = 0; i < 4 * ROUNDS; i++) {
		u32 space = (u32)random() & 1;

		if (i % fence_every == 0) {
			shown[space] = (u32)random() & 3;
			*(space ? pte2 : pte) = PTE(page[shown[space]], PTE_RWX);
			if (i % 2)
				sfence_asid(5 + space);
			else
				sfence_both(TEST_VA, 5 + space);
		}
		set_space(space ? root2 : root, 5 + space);
		bad += call((void *)(TEST_VA + 64), i) != i + 100 * (1 + shown[space]);
	}
	return bad;
}

/* One ASID used by more and more tables in turn, with the fence that this needs. */
static u64 recycled_asid(u64 rounds)
{
	u64 bad = 0;

	pte[0] = PTE(page[2], PTE_RWX);
	pte2[0] = PTE(page[3], PTE_RWX);
	for (u32 i = 0; i < rounds; i++) {
		set_space(i & 1 ? root2 : root, 9);
		sfence_asid(9);
		bad += call((void *)(TEST_VA + 64), i) != i + (i & 1 ? 400 : 300);
	}
	return bad;
}

/* More ASIDs than anything has room for, of two spaces in turn. */
static u64 many_asids(u64 rounds)
{
	u64 bad = 0;

	sfence();
	for (u32 i = 0; i < rounds; i++) {
		u32 asid = (u32)random() % 100;

		set_space(asid & 1 ? root2 : root, asid);
		bad += call((void *)(TEST_VA + 64), i) != i + (asid & 1 ? 400 : 300);
	}
	return bad;
}

static void address_spaces(void)
{
	functions(64);
	root2[2] = root[2];
	root2[1] = PTE(middle2, PTE_V);
	middle2[0] = PTE(pte2, PTE_V);
	pte[0] = PTE(page[0], PTE_RWX);
	pte2[0] = PTE(page[1], PTE_RWX);
	set_space(root, 5);
	for (u32 form = 0; form < 4; form++)
		CHECK_EQ(run_in(S, other_page, form), 0);
	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, spaces, 3), 0);
	CHECK_EQ(run_in(S, spaces, 50), 0);
	CHECK_EQ(run_in(S, recycled_asid, ROUNDS), 0);
	CHECK_EQ(run_in(S, many_asids, ROUNDS), 0);
	set_space(root, 0);
	sfence();
}

/* A page that must not be run any more faults, and runs again afterwards. */
static u64 executable(u64 flags)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS / 2; i++) {
		pte[0] = PTE(page[0], PTE_RWX);
		sfence_va(TEST_VA);
		for (u32 k = 0; k < i % 50; k++)
			bad += call((void *)(TEST_VA + 64), k) != k + 100;
		pte[0] = PTE(page[0], flags);
		sfence_va(TEST_VA);
		bad += TRAP_OF(call((void *)(TEST_VA + 64), 0)) != FETCH_PAGE;
		bad += trap.epc != TEST_VA + 64 || trap.tval != TEST_VA + 64;
	}
	return bad;
}

/* A jump from one page to another that is not executable any more. */
static u64 jump_across(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		pte[1] = PTE(page[1], PTE_RWX & ~(i & 1 ? PTE_X : 0));
		sfence_va(TEST_VA + PAGE);
		for (u32 k = 0; k < 1 + i % 5; k++) {
			u64 got = 0, cause = TRAP_OF(got = call((void *)(TEST_VA + 256), k));

			bad += i & 1 ? cause != FETCH_PAGE : cause != NO_TRAP || got != k + 1 + 200;
			bad += i & 1 && (trap.epc != TEST_VA + PAGE + 64 || trap.tval != trap.epc);
		}
	}
	return bad;
}

static void losing_x(void)
{
	functions(64);
	CHECK_EQ(run_in(S, executable, PTE_RWX & ~PTE_X), 0);
	CHECK_EQ(run_in(S, executable, 0), 0);
	CHECK_EQ(run_in(S, executable, PTE_RWX | PTE_U), 0);
	if (!on_qemu)
		CHECK_EQ(run_in(S, executable, PTE_RWX & ~PTE_A), 0);
	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	at = (u16 *)(page[0] + 256);
	emit(addi(10, 10, 1));
	emit(j_type(0, (s32)(PAGE + 64 - 260)));
	fence_i();
	CHECK_EQ(run_in(S, jump_across, ROUNDS), 0);
}

/*
 * a0 += 1 three times, of which the last, an instruction of 4 bytes, has its second half in the
 * next page: page 1 says a0 += 16, 2: += 32, 3: not there. Entered at the first or at the last.
 */
static u64 straddling(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		u32 second = 1 + (u32)random() % 3, back = (u32)random() % 3;
		u64 start = TEST_VA + PAGE - 2 - 4 * back;

		pte[1] = second == 3 ? 0 : PTE(page[second], PTE_RWX);
		sfence_va(TEST_VA + PAGE);
		for (u32 k = 0; k < 1 + i % 9; k++) {
			u64 got = 0, cause = TRAP_OF(got = call((void *)start, k));

			if (second < 3) {
				bad += cause != NO_TRAP || got != k + back + 16 * second;
				continue;
			}
			bad += cause != FETCH_PAGE || trap.epc != TEST_VA + PAGE - 2;
			bad += trap.tval != TEST_VA + PAGE;
		}
	}
	return bad;
}

/* The same with either half of the instruction changed in place. */
static u64 halves(u64 rounds)
{
	u64 bad = 0;

	pte[1] = PTE(page[1], PTE_RWX);
	sfence();
	for (u32 i = 0; i < rounds; i++) {
		u32 op = (u32)random() & 1 ? OP_ADDI : OP_XORI, v = (u32)random() & 0x7f;
		u32 insn = i_type(op, 10, 10, v);

		if (i % 2)
			*(u16 *)(page[0] + PAGE - 2) = (u16)insn;
		else
			insn = (insn & 0xffff0000) | *(u16 *)(page[0] + PAGE - 2);
		*(u16 *)page[1] = (u16)(insn >> 16);
		fence_i();
		for (u64 k = 0; k < 1 + i % 9; k++)
			bad += call((void *)(TEST_VA + PAGE - 6), k) !=
			       ((insn & 0x7000) ? (k + 1) ^ v : k + 1 + v);
	}
	return bad;
}

static void crossing(void)
{
	at = (u16 *)(page[0] + PAGE - 10);
	emit(addi(10, 10, 1));
	emit(addi(10, 10, 1));
	emit16(addi(10, 10, 16));
	for (u32 i = 1; i < 3; i++) {
		at = (u16 *)page[i];
		emit16(addi(10, 10, 16 * (s32)i) >> 16);
		emit16(C_RET);
	}
	pte[0] = PTE(page[0], PTE_RWX);
	fence_i();
	sfence();
	CHECK_EQ(run_in(S, straddling, 2 * ROUNDS), 0);
	CHECK_EQ(run_in(S, halves, ROUNDS), 0);
	pte[1] = 0;
}

/* Code that unmaps its own page: not one more instruction of it may be run. */
static u64 unmap_oneself(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		register u64 a0 __asm__("a0") = (u64)&pte[0], a1 __asm__("a1");

		pte[0] = PTE(page[0], PTE_RWX);
		sfence_va(TEST_VA);
		a1 = i % 3 ? pte[0] : 0;
		trap.cause = NO_TRAP;
		__asm__ volatile("jalr %2" : "+r"(a0) : "r"(a1), "r"(TEST_VA + 128)
				 : "ra", "memory");
		bad += trap.cause != (i % 3 ? NO_TRAP : FETCH_PAGE) || a0 != (i % 3 ? 1 : (u64)pte);
		bad += i % 3 == 0 && trap.epc != TEST_VA + 128 + 8;
	}
	return bad;
}

/* Code that changes satp and goes on in the page that the new tables have there. */
static u64 change_space(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		u32 to = (u32)random() % 4, asid = 5 + to;	/* one table each */
		u64 table = (u64)(to % 2 ? root2 : root);

		set_space(root, 5);
		bad += call((void *)(TEST_VA + 256), 8ull << 60 | (u64)asid << 44 | table >> 12) !=
		       1 + to % 2;
	}
	return bad;
}

static void under_ones_feet(void)
{
	at = (u16 *)(page[0] + 128);
	emit(s_type(OP_SD, 10, 11, 0));
	emit(0x12000073);					/* sfence.vma */
	emit(li(10, 1));
	emit(RET);
	for (u32 i = 0; i < 2; i++) {
		at = (u16 *)(page[i] + 256);
		emit(i_type(0x1073, 0, 10, 0x180));		/* csrw satp, a0 */
		emit(li(10, 1 + (s32)i));
		emit(RET);
	}
	fence_i();
	if (!on_qemu)						/* goes on to the next jump */
		CHECK_EQ(run_in(S, unmap_oneself, ROUNDS), 0);
	pte[0] = PTE(page[0], PTE_RWX);
	middle2[0] = PTE(pte2, PTE_V);
	root2[1] = PTE(middle2, PTE_V);
	pte2[0] = PTE(page[1], PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, change_space, ROUNDS), 0);
	set_space(root, 0);
	sfence();
}

/*
 * M-mode without translation and S-mode with it see different code at one address: the megabytes
 * of this program by 2 MiB pages, those around page[] by 4 KiB ones, page[0] shows page[1].
 */
static u64 call_it(u64 a) { return call(page[0] + 64, a); }

static void two_modes(void)
{
	u64 bad = 0, low = (u64)page[0] & ~0x1fffffull;

	functions(64);
	for (u32 i = 0; i < 512; i++) {
		middle2[i] = PTE(0x80000000 + ((u64)i << 21), PTE_RWX);
		pte2[i] = PTE(low + i * PAGE, PTE_RWX);
	}
	middle2[(low >> 21) % 512] = PTE(pte2, PTE_V);
	pte2[((u64)page[0] >> 12) % 512] = PTE(page[1], PTE_RWX);
	root[2] = PTE(middle2, PTE_V);
	sfence();
	for (u32 i = 0; i < ROUNDS; i++) {
		bad += run_in(S, call_it, i) != i + 200;
		bad += call_it(i) != i + 100;
	}
	CHECK_EQ(bad, 0);
	root[2] = PTE(0x80000000, PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, call_it, 1), 101);
}

void isa_main(void)
{
	paging_on();
	alias_pages();
	address_spaces();
	losing_x();
	crossing();
	under_ones_feet();
	two_modes();
	paging_off();
}
