/*
 * The local APICs' timers: one-shot, periodic, TSC deadline. Intel SDM volume 3A, section 11.5.4.
 *
 * All three are one number, the guest time at which the timer expires. A timer that is stopped
 * leaves its host timer armed: that finds nothing to do.
 */
#include "drivers/model/x86/vlapic.h"

#define PERIOD_LEAST	(10 * NS_PER_US)	/* a guest's timer shall not starve the host */
#define HORIZON		(NS_PER_SEC << 32)	/* a century: timers beyond are not armed */

static u32 lapic_divider_shift(const u32 *reg)
{
	u32 dcr = reg[REG_DCR];

	return ((dcr & 3) + (dcr >> 1 & 4) + 1) & 7;
}

static void lapic_timer_expire(struct dev *d, u32 cpu, ns_t now)
{
	struct vlapic *a = d->state;
	const u32 *reg = lapic_regs(d, cpu);
	u64 period = MAX((u64)reg[REG_TMICT] << lapic_divider_shift(reg), 1);

	if ((reg[REG_LVT_TIMER] & LVT_MODES) == LVT_PERIODIC) {
		u64 next = a->due[cpu] + ((now - a->due[cpu]) / period + 1) * period;

		a->due[cpu] = MAX(next, now + PERIOD_LEAST);
	} else {
		lapic_timer_stop(d, cpu);
	}
	lapic_local(d, cpu, REG_LVT_TIMER);
}

static void lapic_timer_update(struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;
	ns_t now = gclock_now(d->clock);

	if (a->due[cpu] <= now)
		lapic_timer_expire(d, cpu, now);
	if (a->due[cpu] != NS_NEVER && a->due[cpu] - now < HORIZON)
		gclock_arm(d->clock, &a->timer[cpu].timer, a->due[cpu]);
}

void lapic_timer_fire(struct timer *t)
{
	struct lapic_timer *l = container_of(t, struct lapic_timer, timer);

	lock_take(l->dev->lock);
	lapic_timer_update(l->dev, l->cpu);
	lock_drop(l->dev->lock);
}

u32 lapic_timer_count(const struct dev *d, u32 cpu)
{
	const struct vlapic *a = d->state;
	const u32 *reg = lapic_regs(d, cpu);
	ns_t now = gclock_now(d->clock);

	if (lapic_has_deadline(reg) || a->due[cpu] == NS_NEVER || a->due[cpu] <= now)
		return 0;
	return (u32)MIN((a->due[cpu] - now) >> lapic_divider_shift(reg), reg[REG_TMICT]);
}

/* Count down from @count, of which TMICT is the whole. */
void lapic_timer_start(struct dev *d, u32 cpu, u32 count)
{
	struct vlapic *a = d->state;
	u64 ns = (u64)count << lapic_divider_shift(lapic_regs(d, cpu));

	a->due[cpu] = count ? gclock_now(d->clock) + ns : NS_NEVER;
	lapic_timer_update(d, cpu);
}

void lapic_timer_stop(struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;

	a->due[cpu] = NS_NEVER;
	a->deadline[cpu] = 0;
}

void lapic_write_deadline(struct dev *d, u32 cpu, u64 tsc)
{
	const struct lapic_board *b = lapic_board(d);
	struct vlapic *a = d->state;

	if (!lapic_has_deadline(lapic_regs(d, cpu)))
		return;
	a->deadline[cpu] = tsc;
	a->due[cpu] = !tsc ? NS_NEVER : b->tsc_time ? b->tsc_time(b->ctx, cpu, tsc) : tsc;
	lapic_timer_update(d, cpu);
}
