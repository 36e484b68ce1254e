/* Translation: leaf and table checks, A and D, SUM, MXR, superpages, modes, fences. */
#include "isa.h"

static u64 sv_root[512] __attribute__((aligned(4096))),
	sv_root2[512] __attribute__((aligned(4096)));

static u64 load_with(u64 priv, u64 entry)
{
	pte[0] = entry;
	sfence();
	return load_as(priv, TEST_VA);
}

static u64 store_with(u64 priv, u64 entry)
{
	pte[0] = entry;
	sfence();
	return store_as(priv, TEST_VA, 1);
}

static u64 run_at(u64 at) { return TRAP_OF(((u64 (*)(void))at)()); }

static u64 fetch_with(u64 entry)
{
	pte[0] = entry;
	sfence();
	return run_in(S, run_at, TEST_VA);
}

static void leaves(void)
{
	u64 at = (u64)page[0], all = PTE_RWX;

	CHECK_EQ(load_with(S, PTE(at, all)), NO_TRAP);
	CHECK_EQ(load_with(S, 0), LOAD_PAGE);
	CHECK_EQ(trap.tval, TEST_VA);
	CHECK_EQ(load_with(S, PTE(at, all & ~PTE_V)), LOAD_PAGE);
	CHECK_EQ(load_with(S, PTE(at, all & ~PTE_R)), LOAD_PAGE);	/* W without R */
	CHECK_EQ(load_with(S, PTE(at, all & ~(PTE_R | PTE_W))), LOAD_PAGE);	/* X only */
	CHECK_EQ(store_with(S, PTE(at, all & ~PTE_W)), STORE_PAGE);
	CHECK_EQ(load_with(S, PTE(at, all & ~PTE_W)), NO_TRAP);
	if (!on_qemu) {						/* QEMU 7.2 ignores reserved bits */
		CHECK_EQ(load_with(S, PTE(at, all) | BIT(60)), LOAD_PAGE);
		CHECK_EQ(load_with(S, PTE(at, all) | BIT(54)), LOAD_PAGE);
	}
	CHECK_EQ(load_with(S, PTE(at, all) | 3 * BIT(61)), LOAD_PAGE);	/* PBMT is not there */
	CHECK_EQ(load_with(S, PTE(pte, PTE_V)), LOAD_PAGE);	/* pointer at the last level */
	CHECK_EQ(load_with(S, PTE(0x1000000, all)), LOAD_ACCESS);	/* nothing there */
}

static void accessed_and_dirty(void)
{
	u64 at = (u64)page[0];

	if (on_qemu)						/* QEMU 7.2 always updates */
		return;
	CHECK_EQ(load_with(S, PTE(at, PTE_RWX & ~PTE_A)), LOAD_PAGE);
	CHECK_EQ(store_with(S, PTE(at, PTE_RWX & ~PTE_D)), STORE_PAGE);
	CHECK_EQ(load_with(S, PTE(at, PTE_RWX & ~PTE_D)), NO_TRAP);
	CHECK_EQ(store_as(S, TEST_VA, 1), STORE_PAGE);		/* cached for reading only */
	CHECK_EQ(pte[0], PTE(at, PTE_RWX & ~PTE_D));
}

static void users(void)
{
	u64 at = (u64)page[0], user = PTE_RWX | PTE_U;

	CHECK_EQ(load_with(U, PTE(at, PTE_RWX)), LOAD_PAGE);
	CHECK_EQ(load_with(U, PTE(at, user)), NO_TRAP);
	CHECK_EQ(load_with(S, PTE(at, user)), LOAD_PAGE);
	CHECK_EQ(store_with(S, PTE(at, user)), STORE_PAGE);
	set_csr(mstatus, SUM);
	CHECK_EQ(load_with(S, PTE(at, user)), NO_TRAP);
	CHECK_EQ(store_with(S, PTE(at, user)), NO_TRAP);
	*(u32 *)page[0] = 0x8067;					/* ret */
	__asm__ volatile("fence.i");
	CHECK_EQ(fetch_with(PTE(at, user)), FETCH_PAGE);		/* SUM or not */
	CHECK_EQ(trap.tval, TEST_VA);
	clear_csr(mstatus, SUM);
	CHECK_EQ(load_as(S, TEST_VA), LOAD_PAGE);			/* no fence needed */
	CHECK_EQ(fetch_with(PTE(at, PTE_RWX)), NO_TRAP);
	CHECK_EQ(fetch_with(PTE(at, PTE_RWX & ~PTE_X)), FETCH_PAGE);
	CHECK_EQ(load_with(S, PTE(at, PTE_V | PTE_X | PTE_A)), LOAD_PAGE);
	set_csr(mstatus, MXR);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	clear_csr(mstatus, MXR);
	CHECK_EQ(load_as(S, TEST_VA), LOAD_PAGE);
}

