/* Traps: delegation, values, returns, vectored mode, priorities, TVM/TW/TSR, MPRV. */
#include "isa.h"

#define CLINT_MSIP (*(volatile u32 *)0x2000000)

static u64 do_ecall(u64 a) { __asm__ volatile("li a7, 0\n ecall" : : : "a7"); return a + 1; }
static u64 do_ebreak(u64 a) { __asm__ volatile(".balign 4\n ebreak"); return a; }
static u64 do_illegal(u64 a) { INSN(0xffffffff); return a; }
static u64 do_load(u64 a) { *(volatile u64 *)a; return 0; }
static u64 do_sret(u64 a) { return TRAP_OF(INSN(0x10200073)) + 0 * a; }
static u64 do_mret(u64 a) { return TRAP_OF(INSN(0x30200073)) + 0 * a; }
static u64 do_wfi(u64 a) { return TRAP_OF(INSN(0x10500073)) + 0 * a; }
static u64 do_sfence(u64 a) { return TRAP_OF(sfence()) + 0 * a; }
static u64 do_satp(u64 a) { return TRAP_OF(read_csr(satp)) + 0 * a; }

/* Who handled what, with which value. */
static void delegation(void)
{
	static const struct { u64 (*fn)(u64); u64 arg, cause[2], tval; } row[] = {
		{ do_ecall, 0, { ECALL_U, ECALL_S }, 0 },
		{ do_illegal, 0, { ILLEGAL, ILLEGAL }, 0xffffffff },
		{ do_load, 16, { LOAD_ACCESS, LOAD_ACCESS }, 16 },
		{ do_ebreak, 0, { BREAKPOINT, BREAKPOINT }, 1 },
	};

	for (u32 i = 0; i < 4; i++)
		for (u64 priv = U; priv <= S; priv++)
			for (u32 delegated = 0; delegated < 2; delegated++) {
				u64 cause = row[i].cause[priv];

				write_csr(medeleg, delegated ? BIT(cause) : 0);
				if (cause == ECALL_S && delegated)
					continue;		/* run_in() itself needs it */
				if (cause == ECALL_U && delegated)
					continue;
				run_in(priv, row[i].fn, row[i].arg);
				CHECK_EQ(trap.cause, cause);
				CHECK_EQ(trap.handler, delegated ? S : M);
				if (row[i].tval != 1)
					CHECK_EQ(trap.tval, row[i].tval);
				CHECK_EQ(delegated ? trap.status >> 8 & 1 : trap.status >> 11 & 3,
					 priv);
			}
	write_csr(medeleg, BIT(ILLEGAL) | BIT(BREAKPOINT));
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);		/* never from M to S */
	CHECK_EQ(trap.handler, M);
	CHECK_EQ(TRAP_OF(__asm__ volatile("li a7, 0\n ecall" : : : "a7")), ECALL_M);
	write_csr(medeleg, 0);
}

static void stacks(void)
{
	clear_csr(mstatus, MIE);
	set_csr(mstatus, MPIE);
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);
	CHECK_EQ(trap.status & (MIE | MPIE | MPP), MPP);	/* MPIE = MIE = 0 */
	CHECK_EQ(read_csr(mstatus) & (MIE | MPIE | MPP), MPIE);	/* after mret: MPP = U */
	set_csr(mstatus, MIE);
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);
	CHECK_EQ(trap.status & (MIE | MPIE), MPIE);
	CHECK_EQ(read_csr(mstatus) & (MIE | MPIE), MIE | MPIE);
	clear_csr(mstatus, MIE);
	/* MPRV is cleared by a return to less than M, kept by one to M */
	set_csr(mstatus, MPRV | MPP);
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);
	CHECK_EQ(read_csr(mstatus) & MPRV, MPRV);
	run_in(U, do_wfi, 0);
	CHECK_EQ(read_csr(mstatus) & MPRV, on_qemu ? MPRV : 0);	/* QEMU 7.2 keeps it */
	clear_csr(mstatus, MPRV);
}

static u64 do_none(u64 a) { return a; }

static void gates(void)
{
	CHECK_EQ(run_in(U, do_mret, 0), ILLEGAL);
	CHECK_EQ(run_in(S, do_mret, 0), ILLEGAL);
	CHECK_EQ(run_in(U, do_sret, 0), ILLEGAL);
	CHECK_EQ(run_in(U, do_sfence, 0), ILLEGAL);
	CHECK_EQ(run_in(S, do_sfence, 0), NO_TRAP);
	CHECK_EQ(run_in(S, do_satp, 0), NO_TRAP);
	set_csr(mstatus, TVM);
	CHECK_EQ(run_in(S, do_sfence, 0), ILLEGAL);
	CHECK_EQ(run_in(S, do_satp, 0), ILLEGAL);
	CHECK_EQ(TRAP_OF(read_csr(satp)), NO_TRAP);
	clear_csr(mstatus, TVM);
	set_csr(mstatus, TSR);
	CHECK_EQ(run_in(S, do_sret, 0), ILLEGAL);
	clear_csr(mstatus, TSR);
	set_csr(mstatus, TW);
	CHECK_EQ(run_in(S, do_wfi, 0), ILLEGAL);
	clear_csr(mstatus, TW);
	CHECK_EQ(run_in(U, do_wfi, 0), ILLEGAL);
	CHECK_EQ(run_in(S, do_none, 42), 42);
}

