/* Memory: misaligned accesses in hardware, LR/SC, AMOs, causes and addresses of faults. */
#include "isa.h"

static u64 word[4] __attribute__((aligned(64)));

static void misaligned(void)
{
	u8 *p = (u8 *)word;
	u64 v;

	for (u32 i = 0; i < 32; i++)
		p[i] = (u8)i;
	__asm__ volatile("ld %0, 3(%1)" : "=r"(v) : "r"(p));
	CHECK_EQ(v, 0x0a09080706050403);
	__asm__ volatile("lw %0, 1(%1)" : "=r"(v) : "r"(p));
	CHECK_EQ(v, 0x04030201);
	__asm__ volatile("sd %0, 5(%1)" : : "r"(~0ull), "r"(p) : "memory");
	CHECK_EQ(word[0], 0xffffff0403020100);
	CHECK_EQ(word[1], 0x0f0e0dffffffffff);
}

#define LR(a) ({ u64 r_; __asm__ volatile("lr.d %0, (%1)" : "=r"(r_) : "r"(a) : "memory"); r_; })
#define AMO(insn, a, v) ({ u64 r_; __asm__ volatile(insn " %0, %2, (%1)" : "=r"(r_) \
			   : "r"(a), "r"((u64)(v)) : "memory"); r_; })
#define SC(a, v) AMO("sc.d", a, v)
#define SCW(a, v) AMO("sc.w", a, v)

static void reservation(void)
{
	word[0] = 1, word[1] = 2;
	CHECK_EQ(SC(word, 9), 1);				/* none held */
	CHECK_EQ(LR(word), 1);
	CHECK_EQ(SC(word, 5), 0);
	CHECK_EQ(word[0], 5);
	CHECK_EQ(SC(word, 6), 1);				/* each sc clears */
	LR(word);
	CHECK_EQ(SC(word + 1, 7), 1);				/* another address */
	CHECK_EQ(word[1], 2);
	LR(word);
	if (!on_qemu)
		CHECK_EQ(SCW(word, 7), 1);			/* another size */
	LR(word);
	__asm__ volatile("ecall");				/* a return clears it */
	if (!on_qemu)
		CHECK_EQ(SC(word, 8), 1);
}

static void amo(void)
{
	word[0] = 0xffffffff80000000;
	CHECK_EQ(AMO("amoswap.w", word, 7), 0xffffffff80000000);
	CHECK_EQ(word[0], 0xffffffff00000007);
	CHECK_EQ(AMO("amomin.w", word, -1), 7);
	CHECK_EQ((u32)word[0], 0xffffffff);
	CHECK_EQ(AMO("amominu.w", word, 3), ~0ull);
	CHECK_EQ(AMO("amomax.w", word, -5), 3);
	CHECK_EQ((u32)word[0], 3);
	CHECK_EQ(AMO("amomaxu.w", word, -5), 3);
	CHECK_EQ((u32)word[0], 0xfffffffb);
	word[1] = 0xf0;
	CHECK_EQ(AMO("amoand.d", word + 1, 0x3c), 0xf0);
	CHECK_EQ(AMO("amoor.d", word + 1, 1), 0x30);
	CHECK_EQ(AMO("amoxor.d", word + 1, 0xff), 0x31);
	CHECK_EQ(word[1], 0xce);
	CHECK_EQ(AMO("amoadd.d.aqrl", word + 1, 2), 0xce);
}

static void faults(void)
{
	u8 *odd = (u8 *)word + 4;

	CHECK_EQ(TRAP_OF(LR(odd)), LOAD_MISALIGNED);
	CHECK_EQ(trap.tval, (u64)odd);
	CHECK_EQ(TRAP_OF(*(volatile u64 *)8), LOAD_ACCESS);
	CHECK_EQ(TRAP_OF(*(volatile u64 *)8 = 1), STORE_ACCESS);
	CHECK_EQ(trap.tval, 8);
	CHECK_EQ(TRAP_OF(LR(8)), LOAD_ACCESS);
	if (on_qemu)		/* reports AMOs as loads, and lets them through to devices */
		return;
	CHECK_EQ(TRAP_OF(AMO("amoadd.d", odd, 1)), STORE_MISALIGNED);
	CHECK_EQ(trap.tval, (u64)odd);
	CHECK_EQ(TRAP_OF(SC(odd, 1)), STORE_MISALIGNED);
	CHECK_EQ(TRAP_OF(AMO("amoadd.d", 8, 1)), STORE_ACCESS);
	CHECK_EQ(TRAP_OF(AMO("amoadd.w", 0x10000000, 1)), STORE_ACCESS);
	CHECK_EQ(TRAP_OF(SCW(0x10000000, 1)), STORE_ACCESS);
	CHECK_EQ(TRAP_OF(LR(0x10000000)), LOAD_ACCESS);
}

/* A store across two pages of which the second cannot be written changes nothing. */
static void crossing(void)
{
	u64 at = TEST_VA + PAGE - 4;

	pte[0] = PTE(page[0], PTE_RWX);
	pte[1] = 0;
	paging_on();
	*(u32 *)(page[0] + PAGE - 4) = 0x11223344;
	CHECK_EQ(store_as(S, at, ~0ull), STORE_PAGE);
	CHECK_EQ(trap.tval, TEST_VA + PAGE);
	CHECK_EQ(*(u32 *)(page[0] + PAGE - 4), 0x11223344);
	CHECK_EQ(load_as(S, at), LOAD_PAGE);
	CHECK_EQ(trap.tval, TEST_VA + PAGE);
	pte[1] = PTE(page[2], PTE_RWX);
	sfence();
	CHECK_EQ(store_as(S, at, 0x8877665544332211), NO_TRAP);
	CHECK_EQ(*(u32 *)(page[0] + PAGE - 4), 0x44332211);
	CHECK_EQ(*(u32 *)page[2], 0x88776655);
	CHECK_EQ(load_as(S, at), NO_TRAP);
	CHECK_EQ(loaded, 0x8877665544332211);
	paging_off();
}

/* The part of a crossing access that reaches nothing decides, and a device sees none of it. */
static void device_edge(void)
{
	u64 edge = 0x2010000;					/* the CLINT ends */
	u32 v;

	if (on_qemu)						/* splits it into bytes */
		return;
	CHECK_EQ(TRAP_OF(__asm__ volatile("ld t0, 0(%0)" : : "r"(edge - 4) : "t0")), LOAD_ACCESS);
	CHECK_EQ(trap.tval, edge);
	CHECK_EQ(TRAP_OF(__asm__ volatile("sd t0, 0(%0)" : : "r"(edge - 4))), STORE_ACCESS);
	CHECK_EQ(trap.tval, edge);
	__asm__ volatile("lw %0, 0(%1)" : "=r"(v) : "r"(0x10000ffd));	/* two devices: no trap */
}

void isa_main(void)
{
	misaligned();
	reservation();
	amo();
	faults();
	crossing();
	device_edge();
}
