/*
 * The architectural state of an RV64 hart and what machine builders need of it: start
 * registers, the supervisor timer, the ISA string. CSR semantics live in csr.c, traps in
 * trap.c. RISC-V Privileged Architecture 20211203 with Sstc, Svadu, Svinval, Svnapot.
 *
 * Three things are elsewhere: fflags and the rounding mode are gcpu's fp_flags and fp_rm
 * (same bits, same numbers), interrupt pins are gcpu's lines (bits of mip), and so is
 * mip.SSIP, which other harts may set.
 */
#pragma once

#include "engine/gcpu.h"
#include "kernel/base/fmt.h"

#define RV64_TIMEBASE	10000000ull	/* ticks of the time CSR and of mtime per second */
#define RV64_TICK_NS	(NS_PER_SEC / RV64_TIMEBASE)
#define RV64_CBO_BLOCK	64u		/* bytes, for Zicbom and Zicboz */
#define RV64_PMP_COUNT	16

enum rv64_priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Interrupt numbers: bits of mip and of gcpu->lines. */
enum rv64_irq {
	IRQ_SSI = 1, IRQ_MSI = 3, IRQ_STI = 5, IRQ_MTI = 7, IRQ_SEI = 9, IRQ_MEI = 11,
};

struct rv64_state {
	u64 x[32];		/* x[0] is always 0 */
	u64 f[32];		/* single precision is NaN-boxed */
	u64 pc;
	/* machine */
	u64 mstatus, medeleg, mideleg, mie;
	u64 mip;		/* the bits software has set: SEIP, STIP; see rv64_mip() */
	u64 mtvec, mscratch, mepc, mcause, mtval;
	u64 mcounteren, mcountinhibit, menvcfg;
	/* counter less gcpu_icount(), or the counter itself while inhibited */
	u64 mcycle, minstret;
	u64 pmpaddr[RV64_PMP_COUNT];
	/* supervisor */
	u64 stvec, sscratch, sepc, scause, stval;
	u64 scounteren, senvcfg, satp, stimecmp;
	u8 pmpcfg[RV64_PMP_COUNT];
	u8 priv;		/* enum rv64_priv */
	u8 frm;			/* as written, also reserved values */
};

/* Bits of gcpu->features. */
enum rv64_feature_index {
#define RV64_EXT(id, name, on)	RV64_##id##_BIT,
#define RV64_BASE(name)
#define RV64_MODE		RV64_EXT
#include "engine/front/rv64/ext.def"
	RV64_EXT_COUNT
};
enum rv64_feature {
#define RV64_EXT(id, name, on)	RV64_##id = 1 << RV64_##id##_BIT,
#define RV64_BASE(name)
#define RV64_MODE		RV64_EXT
#include "engine/front/rv64/ext.def"
};

/*
 * Make the hart start at @pc with a0 and a1. @machine: in M-mode as after reset. Else in
 * S-mode, MMU off, with everything delegated as SBI firmware leaves it.
 */
void rv64_start(struct gcpu *g, u64 pc, u64 a0, u64 a1, bool machine);

/* The time CSR. */
u64 rv64_time(const struct gcpu *g);
/* Set the supervisor timer: STIP is pending from time @v on. Owning CPU only. */
void rv64_set_stimecmp(struct gcpu *g, u64 v);

/* "rv64imafdc_zicbom_...", for the device tree's riscv,isa. */
void rv64_isa_string(u32 features, struct sink *to);
/* The extensions one by one, for riscv,isa-extensions: NULL after the last. Start with *@at = 0. */
const char *rv64_ext_next(u32 features, u32 *at);
