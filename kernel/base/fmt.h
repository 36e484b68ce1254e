/*
 * The formatter: printf's %d %i %u %x %X %p %s %c %%, flags '-' '0' '+' '#', width and
 * precision (also '*'), lengths hh h l ll z. No floating point: the hypervisor has none.
 * Output goes to a sink, so the same code prints to a log, a buffer or a console.
 */
#pragma once

#include <stdarg.h>

#include "kernel/base/types.h"

struct sink {
	void (*write)(struct sink *s, const char *text, size_t len);
};

/* A sink that fills a buffer, always NUL-terminated; @len counts what was wanted. */
struct sink_buf {
	struct sink sink;
	char *buf;
	size_t cap, len;
};

struct sink_buf sink_buf_init(char *buf, size_t cap);

void sink_write(struct sink *s, const char *text, size_t len);
void sink_puts(struct sink *s, const char *text);
void sink_printf(struct sink *s, const char *fmt, ...) printf_like(2, 3);
void sink_vprintf(struct sink *s, const char *fmt, va_list ap) printf_like(2, 0);

/* Like snprintf: the return is the length wanted, @buf is cut and terminated. */
size_t fmt_buf(char *buf, size_t cap, const char *fmt, ...) printf_like(3, 4);
