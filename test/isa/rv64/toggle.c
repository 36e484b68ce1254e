/*
 * What may be done changes while a load, a store or an instruction is hot: mappings, D and A,
 * SUM, MXR, MPRV, satp, PMP, FS, frm, privilege. Every access here goes through one instruction
 * (peek, poke), so code translated for it must notice. Functions of a u64 run in S-mode.
 */
#include "emit.h"

#define ROUNDS 2000
#define VA TEST_VA

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
static void sfence_va(u64 va) { __asm__ volatile("sfence.vma %0" : : "r"(va) : "memory"); }
static void map(u64 to, u64 flags)
{
	pte[0] = PTE(to, flags);
	sfence_va(VA);
}

#define FAULT_AT(code, cause, va) \
	(TRAP_OF(code) != (cause) || trap.tval != (va))

/* Accessed in a hot loop, then unmapped, moved and back. */
static u64 unmapped(u64 rounds)
{
	u64 bad = 0;

	*(u64 *)page[0] = 100;
	*(u64 *)page[1] = 200;
	for (u32 i = 0; i < rounds; i++) {
		map((u64)page[0], PTE_RWX);
		for (u32 k = 0; k < (i % 100 ? 3 : 3000); k++)
			bad += peek(VA) != 100 + k, poke(VA, 101 + k);
		poke(VA, 100);
		pte[0] = 0;
		sfence_va(VA + 8);
		bad += FAULT_AT(peek(VA + 8), LOAD_PAGE, VA + 8);
		bad += FAULT_AT(poke(VA + 8, 0), STORE_PAGE, VA + 8);
		map((u64)page[1], PTE_RWX);
		bad += peek(VA) != 200;
		map((u64)page[0], PTE_RWX & ~PTE_W);
		bad += peek(VA) != 100;
		bad += FAULT_AT(poke(VA, 7), STORE_PAGE, VA);
		bad += peek(VA) != 100;
		map((u64)page[0], PTE_V | PTE_X | PTE_A);
		bad += FAULT_AT(peek(VA), LOAD_PAGE, VA);
	}
	return bad;
}

/* A page that was only read so far is written, for the first time and when it must not be. */
static u64 first_write(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		map((u64)page[i & 3], i % 3 ? PTE_RWX : PTE_RWX & ~PTE_W);
		*(u64 *)(page[i & 3] + 16) = i;
		for (u32 k = 0; k < i % 20; k++)
			bad += peek(VA + 16) != i;
		bad += TRAP_OF(poke(VA + 16, i + 1)) != (i % 3 ? NO_TRAP : STORE_PAGE);
		bad += peek(VA + 16) != i + (i % 3 ? 1 : 0);
	}
	return bad;
}

/* Svade: A and D must be there, and are not set for us. */
static u64 accessed_dirty(u64 rounds)
{
	u64 bad = 0;

	for (u32 i = 0; i < rounds; i++) {
		map((u64)page[0], PTE_RWX & ~PTE_D);
		for (u32 k = 0; k < i % 20; k++)
			bad += TRAP_OF(peek(VA)) != NO_TRAP;
		bad += FAULT_AT(poke(VA, 1), STORE_PAGE, VA) || pte[0] & PTE_D;
		map((u64)page[0], PTE_RWX);
		bad += TRAP_OF(poke(VA, 1)) != NO_TRAP;
		map((u64)page[0], PTE_RWX & ~PTE_A);
		bad += FAULT_AT(peek(VA), LOAD_PAGE, VA) || pte[0] & PTE_A;
		bad += FAULT_AT(poke(VA, 1), STORE_PAGE, VA);
	}
	return bad;
}

/* A user page and one that can only be executed, by SUM and MXR; no fence is needed. */
static u64 sum_mxr(u64 rounds)
{
	u64 bad = 0;

	pte[0] = PTE(page[0], PTE_RWX | PTE_U);
	pte[1] = PTE(page[1], PTE_V | PTE_X | PTE_A);
	sfence();
	for (u32 i = 0; i < rounds; i++) {
		bool sum = random() & 4, mxr = random() & 8;

		clear_csr(sstatus, SUM | MXR);
		set_csr(sstatus, (sum ? SUM : 0) | (mxr ? MXR : 0));
		for (u32 k = 0; k < 1 + i % 5; k++) {
			bad += TRAP_OF(peek(VA)) != (sum ? NO_TRAP : LOAD_PAGE);
			bad += TRAP_OF(poke(VA + 8, 1)) != (sum ? NO_TRAP : STORE_PAGE);
			bad += TRAP_OF(peek(VA + PAGE)) != (mxr ? NO_TRAP : LOAD_PAGE);
			bad += TRAP_OF(poke(VA + PAGE, 1)) != STORE_PAGE;
		}
	}
	clear_csr(sstatus, SUM | MXR);
	pte[1] = 0;
	sfence();
	return bad;
}

