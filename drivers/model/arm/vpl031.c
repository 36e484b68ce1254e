/*
 * Arm PrimeCell real-time clock (PL031), as on QEMU's virt: seconds since 1970 in 32 bits, and one
 * alarm. Technical reference manual DDI 0224, chapter 3.
 *
 * The time is wall time at reset plus guest time, so it stands still while the VM is paused; with a
 * clock that counts instructions, wall time at reset is GCLOCK_EPOCH. The alarm goes off when the
 * counter becomes equal to the match register, the first time as well as 2^32 seconds later.
 */
#include "arch/clock.h"
#include "drivers/model/arm/primecell.h"
#include "drivers/model/model.h"
#include "kernel/base/timer.h"

#define PERIPH_ID	0x00041031u
#define HORIZON_TICKS	(1u << 31)	/* decades; later alarms do not fire */

enum { RTC_DR = 0x00, RTC_MR = 0x04, RTC_LR = 0x08, RTC_CR = 0x0c, RTC_IMSC = 0x10,
       RTC_RIS = 0x14, RTC_MIS = 0x18, RTC_ICR = 0x1c };

struct vpl031 {
	u64 base;		/* wall time in ns = guest time + base */
	u32 match, load;
	bool armed;		/* the match register was written and its time is yet to come */
	bool pending, enabled;
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

static const struct field vpl031_fields[] = {
	FIELD(struct vpl031, base),
	FIELD(struct vpl031, match),
	FIELD(struct vpl031, load),
	FIELD(struct vpl031, armed),
	FIELD(struct vpl031, pending),
	FIELD(struct vpl031, enabled),
	{ NULL },
};

static u64 vpl031_ns(const struct dev *d)
{
	const struct vpl031 *r = d->state;

	return gclock_now(d->clock) + r->base;
}

static u32 vpl031_now(const struct dev *d)
{
	return (u32)(vpl031_ns(d) / NS_PER_SEC);
}

/* Ring if it is time, see to it that somebody looks when it will be, drive the interrupt. */
static void vpl031_update(struct dev *d)
{
	struct vpl031 *r = d->state;
	u32 left = r->match - vpl031_now(d);

	if (r->armed && (!left || left > HORIZON_TICKS)) {
		r->pending |= !left;
		r->armed = false;
	}
	if (r->armed)
		gclock_arm(d->clock, &r->timer,
			   (vpl031_ns(d) / NS_PER_SEC + left) * NS_PER_SEC - r->base);
	irq_set(&d->irq, r->pending && r->enabled);
}

/* A timer that fires late must not miss its second. */
static void vpl031_fire(struct timer *t)
{
	struct vpl031 *r = container_of(t, struct vpl031, timer);

	lock_take(r->dev->lock);
	if (r->armed && vpl031_now(r->dev) - r->match < HORIZON_TICKS) {
		r->pending = true;
		r->armed = false;
	}
	vpl031_update(r->dev);
	lock_drop(r->dev->lock);
}

static u64 vpl031_read(struct dev *d, u64 off, u32 len)
{
	const struct vpl031 *r = d->state;

	if (len != 4)
		return 0;
	switch (off) {
	case RTC_DR: return vpl031_now(d);
	case RTC_MR: return r->match;
	case RTC_LR: return r->load;
	case RTC_CR: return 1;			/* it cannot be stopped */
	case RTC_IMSC: return r->enabled;
	case RTC_RIS: return r->pending;
	case RTC_MIS: return r->pending && r->enabled;
	}
	return primecell_id(off, PERIPH_ID);
}

static void vpl031_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vpl031 *r = d->state;

	if (len != 4)
		return;
	switch (off) {
	case RTC_MR:
		r->match = (u32)val;
		r->armed = true;
		break;
	case RTC_LR:
		r->load = (u32)val;
		r->base += (u64)(s64)(s32)(r->load - vpl031_now(d)) * NS_PER_SEC;
		r->armed = true;
		break;
	case RTC_IMSC: r->enabled = val & 1; break;
	case RTC_ICR: r->pending = r->pending && !(val & 1); break;
	}
	vpl031_update(d);
}

static void vpl031_reset(struct dev *d)
{
	struct vpl031 *r = d->state;
	u64 wall = gclock_counts(d->clock) ? GCLOCK_EPOCH : arch_wall_seconds();

	r->base = wall * NS_PER_SEC - gclock_now(d->clock);
	r->match = r->load = 0;
	r->armed = r->pending = r->enabled = false;
	irq_set(&d->irq, false);
}

static err_t vpl031_attach(struct dev *d)
{
	struct vpl031 *r = d->state;

	r->timer.fire = vpl031_fire;
	r->dev = d;
	return OK;
}

static void vpl031_detach(struct dev *d)
{
	struct vpl031 *r = d->state;

	timer_cancel(&r->timer);
}

const struct model vpl031_model = {
	.name = "vpl031",
	.compatible = "arm,pl031",
	.state_size = sizeof(struct vpl031),
	.fields = vpl031_fields,
	.attach = vpl031_attach,
	.detach = vpl031_detach,
	.reset = vpl031_reset,
	.read = vpl031_read,
	.write = vpl031_write,
};
