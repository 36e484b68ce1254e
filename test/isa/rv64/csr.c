/* CSRs: what can be written, who may, counters. */
#include "isa.h"

/* Write ones, then zeros; the bits that changed. Leaves the old value. */
#define WRITABLE(csr) ({ u64 old_ = read_csr(csr), one_, zero_; \
	write_csr(csr, ~0ull); one_ = read_csr(csr); \
	write_csr(csr, 0); zero_ = read_csr(csr); \
	write_csr(csr, old_); one_ ^ zero_; })

static void masks(void)
{
	CHECK_EQ(WRITABLE(mscratch), ~0ull);
	CHECK_EQ(WRITABLE(sscratch), ~0ull);
	CHECK_EQ(WRITABLE(mtval), ~0ull);
	CHECK_EQ(WRITABLE(stval), ~0ull);
	CHECK_EQ(WRITABLE(mideleg) & 0xaaa, 0x222);
	CHECK_EQ(WRITABLE(medeleg) & 0xb1ff, 0xb1ff);
	if (!on_qemu) {
		CHECK_EQ(WRITABLE(mepc), ~1ull);
		CHECK_EQ(WRITABLE(sepc), ~1ull);
		CHECK_EQ(WRITABLE(mie), 0xaaa);
		CHECK_EQ(WRITABLE(mideleg), 0x222);
		CHECK_EQ(WRITABLE(medeleg), 0xb3ff);
		CHECK_EQ(WRITABLE(mtvec) & 2, 0);
		CHECK_EQ(WRITABLE(mcounteren), 7);
		CHECK_EQ(WRITABLE(scounteren), 7);
		CHECK_EQ(WRITABLE(mcountinhibit), 5);
		CHECK_EQ(WRITABLE(0x30a), BIT(63) | 0xf1);	/* menvcfg */
		CHECK_EQ(WRITABLE(misa), 0);
	}
	CHECK_EQ(read_csr(misa) >> 62, 2);
	CHECK_EQ(read_csr(misa) & 0x14112d, 0x14112d);
	CHECK_EQ(read_csr(mhartid), 0);
}

static void status(void)
{
	u64 old = read_csr(mstatus);

	CHECK_EQ(old >> 32 & 0xf, 0xa);				/* UXL = SXL = 64 */
	write_csr(mstatus, 0);
	CHECK_EQ(read_csr(mstatus), 0xa00000000);
	set_csr(mstatus, MPP);
	CHECK_EQ(read_csr(mstatus) & MPP, MPP);
	if (!on_qemu) {
		write_csr(mstatus, (old & ~MPP) | BIT(12));	/* no privilege 2 */
		CHECK_EQ(read_csr(mstatus) & MPP, MPP);
	}
	write_csr(mstatus, ~0ull & ~MPRV);
	CHECK_EQ(read_csr(mstatus) & 0x7e79aa & ~MPRV, 0x7e79aa & ~MPRV);
	CHECK_EQ(read_csr(sstatus) & 0xc0122 & 0xfffff, 0xc0122);
	CHECK_EQ(read_csr(sstatus) & (MIE | MPIE | MPP | MPRV | TVM | TW | TSR), 0);
	write_csr(sstatus, 0);
	CHECK_EQ(read_csr(mstatus) & (SIE | SPIE | SPP | FS | SUM | MXR), 0);
	CHECK_EQ(read_csr(mstatus) & (TVM | TW | TSR), TVM | TW | TSR);
	write_csr(mstatus, old);
}

#define CSRRCI(csr, n) ({ u64 v_; __asm__ volatile("csrrci %0, " #csr ", " #n : "=r"(v_) \
						  : : "memory"); v_; })

