/*
 * COM1, a 16550 (PC16550D data sheet): the early console, polled, and the machine's console
 * port with received bytes in a ring that its interrupt fills. A machine without the port
 * reads all ones there and has no console port.
 *
 * When the ring is full the interrupt is switched off and the rest stays in the UART until
 * somebody reads; switching it on again makes a new edge if bytes wait.
 */
#include "arch/irq.h"
#include "arch/io.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/uart.h"
#include "drivers/port/chr.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/lock.h"
#include "kernel/base/log.h"

#define COM1		0x3f8
#define COM1_IRQ	4
#define FIFO		16
#define RING		4096

enum {
	DATA = COM1,
	IER = COM1 + 1,
	FCR = COM1 + 2,
	LCR = COM1 + 3,
	MCR = COM1 + 4,
	LSR = COM1 + 5,
	SCRATCH = COM1 + 7
};
enum {
	IER_RX = 1,
	FCR_ON = 7,
	LCR_8N1 = 3,
	LCR_DLAB = 0x80,
	MCR_ON = 0xb,
	LSR_DATA = 1,
	LSR_EMPTY = 0x20
};

static bool present;
static u8 ring[RING];
static _Atomic u32 head, tail;		/* written by the interrupt, by the reader */
static _Atomic bool full;
static struct lock write_lock;

void uart_init(void)
{
	out8(SCRATCH, 0x5a);
	present = in8(SCRATCH) == 0x5a && in8(LSR) != 0xff;
	if (!present)
		return;
	out8(IER, 0);
	out8(LCR, LCR_DLAB);
	out8(DATA, 1);		/* 115200 baud */
	out8(IER, 0);
	out8(LCR, LCR_8N1);
	out8(FCR, FCR_ON);
	out8(MCR, MCR_ON);
}

static void byte_send(u8 c)
{
	/* A UART that never gets ready must not hang a panic. */
	for (u32 i = 0; i < 1000000 && !(in8(LSR) & LSR_EMPTY); i++)
		host_relax();
	out8(DATA, c);
}

void arch_early_write(const char *text, size_t len)
{
	for (size_t i = 0; present && i < len; i++) {
		if (text[i] == '\n')
			byte_send('\r');
		byte_send((u8)text[i]);
	}
}

static size_t com_write(struct chr *c, const u8 *buf, size_t len)
{
	size_t done = 0;

	lock_take(&write_lock);
	while (done < len && (in8(LSR) & LSR_EMPTY))
		for (u32 i = 0; i < FIFO && done < len; i++)
			out8(DATA, buf[done++]);
	lock_drop(&write_lock);
	return done;
}

static size_t com_read(struct chr *c, u8 *buf, size_t len)
{
	u32 at = atomic_load(&tail);
	size_t done = 0;

	while (done < len && at != atomic_load(&head))
		buf[done++] = ring[at++ % RING];
	atomic_store(&tail, at);
	if (done && atomic_exchange(&full, false))
		out8(IER, IER_RX);
	return done;
}

static void com_raise(void *arg)
{
	u32 at = atomic_load(&head);

	while (in8(LSR) & LSR_DATA) {
		if (at - atomic_load(&tail) == RING) {
			atomic_store(&full, true);
			out8(IER, 0);
			break;
		}
		ring[at++ % RING] = in8(DATA);
	}
	atomic_store(&head, at);
	cpu_raise_local(cpu_self, CPU_INPUT);
}

static const struct chr_ops com_ops = { .write = com_write, .read = com_read };
static struct chr com = { .ops = &com_ops, .name = "com1" };

void uart_listen(void)
{
	if (!present)
		return;
	if (arch_irq_bind(ioapic_gsi_of_isa(COM1_IRQ), com_raise, NULL) == OK)
		out8(IER, IER_RX);
	else
		log_warn("com1: no interrupt, so no input");
}

struct chr *arch_console(void)
{
	return present ? &com : NULL;
}
