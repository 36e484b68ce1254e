/*
 * The generic timer of a CPU: the virtual and the physical comparator of EL1. Arm ARM, D11.2.
 *
 * The counter is guest time, so it stands still while the VM does. The host's timer only sees to it
 * that somebody looks: it raises A64_LINE_TIMER, and the CPU itself compares, in a64_timers().
 */
#include "engine/front/a64/a64.h"

u64 a64_count(const struct gcpu *g)
{
	u64 hz = a64_st(g)->cntfrq;
	ns_t now = gcpu_now(g);

	return now / NS_PER_SEC * hz + now % NS_PER_SEC * hz / NS_PER_SEC;
}

/* Guest time when the physical count reaches @ticks. */
static ns_t count_to_ns(const struct gcpu *g, u64 ticks)
{
	u64 hz = a64_st(g)->cntfrq, seconds = ticks / hz;

	if (seconds >= NS_NEVER / NS_PER_SEC - 1)
		return NS_NEVER;
	return seconds * NS_PER_SEC + (ticks % hz * NS_PER_SEC + hz - 1) / hz;
}

/*
 * The level of one comparator's interrupt; if it is yet to rise, *next comes down to when it does.
 * A count that would wrap first never gets there: that takes centuries.
 */
static bool timer_level(const struct gcpu *g, u32 ctl, u64 cval, u64 offset, ns_t *next)
{
	u64 count = a64_count(g) - offset;
	ns_t at;

	if ((ctl & (A64_TIMER_ENABLE | A64_TIMER_IMASK)) != A64_TIMER_ENABLE)
		return false;
	if (count >= cval)
		return true;
	at = cval - count > UINT64_MAX - a64_count(g) ? NS_NEVER :
							count_to_ns(g, cval + offset);
	*next = MIN(*next, at);
	return false;
}

void a64_timers(struct gcpu *g)
{
	static const u8 intid[] = { A64_PPI_CNTV, A64_PPI_CNTP };
	struct a64_state *st = a64_st(g);
	const struct a64_intc *intc = g->intc;
	ns_t next = NS_NEVER;
	bool level[2];

	atomic_fetch_and(&g->lines, ~BIT(A64_LINE_TIMER));
	level[0] = timer_level(g, st->cntv_ctl, st->cntv_cval, st->cntvoff, &next);
	level[1] = timer_level(g, st->cntp_ctl, st->cntp_cval, 0, &next);
	for (u32 i = 0; i < ARRAY_LEN(level); i++) {
		if (!!(st->timer_levels & BIT(i)) == level[i])
			continue;
		st->timer_levels ^= (u8)BIT(i);
		if (intc)
			intc->ppi(g->intc_ctl, g->index, intid[i], level[i]);
	}
	if (next != NS_NEVER)
		gclock_arm(g->clock, &g->timer, next);
}

static void timer_fire(struct timer *t)
{
	gcpu_line(container_of(t, struct gcpu, timer), A64_LINE_TIMER, true);
}

void a64_timer_init(struct gcpu *g)
{
	timer_cancel(&g->timer);
	g->timer.fire = timer_fire;
	atomic_fetch_and(&g->lines, ~BIT(A64_LINE_TIMER));
}
