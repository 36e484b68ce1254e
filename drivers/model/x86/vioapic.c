/*
 * I/O APIC: 24 pins to interrupt messages. Intel 82093AA data sheet, with the EOI register of
 * later ones (version 0x20).
 *
 * Lines are levels of "asserted", so the polarity bit is stored and means nothing. An edge at a
 * masked pin is lost, as on the 82093AA. Writing an entry as edge-triggered clears its Remote IRR:
 * that is how kernels get rid of an interrupt that nobody ended.
 */
#include "drivers/model/x86/irq.h"

#include "kernel/base/str.h"

#define VERSION		(0x20 | (IOAPIC_PINS - 1) << 16)

enum { IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40 };
enum { IOAPICID, IOAPICVER, IOAPICARB, IOREDTBL = 0x10 };
enum { REDIR_LOGICAL = 1 << 11, REDIR_STATUS = 1 << 12, REDIR_REMOTE_IRR = 1 << 14,
       REDIR_LEVEL = 1 << 15, REDIR_MASKED = 1 << 16,
       REDIR_LOW = 0x1ffff & ~(REDIR_STATUS | REDIR_REMOTE_IRR) };
enum { MODE_LOWEST = 1 };

struct vioapic {
	u64 redir[IOAPIC_PINS];
	u32 input;			/* levels of the pins */
	u32 id;
	u8 sel;
};

static const struct field vioapic_fields[] = {
	FIELD_ARRAY(struct vioapic, redir),
	FIELD(struct vioapic, input),
	FIELD(struct vioapic, id),
	FIELD(struct vioapic, sel),
	{ NULL },
};

/* Only interrupts that are ended by an EOI can be levels. */
static bool redir_is_level(u64 r)
{
	return r & REDIR_LEVEL && BITS(r, 10, 8) <= MODE_LOWEST;
}

static void ioapic_send(struct dev *d, u64 r)
{
	u64 addr = LAPIC_BASE | BITS(r, 63, 56) << 12 | (r & REDIR_LOGICAL ? 1 << 2 : 0);

	vlapic_msi(d->port.any, addr, (u32)(r & 0x7ff) | (redir_is_level(r) ? REDIR_LEVEL : 0));
}

/* A high level-triggered pin sends a message, then none until the EOI. */
static void ioapic_serve(struct dev *d, u32 pin)
{
	struct vioapic *a = d->state;
	u64 r = a->redir[pin];

	if (!(a->input >> pin & 1) || !redir_is_level(r) || r & (REDIR_MASKED | REDIR_REMOTE_IRR))
		return;
	a->redir[pin] |= REDIR_REMOTE_IRR;
	ioapic_send(d, r);
}

void vioapic_input(void *ctl, u32 pin, bool level)
{
	struct dev *d = ctl;
	struct vioapic *a = d->state;

	if (pin >= IOAPIC_PINS || (a->input >> pin & 1) == level)
		return;
	a->input ^= 1u << pin;
	if (redir_is_level(a->redir[pin]))
		ioapic_serve(d, pin);
	else if (level && !(a->redir[pin] & REDIR_MASKED))
		ioapic_send(d, a->redir[pin]);
}

void vioapic_eoi(struct dev *d, u8 vector)
{
	struct vioapic *a = d->state;

	for (u32 pin = 0; pin < IOAPIC_PINS; pin++) {
		if ((u8)a->redir[pin] != vector || !(a->redir[pin] & REDIR_REMOTE_IRR))
			continue;
		a->redir[pin] &= ~(u64)REDIR_REMOTE_IRR;
		ioapic_serve(d, pin);
	}
}

static u32 ioapic_get(const struct vioapic *a)
{
	u32 pin = (u32)(a->sel - IOREDTBL) / 2;

	switch (a->sel) {
	case IOAPICID:
	case IOAPICARB: return a->id;
	case IOAPICVER: return VERSION;
	}
	if (a->sel < IOREDTBL || pin >= IOAPIC_PINS)
		return 0;
	return (u32)(a->redir[pin] >> (a->sel & 1 ? 32 : 0));
}

static void ioapic_put(struct dev *d, u32 val)
{
	struct vioapic *a = d->state;
	u32 pin = (u32)(a->sel - IOREDTBL) / 2;
	u64 *r;

	if (a->sel == IOAPICID)
		a->id = val & 0x0f000000;
	if (a->sel < IOREDTBL || pin >= IOAPIC_PINS)
		return;
	r = &a->redir[pin];
	if (a->sel & 1) {
		*r = (*r & MASK(32)) | (u64)(val & 0xff000000) << 32;
		return;
	}
	*r = (*r & ~(u64)REDIR_LOW) | (val & REDIR_LOW);
	if (!redir_is_level(*r))
		*r &= ~(u64)REDIR_REMOTE_IRR;
	ioapic_serve(d, pin);
}

static u64 vioapic_read(struct dev *d, u64 off, u32 len)
{
	struct vioapic *a = d->state;

	switch (off) {
	case IOREGSEL: return a->sel;
	case IOWIN: return ioapic_get(a);
	}
	return 0;
}

static void vioapic_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vioapic *a = d->state;

	if (off == IOREGSEL)
		a->sel = (u8)val;
	else if (off == IOWIN && len == 4)
		ioapic_put(d, (u32)val);
	else if (off == IOEOI)
		vioapic_eoi(d, (u8)val);
}

/* Inputs keep the levels that other devices drive. */
static void vioapic_reset(struct dev *d)
{
	struct vioapic *a = d->state;

	a->id = a->sel = 0;
	for (u32 pin = 0; pin < IOAPIC_PINS; pin++)
		a->redir[pin] = REDIR_MASKED;
}

static err_t vioapic_attach(struct dev *d)
{
	return d->port.any ? OK : ERRF(E_INVAL, "%s: the board gave no local APICs", d->name);
}

const struct model vioapic_model = {
	.name = "vioapic",
	.compatible = "intel,ce4100-ioapic",
	.state_size = sizeof(struct vioapic),
	.fields = vioapic_fields,
	.attach = vioapic_attach,
	.reset = vioapic_reset,
	.read = vioapic_read,
	.write = vioapic_write,
};