static void tables(void)
{
	u64 good = PTE(pte, PTE_V);

	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	middle[0] = good | PTE_A;				/* reserved in pointers */
	sfence();
	CHECK_EQ(on_qemu ? LOAD_PAGE : load_as(S, TEST_VA), LOAD_PAGE);
	middle[0] = good | PTE_D;
	sfence();
	CHECK_EQ(on_qemu ? LOAD_PAGE : load_as(S, TEST_VA), LOAD_PAGE);
	middle[0] = good | PTE_U;
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), LOAD_PAGE);
	middle[0] = PTE(0x1000000, PTE_V);			/* a table that is not memory */
	sfence();
	if (!on_qemu) {						/* it says page fault */
		CHECK_EQ(load_as(S, TEST_VA), LOAD_ACCESS);
		CHECK_EQ(store_as(S, TEST_VA, 0), STORE_ACCESS);
	}
	middle[0] = PTE(0x80000000, PTE_RWX);			/* 2 MiB */
	sfence();
	CHECK_EQ(load_as(S, TEST_VA + ((u64)page[1] & 0x1fffff)), NO_TRAP);
	CHECK_EQ(loaded, *(u64 *)page[1]);
	middle[0] = PTE(0x80001000, PTE_RWX);			/* misaligned */
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), LOAD_PAGE);
	middle[0] = good;
	sfence();
	CHECK_EQ(load_as(S, BIT(38)), LOAD_PAGE);		/* not canonical */
	CHECK_EQ(load_as(S, TEST_VA | BIT(63)), LOAD_PAGE);
	CHECK_EQ(trap.tval, TEST_VA | BIT(63));
}

/* Svnapot: 64 KiB from any of its sixteen entries, with the same low bits. */
static void napot(void)
{
	static u8 block[128 << 10] __attribute__((aligned(4096)));
	u64 at = ((u64)block + 0xffff) & ~0xffffull;

	if (on_qemu)						/* needs -cpu rv64,svnapot=on */
		return;
	for (u32 i = 0; i < 16; i++)
		pte[i] = PTE(at | 0x8000, PTE_RWX) | BIT(63);
	*(u64 *)(at + 0x5010) = 0x1122;
	sfence();
	CHECK_EQ(load_as(S, TEST_VA + 0x5010), NO_TRAP);
	CHECK_EQ(loaded, 0x1122);
	CHECK_EQ(load_with(S, PTE(at | 0x4000, PTE_RWX) | BIT(63)), LOAD_PAGE);
	for (u32 i = 0; i < 16; i++)
		pte[i] = 0;
}

/* The same Sv39 tree below one or two more levels. */
static void deeper(void)
{
	pte[0] = PTE(page[0], PTE_RWX);
	*(u64 *)page[0] = 0x3344;
	sv_root[0] = PTE(root, PTE_V);
	write_csr(satp, 9ull << 60 | (u64)sv_root >> 12);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(loaded, 0x3344);
	CHECK_EQ(load_as(S, BIT(47)), LOAD_PAGE);
	sv_root2[0] = PTE(sv_root, PTE_V);
	write_csr(satp, 10ull << 60 | (u64)sv_root2 >> 12);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(load_as(S, BIT(56)), LOAD_PAGE);
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	sfence();
}

static u64 at_address;
static u64 fence_page(u64 va)
{
	__asm__ volatile("sfence.vma %0" : : "r"(va) : "memory");
	return 0;
}
static u64 fence_asid(u64 asid)
{
	__asm__ volatile("sfence.vma x0, %0" : : "r"(asid) : "memory");
	return 0;
}
static u64 fence_both(u64 asid)
{
	__asm__ volatile("sfence.vma %0, %1" : : "r"(at_address), "r"(asid) : "memory");
	return 0;
}

static void set_asid(u64 asid)
{
	write_csr(satp, 8ull << 60 | asid << 44 | (u64)root >> 12);
}

static void fences(void)
{
	*(u64 *)page[0] = 100;
	*(u64 *)page[1] = 200;
	for (u32 form = 0; form < 4; form++) {
		set_asid(5);
		pte[0] = PTE(page[0], PTE_RWX);
		sfence();
		CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
		CHECK_EQ(loaded, 100);
		pte[0] = PTE(page[1], PTE_RWX);
		at_address = TEST_VA;
		if (form == 0)
			sfence();
		else if (form == 1)
			fence_page(TEST_VA);
		else if (form == 2)
			fence_asid(5);
		else
			fence_both(5);
		CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
		CHECK_EQ(loaded, 200);
	}
	/* two address spaces side by side */
	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	set_asid(6);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(loaded, 100);
	set_asid(0);
	sfence();
}

/* Bare and back takes effect at once. */
static void modes(void)
{
	if (on_qemu)						/* has PCI at that address */
		return;
	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	write_csr(satp, 0);
	CHECK_EQ(load_as(S, TEST_VA), LOAD_ACCESS);
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(TRAP_OF(*(volatile u64 *)TEST_VA), LOAD_ACCESS);	/* M without MPRV */
}