/* The trap that comes when interrupts are enabled for a moment. */
static u64 open_window(void)
{
	trap.cause = NO_TRAP;
	set_csr(mstatus, MIE);
	clear_csr(mstatus, MIE);
	return trap.cause;
}

/* All pending at once in M-mode: in which order are they taken? */
static void order(void)
{
	static const u64 want[] = { 9, 1, 5 };
	u64 at = 0;

	if (on_qemu)						/* 7.2 takes the lowest number */
		return;
	write_csr(mideleg, 0);
	write_csr(mip, 0x222);
	for (u64 left = 0x222; left; at++) {
		write_csr(mie, left);
		CHECK_EQ(open_window(), IRQ | want[at]);
		left &= ~BIT(want[at]);
	}
	CLINT_MSIP = 1;
	while (!(read_csr(mip) & 8))
		;
	write_csr(mie, 0xaaa);
	CHECK_EQ(open_window(), IRQ | 3);			/* M before S */
	CLINT_MSIP = 0;
	write_csr(mip, 0);
}

static u64 spin(u64 a)
{
	for (volatile int i = 0; i < 1000; i++)
		;
	return a;
}
static u64 spin_enabled(u64 a)
{
	set_csr(sstatus, SIE);
	spin(a);
	clear_csr(sstatus, SIE);
	return a;
}

/* Enables: below the target's privilege an interrupt is always on, at it by xIE, above never. */
static void enables(void)
{
	for (u32 delegated = 0; delegated < 2; delegated++) {
		static const struct { u64 priv; u64 (*fn)(u64); u64 taken[2]; } row[] = {
			{ U, spin, { M, S } }, { S, spin, { M, 0 } }, { S, spin_enabled, { M, S } },
		};

		write_csr(mideleg, delegated ? 2 : 0);
		for (u32 i = 0; i < 3; i++) {
			trap.cause = NO_TRAP;
			trap.handler = 0;
			write_csr(mip, 2);
			write_csr(mie, 2);
			run_in(row[i].priv, row[i].fn, 0);
			CHECK_EQ(trap.handler, row[i].taken[delegated]);
			CHECK_EQ(trap.cause, row[i].taken[delegated] ? IRQ | 1 : NO_TRAP);
			write_csr(mip, 0);
			write_csr(mie, 0);
		}
	}
	write_csr(mideleg, 2);
	write_csr(mip, 2);
	write_csr(mie, 2);
	set_csr(mstatus, SIE);
	CHECK_EQ(open_window(), NO_TRAP);
	clear_csr(mstatus, SIE);
	write_csr(mie, 0);
	write_csr(mip, 0);
	write_csr(mideleg, 0);
}

static void vectored(void)
{
	write_csr(mtvec, (u64)m_vectors | 1);
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);
	CHECK_EQ(trap.vector, 0);				/* exceptions: the base */
	write_csr(mip, 2);
	write_csr(mie, 2);
	CHECK_EQ(open_window(), IRQ | 1);
	CHECK_EQ(trap.vector, 4);
	write_csr(mip, 0x200);
	write_csr(mie, 0x200);
	CHECK_EQ(open_window(), IRQ | 9);
	CHECK_EQ(trap.vector, 36);
	write_csr(mip, 0);
	write_csr(mie, 0);
	write_csr(mtvec, m_vectors);
}

/* An interrupt that an instruction lets through is taken before the next one. */
#define PROMPT(insn, v) ({ u64 at_; trap.cause = NO_TRAP; \
	__asm__ volatile("la %0, 1f\n .balign 64\n nop\n " insn ", %1\n 1: nop\n nop\n nop" \
			 : "=&r"(at_) : "r"((u64)(v)) : "memory"); \
	CHECK_EQ(trap.cause, IRQ | 1); CHECK_EQ(trap.epc, at_); \
	clear_csr(mstatus, MIE); write_csr(mip, 0); write_csr(mie, 0); })

static void prompt(void)
{
	write_csr(mip, 2);
	write_csr(mie, 2);
	PROMPT("csrs mstatus", MIE);
	set_csr(mstatus, MIE);
	write_csr(mie, 2);
	PROMPT("csrs mip", 2);
	set_csr(mstatus, MIE);
	write_csr(mip, 2);
	PROMPT("csrw mie", 2);
	write_csr(mideleg, 2);
	write_csr(mip, 2);
	write_csr(mie, 2);
	set_csr(mstatus, MIE);
	PROMPT("csrc mideleg", 2);
}

/* wfi wakes on pending and enabled, whatever the global enable says. */
static void waiting(void)
{
	clear_csr(mstatus, MIE);
	write_csr(mip, 2);
	write_csr(mie, 2);
	CHECK_EQ(TRAP_OF(INSN(0x10500073)), NO_TRAP);
	write_csr(mip, 0);
	write_csr(mie, 0);
}

static void fetch(void)
{
	CHECK_EQ(TRAP_OF(((void (*)(void))0x1000000)()), FETCH_ACCESS);
	CHECK_EQ(trap.tval, 0x1000000);
	CHECK_EQ(trap.epc, 0x1000000);
	CHECK_EQ(TRAP_OF(((void (*)(void))0x10000000)()), FETCH_ACCESS);	/* a device */
}

void isa_main(void)
{
	delegation();
	stacks();
	gates();
	order();
	enables();
	vectored();
	prompt();
	waiting();
	fetch();
}