/* Clearing bits of sstatus by an immediate: what is seen before, and what is left. */
static void status_cleared(void)
{
	u64 old = read_csr(mstatus);

	for (u64 fs = 0; fs <= FS; fs += FS & -FS) {
		u64 seen = fs | 2ull << 32 | (fs == FS ? BIT(63) : 0);
		u64 set = (old & ~(FS | MIE | MPP)) | fs | SIE | SPIE | SPP | SUM | MXR;

		write_csr(mstatus, set);
		CHECK_EQ(CSRRCI(sstatus, 0), seen | SIE | SPIE | SPP | SUM | MXR);
		CHECK_EQ(CSRRCI(sstatus, 1), seen | SIE | SPIE | SPP | SUM | MXR);
		CHECK_EQ(CSRRCI(sstatus, 2), seen | SIE | SPIE | SPP | SUM | MXR);
		CHECK_EQ(CSRRCI(sstatus, 31), seen | SPIE | SPP | SUM | MXR);
		CHECK_EQ(read_csr(mstatus) & 0x7fffff, set & 0x7fffff & ~SIE);
		set_csr(mstatus, SIE | MIE);
		__asm__ volatile("csrci sstatus, 31" : : : "memory");
		CHECK_EQ(read_csr(sstatus), seen | SPIE | SPP | SUM | MXR);
		CHECK_EQ(read_csr(mstatus) & MIE, MIE);
	}
	write_csr(mstatus, old);
}

static void interrupts(void)
{
	write_csr(mideleg, 0);
	write_csr(mie, ~0ull);
	CHECK_EQ(read_csr(sie), 0);
	CHECK_EQ(read_csr(sip), 0);
	write_csr(mideleg, 0x222);
	CHECK_EQ(read_csr(sie) & 0xfff, 0x222);
	write_csr(sie, 0);
	CHECK_EQ(read_csr(mie) & 0xaaa, 0x888);
	write_csr(mie, 0);
	write_csr(mip, 0x222);
	CHECK_EQ(read_csr(mip) & 0x222, 0x222);
	write_csr(sip, 0);
	CHECK_EQ(read_csr(mip) & 0x222, 0x220);			/* only SSIP is S's to clear */
	write_csr(mideleg, 0);
	set_csr(mip, 2);
	write_csr(sip, 0);
	CHECK_EQ(read_csr(mip) & 2, 2);
	write_csr(mip, 0);
	CHECK_EQ(read_csr(mip) & 0x222, 0);
}

static void translation(void)
{
	u64 keep = 8ull << 60 | 0x1234;

	write_csr(satp, 8ull << 60 | 0xffffull << 44);
	CHECK_EQ(read_csr(satp) >> 44 & 0xffff, 0xffff);	/* ASIDLEN */
	for (u64 mode = 0; mode < 16; mode++) {
		bool legal = mode == 0 || mode == 8, optional = mode == 9 || mode == 10;

		write_csr(satp, keep);
		write_csr(satp, mode << 60 | 0x77);
		if (optional && read_csr(satp) != keep)
			legal = true;
		CHECK_EQ(read_csr(satp), legal ? mode << 60 | 0x77 : keep);
	}
	write_csr(satp, 0);
}

static void access(void)
{
	CHECK_EQ(TRAP_OF(write_csr(cycle, 0)), ILLEGAL);	/* read-only */
	CHECK_EQ(TRAP_OF(swap_csr(mhartid, 0)), ILLEGAL);
	CHECK_EQ(TRAP_OF(__asm__ volatile("csrrs a0, mhartid, x0" : : : "a0")), NO_TRAP);
	CHECK_EQ(TRAP_OF(__asm__ volatile("csrrsi a0, mhartid, 0" : : : "a0")), NO_TRAP);
	CHECK_EQ(TRAP_OF(INSN(0xf1405573)), ILLEGAL);		/* csrrwi 0 */
	CHECK_EQ(trap.tval, 0xf1405573);
	CHECK_EQ(TRAP_OF(read_csr(0xc80)), ILLEGAL);		/* cycleh is RV32's */
	CHECK_EQ(TRAP_OF(read_csr(0x3a1)), ILLEGAL);		/* odd pmpcfg too */
	CHECK_EQ(TRAP_OF(read_csr(0x5c0)), ILLEGAL);
	CHECK_EQ(TRAP_OF(read_csr(0x800)), ILLEGAL);
	CHECK_EQ(swap_csr(mscratch, 5) * 0 + swap_csr(mscratch, 6), 5);
	CHECK_EQ(read_csr(mscratch), 6);
}

