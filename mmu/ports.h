/*
 * The 16-bit I/O space of x86: a sorted array of byte-granular ranges, found by binary search.
 * Models see an access exactly as they see one to memory (struct mmio_ops); one that touches
 * several ranges, or the space between them, reaches them byte by byte. Where nobody answers,
 * reads float high and writes go nowhere.
 *
 * Ranges change only while no vCPU of the space runs.
 */
#pragma once

#include "mmu/space.h"

#define PORTS_END	0x10000u

struct port_range {
	u32 base, len;
	u32 off;			/* what ops call the first of them */
	const char *name;		/* for messages, static lifetime */
	const struct mmio_ops *ops;
	void *ctx;
	struct lock *lock;		/* taken around ops, or NULL */
};

struct ports {
	struct port_range *range;	/* sorted by base, not overlapping */
	u32 count;
	_Atomic u32 last;		/* index of the range that was found last: a guess */
};

void ports_init(struct ports *p);
void ports_fini(struct ports *p);

/* E_RANGE: empty or beyond the space; E_EXIST: overlaps another; E_NOMEM. @new is copied. */
err_t ports_map(struct ports *p, const struct port_range *new);
err_t ports_unmap(struct ports *p, u32 base);	/* E_NOENT only */

/* One access of a guest CPU; @len is 1, 2 or 4, @port + @len may go beyond the space. */
u32 ports_read(struct ports *p, u32 port, u32 len);
void ports_write(struct ports *p, u32 port, u32 len, u32 val);
