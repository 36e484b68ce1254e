/*
 * Interrupts while a checksum is computed: of timers every few microseconds, and of software
 * at exact instructions; in every mode; resumed by xret, and by setting every register anew. The
 * checksum must be what it is without them. Also WFI, pending or not.
 */
#include "emit.h"

#define MSIP (*(volatile u32 *)0x2000000)
#define MTIMECMP (*(volatile u64 *)0x2004000)
#define MTIME (*(volatile u64 *)0x200bff8)
#define NEVER (~0ull)
#define read_stimecmp() read_csr(0x14d)
#define write_stimecmp(v) write_csr(0x14d, v)
enum { SSI = 1, MSI = 3, STI = 5, MTI = 7 };

static volatile u64 taken[16], wrong, last_epc;
static u64 pause_of(u64 n)		/* ticks of 100 ns until the next one */
{
	return n % 16 == 0 ? 0 : (n * 2654435761u >> 8) % 100;
}

/* Both say when the next one comes, and count. */
__attribute__((interrupt("machine"), aligned(4))) static void m_interrupt(void)
{
	u64 cause = read_csr(mcause), n = cause & 15;

	last_epc = read_csr(mepc);
	if (cause >> 63 == 0) {			/* none expected: end what runs */
		wrong++;
		MTIMECMP = NEVER;
		write_csr(mepc, last_epc + 2);
		return;
	}
	taken[n]++;
	if (n == MTI)
		MTIMECMP = MTIME + pause_of(taken[n]);
	else if (n == MSI)
		MSIP = 0;
	else
		write_csr(mip, 0);
}

__attribute__((interrupt("supervisor"), aligned(4))) static void s_interrupt(void)
{
	u64 cause = read_csr(scause), n = cause & 15;

	last_epc = read_csr(sepc);
	taken[n]++;
	if (n == STI)
		write_stimecmp(read_csr(time) + pause_of(taken[n]));
	else
		clear_csr(sip, 2);
}

/* Calls, branches, memory, multiplication, floating point. */
__attribute__((noinline)) static u64 twist(u64 v, u64 i) { return v % (i | 1) + (v >> 7 ^ v << 9); }
static u64 checksum(u64 n)
{
	static u64 memory[64];
	u64 sum = n, x = 88172645463325252;
	double f = 1;

	for (u32 i = 0; i < 64; i++)
		memory[i] = i;
	for (u64 i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memory[x & 63] += x * sum;
		sum = (x & 256 ? twist(sum, i) : sum * 3) ^ memory[i & 63];
		f = f * 0.999 + (double)(s64)(x & 0xffff);
	}
	return sum ^ (u64)(s64)f;
}

#define LENGTH 20000
static u64 reference, started;

/* Enough interrupts? It depends on the host how fast they come: two seconds must do. */
static bool enough(u64 count)
{
	return count >= 1000 || MTIME > started + 20000000;
}

static void judge(u64 count)
{
	CHECK_EQ(wrong, 0);
	CHECK(count >= 20);
}

/* The machine's timer, in M-mode. */
static void machine_timer(void)
{
	write_csr(mtvec, m_interrupt);
	taken[MTI] = 0;
	write_csr(mie, BIT(MTI));
	started = MTIME;
	MTIMECMP = 0;
	set_csr(mstatus, MIE);
	do
		CHECK_EQ(checksum(LENGTH), reference);
	while (!enough(taken[MTI]));
	clear_csr(mstatus, MIE);
	MTIMECMP = NEVER;
	judge(taken[MTI]);
	write_csr(mie, 0);
	write_csr(mtvec, m_vectors);
}

/* In S and U with the supervisor's, delegated. */
static u64 checksum_open(u64 n)
{
	u64 r;

	set_csr(sstatus, SIE);
	r = checksum(n);
	clear_csr(sstatus, SIE);
	return r;
}
static void supervisor_timer(void)
{
	write_csr(0x30a, BIT(63));				/* menvcfg.STCE */
	write_csr(mcounteren, 7);
	write_csr(scounteren, 7);
	write_csr(stvec, s_interrupt);
	write_csr(mideleg, BIT(STI) | BIT(SSI));
	taken[STI] = 0;
	write_stimecmp(0);
	write_csr(mie, BIT(STI));
	started = MTIME;
	do {
		CHECK_EQ(run_in(S, checksum_open, LENGTH), reference);
		CHECK_EQ(run_in(U, checksum, LENGTH), reference);
	} while (!enough(taken[STI]));
	judge(taken[STI]);
	write_stimecmp(NEVER);
	write_csr(mie, 0);
	write_csr(stvec, s_vectors);
}

