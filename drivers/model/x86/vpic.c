/*
 * The two 8259A interrupt controllers of a PC, the second at input 2 of the first, and the
 * edge/level control registers. Intel 8259A data sheet; ICH9 data sheet, 13.4 and 13.7.
 *
 * Not there: the 8080 mode, buffered mode, single (ICW3 is skipped, the second chip stays), and
 * the LTIM bit: ELCR says which inputs are levels. Input 2 always follows the second chip.
 */
#include "drivers/model/x86/irq.h"

#include "kernel/base/str.h"

#define CASCADE		2
#define SPURIOUS	7

enum { PIC1 = 0x20, PIC2 = 0xa0, ELCR = 0x4d0 };	/* ports */
enum { ICW1_IC4 = 1, ICW1_SNGL = 2, ICW1 = 0x10, ICW4_AEOI = 2, ICW4_SFNM = 0x10 };
enum { OCW3_RIS = 1, OCW3_RR = 2, OCW3_POLL = 4, OCW3 = 8, OCW3_SMM = 0x20, OCW3_ESMM = 0x40 };
enum {	/* OCW2, bits 7:5 */
	OCW2_ROTATE_AEOI_OFF, OCW2_EOI, OCW2_NOTHING, OCW2_SPECIFIC_EOI, OCW2_ROTATE_AEOI_ON,
	OCW2_ROTATE_EOI, OCW2_SET_PRIORITY, OCW2_ROTATE_SPECIFIC_EOI,
};

struct chip {
	u8 input, irr, isr, imr, elcr;	/* a bit for each input */
	u8 base;			/* vector of input 0 */
	u8 first;			/* the input of the highest priority */
	u8 icw;				/* the initialisation word that comes next, or 0 */
	bool icw3, icw4;		/* will come */
	bool auto_eoi, rotate, special_mask, nested, read_isr, poll;
};

struct vpic {
	struct chip chip[2];
};

#define CHIP_FIELDS(n) \
	FIELD(struct vpic, chip[n].input), FIELD(struct vpic, chip[n].irr), \
	FIELD(struct vpic, chip[n].isr), FIELD(struct vpic, chip[n].imr), \
	FIELD(struct vpic, chip[n].elcr), FIELD(struct vpic, chip[n].base), \
	FIELD(struct vpic, chip[n].first), FIELD(struct vpic, chip[n].icw), \
	FIELD(struct vpic, chip[n].icw3), FIELD(struct vpic, chip[n].icw4), \
	FIELD(struct vpic, chip[n].auto_eoi), FIELD(struct vpic, chip[n].rotate), \
	FIELD(struct vpic, chip[n].special_mask), FIELD(struct vpic, chip[n].nested), \
	FIELD(struct vpic, chip[n].read_isr), FIELD(struct vpic, chip[n].poll)

static const struct field vpic_fields[] = { CHIP_FIELDS(0), CHIP_FIELDS(1), { NULL } };

/* Of the inputs in @set the one of the highest priority, counted from ->first; 8: none. */
static u32 chip_rank(const struct chip *c, u8 set)
{
	u32 rank = 0;

	while (rank < 8 && !(set >> ((c->first + rank) & 7) & 1))
		rank++;
	return rank;
}

/* The input that interrupts now, or -1: it must be more important than all that are served. */
static int chip_ready(const struct chip *c)
{
	u32 wants = chip_rank(c, c->irr & ~c->imr);
	u8 served = c->isr;

	if (c->special_mask)
		served &= ~c->imr;
	if (c->nested)
		served &= ~(1u << CASCADE);
	return wants < chip_rank(c, served) ? (int)((c->first + wants) & 7) : -1;
}

static void chip_input(struct chip *c, u32 in, bool level)
{
	u8 bit = (u8)(1u << in);

	if (level && !(c->input & bit))
		c->irr |= bit;
	if (!level && c->elcr & bit)
		c->irr &= ~bit;
	c->input = (c->input & ~bit) | (level ? bit : 0);
}

static void pic_update(struct dev *d)
{
	struct vpic *p = d->state;
	struct chip *master = &p->chip[0];
	u8 cascade = chip_ready(&p->chip[1]) >= 0 ? 1 << CASCADE : 0;

	master->irr = (master->irr & ~(1 << CASCADE)) | cascade;
	irq_set(&d->irq, chip_ready(master) >= 0);
}

void vpic_input(void *ctl, u32 irq, bool level)
{
	struct dev *d = ctl;
	struct vpic *p = d->state;

	if (irq >= 16 || irq == CASCADE || (p->chip[irq / 8].input >> irq % 8 & 1) == level)
		return;
	chip_input(&p->chip[irq / 8], irq % 8, level);
	pic_update(d);
}

/* The first INTA: what is ready gets served. */
static int chip_ack(struct chip *c)
{
	int in = chip_ready(c);
	u8 bit;

	if (in < 0)
		return SPURIOUS;
	bit = (u8)(1u << in);
	if (!(c->elcr & bit))
		c->irr &= ~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate)
		c->first = (in + 1) & 7;
	return in;
}

