/*
 * Goldfish real-time clock, as on QEMU's virt: nanoseconds since 1970 in two halves, and
 * one alarm. Android emulator documentation, GOLDFISH-VIRTUAL-HARDWARE, "Goldfish timer".
 *
 * Reading TIME_LOW latches TIME_HIGH. The time is wall time at reset plus guest time, so it
 * stands still while the VM is paused, like every other clock of the guest. With a clock that
 * counts instructions, wall time at reset is GCLOCK_EPOCH.
 */
#include "arch/clock.h"
#include "drivers/model/model.h"
#include "kernel/base/timer.h"

enum {
	RTC_TIME_LOW = 0x00,
	RTC_TIME_HIGH = 0x04,
	RTC_ALARM_LOW = 0x08,		/* writing it arms the alarm: write ALARM_HIGH first */
	RTC_ALARM_HIGH = 0x0c,
	RTC_IRQ_ENABLED = 0x10,
	RTC_CLEAR_ALARM = 0x14,
	RTC_ALARM_STATUS = 0x18,
	RTC_CLEAR_INTERRUPT = 0x1c,
};

#define ALARM_HORIZON	(NS_PER_SEC << 32)	/* a century; later alarms do not fire */

struct vgoldfish_rtc {
	u64 base;		/* wall time in ns = guest time + base */
	u64 alarm;		/* wall time in ns */
	u32 time_high;		/* latched */
	bool armed, pending, enabled;
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

static const struct field vgoldfish_rtc_fields[] = {
	FIELD(struct vgoldfish_rtc, base),
	FIELD(struct vgoldfish_rtc, alarm),
	FIELD(struct vgoldfish_rtc, time_high),
	FIELD(struct vgoldfish_rtc, armed),
	FIELD(struct vgoldfish_rtc, pending),
	FIELD(struct vgoldfish_rtc, enabled),
	{ NULL },
};

static u64 vgoldfish_rtc_now(const struct dev *d)
{
	const struct vgoldfish_rtc *r = d->state;

	return gclock_now(d->clock) + r->base;
}

/* Fire a due alarm, arm the timer for a later one unless that is ages away, drive the interrupt. */
static void vgoldfish_rtc_update(struct dev *d)
{
	struct vgoldfish_rtc *r = d->state;
	u64 now = vgoldfish_rtc_now(d);

	if (r->armed && r->alarm <= now) {
		r->armed = false;
		r->pending = true;
	}
	if (r->armed && r->alarm - now < ALARM_HORIZON)
		gclock_arm(d->clock, &r->timer, r->alarm - r->base);
	irq_set(&d->irq, r->pending && r->enabled);
}

static void vgoldfish_rtc_fire(struct timer *t)
{
	struct vgoldfish_rtc *r = container_of(t, struct vgoldfish_rtc, timer);

	lock_take(r->dev->lock);
	vgoldfish_rtc_update(r->dev);
	lock_drop(r->dev->lock);
}

static u64 vgoldfish_rtc_read(struct dev *d, u64 off, u32 len)
{
	struct vgoldfish_rtc *r = d->state;
	u64 now;

	if (len != 4)
		return 0;
	switch (off) {
	case RTC_TIME_LOW:
		now = vgoldfish_rtc_now(d);
		r->time_high = (u32)(now >> 32);
		return (u32)now;
	case RTC_TIME_HIGH: return r->time_high;
	case RTC_ALARM_LOW: return (u32)r->alarm;
	case RTC_ALARM_HIGH: return r->alarm >> 32;
	case RTC_IRQ_ENABLED: return r->enabled;
	case RTC_ALARM_STATUS: return r->armed;
	}
	return 0;
}

static u64 replace_half(u64 old, bool high, u64 val)
{
	return high ? (u32)old | val << 32 : (old & ~MASK(32)) | val;
}

static void vgoldfish_rtc_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vgoldfish_rtc *r = d->state;
	u64 now;

	if (len != 4)
		return;
	switch (off) {
	case RTC_TIME_LOW:
	case RTC_TIME_HIGH:
		now = vgoldfish_rtc_now(d);
		r->base += replace_half(now, off == RTC_TIME_HIGH, val) - now;
		break;
	case RTC_ALARM_LOW:
		r->alarm = replace_half(r->alarm, false, val);
		r->armed = true;
		break;
	case RTC_ALARM_HIGH:
		r->alarm = replace_half(r->alarm, true, val);
		break;
	case RTC_IRQ_ENABLED:
		r->enabled = val & 1;
		break;
	case RTC_CLEAR_ALARM:
		r->armed = false;
		break;
	case RTC_CLEAR_INTERRUPT:
		r->pending = false;
		break;
	}
	vgoldfish_rtc_update(d);
}

static void vgoldfish_rtc_reset(struct dev *d)
{
	struct vgoldfish_rtc *r = d->state;
	u64 wall = gclock_counts(d->clock) ? GCLOCK_EPOCH : arch_wall_seconds();

	r->base = wall * NS_PER_SEC - gclock_now(d->clock);
	r->alarm = 0;
	r->time_high = 0;
	r->armed = r->pending = r->enabled = false;
	irq_set(&d->irq, false);
}

static err_t vgoldfish_rtc_attach(struct dev *d)
{
	struct vgoldfish_rtc *r = d->state;

	r->timer.fire = vgoldfish_rtc_fire;
	r->dev = d;
	return OK;
}

static void vgoldfish_rtc_detach(struct dev *d)
{
	struct vgoldfish_rtc *r = d->state;

	timer_cancel(&r->timer);
}

const struct model vgoldfish_rtc_model = {
	.name = "vgoldfish_rtc",
	.compatible = "google,goldfish-rtc",
	.state_size = sizeof(struct vgoldfish_rtc),
	.fields = vgoldfish_rtc_fields,
	.attach = vgoldfish_rtc_attach,
	.detach = vgoldfish_rtc_detach,
	.reset = vgoldfish_rtc_reset,
	.read = vgoldfish_rtc_read,
	.write = vgoldfish_rtc_write,
};
