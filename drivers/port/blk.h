/*
 * Block port: asynchronous, scatter-gather. A request belongs to the provider from
 * blk_submit() until it calls done(), once, from any CPU's loop (maybe before submit
 * returns). The memory in iov stays valid that long: a device drains its requests before
 * it is reset, paused or removed.
 */
#pragma once

#include "kernel/base/err.h"

#define BLK_SECTOR 512u

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD, BLK_ZERO };

struct iovec_host {
	u8 *base;
	u64 len;
};

struct blk_req {
	enum blk_op op;
	/* in units of BLK_SECTOR, already checked against the size by blk_submit */
	u64 sector, sectors;
	struct iovec_host *iov;
	u32 iov_count;
	void (*done)(struct blk_req *r, err_t e);
	void *user;
};

struct blk;

struct blk_ops {
	void (*submit)(struct blk *b, struct blk_req *r);
	void (*close)(struct blk *b);	/* may be NULL */
	/*
	 * Complete what has finished: a device that drains has nowhere else to wait. NULL if
	 * done() needs no help.
	 */
	void (*poll)(struct blk *b);
};

struct blk {
	const struct blk_ops *ops;
	const char *name;
	u64 sectors;			/* capacity in BLK_SECTOR units */
	bool readonly;
	bool discard;			/* BLK_DISCARD and BLK_ZERO work */
};

/*
 * Check range, write permission and iov total, then submit; a bad request is done() with an error.
 */
void blk_submit(struct blk *b, struct blk_req *r);