/* satp moves between tables; the hot load sees the page of each. */
static u64 root2[512] __attribute__((aligned(4096))), middle2[512] __attribute__((aligned(4096))),
	pte2[512] __attribute__((aligned(4096)));
static u64 spaces(u64 rounds)
{
	u64 bad = 0;

	*(u64 *)page[0] = 100;
	*(u64 *)page[1] = 200;
	for (u32 i = 0; i < rounds; i++) {
		u32 space = (u32)random() % 6;
		u64 table = (u64)(space & 1 ? root2 : root) >> 12;

		write_csr(satp, 8ull << 60 | (u64)(20 + space) << 44 | table);
		for (u32 k = 0; k < 1 + i % 4; k++) {
			bad += peek(VA) != (space & 1 ? 200 : 100);
			poke(VA + 8, i);
			bad += *(u64 *)(page[space & 1] + 8) != i;
		}
	}
	return bad;
}

/*
 * In M-mode page[0] is page[0], and with MPRV, translated, page[1]: the hot load has to tell. In
 * the user's half of the page tables it is page[2], which S may not touch and S with SUM may.
 */
static void mprv(void)
{
	u64 bad = 0, low = (u64)page[0] & ~0x1fffffull, at0 = ((u64)page[0] >> 12) % 512;

	for (u32 i = 0; i < 512; i++) {
		middle2[i] = PTE(0x80000000 + ((u64)i << 21), PTE_RWX);
		pte2[i] = PTE(low + i * PAGE, PTE_RWX);
	}
	middle2[(low >> 21) % 512] = PTE(pte2, PTE_V);
	pte2[at0] = PTE(page[1], PTE_RWX);
	pte2[(at0 + 1) % 512] = PTE(page[2], PTE_RWX | PTE_U);
	root[2] = PTE(middle2, PTE_V);
	sfence();
	for (u32 i = 0; i < 4; i++)
		*(u64 *)page[i] = i;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 bits = random(), priv = bits & 1 ? S : U, sum = bits & 2 ? SUM : 0;
		u64 status = (read_csr(mstatus) & ~(MPP | SUM)) | MPRV | priv << 11 | sum;
		u64 got[3], old = swap_csr(mstatus, status);

		got[0] = peek((u64)page[0]);			/* skipped if it faults */
		got[1] = peek((u64)page[1]);
		write_csr(mstatus, old);
		got[2] = peek((u64)page[0]);
		bad += got[0] != (priv == S ? 1 : 0x5eed);
		bad += got[1] != (priv == U || sum ? 2 : 0x5eed);
		bad += got[2] != 0;
		bad += peek((u64)page[1]) != 1;
	}
	CHECK_EQ(bad, 0);
	root[2] = PTE(0x80000000, PTE_RWX);
	sfence();
}

/* PMP takes a page away from S and gives it back. */
static u64 peek_trap(u64 va) { return TRAP_OF(peek(va)); }
static u64 poke_trap(u64 va) { return TRAP_OF(poke(va, 0)); }
static u64 call_trap(u64 va) { return TRAP_OF(call((void *)va, 0)); }

static void pmp(void)
{
	static const u8 cfg[] = { 0x18, 0x19, 0x1b, 0x1c, 0x1d, 0x1f };	/* NAPOT, -RWX */
	u64 bad = 0, target = (u64)page[3];

	write_csr(pmpcfg0, 0x1f00);
	write_csr(pmpaddr1, ~0ull);
	write_csr(pmpaddr0, target >> 2 | 0x1ff);
	*(u32 *)target = RET;
	fence_i();
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 allow = cfg[random() % 6];

		write_csr(pmpcfg0, 0x1f00 | allow);
		sfence();
		bad += run_in(S, peek_trap, target) != (allow & 1 ? NO_TRAP : LOAD_ACCESS);
		bad += run_in(S, poke_trap, target + 8) != (allow & 2 ? NO_TRAP : STORE_ACCESS);
		bad += run_in(S, call_trap, target) != (allow & 4 ? NO_TRAP : FETCH_ACCESS);
		bad += peek_trap(target) != NO_TRAP;
	}
	CHECK_EQ(bad, 0);
	write_csr(pmpcfg0, 0);
	write_csr(pmpaddr0, ~0ull);
	write_csr(pmpcfg0, 0x1f);
}

