/*
 * Core-local interruptor in SiFive's layout, as on QEMU's virt: software interrupts and the
 * machine timers of all harts. RISC-V ACLINT specification 1.0-rc4, chapters 2 and 3;
 * dev->out[2 * hart] is MSIP, dev->out[2 * hart + 1] is MTIP.
 *
 * mtime counts guest time in units of 100 ns. Writing it shifts this device's view only:
 * the time CSR comes from the guest clock directly and does not follow.
 */
#include "drivers/model/rv/irq.h"

#include "drivers/model/model.h"
#include "kernel/base/timer.h"

#define TICK_NS		(NS_PER_SEC / CLINT_HZ)

enum {
	CLINT_MSIP = 0x0,	/* + 4 * hart */
	CLINT_MTIMECMP = 0x4000,	/* + 8 * hart */
	CLINT_MTIME = 0xbff8,
};

struct vclint {
	u64 mtimecmp[CLINT_HARTS];
	u64 mtime_shift;		/* mtime = guest ticks + this */
	bool msip[CLINT_HARTS];
	/* not saved: follows from the above */
	struct alarm {
		struct timer timer;
		struct dev *dev;
		u32 hart;
	} alarm[CLINT_HARTS];
};

static const struct field vclint_fields[] = {
	FIELD_ARRAY(struct vclint, mtimecmp),
	FIELD(struct vclint, mtime_shift),
	FIELD_ARRAY(struct vclint, msip),
	{ NULL },
};

static u64 vclint_mtime(const struct dev *d)
{
	const struct vclint *c = d->state;

	return gclock_now(d->clock) / TICK_NS + c->mtime_shift;
}

/*
 * Drive MTIP and, if it is low, arm for when it rises. A comparator moved away leaves its
 * timer armed: cancelling here could wait for a firing that waits for our lock, and a
 * firing that finds nothing due does no harm.
 */
static void vclint_update(struct dev *d, u32 hart)
{
	struct vclint *c = d->state;
	u64 mtime = vclint_mtime(d), cmp = c->mtimecmp[hart];
	ns_t deadline;

	irq_set(&d->out[2 * hart + 1], mtime >= cmp);
	if (mtime >= cmp || cmp - mtime > NS_PER_SEC * CLINT_HZ) /* thirty years and more: never */
		return;
	deadline = (cmp - c->mtime_shift) * TICK_NS;
	gclock_arm(d->clock, &c->alarm[hart].timer, deadline);
}

static void vclint_fire(struct timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	lock_take(a->dev->lock);
	vclint_update(a->dev, a->hart);
	lock_drop(a->dev->lock);
}

static u64 vclint_read(struct dev *d, u64 off, u32 len)
{
	struct vclint *c = d->state;
	u64 reg = 0, hart = (off - CLINT_MTIMECMP) / 8, harts = d->outs / 2;

	if ((len != 4 && len != 8) || off % len)
		return 0;
	if (off < CLINT_MTIMECMP)
		return off / 4 < harts ? c->msip[off / 4] : 0;
	if (hart < harts)
		reg = c->mtimecmp[hart];
	else if (off >= CLINT_MTIME && off < CLINT_MTIME + 8)
		reg = vclint_mtime(d);
	return reg >> 8 * (off % 8);
}

/* @reg with the half or whole that a write covers replaced. */
static u64 vclint_merge(u64 reg, u64 off, u32 len, u64 val)
{
	u64 mask = MASK(8 * len) << 8 * (off % 8);

	return (reg & ~mask) | (val << 8 * (off % 8) & mask);
}

static void vclint_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vclint *c = d->state;
	u64 hart, harts = d->outs / 2;

	if ((len != 4 && len != 8) || off % len)
		return;
	if (off < CLINT_MTIMECMP) {
		hart = off / 4;
		if (hart >= harts)
			return;
		c->msip[hart] = val & 1;
		irq_set(&d->out[2 * hart], c->msip[hart]);
	} else if (off < CLINT_MTIME) {
		hart = (off - CLINT_MTIMECMP) / 8;
		if (hart >= harts)
			return;
		c->mtimecmp[hart] = vclint_merge(c->mtimecmp[hart], off, len, val);
		vclint_update(d, (u32)hart);
	} else if (off < CLINT_MTIME + 8) {
		u64 now = vclint_mtime(d);

		c->mtime_shift += vclint_merge(now, off, len, val) - now;
		for (hart = 0; hart < harts; hart++)
			vclint_update(d, (u32)hart);
	}
}

/* mtimecmp is undefined after reset; the highest value keeps MTIP low until somebody wants it. */
static void vclint_reset(struct dev *d)
{
	struct vclint *c = d->state;

	c->mtime_shift = 0;
	for (u32 hart = 0; hart < d->outs / 2; hart++) {
		c->mtimecmp[hart] = UINT64_MAX;
		c->msip[hart] = false;
		irq_set(&d->out[2 * hart], false);
		irq_set(&d->out[2 * hart + 1], false);
	}
}

static err_t vclint_attach(struct dev *d)
{
	struct vclint *c = d->state;

	if (d->outs > 2 * CLINT_HARTS || d->outs % 2)
		return ERRF(E_RANGE, "%s: %u outputs, two per hart and at most %u", d->name,
			    d->outs, 2 * CLINT_HARTS);
	for (u32 hart = 0; hart < CLINT_HARTS; hart++)
		c->alarm[hart] = (struct alarm){ { .fire = vclint_fire }, d, hart };
	return OK;
}

static void vclint_detach(struct dev *d)
{
	struct vclint *c = d->state;

	for (u32 hart = 0; hart < d->outs / 2; hart++)
		timer_cancel(&c->alarm[hart].timer);
}

const struct model vclint_model = {
	.name = "vclint",
	.compatible = "sifive,clint0",
	.state_size = sizeof(struct vclint),
	.fields = vclint_fields,
	.attach = vclint_attach,
	.detach = vclint_detach,
	.reset = vclint_reset,
	.read = vclint_read,
	.write = vclint_write,
};
