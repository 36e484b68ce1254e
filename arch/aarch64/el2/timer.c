/*
 * The guest's virtual timer is the CPU's own while the guest runs, so reading and setting it is no
 * exit. Outside it is stopped and the model's comparison (a64_timers) goes on with its values.
 *
 * When it fires, the controller is told, and the physical interrupt stays disabled until the guest
 * has ended the virtual one, which is an exit: else it would fire at once again.
 */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"

static bool ppi_off[CPU_MAX];		/* by host CPU: the interrupt is disabled */

void el2_timer_turn(struct el2_cpu *c)
{
	c->ppi_off = ppi_off[cpu_self->id];
}

static void ppi_switch(struct el2_cpu *c, bool off)
{
	ppi_off[cpu_self->id] = c->ppi_off = off;
	if (off)
		gic_disable(A64_PPI_CNTV);
	else
		gic_enable(A64_PPI_CNTV);
}

void el2_timer_start(struct el2_cpu *c)
{
	const struct a64_state *st = c->st;

	if (unlikely(c->ppi_off != (st->timer_levels & 1)))
		ppi_switch(c, st->timer_levels & 1);
	sysreg_write(cntv_cval_el0, st->cntv_cval);
	sysreg_write(cntv_ctl_el0, st->cntv_ctl);
}

void el2_timer_stop(struct el2_cpu *c)
{
	struct a64_state *st = c->st;
	u32 ctl = (u32)sysreg_read(cntv_ctl_el0), on = A64_TIMER_ENABLE | A64_TIMER_ISTATUS;
	bool fires = (ctl & (on | A64_TIMER_IMASK)) == on;

	sysreg_write(cntv_ctl_el0, 0);
	barrier_isb();
	st->cntv_ctl = ctl & (A64_TIMER_ENABLE | A64_TIMER_IMASK);
	st->cntv_cval = sysreg_read(cntv_cval_el0);
	if (fires != (st->timer_levels & 1))
		a64_timers(c->g);
}
