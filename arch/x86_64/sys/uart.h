/* The machine's serial port, see uart.c. */
#pragma once

/* Before anything else: polled output. */
void uart_init(void);
/* Receive by interrupt; after ioapic_init(). */
void uart_listen(void);
