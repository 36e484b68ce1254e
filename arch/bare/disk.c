/*
 * Disk images of the boot volume as block ports. The files are in RAM already; a read-only
 * disk is the file itself, a writable one a copy that ends with the disk: there is no
 * driver yet that could write it back. Requests complete before submit returns.
 */
#include "arch/io.h"
#include "arch/mem.h"
#include "drivers/port/blk.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"

struct ram_disk {
	struct blk blk;
	u8 *bytes;
	bool copied;
};

static void bytes_move(struct ram_disk *d, const struct blk_req *r)
{
	u8 *at = d->bytes + r->sector * BLK_SECTOR;

	for (u32 i = 0; i < r->iov_count; i++) {
		const struct iovec_host *v = &r->iov[i];

		if (r->op == BLK_READ)
			memcpy(v->base, at, v->len);
		else
			memcpy(at, v->base, v->len);
		at += v->len;
	}
}

static void disk_submit(struct blk *b, struct blk_req *r)
{
	struct ram_disk *d = (struct ram_disk *)b;

	switch (r->op) {
	case BLK_READ:
	case BLK_WRITE:
		bytes_move(d, r);
		break;
	case BLK_DISCARD:
	case BLK_ZERO:
		memset(d->bytes + r->sector * BLK_SECTOR, 0, r->sectors * BLK_SECTOR);
		break;
	case BLK_FLUSH:
		break;
	}
	r->done(r, OK);
}

static void disk_close(struct blk *b)
{
	struct ram_disk *d = (struct ram_disk *)b;

	if (d->copied)
		arch_ram_free(d->bytes, b->sectors * BLK_SECTOR);
	heap_free(d);
}

static const struct blk_ops disk_ops = { .submit = disk_submit, .close = disk_close };

err_t arch_disk_open(const char *path, bool readonly, struct blk **out)
{
	struct ram_disk *d;
	struct file f;
	err_t e = arch_file_open(path, &f);

	if (e != OK)
		return e;
	if (!f.len || f.len % BLK_SECTOR)
		return ERRF(E_FORMAT, "%s: %llu bytes are not a raw disk image, which has whole sectors of %u",
			    f.name, (unsigned long long)f.len, BLK_SECTOR);
	d = heap_alloc(sizeof(*d));
	if (!d)
		return ERR(E_NOMEM);
	d->blk = (struct blk){ .ops = &disk_ops, .name = f.name, .sectors = f.len / BLK_SECTOR,
			       .readonly = readonly, .discard = !readonly };
	d->bytes = (u8 *)f.data;
	if (!readonly) {
		d->copied = true;
		d->bytes = arch_ram_alloc(f.len, NODE_ANY);
		if (!d->bytes) {
			heap_free(d);
			return ERRF(E_NOMEM, "%s: no memory for a writable copy of %llu MiB; \",ro\" needs none",
				    f.name, (unsigned long long)f.len >> 20);
		}
		memcpy(d->bytes, f.data, f.len);
	}
	*out = &d->blk;
	return OK;
}