static u64 read_cycle(u64 a) { (void)a; return TRAP_OF(read_csr(cycle)); }
static u64 read_time(u64 a) { (void)a; return TRAP_OF(read_csr(time)); }
static u64 read_instret(u64 a) { (void)a; return TRAP_OF(read_csr(instret)); }
static u64 read_hpm(u64 a) { (void)a; return TRAP_OF(read_csr(hpmcounter3)); }
static u64 read_mstatus(u64 a) { (void)a; return TRAP_OF(read_csr(mstatus)); }
static u64 read_sscratch(u64 a) { (void)a; return TRAP_OF(read_csr(sscratch)); }

static void gates(void)
{
	static u64 (*const read[3])(u64) = { read_cycle, read_time, read_instret };

	for (u32 m = 0; m < 8; m++)
		for (u32 s = 0; s < 8; s++) {
			write_csr(mcounteren, m);
			write_csr(scounteren, s);
			for (u32 i = 0; i < 3; i++) {
				CHECK_EQ(run_in(S, read[i], 0), m >> i & 1 ? NO_TRAP : ILLEGAL);
				CHECK_EQ(run_in(U, read[i], 0),
					 m >> i & s >> i & 1 ? NO_TRAP : ILLEGAL);
			}
		}
	if (!on_qemu)
		CHECK_EQ(run_in(S, read_hpm, 0), ILLEGAL);
	CHECK_EQ(run_in(S, read_mstatus, 0), ILLEGAL);
	CHECK_EQ(run_in(S, read_sscratch, 0), NO_TRAP);
	CHECK_EQ(run_in(U, read_sscratch, 0), ILLEGAL);
}

static void counters(void)
{
	u64 a, b;

	if (on_qemu)						/* counts only with -icount */
		return;
	__asm__ volatile("csrr %0, instret\n nop\n nop\n csrr %1, instret" : "=r"(a), "=r"(b));
	CHECK_EQ(b - a, 3);
	__asm__ volatile("csrw minstret, %1\n csrr %0, minstret" : "=r"(a) : "r"(1000ull));
	CHECK_EQ(a, 1000);
	__asm__ volatile("csrw mcycle, %1\n nop\n csrr %0, mcycle" : "=r"(a) : "r"(~0ull));
	CHECK_EQ(a, 0);
	write_csr(mcountinhibit, 4);
	a = read_csr(minstret);
	CHECK_EQ(read_csr(instret), a);
	write_csr(minstret, 77);
	CHECK_EQ(read_csr(minstret), 77);
	a = read_csr(cycle);
	CHECK(read_csr(cycle) > a);
	write_csr(mcountinhibit, 0);
	CHECK(read_csr(minstret) >= 77 && read_csr(minstret) < 300);
	CHECK_EQ(read_csr(mhpmcounter3), 0);
	CHECK_EQ(read_csr(hpmcounter31), 0);
}

/* Wherever in a block an instruction traps, those before it have retired and it has not. */
#define INSTRET_AROUND(before, insn, after) ({ u64 a_, b_; __asm__ volatile( \
	".balign 64\n csrr %0, instret\n .rept " #before "\n addi x0, x0, 1\n .endr\n" insn \
	"\n .rept " #after "\n addi x0, x0, 1\n .endr\n csrr %1, instret" \
	: "=&r"(a_), "=r"(b_) : "r"(8) : "memory"); b_ - a_; })

static void retired(void)
{
	u64 trapped;

	if (on_qemu)
		return;
	trapped = INSTRET_AROUND(0, "ld x0, 0(%2)", 9);
	CHECK_EQ(INSTRET_AROUND(4, "ld x0, 0(%2)", 5), trapped);
	CHECK_EQ(INSTRET_AROUND(9, "ld x0, 0(%2)", 0), trapped);
	CHECK_EQ(INSTRET_AROUND(5, "sd x0, 0(%2)", 4), trapped);
	CHECK_EQ(INSTRET_AROUND(3, "amoadd.d x0, x0, (%2)", 6), trapped);
	CHECK_EQ(INSTRET_AROUND(8, ".4byte 0xffffffff", 1), trapped);
	CHECK_EQ(INSTRET_AROUND(2, "csrw cycle, x0", 7), trapped);
	CHECK_EQ(INSTRET_AROUND(4, "beq x0, %2, 1f\n beq x0, x0, 1f\n nop\n 1: nop", 2), 10);
}

void isa_main(void)
{
	masks();
	status();
	status_cleared();
	interrupts();
	translation();
	access();
	gates();
	counters();
	retired();
}
