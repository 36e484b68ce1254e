/*
 * Arm PrimeCell UART (PL011), as on QEMU's virt: revision r1p1, FIFOs of 16, 24 MHz. Technical
 * reference manual DDI 0183, chapter 3; the names of registers and bits are that manual's.
 *
 * Output is instantaneous for the guest: the transmitter is a buffer of 256 bytes, handed to the
 * port at a newline, when it fills up or after a millisecond. While the port is busy TXFF goes high
 * once fewer than 16 bytes fit, so a guest that looks at it never loses a byte. It transmits even
 * while it is disabled: an early console relies on firmware that we do not run.
 * Input is pulled from the port only as far as the receiver has room: flow control.
 */
#include "arch/clock.h"
#include "drivers/model/arm/primecell.h"
#include "drivers/model/model.h"
#include "kernel/base/str.h"
#include "kernel/base/timer.h"

#define FIFO		16
#define TX_BUFFER	256
#define TX_DELAY	NS_PER_MS
#define CLOCK_HZ	24000000u
#define PERIPH_ID	0x00141011u

enum { DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c,
       CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48 };

enum { RSR_OE = 8, DR_OE = 1 << 11 };
enum { FR_CTS = 1, FR_DSR = 2, FR_DCD = 4, FR_BUSY = 8, FR_RXFE = 0x10, FR_TXFF = 0x20,
       FR_RXFF = 0x40, FR_TXFE = 0x80, FR_RI = 0x100 };
enum { LCR_FEN = 0x10 };
enum { CR_UARTEN = 1, CR_LBE = 0x80, CR_TXE = 0x100, CR_RXE = 0x200, CR_DTR = 0x400,
       CR_RTS = 0x800, CR_OUT1 = 0x1000, CR_OUT2 = 0x2000 };
enum { INT_RI = 1, INT_CTS = 2, INT_DCD = 4, INT_DSR = 8, INT_RX = 0x10, INT_TX = 0x20,
       INT_RT = 0x40, INT_OE = 0x400, INT_MASK = 0x7ff };

struct vpl011 {
	u16 cr, imsc, ris, ibrd;
	u8 lcr_h, fbrd, ilpr, ifls, dmacr;
	bool overrun;
	u8 rx[FIFO], rx_head, rx_count;
	u8 tx[TX_BUFFER];
	u16 tx_count;
	/* not saved: follows from the above */
	struct timer rx_timer, tx_timer;
	bool tx_armed;
	struct dev *dev;
};

static const struct field vpl011_fields[] = {
	FIELD(struct vpl011, cr),
	FIELD(struct vpl011, imsc),
	FIELD(struct vpl011, ris),
	FIELD(struct vpl011, ibrd),
	FIELD(struct vpl011, lcr_h),
	FIELD(struct vpl011, fbrd),
	FIELD(struct vpl011, ilpr),
	FIELD(struct vpl011, ifls),
	FIELD(struct vpl011, dmacr),
	FIELD(struct vpl011, overrun),
	FIELD_ARRAY(struct vpl011, rx),
	FIELD(struct vpl011, rx_head),
	FIELD(struct vpl011, rx_count),
	FIELD_ARRAY(struct vpl011, tx),
	FIELD(struct vpl011, tx_count),
	{ NULL },
};

static u32 uart_rx_depth(const struct vpl011 *u)
{
	return u->lcr_h & LCR_FEN ? FIFO : 1;
}

