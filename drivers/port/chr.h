/*
 * Character port: a byte stream in both directions. The provider (a host driver, the
 * console multiplexer, a file) fills in ops; the consumer (a UART model, the console)
 * sets ready/user. All calls come from the hypervisor's loop, never from an interrupt;
 * a provider shared by CPUs locks itself.
 */
#pragma once

#include "kernel/base/types.h"

struct chr;

struct chr_ops {
	/* Bytes taken, possibly fewer than @len (0 = busy). */
	size_t (*write)(struct chr *c, const u8 *buf, size_t len);
	/* Bytes given, 0 when there are none. */
	size_t (*read)(struct chr *c, u8 *buf, size_t len);
};

struct chr {
	const struct chr_ops *ops;
	const char *name;
	void (*ready)(void *user);	/* the provider calls it when there is input; may be NULL */
	void *user;
};

static inline size_t chr_write(struct chr *c, const void *buf, size_t len)
{
	return c ? c->ops->write(c, buf, len) : len;
}

static inline size_t chr_read(struct chr *c, void *buf, size_t len)
{
	return c ? c->ops->read(c, buf, len) : 0;
}
