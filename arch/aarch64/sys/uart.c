/*
 * The machine's console: a PL011 (DDI 0183) or the SBSA generic UART, its subset. Firmware
 * has set line speed and format; they are left alone. Output is polled, input arrives by
 * interrupt into a ring with one writer (the handler) and one reader (the console's owner).
 */
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/io.h"
#include "arch/irq.h"
#include "drivers/port/chr.h"
#include "kernel/base/log.h"

#define UARTDR		0x00
#define UARTFR		0x18
#define UARTIMSC	0x38
#define UARTICR		0x44
#define FR_RXFE		BIT(4)
#define FR_TXFF		BIT(5)
#define DR_ERROR	0xf00			/* overrun, break, parity, framing */
#define INT_RX		(BIT(4) | BIT(6))	/* FIFO level, and data that has waited */
#define SPIN_MAX	1000000			/* a UART that never drains must not hang a panic */

#define RING 1024u				/* power of two */

static hpa_t base;				/* set once; 0: none */
static u8 ring[RING];
static _Atomic u32 ring_in, ring_out;		/* free running */

void uart_init(hpa_t at)
{
	base = at;
}

static void put(u8 c)
{
	for (u32 spin = 0; mmio_read32(base + UARTFR) & FR_TXFF && spin < SPIN_MAX; spin++)
		;
	mmio_write32(base + UARTDR, c);
}

void arch_early_write(const char *text, size_t len)
{
	for (size_t i = 0; base && i < len; i++) {
		if (text[i] == '\n')
			put('\r');
		put((u8)text[i]);
	}
}

static bool ring_full(void)
{
	return atomic_load_explicit(&ring_in, memory_order_relaxed) -
	       atomic_load_explicit(&ring_out, memory_order_acquire) == RING;
}

/* Interrupt handler. With a full ring the rest stays in the UART, masked until somebody reads. */
static void input_take(void *arg)
{
	while (!(mmio_read32(base + UARTFR) & FR_RXFE) && !ring_full()) {
		u32 v = mmio_read32(base + UARTDR);
		u32 in = atomic_load_explicit(&ring_in, memory_order_relaxed);

		if (v & DR_ERROR)
			continue;
		ring[in % RING] = (u8)v;
		atomic_store_explicit(&ring_in, in + 1, memory_order_release);
	}
	if (ring_full())
		mmio_write32(base + UARTIMSC, 0);
	mmio_write32(base + UARTICR, INT_RX);
	cpu_raise_local(cpu_self, CPU_INPUT);
}

void uart_poll(void)
{
	if (base && !(mmio_read32(base + UARTFR) & FR_RXFE))
		input_take(NULL);
}

static size_t uart_write(struct chr *c, const u8 *buf, size_t len)
{
	size_t n = 0;

	while (n < len && !(mmio_read32(base + UARTFR) & FR_TXFF))
		mmio_write32(base + UARTDR, buf[n++]);
	return n;
}

static size_t uart_read(struct chr *c, u8 *buf, size_t len)
{
	u32 out = atomic_load_explicit(&ring_out, memory_order_relaxed);
	u32 have = atomic_load_explicit(&ring_in, memory_order_acquire) - out;
	size_t n = MIN(len, (size_t)have);

	for (size_t i = 0; i < n; i++)
		buf[i] = ring[(out + i) % RING];
	atomic_store_explicit(&ring_out, out + (u32)n, memory_order_release);
	if (n && gic_present())
		mmio_write32(base + UARTIMSC, INT_RX);
	return n;
}

static const struct chr_ops uart_ops = { .write = uart_write, .read = uart_read };
static struct chr uart = { .ops = &uart_ops, .name = "pl011" };

void uart_init_input(u32 intid)
{
	if (!base || !gic_present())
		return;
	if (!intid || arch_irq_bind(intid, input_take, NULL)) {
		log_warn("console: no interrupt, output only");
		return;
	}
	mmio_write32(base + UARTICR, INT_RX);
	mmio_write32(base + UARTIMSC, INT_RX);
}

struct chr *arch_console(void)
{
	return base ? &uart : NULL;
}
