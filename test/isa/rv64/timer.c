/* Time: the CLINT's timer, Sstc and its gates, wfi until it fires. */
#include "isa.h"

#define MTIMECMP (*(volatile u64 *)0x2004000)
#define MTIMECMP_LOW (*(volatile u32 *)0x2004000)
#define MTIMECMP_HIGH (*(volatile u32 *)0x2004004)
#define MTIME (*(volatile u64 *)0x200bff8)
#define MTIP BIT(7)
#define STIP BIT(5)
#define STCE BIT(63)

static void clint(void)
{
	u64 a = read_csr(time), b = MTIME, c = read_csr(time);

	CHECK(a <= b && b <= c);
	MTIMECMP = ~0ull;
	CHECK_EQ(read_csr(mip) & MTIP, 0);
	MTIMECMP_LOW = 0;
	MTIMECMP_HIGH = 0;
	CHECK_EQ(read_csr(mip) & MTIP, MTIP);
	write_csr(mip, 0);
	CHECK_EQ(read_csr(mip) & MTIP, MTIP);			/* a pin, not a bit */
	MTIMECMP = ~0ull;
	a = MTIME;
	MTIMECMP = a + 20000;					/* 2 ms */
	write_csr(mie, MTIP);
	__asm__ volatile("wfi");
	CHECK(MTIME - a >= 20000);
	CHECK_EQ(TRAP_OF(({ set_csr(mstatus, MIE); clear_csr(mstatus, MIE); })), IRQ | 7);
	MTIMECMP = ~0ull;
	write_csr(mie, 0);
}

static u64 try_stimecmp(u64 a) { return TRAP_OF(read_csr(0x14d)) + 0 * a; }
static u64 set_stip(u64 v) { write_csr(mip, v); return read_csr(mip) & STIP; }

static void sstc(void)
{
	u64 a;

	write_csr(0x30a, 0);
	CHECK_EQ(set_stip(STIP), STIP);				/* software's bit while STCE = 0 */
	CHECK_EQ(set_stip(0), 0);
	write_csr(mcounteren, 7);
	CHECK_EQ(run_in(S, try_stimecmp, 0), ILLEGAL);
	write_csr(0x30a, STCE);
	CHECK_EQ(run_in(S, try_stimecmp, 0), NO_TRAP);
	CHECK_EQ(run_in(U, try_stimecmp, 0), ILLEGAL);
	write_csr(mcounteren, 5);
	CHECK_EQ(run_in(S, try_stimecmp, 0), ILLEGAL);
	write_csr(mcounteren, 7);
	write_csr(0x14d, ~0ull);
	CHECK_EQ(read_csr(mip) & STIP, 0);
	CHECK_EQ(set_stip(STIP), 0);				/* read-only now */
	write_csr(0x14d, 0);
	CHECK_EQ(read_csr(mip) & STIP, STIP);
	a = read_csr(time);
	write_csr(0x14d, a + 20000);
	write_csr(mie, STIP);
	__asm__ volatile("wfi");
	CHECK(read_csr(time) - a >= 20000);
	CHECK_EQ(read_csr(mip) & STIP, STIP);
	CHECK_EQ(TRAP_OF(({ set_csr(mstatus, MIE); clear_csr(mstatus, MIE); })), IRQ | 5);
	write_csr(0x14d, ~0ull);
	write_csr(mie, 0);
}

void isa_main(void)
{
	clint();
	sstc();
}
