/*
 * The 8254 interval timer of a PC and its port B (0x61): channel 0 interrupts, channel 1 was for
 * memory refresh, channel 2 is gated and read through port B. Intel 8254 data sheet.
 *
 * A channel is the guest time at which it began to count; counts and outputs follow from that.
 * A new count begins at once in every mode, BCD counts in binary, and channel 0's line falls only
 * just before it rises: nobody looks at anything but its edges.
 */
#include "drivers/model/x86/pc.h"

#include "kernel/base/str.h"
#include "kernel/base/timer.h"

#define CHANNELS	3
#define REFRESH_NS	15085		/* port B bit 4 toggles this often */
#define FIRE_LEAST	(20 * NS_PER_US)	/* a guest's timer shall not starve the host */

enum { PIT = 0x40, PIT_CONTROL = 0x43, PORT_B = 0x61 };
enum { PORT_B_GATE = 1, PORT_B_SPEAKER = 2, PORT_B_REFRESH = 0x10, PORT_B_OUT = 0x20 };
enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { READ_BACK = 3, READ_BACK_NO_COUNT = 0x20, READ_BACK_NO_STATUS = 0x10 };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };

struct channel {
	u64 start;			/* in ticks of guest time, if it is counting */
	u64 held;			/* ticks counted when the gate closed */
	u32 reload;			/* 1 .. 65536 */
	u16 latch;
	u8 control;			/* the control word's low six bits */
	u8 status, low;			/* latched; the first byte of a count */
	u8 latched;			/* bytes of ->latch still to be read */
	bool counting, gate, status_latched, read_high, write_high;
};

