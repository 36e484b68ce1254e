/*
 * NS16550A UART, as on QEMU's virt (byte registers, 3.6864 MHz). National Semiconductor
 * PC16550D data sheet, section 8; the names of registers and bits are the data sheet's.
 *
 * Output is instantaneous for the guest: the transmitter is a buffer of 256 bytes, handed to
 * the port at a newline, when it fills up or after a millisecond, so a kernel that polls LSR
 * for every byte still gets one port write a line. While the port is busy THRE goes low once
 * fewer than 16 bytes fit, so a guest that looks at THRE never loses a byte.
 * Input is pulled from the port only as far as the receiver has room: flow control.
 */
#include "arch/clock.h"
#include "drivers/model/model.h"
#include "kernel/base/str.h"
#include "kernel/base/timer.h"

#define FIFO		16
#define TX_BUFFER	256
#define TX_DELAY	NS_PER_MS
#define CLOCK_HZ	3686400u

enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

enum { IER_ERBFI = 1, IER_ETBEI = 2, IER_ELSI = 4, IER_EDSSI = 8, IER_MASK = 0x0f };
enum { IIR_MODEM = 0x00, IIR_NONE = 0x01, IIR_THRE = 0x02, IIR_DATA = 0x04, IIR_LINE = 0x06,
       IIR_TIMEOUT = 0x0c, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_KEEP = 0xc9 };