u8 vpic_ack(struct dev *d)
{
	struct vpic *p = d->state;
	struct chip *c = &p->chip[0];
	int in = chip_ack(c);

	if (in == CASCADE) {
		c = &p->chip[1];
		in = chip_ack(c);
	}
	pic_update(d);
	return (u8)(c->base + in);
}

/* ---- command words ------------------------------------------------------------------------- */

static void chip_icw1(struct chip *c, u8 val)
{
	c->irr &= c->elcr;
	c->isr = c->imr = c->first = 0;
	c->auto_eoi = c->rotate = c->special_mask = c->nested = c->read_isr = c->poll = false;
	c->icw3 = !(val & ICW1_SNGL);
	c->icw4 = val & ICW1_IC4;
	c->icw = 2;
}

static void chip_icw(struct chip *c, u8 val)
{
	switch (c->icw) {
	case 2:
		c->base = val & 0xf8;
		c->icw = c->icw3 ? 3 : c->icw4 ? 4 : 0;
		return;
	case 3:
		c->icw = c->icw4 ? 4 : 0;
		return;
	}
	c->auto_eoi = val & ICW4_AEOI;
	c->nested = val & ICW4_SFNM;
	c->icw = 0;
}

static void chip_eoi(struct chip *c, u32 in, bool rotate)
{
	c->isr &= ~(1u << in);
	if (rotate)
		c->first = (in + 1) & 7;
}

/* The most important one being served is over. */
static void chip_eoi_any(struct chip *c, bool rotate)
{
	u8 served = c->special_mask ? c->isr & ~c->imr : c->isr;
	u32 rank = chip_rank(c, served);

	if (rank < 8)
		chip_eoi(c, (c->first + rank) & 7, rotate);
}

static void chip_ocw2(struct chip *c, u8 val)
{
	u32 in = val & 7;

	switch (val >> 5) {
	case OCW2_ROTATE_AEOI_OFF: c->rotate = false; break;
	case OCW2_ROTATE_AEOI_ON: c->rotate = true; break;
	case OCW2_EOI: chip_eoi_any(c, false); break;
	case OCW2_ROTATE_EOI: chip_eoi_any(c, true); break;
	case OCW2_SPECIFIC_EOI: chip_eoi(c, in, false); break;
	case OCW2_ROTATE_SPECIFIC_EOI: chip_eoi(c, in, true); break;
	case OCW2_SET_PRIORITY: c->first = (in + 1) & 7; break;
	}
}

static void chip_ocw3(struct chip *c, u8 val)
{
	if (val & OCW3_POLL)
		c->poll = true;
	if (val & OCW3_RR)
		c->read_isr = val & OCW3_RIS;
	if (val & OCW3_ESMM)
		c->special_mask = val & OCW3_SMM;
}

static void chip_write(struct chip *c, bool a0, u8 val)
{
	if (a0 && c->icw)
		chip_icw(c, val);
	else if (a0)
		c->imr = val;
	else if (val & ICW1)
		chip_icw1(c, val);
	else if (val & OCW3)
		chip_ocw3(c, val);
	else
		chip_ocw2(c, val);
}

static u8 chip_read(struct chip *c, bool a0)
{
	if (c->poll) {			/* the read is an acknowledge */
		bool ready = chip_ready(c) >= 0;

		c->poll = false;
		return ready ? (u8)(0x80 | chip_ack(c)) : 0;
	}
	return a0 ? c->imr : c->read_isr ? c->isr : c->irr;
}

/* Inputs that are fixed edges: 0, 1, 2, 8 and 13. A high level is a request at once. */
static void chip_write_elcr(struct chip *c, u8 val, u8 fixed)
{
	c->elcr = val & ~fixed;
	c->irr = (c->irr & ~c->elcr) | (c->input & c->elcr);
}

static u64 vpic_read(struct dev *d, u64 off, u32 len)
{
	struct vpic *p = d->state;
	u8 val;

	if (off >= ELCR)
		return p->chip[off & 1].elcr;
	val = chip_read(&p->chip[off >= PIC2], off & 1);
	pic_update(d);
	return val;
}

static void vpic_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vpic *p = d->state;

	if (off >= ELCR)
		chip_write_elcr(&p->chip[off & 1], (u8)val, off & 1 ? 0x21 : 0x07);
	else
		chip_write(&p->chip[off >= PIC2], off & 1, (u8)val);
	pic_update(d);
}

/* Inputs keep the levels that other devices drive. All is masked until somebody initialises it. */
static void vpic_reset(struct dev *d)
{
	struct vpic *p = d->state;

	for (u32 i = 0; i < 2; i++)
		p->chip[i] = (struct chip){ .input = p->chip[i].input, .imr = 0xff };
	pic_update(d);
}

static err_t vpic_attach(struct dev *d)
{
	return OK;
}

static const struct dev_pio vpic_pio[] = {
	{ PIC1, 2, PIC1 }, { PIC2, 2, PIC2 }, { ELCR, 2, ELCR }, { 0 },
};

const struct model vpic_model = {
	.name = "vpic",
	.compatible = "intel,i8259",
	.state_size = sizeof(struct vpic),
	.fields = vpic_fields,
	.pio = vpic_pio,
	.attach = vpic_attach,
	.reset = vpic_reset,
	.read = vpic_read,
	.write = vpic_write,
};
