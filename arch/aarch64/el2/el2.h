/*
 * Arm's EL2 as a runner for AArch64 guests at EL1 and EL0: between el2.c (what is shared, the
 * loop), state.c (load and store), gic.c and timer.c, exits.c, sysregs.c.
 *
 * FVP itself runs at EL2 without VHE, so a guest's EL1 registers stay in the CPU for a whole turn:
 * the CPU is *loaded*. General registers, SP_EL0, pc and pstate are exact after each exit.
 */
#pragma once

#include "engine/front/a64/state.h"
#include "mmu/nested.h"

struct el2_machine {			/* what the CPUs of a machine share: g->space->accel */
	struct nested nested;
	u32 vmid;
	u32 cpus;
};

struct el2_cpu {
	/* set once */
	struct gcpu *g;
	struct a64_state *st;
	struct el2_machine *machine;
	/* owning CPU only */
	u64 nested_seen;
	u32 host;			/* CPU that ->nested_seen is of; CPU_MAX: none */
	u64 esr, far, hpfar;		/* at the last exit */
	bool loaded;
	bool ppi_off;			/* the virtual timer's interrupt is disabled on this CPU */
	bool listed;			/* list registers hold interrupts of the guest's */
	u32 lists;			/* how many */
};

/* What becomes of an exit. */
enum el2_next { EL2_AGAIN, EL2_LEAVE };

/* Which vector the guest was left by, as vectors.S counts. */
enum el2_slot { EL2_SYNC = 8, EL2_IRQ = 9, EL2_FIQ = 10, EL2_SERROR = 11 };

/* enter.S: into the guest and back; interrupts are masked. */
u64 el2_enter(struct a64_state *st);

/* state.c */
void el2_load(struct el2_cpu *c);
void el2_store(struct el2_cpu *c);

/* gic.c: list registers. el2_gic_why(): what a runner needs that is missing, or NULL. */
const char *el2_gic_why(void);
void el2_gic_init(void);
void el2_gic_load(struct el2_cpu *c);
void el2_gic_store(struct el2_cpu *c);
/* The guest was left because a list register is free or an interrupt was ended. */
bool el2_gic_wants(void);

/* timer.c: the guest's virtual timer runs while the guest does. */
void el2_timer_turn(struct el2_cpu *c);		/* a turn begins */
void el2_timer_start(struct el2_cpu *c);
void el2_timer_stop(struct el2_cpu *c);

/* exits.c */
enum el2_next el2_exit(struct el2_cpu *c, u64 slot, struct exit *x);
/* An exception of class @class (ESR_ELx.EC) at the present pc, as the CPU would take it. */
void el2_raise(struct el2_cpu *c, u32 class, u32 iss);

/*
 * sysregs.c: MRS or MSR of @reg (A64_SYSREG), trapped. False: UNDEFINED.
 */
bool el2_sysreg(struct el2_cpu *c, u32 reg, bool write, u64 *val);

static inline const struct a64_intc *el2_intc(const struct el2_cpu *c)
{
	return c->g->intc;
}
