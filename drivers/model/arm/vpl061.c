/*
 * Arm PrimeCell general-purpose I/O (PL061), as on QEMU's virt: eight lines, of which the board
 * drives one, the power key. Technical reference manual DDI 0190, chapter 3.
 *
 * The data register is a kilobyte wide: bits 9:2 of an access's address say which lines it means.
 */
#include "drivers/model/arm/gpio.h"
#include "drivers/model/arm/primecell.h"
#include "drivers/model/model.h"
#include "kernel/base/timer.h"

#define PERIPH_ID	0x00041061u
#define PRESS		(100 * NS_PER_MS)	/* longer than any driver debounces */

enum { GPIO_DATA_END = 0x400, GPIO_DIR = 0x400, GPIO_IS = 0x404, GPIO_IBE = 0x408,
       GPIO_IEV = 0x40c, GPIO_IE = 0x410, GPIO_RIS = 0x414, GPIO_MIS = 0x418, GPIO_IC = 0x41c,
       GPIO_AFSEL = 0x420 };

struct vpl061 {
	u8 input, output;	/* what the board drives; what the guest does */
	u8 dir;			/* 1: an output */
	u8 is, ibe, iev; /* interrupt on: a level; both edges; the high level, a rising edge */
	u8 ie, edges;		/* enabled; edges seen */
	u8 afsel;
	u8 held;		/* inputs that are keys, pressed until ... */
	u64 release;		/* ... this guest time */
	/* not saved: follows from the above */
	struct timer timer;
	struct dev *dev;
};

static const struct field vpl061_fields[] = {
	FIELD(struct vpl061, input),
	FIELD(struct vpl061, output),
	FIELD(struct vpl061, dir),
	FIELD(struct vpl061, is),
	FIELD(struct vpl061, ibe),
	FIELD(struct vpl061, iev),
	FIELD(struct vpl061, ie),
	FIELD(struct vpl061, edges),
	FIELD(struct vpl061, afsel),
	FIELD(struct vpl061, held),
	FIELD(struct vpl061, release),
	{ NULL },
};

static u8 vpl061_data(const struct vpl061 *p)
{
	return (p->output & p->dir) | (p->input & ~p->dir);
}

static u8 vpl061_ris(const struct vpl061 *p)
{
	return (p->edges & ~p->is) | (~(vpl061_data(p) ^ p->iev) & p->is);
}

/* After a change from @before: note the edges that count, drive the interrupt. */
static void vpl061_update(struct dev *d, u8 before)
{
	struct vpl061 *p = d->state;
	u8 now = vpl061_data(p), changed = before ^ now;

	p->edges |= changed & (p->ibe | ~(now ^ p->iev));
	irq_set(&d->irq, vpl061_ris(p) & p->ie);
}

static void vpl061_drive(struct dev *d, u8 lines, bool level)
{
	struct vpl061 *p = d->state;
	u8 before = vpl061_data(p);

	p->input = level ? p->input | lines : p->input & ~lines;
	vpl061_update(d, before);
}

void vpl061_input(void *ctl, u32 line, bool level)
{
	vpl061_drive(ctl, (u8)BIT(line % 8), level);
}

void vpl061_press(void *ctl, u32 line)
{
	struct dev *d = ctl;
	struct vpl061 *p = d->state;

	lock_take(d->lock);
	p->held |= (u8)BIT(line % 8);
	p->release = gclock_now(d->clock) + PRESS;
	vpl061_drive(d, p->held, true);
	gclock_arm(d->clock, &p->timer, p->release);
	lock_drop(d->lock);
}

static void vpl061_fire(struct timer *t)
{
	struct vpl061 *p = container_of(t, struct vpl061, timer);
	struct dev *d = p->dev;

	lock_take(d->lock);
	if (p->held && gclock_now(d->clock) < p->release) {
		gclock_arm(d->clock, t, p->release);
	} else {
		vpl061_drive(d, p->held, false);
		p->held = 0;
	}
	lock_drop(d->lock);
}

static u64 vpl061_read(struct dev *d, u64 off, u32 len)
{
	const struct vpl061 *p = d->state;

	if (len > 4 || off % 4)
		return 0;
	if (off < GPIO_DATA_END)
		return vpl061_data(p) & off >> 2;
	switch (off) {
	case GPIO_DIR: return p->dir;
	case GPIO_IS: return p->is;
	case GPIO_IBE: return p->ibe;
	case GPIO_IEV: return p->iev;
	case GPIO_IE: return p->ie;
	case GPIO_RIS: return vpl061_ris(p);
	case GPIO_MIS: return vpl061_ris(p) & p->ie;
	case GPIO_AFSEL: return p->afsel;
	}
	return primecell_id(off, PERIPH_ID);
}

static void vpl061_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vpl061 *p = d->state;
	u8 before = vpl061_data(p), lines = (u8)(off >> 2);

	if (len > 4 || off % 4)
		return;
	if (off < GPIO_DATA_END)
		p->output = (p->output & ~lines) | ((u8)val & lines);
	switch (off) {
	case GPIO_DIR: p->dir = (u8)val; break;
	case GPIO_IS: p->is = (u8)val; break;
	case GPIO_IBE: p->ibe = (u8)val; break;
	case GPIO_IEV: p->iev = (u8)val; break;
	case GPIO_IE: p->ie = (u8)val; break;
	case GPIO_IC: p->edges &= ~(u8)val; break;
	case GPIO_AFSEL: p->afsel = (u8)val; break;
	}
	vpl061_update(d, before);
}

/* What the board drives stays, keys that are held down too. */
static void vpl061_reset(struct dev *d)
{
	struct vpl061 *p = d->state;

	p->output = p->dir = p->is = p->ibe = p->iev = p->ie = p->edges = p->afsel = 0;
	irq_set(&d->irq, false);
}

static err_t vpl061_attach(struct dev *d)
{
	struct vpl061 *p = d->state;

	p->timer.fire = vpl061_fire;
	p->dev = d;
	return OK;
}

static void vpl061_detach(struct dev *d)
{
	struct vpl061 *p = d->state;

	timer_cancel(&p->timer);
}

const struct model vpl061_model = {
	.name = "vpl061",
	.compatible = "arm,pl061",
	.state_size = sizeof(struct vpl061),
	.fields = vpl061_fields,
	.attach = vpl061_attach,
	.detach = vpl061_detach,
	.reset = vpl061_reset,
	.read = vpl061_read,
	.write = vpl061_write,
};
