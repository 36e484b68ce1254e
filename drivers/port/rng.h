/* Entropy port. */
#pragma once

#include "kernel/base/err.h"

struct rng;

struct rng_ops {
	/* Fill @buf wholly, or fail. */
	err_t (*read)(struct rng *r, void *buf, size_t len);
};

struct rng {
	const struct rng_ops *ops;
	const char *name;
};

static inline err_t rng_read(struct rng *r, void *buf, size_t len)
{
	return r ? r->ops->read(r, buf, len) : ERR(E_UNSUPPORTED);
}
