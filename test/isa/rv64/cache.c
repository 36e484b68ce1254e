/* Code that changes, cache-block operations, hints of Zawrs. */
#include "isa.h"

static u8 block[256] __attribute__((aligned(64)));

/* li a0, 5; ret */
static u32 code[] __attribute__((section(".data"))) = { 0x00500513, 0x00008067 };

static u64 call_code(void) { return ((u64 (*)(void))code)(); }

static void changing(void)
{
	CHECK_EQ(call_code(), 5);
	for (u32 i = 0; i < 100; i++) {
		code[0] = 0x00000513 | i << 20;
		__asm__ volatile("fence.i" : : : "memory");
		CHECK_EQ(call_code(), i);
	}
}

/* .insn i 0x0f, 2, x0, rs1, op: 0 inval, 1 clean, 2 flush, 4 zero */
#define CBO(op, p) \
	TRAP_OF(__asm__ volatile(".insn i 0x0f, 2, x0, %0, " #op : : "r"(p) : "memory"))
static u64 inval(u64 a) { return CBO(0, a); }
static u64 clean(u64 a) { return CBO(1, a); }
static u64 zero(u64 a) { return CBO(4, a); }

static void blocks(void)
{
	for (u32 i = 0; i < 256; i++)
		block[i] = 0xee;
	CHECK_EQ(CBO(4, block + 100), NO_TRAP);
	CHECK_EQ(block[63], 0xee);
	for (u32 i = 64; i < 128; i++)
		CHECK_EQ(block[i], 0);
	CHECK_EQ(block[128], 0xee);
	CHECK_EQ(CBO(0, block), NO_TRAP);
	CHECK_EQ(CBO(1, block), NO_TRAP);
	CHECK_EQ(CBO(2, block), NO_TRAP);
	CHECK_EQ(block[0], 0xee);
	CHECK_EQ(CBO(4, 0x1000000), STORE_ACCESS);
	CHECK_EQ(CBO(3, block), ILLEGAL);
}

/* Each needs its bit in menvcfg for S and in senvcfg too for U. */
static void gates(void)
{
	static const struct { u64 (*fn)(u64); u64 bits; } row[] = {
		{ inval, 0x10 }, { inval, 0x30 }, { clean, 0x40 }, { zero, 0x80 },
	};

	for (u32 i = 0; i < 4; i++)
		for (u32 m = 0; m < 2; m++)
			for (u32 s = 0; s < 2; s++) {
				write_csr(0x30a, m ? row[i].bits : 0xf0 & ~row[i].bits & ~0x30);
				write_csr(0x10a, s ? row[i].bits : 0xf0 & ~row[i].bits & ~0x30);
				CHECK_EQ(run_in(S, row[i].fn, (u64)block), m ? NO_TRAP : ILLEGAL);
				CHECK_EQ(run_in(U, row[i].fn, (u64)block),
					 m & s ? NO_TRAP : ILLEGAL);
			}
	write_csr(0x30a, 0xf0);
	write_csr(0x10a, 0xf0);
}

static void paged(void)
{
	paging_on();
	pte[0] = PTE(page[0], PTE_V | PTE_R | PTE_A | PTE_D);
	pte[1] = 0;
	sfence();
	CHECK_EQ(run_in(S, clean, TEST_VA), NO_TRAP);		/* readable is enough */
	CHECK_EQ(run_in(S, zero, TEST_VA), STORE_PAGE);
	CHECK_EQ(run_in(S, clean, TEST_VA + PAGE), STORE_PAGE);
	CHECK_EQ(run_in(S, inval, TEST_VA + PAGE), STORE_PAGE);
	for (u32 i = 0; i < 3; i++) {				/* xtval is rs1, not the block */
		static u64 (*const op[])(u64) = { inval, clean, zero };

		CHECK_EQ(run_in(S, op[i], TEST_VA + PAGE + 77), STORE_PAGE);
		CHECK_EQ(trap.tval, TEST_VA + PAGE + 77);
	}
	pte[0] = PTE(page[0], PTE_RWX);
	sfence();
	page[0][7] = 1;
	CHECK_EQ(run_in(S, zero, TEST_VA + 8), NO_TRAP);
	CHECK_EQ(page[0][7], 0);
	paging_off();
}

static void waiting(void)
{
	CHECK_EQ(TRAP_OF(INSN(0x00d00073)), NO_TRAP);		/* wrs.nto */
	CHECK_EQ(TRAP_OF(INSN(0x01d00073)), NO_TRAP);		/* wrs.sto */
	__asm__ volatile("lr.w t0, (%0)\n .4byte 0x01d00073" : : "r"(block) : "t0");
	CHECK_EQ(TRAP_OF(INSN(0x0100000f)), NO_TRAP);		/* pause */
}

static u64 inval_vma(u64 a) { return TRAP_OF(INSN(0x16000073)) + 0 * a; }
static u64 inval_w(u64 a) { return TRAP_OF(INSN(0x18000073)) + 0 * a; }
static u64 inval_ir(u64 a) { return TRAP_OF(INSN(0x18100073)) + 0 * a; }

static void svinval(void)
{
	CHECK_EQ(run_in(S, inval_vma, 0), NO_TRAP);
	CHECK_EQ(run_in(S, inval_w, 0), NO_TRAP);
	CHECK_EQ(run_in(S, inval_ir, 0), NO_TRAP);
	CHECK_EQ(run_in(U, inval_vma, 0), ILLEGAL);
	CHECK_EQ(run_in(U, inval_w, 0), ILLEGAL);
	set_csr(mstatus, TVM);
	CHECK_EQ(run_in(S, inval_vma, 0), ILLEGAL);
	CHECK_EQ(run_in(S, inval_ir, 0), NO_TRAP);
	clear_csr(mstatus, TVM);
}

void isa_main(void)
{
	changing();
	if (on_qemu)			/* 7.2 has neither Zicbom, Zicboz nor Zawrs */
		return;
	blocks();
	gates();
	paged();
	waiting();
	svinval();
}