/* One function of FP instructions while FS and frm change; S and M run the same code. */
__attribute__((noinline)) static u64 add_dynamic(u64 a)
{
	__asm__ volatile("fmv.d.x ft0, %0\n fmv.d.x ft1, %1\n fadd.d ft0, ft0, ft1, dyn\n"
			 "fmv.x.d %0, ft0" : "+r"(a) : "r"(0x3c80000000000000) : "ft0", "ft1");
	return a;						/* + 2^-55 */
}
static u64 add_status(u64 a)
{
	return TRAP_OF(add_dynamic(a));
}

static u64 in(u64 priv, u64 (*fn)(u64), u64 arg)
{
	return priv == M ? fn(arg) : run_in(priv, fn, arg);
}

static void fp_modes(void)
{
	u64 one = 0x3ff0000000000000, bad = 0;

	for (u32 i = 0; i < 2 * ROUNDS; i++) {
		u32 rm = (u32)random() % 8, fs = (u32)random() % 4, priv = random() & 1 ? S : M;

		clear_csr(mstatus, FS);
		set_csr(mstatus, 1 << 13);
		write_csr(frm, rm);
		clear_csr(mstatus, FS);
		set_csr(mstatus, (u64)fs << 13);
		if (!fs || rm > 4) {
			bad += in(priv, add_status, one) != ILLEGAL;
			continue;
		}
		bad += in(priv, add_dynamic, one) != one + (rm == 3);
		bad += (read_csr(mstatus) & FS) != FS;
		bad += (read_csr(fcsr) & 1) != 1;
	}
	set_csr(mstatus, FS);
	write_csr(fcsr, 0);
	CHECK_EQ(bad, 0);
}

/* FS or frm changed by the instruction before one that needs them. */
static void fp_next(void)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		u64 fs = i & 1 ? FS : 0, rm = i & 2 ? 5 : 0;

		bad += TRAP_OF(__asm__ volatile("csrc mstatus, %0\n fadd.d ft0, ft0, ft0, rne"
						: : "r"(fs) : "ft0")) != (fs ? ILLEGAL : NO_TRAP);
		bad += TRAP_OF(__asm__ volatile("csrs mstatus, %0\n fadd.d ft0, ft0, ft0, rne"
						: : "r"(fs) : "ft0")) != NO_TRAP;
		bad += TRAP_OF(__asm__ volatile("csrw frm, %0\n fadd.d ft0, ft0, ft0, dyn"
						: : "r"(rm) : "ft0")) != (rm ? ILLEGAL : NO_TRAP);
		bad += TRAP_OF(__asm__ volatile("csrw frm, x0\n fadd.d ft0, ft0, ft0, dyn"
						: : : "ft0")) != NO_TRAP;
	}
	write_csr(fcsr, 0);
	CHECK_EQ(bad, 0);
}

/* A CSR that only M has, read by one function from M, S and U. */
__attribute__((noinline)) static u64 read_mscratch(u64 a)
{
	return TRAP_OF(read_csr(mscratch)) + 0 * a;
}
static void privileges(void)
{
	u64 bad = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		u64 priv = random() % 3;

		if (priv == 2)
			bad += read_mscratch(0) != NO_TRAP;
		else
			bad += run_in(priv, read_mscratch, 0) != ILLEGAL;
	}
	CHECK_EQ(bad, 0);
}

void isa_main(void)
{
	privileges();
	fp_modes();
	fp_next();
	pmp();
	paging_on();
	CHECK_EQ(run_in(S, unmapped, ROUNDS), 0);
	CHECK_EQ(run_in(S, first_write, ROUNDS), 0);
	if (!on_qemu)						/* sets them itself */
		CHECK_EQ(run_in(S, accessed_dirty, ROUNDS), 0);
	CHECK_EQ(run_in(S, sum_mxr, ROUNDS), 0);
	root2[2] = root[2];
	root2[1] = PTE(middle2, PTE_V);
	middle2[0] = PTE(pte2, PTE_V);
	pte2[0] = PTE(page[1], PTE_RWX);
	map((u64)page[0], PTE_RWX);
	CHECK_EQ(run_in(S, spaces, 3 * ROUNDS), 0);
	write_csr(satp, 8ull << 60 | (u64)root >> 12);
	mprv();
	paging_off();
}
