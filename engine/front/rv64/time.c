/*
 * Time: the time CSR, the supervisor timer (Sstc) and mip, which depends on it.
 *
 * STIP is what the comparison says at the moment of looking; the timer and the STI line only
 * see to it that somebody looks. So a timer that fires late or on another host CPU, while
 * the guest moves stimecmp, can never invent an interrupt.
 */
#include "engine/front/rv64/rv64.h"

u64 rv64_time(const struct gcpu *g)
{
	return gcpu_now(g) / RV64_TICK_NS;
}

bool rv64_timer_active(const struct gcpu *g)
{
	return !g->firmware || rv64_st(g)->menvcfg & ENVCFG_STCE;
}

static bool timer_due(const struct gcpu *g)
{
	return rv64_time(g) >= rv64_st(g)->stimecmp;
}

/* Arm the timer for stimecmp, or raise the line at once if it is past. */
static void timer_set(struct gcpu *g)
{
	u64 cmp = rv64_st(g)->stimecmp;

	if (timer_due(g))
		gcpu_line(g, IRQ_STI, true);
	else if (cmp < NS_NEVER / RV64_TICK_NS)
		gclock_arm(g->clock, &g->timer, cmp * RV64_TICK_NS);
}

static void timer_fire(struct timer *t)
{
	timer_set(container_of(t, struct gcpu, timer));
}

void rv64_timer_init(struct gcpu *g)
{
	timer_cancel(&g->timer);
	g->timer.fire = timer_fire;
	atomic_fetch_and(&g->lines, ~BIT(IRQ_STI));
}

void rv64_set_stimecmp(struct gcpu *g, u64 v)
{
	rv64_st(g)->stimecmp = v;
	timer_cancel(&g->timer);
	atomic_fetch_and(&g->lines, ~BIT(IRQ_STI));
	if (rv64_timer_active(g))
		timer_set(g);
}

u64 rv64_mip(const struct gcpu *g)
{
	u64 mip = (atomic_load(&g->lines) & (MIP_S | MIP_M) & ~BIT(IRQ_STI)) | rv64_st(g)->mip;

	if (rv64_timer_active(g))
		mip = (mip & ~BIT(IRQ_STI)) | (timer_due(g) ? BIT(IRQ_STI) : 0);
	return mip;
}
