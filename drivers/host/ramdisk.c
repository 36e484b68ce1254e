/*
 * RAM disk: the simplest block port. Requests complete before submit returns; blk_submit()
 * has checked range, permission and buffer sizes, so here is only copying left.
 */
#include "drivers/host/ramdisk.h"

#include "kernel/base/heap.h"
#include "kernel/base/str.h"

struct ramdisk {
	struct blk blk;
	u8 *data;
};

static void ramdisk_copy(const struct blk_req *r, u8 *at)
{
	for (u32 i = 0; i < r->iov_count; i++) {
		if (r->op == BLK_READ)
			memcpy(r->iov[i].base, at, r->iov[i].len);
		else
			memcpy(at, r->iov[i].base, r->iov[i].len);
		at += r->iov[i].len;
	}
}

static void ramdisk_submit(struct blk *b, struct blk_req *r)
{
	struct ramdisk *d = container_of(b, struct ramdisk, blk);
	u8 *at = d->data + r->sector * BLK_SECTOR;

	switch (r->op) {
	case BLK_READ:
	case BLK_WRITE:
		ramdisk_copy(r, at);
		break;
	case BLK_DISCARD:
	case BLK_ZERO:
		memset(at, 0, r->sectors * BLK_SECTOR);
		break;
	case BLK_FLUSH:
		break;
	}
	r->done(r, OK);
}

static void ramdisk_close(struct blk *b)
{
	struct ramdisk *d = container_of(b, struct ramdisk, blk);

	heap_free((void *)b->name);
	heap_free(d);
}

static const struct blk_ops ramdisk_ops = { .submit = ramdisk_submit, .close = ramdisk_close };

err_t ramdisk_open(const char *name, u8 *data, u64 len, bool readonly, struct blk **out)
{
	struct ramdisk *d;
	char *copy;

	if (!len || len % BLK_SECTOR)
		return ERRF(E_FORMAT, "%s: size of %lu bytes is %s; is it a raw disk image?", name,
			    len, len ? "not a multiple of 512" : "no disk");
	d = heap_alloc(sizeof(*d));
	copy = heap_strdup(name);
	if (!d || !copy) {
		heap_free(d);
		heap_free(copy);
		return ERRF(E_NOMEM, "%s: no memory for a RAM disk", name);
	}
	d->data = data;
	d->blk = (struct blk){
		.ops = &ramdisk_ops,
		.name = copy,
		.sectors = len / BLK_SECTOR,
		.readonly = readonly,
		.discard = !readonly,
	};
	*out = &d->blk;
	return OK;
}