enum { LCR_WLS = 3, LCR_STB = 4, LCR_PEN = 8, LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10, MCR_MASK = 0x1f };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 0x10, LSR_ERRORS = 0x1e, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum { MSR_DCTS = 1, MSR_DDSR = 2, MSR_TERI = 4, MSR_DDCD = 8, MSR_DELTAS = 0x0f,
       MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

struct vuart16550 {
	u8 ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	u8 errors;			/* LSR_OE, LSR_BI: sticky until LSR is read */
	bool thre_pending;		/* the transmitter became empty and nobody was told yet */
	bool timeout_pending;	/* input waits below the trigger level for four characters' time */
	u8 rx[FIFO], rx_head, rx_count;
	u8 tx[TX_BUFFER];
	u16 tx_count;
	bool irq;			/* level on dev->irq */
	/* not saved: follows from the above */
	struct timer rx_timer, tx_timer;
	bool tx_armed;
	struct dev *dev;
};

static const struct field vuart16550_fields[] = {
	FIELD(struct vuart16550, ier),
	FIELD(struct vuart16550, fcr),
	FIELD(struct vuart16550, lcr),
	FIELD(struct vuart16550, mcr),
	FIELD(struct vuart16550, msr),
	FIELD(struct vuart16550, scr),
	FIELD(struct vuart16550, dll),
	FIELD(struct vuart16550, dlm),
	FIELD(struct vuart16550, errors),
	FIELD(struct vuart16550, thre_pending),
	FIELD(struct vuart16550, timeout_pending),
	FIELD_ARRAY(struct vuart16550, rx),
	FIELD(struct vuart16550, rx_head),
	FIELD(struct vuart16550, rx_count),
	FIELD_ARRAY(struct vuart16550, tx),
	FIELD(struct vuart16550, tx_count),
	FIELD(struct vuart16550, irq),
	{ NULL },
};

static u32 uart_rx_depth(const struct vuart16550 *u)
{
	return u->fcr & FCR_ENABLE ? FIFO : 1;
}

static u32 uart_rx_trigger(const struct vuart16550 *u)
{
	static const u8 trigger[4] = { 1, 4, 8, 14 };

	return u->fcr & FCR_ENABLE ? trigger[u->fcr >> 6] : 1;
}

static u8 uart_lsr(const struct vuart16550 *u)
{
	u8 lsr = u->errors;

	if (u->rx_count)
		lsr |= LSR_DR;
	if (TX_BUFFER - u->tx_count >= FIFO)
		lsr |= LSR_THRE | LSR_TEMT;
	return lsr;
}

/* The enabled interrupt of the highest priority; table 4 of the data sheet. */
static u8 uart_iir(const struct vuart16550 *u)
{
	if (u->ier & IER_ELSI && u->errors)
		return IIR_LINE;
	if (u->ier & IER_ERBFI && u->rx_count >= uart_rx_trigger(u))
		return IIR_DATA;
	if (u->ier & IER_ERBFI && u->timeout_pending)
		return IIR_TIMEOUT;
	if (u->ier & IER_ETBEI && u->thre_pending)
		return IIR_THRE;
	if (u->ier & IER_EDSSI && u->msr & MSR_DELTAS)
		return IIR_MODEM;
	return IIR_NONE;
}

static void uart_update(struct dev *d)
{
	struct vuart16550 *u = d->state;
	bool level = uart_iir(u) != IIR_NONE;

	if (level == u->irq)
		return;
	u->irq = level;
	irq_set(&d->irq, level);
}

/* Four characters' time at the guest's line settings. */
static ns_t uart_rx_patience(const struct vuart16550 *u)
{
	u64 bits = 1 + 5 + (u->lcr & LCR_WLS) + !!(u->lcr & LCR_PEN) + 1 + !!(u->lcr & LCR_STB);
	u64 divisor = (u64)u->dlm << 8 | u->dll;

	return 4 * bits * MAX(divisor, 1) * 16 * NS_PER_SEC / CLOCK_HZ;
}

/* The receiver changed: start the time-out over if input waits below the trigger level. */
static void uart_rx_wait(struct vuart16550 *u)
{
	struct gclock *clock = u->dev->clock;

	u->timeout_pending = false;
	if (u->fcr & FCR_ENABLE && u->rx_count && u->rx_count < uart_rx_trigger(u))
		gclock_arm(clock, &u->rx_timer, gclock_now(clock) + uart_rx_patience(u));
}

static void uart_rx_push(struct vuart16550 *u, u8 byte)
{
	if (u->rx_count >= uart_rx_depth(u)) {
		u->errors |= LSR_OE;
		if (u->fcr & FCR_ENABLE)
			return;		/* the shift register is overwritten, the FIFO is not */
		u->rx_count = 0;
	}
	u->rx[(u->rx_head + u->rx_count++) % FIFO] = byte;
}

/* Pull input as far as there is room. In loopback mode the line is cut off. */
static void uart_rx_fill(struct dev *d)
{
	struct vuart16550 *u = d->state;
	u32 room = uart_rx_depth(u) - u->rx_count;
	u8 buf[FIFO];
	size_t len;

	if (!d->port.chr || !room || u->mcr & MCR_LOOP)
		return;
	len = chr_read(d->port.chr, buf, room);
	for (size_t i = 0; i < len; i++)
		uart_rx_push(u, buf[i]);
	if (len)
		uart_rx_wait(u);
}

static u8 uart_rx_pop(struct dev *d)
{
	struct vuart16550 *u = d->state;
	u8 byte = u->rx[u->rx_head];

	if (!u->rx_count)
		return 0;
	u->rx_head = (u->rx_head + 1) % FIFO;
	u->rx_count--;
	if (!u->rx_count)
		uart_rx_fill(d);
	uart_rx_wait(u);
	return byte;
}

static void uart_rx_clear(struct vuart16550 *u)
{
	u->rx_head = u->rx_count = 0;
	u->timeout_pending = false;
}

/* Hand the buffer to the port; what a busy port does not take is offered again later. */
static void uart_tx_flush(struct dev *d)
{
	struct vuart16550 *u = d->state;
	bool was_full = !(uart_lsr(u) & LSR_THRE);
	size_t taken = chr_write(d->port.chr, u->tx, u->tx_count);

	u->tx_count -= taken;
	memmove(u->tx, u->tx + taken, u->tx_count);
	if (was_full && uart_lsr(u) & LSR_THRE)
		u->thre_pending = true;
}

static void uart_tx_later(struct vuart16550 *u)
{
	if (u->tx_count && !u->tx_armed) {
		u->tx_armed = true;
		timer_arm(&u->tx_timer, arch_clock_ns() + TX_DELAY);
	}
}

static void uart_tx_push(struct dev *d, u8 byte)
{
	struct vuart16550 *u = d->state;

	u->thre_pending = false;
	if (u->mcr & MCR_LOOP) {
		uart_rx_push(u, byte);
		uart_rx_wait(u);
	} else if (u->tx_count < TX_BUFFER) {
		u->tx[u->tx_count++] = byte;
		if (byte == '\n' || !(uart_lsr(u) & LSR_THRE))
			uart_tx_flush(d);
		uart_tx_later(u);
	}
	if (uart_lsr(u) & LSR_THRE)
		u->thre_pending = true;
}

/* Modem inputs: a terminal that is always there, or in loopback mode our own outputs. */
static void uart_modem(struct vuart16550 *u)
{
	u8 now = MSR_CTS | MSR_DSR | MSR_DCD, old = u->msr;

	if (u->mcr & MCR_LOOP)
		now = (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
		      (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
	u->msr = now | (old & MSR_DELTAS) |
		 (((old ^ now) >> 4) & (MSR_DCTS | MSR_DDSR | MSR_DDCD)) |
		 ((old & ~now & MSR_RI) ? MSR_TERI : 0);
}

static u8 uart_read_iir(struct vuart16550 *u)
{
	u8 iir = uart_iir(u);

	if (iir == IIR_THRE)
		u->thre_pending = false;
	return iir | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static u8 uart_read_lsr(struct dev *d)
{
	struct vuart16550 *u = d->state;
	u8 lsr;

	if (!(uart_lsr(u) & LSR_THRE))
		uart_tx_flush(d);	/* somebody waits: ask the port again */
	lsr = uart_lsr(u);
	u->errors = 0;
	return lsr;
}

static u8 uart_read_msr(struct vuart16550 *u)
{
	u8 msr = u->msr;

	u->msr &= ~MSR_DELTAS;
	return msr;
}

static u64 vuart16550_read(struct dev *d, u64 off, u32 len)
{
	struct vuart16550 *u = d->state;
	bool dlab = u->lcr & LCR_DLAB;
	u8 val = 0;

	switch (off) {
	case RBR_THR_DLL: val = dlab ? u->dll : uart_rx_pop(d); break;
	case IER_DLM: val = dlab ? u->dlm : u->ier; break;
	case IIR_FCR: val = uart_read_iir(u); break;
	case LCR: val = u->lcr; break;
	case MCR: val = u->mcr; break;
	case LSR: val = uart_read_lsr(d); break;
	case MSR: val = uart_read_msr(u); break;
	case SCR: val = u->scr; break;
	}
	uart_update(d);
	return val;
}

/* FCR: other bits count only with the enable bit; what left the transmitter is not taken back. */
static void uart_write_fcr(struct dev *d, u8 val)
{
	struct vuart16550 *u = d->state;

	if ((val ^ u->fcr) & FCR_ENABLE || val & FCR_CLEAR_RX)
		uart_rx_clear(u);
	u->fcr = val & FCR_ENABLE ? val & FCR_KEEP : 0;
	uart_rx_fill(d);
	uart_rx_wait(u);
}

static void uart_write_ier(struct vuart16550 *u, u8 val)
{
	if (val & ~u->ier & IER_ETBEI && uart_lsr(u) & LSR_THRE)
		u->thre_pending = true;
	u->ier = val & IER_MASK;
}

static void uart_write_lcr(struct vuart16550 *u, u8 val)
{
	if (val & ~u->lcr & LCR_BREAK && u->mcr & MCR_LOOP) {
		uart_rx_push(u, 0);
		u->errors |= LSR_BI;
	}
	u->lcr = val;
}

static void uart_write_mcr(struct dev *d, u8 val)
{
	struct vuart16550 *u = d->state;

	u->mcr = val & MCR_MASK;
	uart_modem(u);
	uart_rx_fill(d);
}

static void vuart16550_write(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vuart16550 *u = d->state;
	bool dlab = u->lcr & LCR_DLAB;
	u8 byte = (u8)val;

	switch (off) {
	case RBR_THR_DLL:
		if (dlab)
			u->dll = byte;
		else
			uart_tx_push(d, byte);
		break;
	case IER_DLM:
		if (dlab)
			u->dlm = byte;
		else
			uart_write_ier(u, byte);
		break;
	case IIR_FCR: uart_write_fcr(d, byte); break;
	case LCR: uart_write_lcr(u, byte); break;
	case MCR: uart_write_mcr(d, byte); break;
	case SCR: u->scr = byte; break;
	}
	uart_update(d);
}

static void vuart16550_rx_fire(struct timer *t)
{
	struct vuart16550 *u = container_of(t, struct vuart16550, rx_timer);

	lock_take(u->dev->lock);
	if (u->rx_count && u->fcr & FCR_ENABLE)
		u->timeout_pending = true;
	uart_update(u->dev);
	lock_drop(u->dev->lock);
}

static void vuart16550_tx_fire(struct timer *t)
{
	struct vuart16550 *u = container_of(t, struct vuart16550, tx_timer);

	lock_take(u->dev->lock);
	u->tx_armed = false;
	uart_tx_flush(u->dev);
	uart_tx_later(u);
	uart_update(u->dev);
	lock_drop(u->dev->lock);
}

static void vuart16550_ready(void *user)
{
	struct dev *d = user;

	lock_take(d->lock);
	uart_rx_fill(d);
	uart_update(d);
	lock_drop(d->lock);
}

/* Table 3 of the data sheet, with the divisor that firmware would leave: 9600 baud, as QEMU's. */
static void vuart16550_reset(struct dev *d)
{
	struct vuart16550 *u = d->state;

	uart_tx_flush(d);
	u->ier = u->fcr = u->lcr = u->scr = u->dlm = u->errors = 0;
	u->mcr = MCR_OUT2;
	u->dll = 0x0c;
	u->msr = MSR_CTS | MSR_DSR | MSR_DCD;
	u->thre_pending = false;
	u->tx_count = 0;
	uart_rx_clear(u);
	u->irq = false;
	irq_set(&d->irq, false);
}

static err_t vuart16550_attach(struct dev *d)
{
	struct vuart16550 *u = d->state;

	u->rx_timer.fire = vuart16550_rx_fire;
	u->tx_timer.fire = vuart16550_tx_fire;
	u->dev = d;
	if (d->port.chr) {
		d->port.chr->ready = vuart16550_ready;
		d->port.chr->user = d;
	}
	return OK;
}

static void vuart16550_detach(struct dev *d)
{
	struct vuart16550 *u = d->state;

	if (d->port.chr)
		d->port.chr->ready = NULL;
	timer_cancel(&u->rx_timer);
	timer_cancel(&u->tx_timer);
	uart_tx_flush(d);
}

const struct model vuart16550_model = {
	.name = "vuart16550",
	.compatible = "ns16550a",
	.state_size = sizeof(struct vuart16550),
	.fields = vuart16550_fields,
	.attach = vuart16550_attach,
	.detach = vuart16550_detach,
	.reset = vuart16550_reset,
	.read = vuart16550_read,
	.write = vuart16550_write,
};