static u32 uart_rx_trigger(const struct vpl011 *u)
{
	static const u8 trigger[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

	return u->lcr_h & LCR_FEN ? trigger[u->ifls >> 3 & 7] : 1;
}

static bool uart_tx_full(const struct vpl011 *u)
{
	return TX_BUFFER - u->tx_count < FIFO;
}

/* A terminal that is always there, or in loopback mode our own outputs. */
static u32 uart_modem(const struct vpl011 *u)
{
	if (!(u->cr & CR_LBE))
		return FR_CTS | FR_DSR | FR_DCD;
	return (u->cr & CR_RTS ? FR_CTS : 0) | (u->cr & CR_DTR ? FR_DSR : 0) |
	       (u->cr & CR_OUT1 ? FR_DCD : 0) | (u->cr & CR_OUT2 ? FR_RI : 0);
}

static u32 uart_fr(const struct vpl011 *u)
{
	return uart_modem(u) | (u->rx_count ? 0 : FR_RXFE) |
	       (u->rx_count >= uart_rx_depth(u) ? FR_RXFF : 0) |
	       (uart_tx_full(u) ? FR_TXFF | FR_BUSY : FR_TXFE);
}

static void uart_update(struct dev *d)
{
	struct vpl011 *u = d->state;

	irq_set(&d->irq, u->ris & u->imsc);
}

/* ---- receiver --------------------------------------------------------------------------- */

/*
 * 32 bits' time at the guest's rate: 16 clocks times the divisor, which counts in 64ths, for each.
 */
static ns_t uart_rx_patience(const struct vpl011 *u)
{
	u64 divisor = MAX((u64)u->ibrd << 6 | u->fbrd, 64u);

	return 32 * 16 * divisor * NS_PER_SEC / 64 / CLOCK_HZ;
}

/* The receiver changed: its interrupt follows the trigger level, its time-out starts over. */
static void uart_rx_wait(struct vpl011 *u)
{
	struct gclock *clock = u->dev->clock;

	u->ris &= (u16)~(INT_RX | (u->rx_count ? 0 : INT_RT));
	if (u->rx_count >= uart_rx_trigger(u))
		u->ris |= INT_RX;
	else if (u->rx_count)
		gclock_arm(clock, &u->rx_timer, gclock_now(clock) + uart_rx_patience(u));
}

static void uart_rx_push(struct vpl011 *u, u8 byte)
{
	if (u->rx_count >= uart_rx_depth(u)) {
		u->overrun = true;
		u->ris |= INT_OE;
		return;
	}
	u->rx[(u->rx_head + u->rx_count++) % FIFO] = byte;
}

/* Pull input as far as there is room. In loopback mode the line is cut off. */
static void uart_rx_fill(struct dev *d)
{
	struct vpl011 *u = d->state;
	u32 room = uart_rx_depth(u) - u->rx_count;
	u8 buf[FIFO];
	size_t len;

	if (!d->port.chr || !room || u->cr & CR_LBE ||
	    (u->cr & (CR_UARTEN | CR_RXE)) != (CR_UARTEN | CR_RXE))
		return;
	len = chr_read(d->port.chr, buf, room);
	for (size_t i = 0; i < len; i++)
		uart_rx_push(u, buf[i]);
	if (len)
		uart_rx_wait(u);
}

static u32 uart_rx_pop(struct dev *d)
{
	struct vpl011 *u = d->state;
	u32 val = u->rx[u->rx_head] | (u->overrun ? DR_OE : 0);

	if (!u->rx_count)
		return 0;
	u->overrun = false;
	u->rx_head = (u->rx_head + 1) % FIFO;
	u->rx_count--;
	if (!u->rx_count)
		uart_rx_fill(d);
	uart_rx_wait(u);
	return val;
}

/* ---- transmitter ------------------------------------------------------------------------ */

/* Hand the buffer to the port; what a busy port does not take is offered again later. */
static void uart_tx_flush(struct dev *d)
{
	struct vpl011 *u = d->state;
	bool was_full = uart_tx_full(u);
	size_t taken = chr_write(d->port.chr, u->tx, u->tx_count);

	u->tx_count -= taken;
	memmove(u->tx, u->tx + taken, u->tx_count);
	if (was_full && !uart_tx_full(u))
		u->ris |= INT_TX;
}

static void uart_tx_later(struct vpl011 *u)
{
	if (u->tx_count && !u->tx_armed) {
		u->tx_armed = true;
		timer_arm(&u->tx_timer, arch_clock_ns() + TX_DELAY);
	}
}

/* The FIFO drains below its trigger level at once, unless the port is busy. */
static void uart_tx_push(struct dev *d, u8 byte)
{
	struct vpl011 *u = d->state;

	u->ris &= (u16)~INT_TX;
	if (u->cr & CR_LBE) {
		uart_rx_push(u, byte);
		uart_rx_wait(u);
	} else if (u->tx_count < TX_BUFFER) {
		u->tx[u->tx_count++] = byte;
		if (byte == '\n' || uart_tx_full(u))
			uart_tx_flush(d);
		uart_tx_later(u);
	}
	if (!uart_tx_full(u))
		u->ris |= INT_TX;
}

/* ---- registers -------------------------------------------------------------------------- */

/* Somebody waits for room: ask the port again. */
static u32 uart_read_fr(struct dev *d)
{
	if (uart_tx_full(d->state))
		uart_tx_flush(d);
	return uart_fr(d->state);
}

static u64 vpl011_read(struct dev *d, u64 off, u32 len)
{
	struct vpl011 *u = d->state;
	u32 val;

	if (len > 4 || off % 4)
		return 0;
	switch (off) {
	case DR: val = uart_rx_pop(d); break;
	case RSR: val = u->overrun ? RSR_OE : 0; break;
	case FR: val = uart_read_fr(d); break;
	case ILPR: val = u->ilpr; break;
	case IBRD: val = u->ibrd; break;
	case FBRD: val = u->fbrd; break;
	case LCR_H: val = u->lcr_h; break;
	case CR: val = u->cr; break;
	case IFLS: val = u->ifls; break;
	case IMSC: val = u->imsc; break;
	case RIS: val = u->ris; break;
	case MIS: val = u->ris & u->imsc; break;
	case DMACR: val = u->dmacr; break;
	default: val = primecell_id(off, PERIPH_ID);
	}
	uart_update(d);
	return val;
}

/* Turning the FIFOs on or off empties them. */
static void uart_write_lcr(struct dev *d, u8 val)
{
	struct vpl011 *u = d->state;

	if ((val ^ u->lcr_h) & LCR_FEN)
		u->rx_head = u->rx_count = 0;
	u->lcr_h = val;
	uart_rx_fill(d);
	uart_rx_wait(u);
}

static void uart_write_cr(struct dev *d, u16 val)
{
	struct vpl011 *u = d->state;
	u32 before = uart_modem(u), changed;

	u->cr = val;
	changed = before ^ uart_modem(u);
	u->ris |= (u16)((changed & FR_RI ? INT_RI : 0) | (changed & FR_CTS ? INT_CTS : 0) |
			(changed & FR_DCD ? INT_DCD : 0) | (changed & FR_DSR ? INT_DSR : 0));
	uart_rx_fill(d);
}

static void vpl011_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vpl011 *u = d->state;

	if (len > 4 || off % 4)
		return;
	switch (off) {
	case DR: uart_tx_push(d, (u8)val); break;
	case RSR: u->overrun = false; break;
	case ILPR: u->ilpr = (u8)val; break;
	case IBRD: u->ibrd = (u16)val; break;
	case FBRD: u->fbrd = val & 0x3f; break;
	case LCR_H: uart_write_lcr(d, (u8)val); break;
	case CR: uart_write_cr(d, (u16)val); break;
	case IFLS:
		u->ifls = val & 0x3f;
		uart_rx_wait(u);
		break;
	case IMSC: u->imsc = val & INT_MASK; break;
	case ICR: u->ris &= (u16)~val; break;
	case DMACR: u->dmacr = val & 7; break;
	}
	uart_update(d);
}