struct vpit {
	struct channel channel[CHANNELS];
	u64 edge;			/* tick of channel 0's next rising edge, or UINT64_MAX */
	u8 port_b;
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

#define CHANNEL_FIELDS(n) \
	FIELD(struct vpit, channel[n].start), FIELD(struct vpit, channel[n].held), \
	FIELD(struct vpit, channel[n].reload), FIELD(struct vpit, channel[n].latch), \
	FIELD(struct vpit, channel[n].control), FIELD(struct vpit, channel[n].status), \
	FIELD(struct vpit, channel[n].low), FIELD(struct vpit, channel[n].latched), \
	FIELD(struct vpit, channel[n].counting), FIELD(struct vpit, channel[n].gate), \
	FIELD(struct vpit, channel[n].status_latched), FIELD(struct vpit, channel[n].read_high), \
	FIELD(struct vpit, channel[n].write_high)

static const struct field vpit_fields[] = {
	CHANNEL_FIELDS(0), CHANNEL_FIELDS(1), CHANNEL_FIELDS(2),
	FIELD(struct vpit, edge), FIELD(struct vpit, port_b),
	{ NULL },
};

static u64 pit_ticks(ns_t ns)
{
	return ns / NS_PER_SEC * PIT_HZ + ns % NS_PER_SEC * PIT_HZ / NS_PER_SEC;
}

/* The first nanosecond of a tick. */
static ns_t pit_ns(u64 ticks)
{
	u64 rest = ticks % PIT_HZ * NS_PER_SEC;

	return ticks / PIT_HZ * NS_PER_SEC + (rest + PIT_HZ - 1) / PIT_HZ;
}

/* 0 .. 5; 6 and 7 are other names of 2 and 3. */
static u32 channel_mode(const struct channel *c)
{
	u32 mode = c->control >> 1 & 7;

	return mode > 5 ? mode - 4 : mode;
}

static u32 channel_access(const struct channel *c)
{
	return c->control >> 4 & 3;
}

/* Modes 1 and 5 are started by the gate, which does not stop them. */
static bool channel_is_triggered(const struct channel *c)
{
	return channel_mode(c) == 1 || channel_mode(c) == 5;
}

static u64 channel_elapsed(const struct channel *c, u64 now)
{
	return c->gate || channel_is_triggered(c) ? now - c->start : c->held;
}

static u16 channel_count(const struct channel *c, u64 now)
{
	u64 elapsed = channel_elapsed(c, now);

	if (!c->counting)
		return (u16)c->reload;
	switch (channel_mode(c)) {
	case 2: return (u16)(c->reload - elapsed % c->reload);
	case 3: return (u16)(c->reload - 2 * elapsed % c->reload);
	}
	return (u16)(c->reload - elapsed);
}

static bool channel_out(const struct channel *c, u64 now)
{
	u64 elapsed = channel_elapsed(c, now);
	u32 mode = channel_mode(c);

	if (!c->counting || (!c->gate && (mode == 2 || mode == 3)))
		return mode != 0;
	switch (mode) {
	case 2: return elapsed % c->reload != c->reload - 1;
	case 3: return elapsed % c->reload < (c->reload + 1) / 2;
	case 4:
	case 5: return elapsed != c->reload;
	}
	return elapsed >= c->reload;
}

/* ---- channel 0's interrupt ----------------------------------------------------------------- */

/* The first tick after @now at which the output rises. */
static u64 channel_next_edge(const struct channel *c, u64 now)
{
	u64 elapsed = channel_elapsed(c, now);

	if (!c->counting || !c->gate)
		return UINT64_MAX;
	switch (channel_mode(c)) {
	case 2:
	case 3: return now + c->reload - elapsed % c->reload;
	case 4:
	case 5: return elapsed <= c->reload ? c->start + c->reload + 1 : UINT64_MAX;
	}
	return elapsed < c->reload ? c->start + c->reload : UINT64_MAX;
}

static void pit_arm(struct dev *d)
{
	struct vpit *p = d->state;

	if (p->edge != UINT64_MAX)
		gclock_arm(d->clock, &p->timer,
			   MAX(pit_ns(p->edge), gclock_now(d->clock) + FIRE_LEAST));
}

/* Channel 0 was programmed: its line is at the output's level, the next edge is to come. */
static void pit_restart(struct dev *d)
{
	struct vpit *p = d->state;
	u64 now = pit_ticks(gclock_now(d->clock));

	irq_set(&d->irq, channel_out(&p->channel[0], now));
	p->edge = channel_next_edge(&p->channel[0], now);
	pit_arm(d);
}

/* Edges that were missed meanwhile are lost. */
static void vpit_fire(struct timer *t)
{
	struct vpit *p = container_of(t, struct vpit, timer);
	struct dev *d = p->dev;
	u64 now;

	lock_take(d->lock);
	now = pit_ticks(gclock_now(d->clock));
	if (p->edge <= now) {
		irq_set(&d->irq, false);
		irq_set(&d->irq, true);
		p->edge = channel_next_edge(&p->channel[0], now);
	}
	pit_arm(d);
	lock_drop(d->lock);
}

/* ---- registers ----------------------------------------------------------------------------- */

static void channel_load(struct channel *c, u32 count, u64 now)
{
	c->reload = count ? count : 0x10000;
	if (channel_is_triggered(c))
		return;
	c->counting = true;
	c->start = now;
	c->held = 0;
}

/* True if a whole count was written. */
static bool channel_write(struct channel *c, u8 val, u64 now)
{
	u32 access = channel_access(c);

	if (access == ACCESS_BOTH && !c->write_high) {
		c->low = val;
		c->write_high = true;
		return false;
	}
	c->write_high = false;
	channel_load(c, access == ACCESS_LOW ? val : access == ACCESS_HIGH ? (u32)val << 8 :
			(u32)val << 8 | c->low, now);
	return true;
}

static void channel_latch_count(struct channel *c, u64 now)
{
	if (c->latched)
		return;
	c->latch = channel_count(c, now);
	c->latched = channel_access(c) == ACCESS_BOTH ? 2 : 1;
}

static void channel_latch_status(struct channel *c, u64 now)
{
	if (c->status_latched)
		return;
	c->status = c->control | (channel_out(c, now) ? STATUS_OUT : 0) |
		    (c->counting ? 0 : STATUS_NULL);
	c->status_latched = true;
}

static u8 channel_read(struct channel *c, u64 now)
{
	u32 access = channel_access(c);
	u16 count = c->latched ? c->latch : channel_count(c, now);
	bool high = access == ACCESS_HIGH || (access == ACCESS_BOTH && c->read_high);

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (access == ACCESS_BOTH)
		c->read_high = !c->read_high;
	if (c->latched)
		c->latched--;
	return (u8)(high ? count >> 8 : count);
}

static void pit_write_control(struct dev *d, u8 val, u64 now)
{
	struct vpit *p = d->state;
	u32 n = val >> 6;

	if (n == READ_BACK) {
		for (n = 0; n < CHANNELS; n++) {
			if (!(val >> (n + 1) & 1))
				continue;
			if (!(val & READ_BACK_NO_COUNT))
				channel_latch_count(&p->channel[n], now);
			if (!(val & READ_BACK_NO_STATUS))
				channel_latch_status(&p->channel[n], now);
		}
	} else if ((val >> 4 & 3) == ACCESS_LATCH) {
		channel_latch_count(&p->channel[n], now);
	} else {
		p->channel[n].control = val & 0x3f;
		p->channel[n].counting = p->channel[n].read_high = p->channel[n].write_high = false;
		p->channel[n].latched = 0;
		if (n == 0)
			pit_restart(d);
	}
}

static void pit_gate(struct channel *c, bool gate, u64 now)
{
	u32 mode = channel_mode(c);

	if (gate == c->gate)
		return;
	if (!gate)
		c->held = channel_elapsed(c, now);
	else if (mode == 0 || mode == 4)
		c->start = now - c->held;
	else
		c->start = now;
	if (gate && channel_is_triggered(c))
		c->counting = true;
	c->gate = gate;
}

static u8 pit_read_port_b(struct dev *d, u64 now)
{
	const struct vpit *p = d->state;
	bool refresh = gclock_now(d->clock) / REFRESH_NS & 1;

	return p->port_b | (refresh ? PORT_B_REFRESH : 0) |
	       (channel_out(&p->channel[2], now) ? PORT_B_OUT : 0);
}

static u64 vpit_read(struct dev *d, u64 off, u32 len)
{
	struct vpit *p = d->state;
	u64 now = pit_ticks(gclock_now(d->clock));

	if (off == PORT_B)
		return pit_read_port_b(d, now);
	return off < PIT_CONTROL ? channel_read(&p->channel[off - PIT], now) : 0xff;
}

static void vpit_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vpit *p = d->state;
	u64 now = pit_ticks(gclock_now(d->clock));

