/* The guest's EL1 and floating-point registers, into the CPU and back. */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/sysreg.h"

/* Member and register have the same name, but for the level. */
#define REGISTERS(X) \
	X(sp_el1, sp_el1) X(sctlr, sctlr_el1) X(actlr, actlr_el1) X(cpacr, cpacr_el1) \
	X(ttbr0, ttbr0_el1) X(ttbr1, ttbr1_el1) X(tcr, tcr_el1) X(esr, esr_el1) X(far, far_el1) \
	X(afsr0, afsr0_el1) X(afsr1, afsr1_el1) X(mair, mair_el1) X(amair, amair_el1) \
	X(vbar, vbar_el1) X(elr, elr_el1) X(spsr, spsr_el1) X(par, par_el1) \
	X(contextidr, contextidr_el1) X(tpidr_el0, tpidr_el0) X(tpidrro_el0, tpidrro_el0) \
	X(tpidr_el1, tpidr_el1) X(csselr, csselr_el1) X(cntkctl, cntkctl_el1)

#define VECTORS(X) \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
	X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) \
	X(30) X(31)

static void vectors_load(const struct a64_state *st)
{
#define X(n) __asm__ volatile(".arch_extension fp\n ldr q" #n ", [%0]" :: "r"(st->v[n]) : "memory");
	VECTORS(X)
#undef X
	sysreg_write(fpcr, st->fpcr);
	sysreg_write(fpsr, st->fpsr);
}

/* Translated code expects its own rounding mode: what start_mmu sets. */
static void vectors_store(struct a64_state *st)
{
#define X(n) __asm__ volatile(".arch_extension fp\n str q" #n ", [%0]" :: "r"(st->v[n]) : "memory");
	VECTORS(X)
#undef X
	st->fpcr = (u32)sysreg_read(fpcr);
	st->fpsr = (u32)sysreg_read(fpsr);
	sysreg_write(fpcr, 0);
	sysreg_write(fpsr, 0);
}

void el2_load(struct el2_cpu *c)
{
	const struct a64_state *st = c->st;

#define X(member, name) sysreg_write(name, st->member);
	REGISTERS(X)
#undef X
	vectors_load(st);
}

void el2_store(struct el2_cpu *c)
{
	struct a64_state *st = c->st;

#define X(member, name) st->member = sysreg_read(name);
	REGISTERS(X)
#undef X
	vectors_store(st);
}

_Static_assert(offsetof(struct a64_state, sp_el0) == 31 * 8 &&
	       offsetof(struct a64_state, pc) == 33 * 8 &&
	       offsetof(struct a64_state, pstate) == 34 * 8, "enter.S knows them");