/* ---- from outside ----------------------------------------------------------------------- */

static void vpl011_rx_fire(struct timer *t)
{
	struct vpl011 *u = container_of(t, struct vpl011, rx_timer);

	lock_take(u->dev->lock);
	if (u->rx_count)
		u->ris |= INT_RT;
	uart_update(u->dev);
	lock_drop(u->dev->lock);
}

static void vpl011_tx_fire(struct timer *t)
{
	struct vpl011 *u = container_of(t, struct vpl011, tx_timer);

	lock_take(u->dev->lock);
	u->tx_armed = false;
	uart_tx_flush(u->dev);
	uart_tx_later(u);
	uart_update(u->dev);
	lock_drop(u->dev->lock);
}

static void vpl011_ready(void *user)
{
	struct dev *d = user;

	lock_take(d->lock);
	uart_rx_fill(d);
	uart_update(d);
	lock_drop(d->lock);
}

/* ---- life ------------------------------------------------------------------------------- */

static void vpl011_reset(struct dev *d)
{
	struct vpl011 *u = d->state;

	uart_tx_flush(d);
	u->cr = CR_TXE | CR_RXE;
	u->ifls = 0x12;
	u->imsc = u->ris = u->ibrd = 0;
	u->lcr_h = u->fbrd = u->ilpr = u->dmacr = 0;
	u->overrun = false;
	u->tx_count = 0;
	u->rx_head = u->rx_count = 0;
	irq_set(&d->irq, false);
}

static err_t vpl011_attach(struct dev *d)
{
	struct vpl011 *u = d->state;

	u->rx_timer.fire = vpl011_rx_fire;
	u->tx_timer.fire = vpl011_tx_fire;
	u->dev = d;
	if (d->port.chr) {
		d->port.chr->ready = vpl011_ready;
		d->port.chr->user = d;
	}
	return OK;
}

static void vpl011_detach(struct dev *d)
{
	struct vpl011 *u = d->state;

	if (d->port.chr)
		d->port.chr->ready = NULL;
	timer_cancel(&u->rx_timer);
	timer_cancel(&u->tx_timer);
	uart_tx_flush(d);
}

const struct model vpl011_model = {
	.name = "vpl011",
	.compatible = "arm,pl011",
	.state_size = sizeof(struct vpl011),
	.fields = vpl011_fields,
	.attach = vpl011_attach,
	.detach = vpl011_detach,
	.reset = vpl011_reset,
	.read = vpl011_read,
	.write = vpl011_write,
};
