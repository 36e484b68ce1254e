/*
 * MC146818 real-time clock and the CMOS memory of a PC, ports 0x70 and 0x71. Motorola MC146818
 * data sheet; RBIL CMOS.LST for the bytes that PC firmware puts into the memory.
 *
 * The time is wall time (UTC) at reset plus guest time, as on every board; time registers are
 * made when they are read, so an update takes no time and UIP is never seen set. While SET is on
 * they are plain memory, and become the time when it goes off.
 */
#include "arch/clock.h"
#include "drivers/model/x86/pc.h"

#include "kernel/base/str.h"
#include "kernel/base/timer.h"

#define CMOS_SIZE	128
#define DAY		86400u

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };
enum { RTC_SECONDS, RTC_SECONDS_ALARM, RTC_MINUTES, RTC_MINUTES_ALARM, RTC_HOURS, RTC_HOURS_ALARM,
       RTC_WEEKDAY, RTC_DAY, RTC_MONTH, RTC_YEAR, RTC_A, RTC_B, RTC_C, RTC_D, RTC_CENTURY = 0x32 };
enum { A_UIP = 0x80, A_RATE = 0x0f };
enum { B_24H = 0x02, B_BINARY = 0x04, B_UPDATE = 0x10, B_ALARM = 0x20, B_PERIODIC = 0x40,
       B_SET = 0x80, B_INTERRUPTS = B_UPDATE | B_ALARM | B_PERIODIC };
enum { C_IRQ = 0x80, D_VALID = 0x80, HOUR_PM = 0x80, ALARM_ANY = 0xc0 };