	if (off == PORT_B) {
		p->port_b = val & (PORT_B_GATE | PORT_B_SPEAKER);
		pit_gate(&p->channel[2], val & PORT_B_GATE, now);
	} else if (off == PIT_CONTROL) {
		pit_write_control(d, (u8)val, now);
	} else if (channel_write(&p->channel[off - PIT], (u8)val, now) && off == PIT) {
		pit_restart(d);
	}
}

/* The data sheet leaves everything undefined; a PC's firmware programs it. */
static void vpit_reset(struct dev *d)
{
	struct vpit *p = d->state;

	for (u32 n = 0; n < CHANNELS; n++)
		p->channel[n] = (struct channel){
			.control = ACCESS_BOTH << 4 | 3 << 1, .reload = 0x10000, .gate = n != 2 };
	p->edge = UINT64_MAX;
	p->port_b = 0;
	irq_set(&d->irq, false);
}

static err_t vpit_attach(struct dev *d)
{
	struct vpit *p = d->state;

	p->timer.fire = vpit_fire;
	p->dev = d;
	return OK;
}

static void vpit_detach(struct dev *d)
{
	struct vpit *p = d->state;

	timer_cancel(&p->timer);
}

static const struct dev_pio vpit_pio[] = { { PIT, 4, PIT }, { PORT_B, 1, PORT_B }, { 0 } };

const struct model vpit_model = {
	.name = "vpit",
	.compatible = "intel,i8254",
	.state_size = sizeof(struct vpit),
	.fields = vpit_fields,
	.pio = vpit_pio,
	.attach = vpit_attach,
	.detach = vpit_detach,
	.reset = vpit_reset,
	.read = vpit_read,
	.write = vpit_write,
};