/* Stopped by each interrupt, every register stored and set again, in each mode. */
static u64 resume(u64 priv, u64 *count)
{
	static u64 stack[512];
	static struct regs r;
	u64 cause, pc = (u64)checksum;
	static u32 stop[] = { EBREAK };

	fence_i();
	r.x[1] = (u64)stop;
	r.x[2] = (u64)(stack + 512);
	r.x[3] = read_csr(mscratch);
	r.x[10] = LENGTH;
	write_csr(mie, BIT(MTI));
	MTIMECMP = 0;
	do {
		u64 status = read_csr(mstatus) & ~MPP;

		cause = probe(&r, &r, pc, status | priv << 11 | MPIE);
		pc = r.epc;
		MTIMECMP = MTIME + pause_of(++*count);
	} while (cause == (IRQ | MTI));
	MTIMECMP = NEVER;
	write_csr(mie, 0);
	CHECK_EQ(cause, BREAKPOINT);
	return r.x[10];
}
static void resumed(u64 priv)
{
	u64 count = 0;

	started = MTIME;
	do
		CHECK_EQ(resume(priv, &count), reference);
	while (!enough(count));
	judge(count);
}

/*
 * A loop that raises SSIP itself: one interrupt each time, before the next instruction. So with
 * each other way to let one in.
 */
static u64 at_once(u64 rounds)
{
	u64 bad = 0, at_raise, at_enable, before = taken[SSI];

	for (u64 i = 0; i < rounds; i++) {
		__asm__ volatile("la %0, 1f\n la %1, 2f\n csrsi sstatus, 2\n csrsi sip, 2\n 1: nop"
				 : "=&r"(at_raise), "=&r"(at_enable) : : "memory");
		bad += last_epc != at_raise || taken[SSI] != before + 2 * i + 1;
		__asm__ volatile("csrci sstatus, 2\n csrsi sip, 2\n addi t0, x0, 5\n"
				 "csrsi sstatus, 2\n 2: nop" : : : "t0", "memory");
		bad += last_epc != at_enable || taken[SSI] != before + 2 * i + 2;
	}
	clear_csr(sstatus, SIE);
	return bad;
}

static void software(void)
{
	u64 bad = 0;

	write_csr(stvec, s_interrupt);
	write_csr(mideleg, BIT(SSI));
	write_csr(mie, BIT(SSI));
	CHECK_EQ(run_in(S, at_once, 3000), 0);
	write_csr(mideleg, 0);
	write_csr(stvec, s_vectors);
	write_csr(mtvec, m_interrupt);
	write_csr(mie, BIT(MSI));
	set_csr(mstatus, MIE);
	taken[MSI] = 0;
	for (u32 i = 0; i < 2000; i++) {
		u64 tries = 0;

		MSIP = 1;
		while (taken[MSI] == i && tries < 10000000)
			tries++;
		bad += taken[MSI] != i + 1;
	}
	CHECK_EQ(bad, 0);
	clear_csr(mstatus, MIE);
	write_csr(mie, 0);
	write_csr(mtvec, m_vectors);
}

/* Sleep until a timer, or not at all because something is pending; enabled globally or not. */
static void waiting(void)
{
	u64 bad = 0, start;

	write_csr(mtvec, m_interrupt);
	for (u32 i = 0; i < 400; i++) {
		bool open = i & 1;

		taken[MTI] = 0;
		write_csr(mie, BIT(MTI));
		if (open)
			set_csr(mstatus, MIE);
		start = MTIME;
		MTIMECMP = start + i % 50;
		while (MTIME < start + i % 50 && (!open || !taken[MTI]))
			__asm__ volatile("wfi");
		bad += open ? !taken[MTI] && MTIME < start : MTIME < start + i % 50;
		clear_csr(mstatus, MIE);
		MTIMECMP = NEVER;
		write_csr(mie, BIT(MSI));
		MSIP = 1;
		while (!(read_csr(mip) & BIT(MSI)))
			;
		__asm__ volatile("wfi");			/* pending: goes on */
		MSIP = 0;
	}
	CHECK_EQ(bad, 0);
	write_csr(mie, 0);
	write_csr(mtvec, m_vectors);
}

void isa_main(void)
{
	MTIMECMP = NEVER;
	reference = checksum(LENGTH);
	machine_timer();
	if (!(TRAP_OF(read_stimecmp()) == ILLEGAL))
		supervisor_timer();
	resumed(M);
	resumed(S);
	resumed(U);
	software();
	waiting();
}