struct vcmos {
	u64 base;			/* wall time in ns = guest time + base */
	u64 last;			/* guest time up to which flags are raised */
	u8 cmos[CMOS_SIZE];
	u8 index;
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

static const struct field vcmos_fields[] = {
	FIELD(struct vcmos, base),
	FIELD(struct vcmos, last),
	FIELD_ARRAY(struct vcmos, cmos),
	FIELD(struct vcmos, index),
	{ NULL },
};

/* ---- calendar ------------------------------------------------------------------------------ */

/* Days since 1970-01-01; years begin in March, so that leap days come last. */
static u64 days_of(u64 year, u64 month, u64 day)
{
	u64 y = year - (month <= 2), m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static void date_of(u64 days, u64 *year, u64 *month, u64 *day)
{
	u64 era, y, d, m;

	days += 719468;
	era = days / 146097;
	d = days % 146097;
	y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	d -= y * 365 + y / 4 - y / 100;
	m = (5 * d + 2) / 153;
	*day = d - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + y + (*month <= 2);
}

static u8 cmos_encode(const struct vcmos *c, u64 val)
{
	return (u8)(c->cmos[RTC_B] & B_BINARY ? val : val / 10 << 4 | val % 10);
}

static u32 cmos_decode(const struct vcmos *c, u8 val)
{
	return c->cmos[RTC_B] & B_BINARY ? val : (val >> 4) * 10u + (val & 15);
}

static u8 cmos_encode_hour(const struct vcmos *c, u64 hour)
{
	if (c->cmos[RTC_B] & B_24H)
		return cmos_encode(c, hour);
	return cmos_encode(c, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static u32 cmos_decode_hour(const struct vcmos *c, u8 val)
{
	if (c->cmos[RTC_B] & B_24H)
		return cmos_decode(c, val);
	return cmos_decode(c, val & ~HOUR_PM) % 12 + (val & HOUR_PM ? 12 : 0);
}

static ns_t cmos_wall(const struct dev *d)
{
	const struct vcmos *c = d->state;

	return gclock_now(d->clock) + c->base;
}

/* Write the time into its registers. */
static void cmos_put_time(struct dev *d)
{
	struct vcmos *c = d->state;
	u64 now = cmos_wall(d) / NS_PER_SEC, year, month, day;

	date_of(now / DAY, &year, &month, &day);
	c->cmos[RTC_SECONDS] = cmos_encode(c, now % 60);
	c->cmos[RTC_MINUTES] = cmos_encode(c, now / 60 % 60);
	c->cmos[RTC_HOURS] = cmos_encode_hour(c, now / 3600 % 24);
	c->cmos[RTC_WEEKDAY] = cmos_encode(c, (now / DAY + 4) % 7 + 1);
	c->cmos[RTC_DAY] = cmos_encode(c, day);
	c->cmos[RTC_MONTH] = cmos_encode(c, month);
	c->cmos[RTC_YEAR] = cmos_encode(c, year % 100);
	c->cmos[RTC_CENTURY] = (u8)(year / 1000 << 4 | year / 100 % 10);	/* always BCD */
}

/* Set the time from its registers; nonsense gives some time or other, not before 1970. */
static void cmos_take_time(struct dev *d)
{
	struct vcmos *c = d->state;
	u32 century = (c->cmos[RTC_CENTURY] >> 4) * 10u + (c->cmos[RTC_CENTURY] & 15);
	u64 year = MAX(century * 100 + cmos_decode(c, c->cmos[RTC_YEAR]), 1970);
	u64 month = cmos_decode(c, c->cmos[RTC_MONTH]), day = cmos_decode(c, c->cmos[RTC_DAY]);
	u64 wall = days_of(year, MIN(MAX(month, 1), 12), MAX(day, 1)) * DAY;

	wall += cmos_decode_hour(c, c->cmos[RTC_HOURS]) * 3600ull;
	wall += cmos_decode(c, c->cmos[RTC_MINUTES]) * 60ull;
	wall += cmos_decode(c, c->cmos[RTC_SECONDS]);
	c->base = wall * NS_PER_SEC - gclock_now(d->clock);
}

/* ---- interrupts ---------------------------------------------------------------------------- */

/* Of the periodic interrupt; 0: it is off. Rates 1 and 2 are those of 8 and 9. */
static ns_t cmos_period(const struct vcmos *c)
{
	u32 rate = c->cmos[RTC_A] & A_RATE;

	if (!rate)
		return 0;
	return (NS_PER_SEC << (rate <= 2 ? rate + 6 : rate - 1)) / 32768;
}

static bool alarm_field(u8 want, u32 decoded, u32 is)
{
	return want >= ALARM_ANY || decoded == is;
}

/* Is the alarm due at this second of a day? */
static bool cmos_alarm_at(const struct vcmos *c, u32 second)
{
	u8 s = c->cmos[RTC_SECONDS_ALARM], m = c->cmos[RTC_MINUTES_ALARM];
	u8 h = c->cmos[RTC_HOURS_ALARM];

	return alarm_field(s, cmos_decode(c, s), second % 60) &&
	       alarm_field(m, cmos_decode(c, m), second / 60 % 60) &&
	       alarm_field(h, cmos_decode_hour(c, h), second / 3600);
}

/* Flags of register C for what happened since the last time. */
static void cmos_raise(struct dev *d)
{
	struct vcmos *c = d->state;
	ns_t now = gclock_now(d->clock), period = cmos_period(c);
	u64 from = (c->last + c->base) / NS_PER_SEC, to = (now + c->base) / NS_PER_SEC;

	if (period && now / period != c->last / period)
		c->cmos[RTC_C] |= B_PERIODIC;
	if (to != from && !(c->cmos[RTC_B] & B_SET)) {
		c->cmos[RTC_C] |= B_UPDATE;
		for (u64 s = to - MIN(to - from, DAY) + 1; s <= to; s++)
			if (cmos_alarm_at(c, (u32)(s % DAY)))
				c->cmos[RTC_C] |= B_ALARM;
	}
	c->last = now;
}

/* Raise what is due; while the interrupt is not yet seen there is nothing more to wait for. */
static void cmos_update(struct dev *d)
{
	struct vcmos *c = d->state;
	ns_t period = cmos_period(c), next = NS_NEVER;
	u8 b = c->cmos[RTC_B];

	cmos_raise(d);
	c->cmos[RTC_C] &= ~C_IRQ;
	if (c->cmos[RTC_C] & b & B_INTERRUPTS)
		c->cmos[RTC_C] |= C_IRQ;
	irq_set(&d->irq, c->cmos[RTC_C] & C_IRQ);
	if (c->cmos[RTC_C] & C_IRQ)
		return;
	if (b & B_PERIODIC && period)
		next = (c->last / period + 1) * period;
	else if (b & (B_UPDATE | B_ALARM))
		next = c->last + NS_PER_SEC - (c->last + c->base) % NS_PER_SEC;
	if (next != NS_NEVER)
		gclock_arm(d->clock, &c->timer, next);
}

static void vcmos_fire(struct timer *t)
{
	struct vcmos *c = container_of(t, struct vcmos, timer);

	lock_take(c->dev->lock);
	cmos_update(c->dev);
	lock_drop(c->dev->lock);
}

/* ---- registers ----------------------------------------------------------------------------- */

static bool is_time(u8 index)
{
	return index == RTC_CENTURY || (index <= RTC_YEAR &&
	       (index >= RTC_WEEKDAY || index % 2 == 0));
}

static u8 cmos_read_data(struct dev *d)
{
	struct vcmos *c = d->state;
	u8 val;

	if (is_time(c->index) && !(c->cmos[RTC_B] & B_SET))
		cmos_put_time(d);
	cmos_update(d);
	val = c->cmos[c->index];
	if (c->index == RTC_C) {
		c->cmos[RTC_C] = 0;
		cmos_update(d);
	}
	return val;
}

static void cmos_write_b(struct dev *d, u8 val)
{
	struct vcmos *c = d->state;
	u8 old = c->cmos[RTC_B];

	if (val & ~old & B_SET)
		cmos_put_time(d);
	c->cmos[RTC_B] = val;
	if (old & ~val & B_SET)
		cmos_take_time(d);
}

static void cmos_write_data(struct dev *d, u8 val)
{
	struct vcmos *c = d->state;
	bool live = is_time(c->index) && !(c->cmos[RTC_B] & B_SET);

	cmos_raise(d);
	switch (c->index) {
	case RTC_A: c->cmos[RTC_A] = val & ~A_UIP; break;
	case RTC_B: cmos_write_b(d, val); break;
	case RTC_C:
	case RTC_D: break;
	default:
		if (live)
			cmos_put_time(d);
		c->cmos[c->index] = val;
		if (live)
			cmos_take_time(d);
	}
	cmos_update(d);
}

static u64 vcmos_read(struct dev *d, u64 off, u32 len)
{
	return off == CMOS_DATA ? cmos_read_data(d) : 0xff;
}

static void vcmos_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vcmos *c = d->state;

	if (off == CMOS_INDEX)
		c->index = val % CMOS_SIZE;	/* bit 7 masks NMIs: there are none to mask */
	if (off == CMOS_DATA)
		cmos_write_data(d, (u8)val);
	else if (len > 1)
		cmos_write_data(d, (u8)(val >> 8));
}

/* ---- life ---------------------------------------------------------------------------------- */

static void cmos_put(struct vcmos *c, u32 at, u64 val, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		c->cmos[at + i] = (u8)(val >> 8 * i);
}

/*
 * Sizes of memory: 0x15 and 0x17 in KiB, 0x34 from 16 MiB on and 0x5b from 4 GiB on in 64 KiB.
 * What SeaBIOS asks besides: the order of boot devices (disk, CD), the other CPUs.
 */
static void cmos_put_memory(struct vcmos *c, const struct cmos_board *b)
{
	u64 above_1m = b->below_4g > MIB(1) ? b->below_4g - MIB(1) : 0;
	u64 above_16m = b->below_4g > MIB(16) ? b->below_4g - MIB(16) : 0;

	cmos_put(c, 0x15, 640, 2);
	cmos_put(c, 0x17, MIN(above_1m / KIB(1), 65535), 2);
	cmos_put(c, 0x30, MIN(above_1m / KIB(1), 65535), 2);
	cmos_put(c, 0x34, MIN(above_16m / KIB(64), 65535), 2);
	cmos_put(c, 0x5b, b->above_4g / KIB(64), 3);
	c->cmos[0x3d] = 0x32;
	c->cmos[0x5f] = (u8)(b->cpus - 1);
}

static void vcmos_reset(struct dev *d)
{
	u64 wall = gclock_counts(d->clock) ? GCLOCK_EPOCH : arch_wall_seconds();
	struct vcmos *c = d->state;

	memset(c->cmos, 0, sizeof(c->cmos));
	c->index = 0;
	c->last = gclock_now(d->clock);
	c->base = wall * NS_PER_SEC - c->last;
	c->cmos[RTC_A] = 0x26;		/* 32768 Hz, 1024 Hz */
	c->cmos[RTC_B] = B_24H;
	c->cmos[RTC_D] = D_VALID;
	if (d->port.any)
		cmos_put_memory(c, d->port.any);
	irq_set(&d->irq, false);
}

static err_t vcmos_attach(struct dev *d)
{
	struct vcmos *c = d->state;

	c->timer.fire = vcmos_fire;
	c->dev = d;
	return OK;
}

static void vcmos_detach(struct dev *d)
{
	struct vcmos *c = d->state;

	timer_cancel(&c->timer);
}

static const struct dev_pio vcmos_pio[] = { { CMOS_INDEX, 2, CMOS_INDEX }, { 0 } };

const struct model vcmos_model = {
	.name = "vcmos",
	.compatible = "motorola,mc146818",
	.state_size = sizeof(struct vcmos),
	.fields = vcmos_fields,
	.pio = vcmos_pio,
	.attach = vcmos_attach,
	.detach = vcmos_detach,
	.reset = vcmos_reset,
	.read = vcmos_read,
	.write = vcmos_write,
};