/* An instruction across two pages: the fault is the second page's, the instruction the first's. */
static void straddling(void)
{
	u16 *end = (u16 *)(page[0] + PAGE - 2);
	u64 at = TEST_VA + PAGE - 2;

	end[0] = 0x0513;					/* li a0, 5 */
	*(u16 *)page[2] = 0x0050;
	*(u16 *)(page[2] + 2) = 0x8082;				/* ret */
	pte[0] = PTE(page[0], PTE_RWX);
	pte[1] = 0;
	sfence();
	__asm__ volatile("fence.i");
	CHECK_EQ(run_in(S, run_at, at), FETCH_PAGE);
	CHECK_EQ(trap.tval, at + 2);
	CHECK_EQ(trap.epc, at);
	pte[1] = PTE(page[2], PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, run_at, at), NO_TRAP);
	CHECK_EQ(run_in(S, (u64 (*)(u64))at, 0), 5);
	*(u16 *)page[2] = 0x0060;				/* li a0, 6 */
	__asm__ volatile("fence.i");
	CHECK_EQ(run_in(S, (u64 (*)(u64))at, 0), 6);
	*(u16 *)page[3] = 0x0070;				/* li a0, 7 in another page */
	*(u16 *)(page[3] + 2) = 0x8082;
	pte[1] = PTE(page[3], PTE_RWX);
	sfence();						/* its bytes have not changed */
	CHECK_EQ(run_in(S, (u64 (*)(u64))at, 0), 7);
	pte[1] = PTE(page[2], PTE_RWX);
	sfence();
	CHECK_EQ(run_in(S, (u64 (*)(u64))at, 0), 6);
	pte[1] = PTE(page[2], PTE_RWX & ~PTE_X);
	sfence();
	CHECK_EQ(run_in(S, run_at, at), FETCH_PAGE);
	CHECK_EQ(trap.tval, at + 2);
	CHECK_EQ(trap.epc, at);
	if (on_qemu)						/* 7.2 dies of this one */
		return;
	pte[1] = PTE(0x2000000, PTE_RWX);			/* a device */
	sfence();
	CHECK_EQ(run_in(S, run_at, at), FETCH_ACCESS);
	CHECK_EQ(trap.tval, at + 2);
}

/* lr.d in S-mode, then the page becomes @entry, then sc.d of 9: its result. */
static u64 conditional_across(u64 entry)
{
	u64 fail, status = (read_csr(mstatus) & ~MPP) | MPRV | S << 11;

	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	__asm__ volatile("li t0, 9\n csrrw %0, mstatus, %0\n lr.d t1, (%2)\n csrw mstatus, %0\n"
			 "sd %3, 0(%4)\n sfence.vma\n csrrw %0, mstatus, %1\n"
			 "sc.d t0, t0, (%2)\n csrw mstatus, %0\n mv %0, t0"
			 : "=&r"(fail)
			 : "r"(status), "r"(TEST_VA), "r"(entry), "r"(pte), "0"(status)
			 : "t0", "t1", "memory");
	return fail;
}

/* A reservation is one of memory: if the page changes between, sc stores nowhere. */
static void reserved_page(void)
{
	if (on_qemu)						/* compares virtual addresses */
		return;
	*(u64 *)page[0] = *(u64 *)page[1] = 5;
	CHECK_EQ(conditional_across(PTE(page[1], PTE_RWX)), 1);
	CHECK_EQ(*(u64 *)page[0], 5);
	CHECK_EQ(*(u64 *)page[1], 5);
	CHECK_EQ(conditional_across(PTE(page[0], PTE_RWX)), 0);
	CHECK_EQ(*(u64 *)page[0], 9);
}

#define ATOMIC(insn, va) TRAP_OF(__asm__ volatile(insn : : "r"(va) : "t0", "memory"))
static u64 do_lr(u64 va) { return ATOMIC("lr.w t0, (%0)", va); }
static u64 do_sc(u64 va) { return ATOMIC("sc.w t0, t0, (%0)", va); }
static u64 do_amo(u64 va) { return ATOMIC("amoadd.w t0, x0, (%0)", va); }

/* AMO and SC are stores, even where it is the read that fails; LR is a load. */
static void atomics(void)
{
	static const u64 readable[] = { 0, PTE_V | PTE_R | PTE_A | PTE_D, PTE_V | PTE_X | PTE_A };

	for (u32 i = 0; i < 3; i++) {
		pte[0] = PTE(page[0], readable[i]);
		sfence();
		CHECK_EQ(run_in(S, do_lr, TEST_VA), i == 1 ? NO_TRAP : LOAD_PAGE);
		if (on_qemu)					/* reports AMOs as loads */
			continue;
		CHECK_EQ(run_in(S, do_sc, TEST_VA), STORE_PAGE);
		CHECK_EQ(run_in(S, do_amo, TEST_VA + 8), STORE_PAGE);
		CHECK_EQ(trap.tval, TEST_VA + 8);
	}
}

void isa_main(void)
{
	*(u32 *)page[0] = 0x8067;
	paging_on();
	leaves();
	accessed_and_dirty();
	users();
	tables();
	napot();
	deeper();
	fences();
	modes();
	straddling();
	reserved_page();
	atomics();
	paging_off();
}
