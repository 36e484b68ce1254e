/* Svadu (run with --isa svadu): with menvcfg.ADUE the walk sets A and D itself, else it faults. */
#include "isa.h"

#define ADUE BIT(61)
#define CLEAN (PTE_V | PTE_R | PTE_W | PTE_X)

static void map(u64 flags)
{
	pte[0] = PTE(page[0], flags);
	sfence();
}

static void updates(void)
{
	map(CLEAN);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(pte[0], PTE(page[0], CLEAN | PTE_A));
	CHECK_EQ(store_as(S, TEST_VA, 1), NO_TRAP);		/* the entry is cached without D */
	CHECK_EQ(pte[0], PTE(page[0], CLEAN | PTE_A | PTE_D));
	map(CLEAN);
	CHECK_EQ(store_as(S, TEST_VA, 1), NO_TRAP);
	CHECK_EQ(pte[0], PTE(page[0], CLEAN | PTE_A | PTE_D));
	map(CLEAN & ~PTE_W);
	CHECK_EQ(store_as(S, TEST_VA, 1), STORE_PAGE);		/* refused: nothing is set */
	CHECK_EQ(pte[0], PTE(page[0], CLEAN & ~PTE_W));
}

static void faults(void)
{
	write_csr(0x30a, 0);
	map(CLEAN);
	CHECK_EQ(load_as(S, TEST_VA), LOAD_PAGE);
	map(CLEAN | PTE_A);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	CHECK_EQ(store_as(S, TEST_VA, 1), STORE_PAGE);
	CHECK_EQ(pte[0], PTE(page[0], CLEAN | PTE_A));
}

/* The table itself may be read-only to the walk: then the update is an access fault. */
static void protected(void)
{
	write_csr(pmpcfg0, 0);
	write_csr(pmpaddr0, (u64)pte >> 2 | 0x1ff);
	write_csr(pmpaddr1, ~0ull);
	write_csr(pmpcfg0, 0x1f19);				/* the table: R; the rest: RWX */
	map(CLEAN | PTE_A | PTE_D);
	CHECK_EQ(load_as(S, TEST_VA), NO_TRAP);
	map(CLEAN);
	CHECK_EQ(load_as(S, TEST_VA), LOAD_ACCESS);
	CHECK_EQ(store_as(S, TEST_VA, 1), STORE_ACCESS);
}

void isa_main(void)
{
	write_csr(0x30a, ADUE);
	paging_on();
	updates();
	if (!on_qemu) {						/* 7.2 knows only updating */
		CHECK_EQ(read_csr(0x30a), ADUE);
		protected();
		faults();
	}
	paging_off();
}
