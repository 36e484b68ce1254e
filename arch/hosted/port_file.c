/*
 * A file (or block device) of the process's file system as a block port. Requests complete
 * before submit returns: the page cache is fast, and a guest waits for its disk anyway.
 *
 * The file is locked, so that two VMs do not write to one disk behind each other's backs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/io.h"
#include "drivers/port/blk.h"
#include "kernel/base/heap.h"

#define IOV_BATCH 64

/* A request's iovec is passed to the kernel as it is. */
_Static_assert(sizeof(struct iovec_host) == sizeof(struct iovec), "iovec");
_Static_assert(offsetof(struct iovec_host, len) == offsetof(struct iovec, iov_len), "iovec");

struct file_blk {
	struct blk blk;
	int fd;
};

static err_t io_error(const struct file_blk *f, const char *what)
{
	return ERRF(E_IO, "%s: %s: %s", f->blk.name, what, hosted_strerror(errno));
}

/* One preadv or pwritev over a batch of the iovec, from byte @skip of the first element. */
static ssize_t transfer_some(struct file_blk *f, struct blk_req *r, u32 at, u64 skip, off_t pos)
{
	struct iovec iov[IOV_BATCH];
	u32 count = MIN(r->iov_count - at, (u32)IOV_BATCH);

	memcpy(iov, r->iov + at, count * sizeof(iov[0]));
	iov[0].iov_base = (u8 *)iov[0].iov_base + skip;
	iov[0].iov_len -= skip;
	if (r->op == BLK_READ)
		return preadv(f->fd, iov, (int)count, pos);
	return pwritev(f->fd, iov, (int)count, pos);
}

static err_t transfer(struct file_blk *f, struct blk_req *r)
{
	off_t pos = (off_t)(r->sector * BLK_SECTOR);
	u64 left = r->sectors * BLK_SECTOR, skip = 0;
	u32 at = 0;

	while (left) {
		ssize_t n = transfer_some(f, r, at, skip, pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(f, r->op == BLK_READ ? "read" : "write");
		if (n == 0)
			return ERRF(E_IO, "%s: the file became shorter", f->blk.name);
		pos += n;
		left -= (u64)n;
		for (skip += (u64)n; at < r->iov_count && skip >= r->iov[at].len; at++)
			skip -= r->iov[at].len;
	}
	return OK;
}

static err_t write_zeros(struct file_blk *f, off_t pos, u64 len)
{
	static const u8 zeros[65536];

	while (len) {
		ssize_t n = pwrite(f->fd, zeros, MIN(len, sizeof(zeros)), pos);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_error(f, "write zeros");
		pos += n;
		len -= (u64)n;
	}
	return OK;
}

/* Both punch a hole, which reads as zero; where the file system cannot, zeros are written. */
static err_t zero(struct file_blk *f, struct blk_req *r)
{
	off_t pos = (off_t)(r->sector * BLK_SECTOR), len = (off_t)(r->sectors * BLK_SECTOR);

	if (len == 0 || fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len) == 0)
		return OK;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != ENODEV)
		return io_error(f, "punch hole");
	return r->op == BLK_DISCARD ? OK : write_zeros(f, pos, (u64)len);
}

static err_t flush(struct file_blk *f)
{
	if (fdatasync(f->fd) == 0 || errno == EINVAL || errno == EROFS)
		return OK;
	return io_error(f, "flush");
}

static void file_submit(struct blk *b, struct blk_req *r)
{
	struct file_blk *f = container_of(b, struct file_blk, blk);

	switch (r->op) {
	case BLK_READ:
	case BLK_WRITE:
		r->done(r, transfer(f, r));
		break;
	case BLK_FLUSH:
		r->done(r, flush(f));
		break;
	case BLK_DISCARD:
	case BLK_ZERO:
		r->done(r, zero(f, r));
		break;
	}
}

static void file_close(struct blk *b)
{
	struct file_blk *f = container_of(b, struct file_blk, blk);

	close(f->fd);			/* drops the lock, too */
	heap_free((void *)f->blk.name);
	heap_free(f);
}

static const struct blk_ops file_ops = { file_submit, file_close };

static err_t file_size(const char *path, int fd, u64 *size)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) != 0)
		return ERRF(E_IO, "%s: %s", path, hosted_strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return ERRF(E_IO, "%s: is %s, want a disk image or a block device", path,
			    S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return ERRF(E_IO, "%s: %s", path, hosted_strerror(errno));
	if (end == 0 || end % BLK_SECTOR)
		return ERRF(E_FORMAT, "%s: size of %llu bytes is %s; is it a raw disk image?", path,
			    (unsigned long long)end, end ? "not a multiple of 512" : "no disk");
	*size = (u64)end;
	return OK;
}

static err_t file_blk_new(const char *path, int fd, bool readonly, struct blk **out)
{
	struct file_blk *f;
	u64 size;
	err_t e = file_size(path, fd, &size);

	if (e != OK)
		return e;
	if (flock(fd, (readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return ERRF(E_BUSY,
			    "%s: in use by another VM; end that one, or open both read-only", path);
	f = heap_alloc(sizeof(*f));
	if (!f)
		return ERR(E_NOMEM);
	f->fd = fd;
	f->blk = (struct blk){
		.ops = &file_ops,
		.name = heap_strdup(path),
		.sectors = size / BLK_SECTOR,
		.readonly = readonly,
		.discard = !readonly,
	};
	if (!f->blk.name) {
		heap_free(f);
		return ERR(E_NOMEM);
	}
	*out = &f->blk;
	return OK;
}

err_t arch_disk_open(const char *path, bool readonly, struct blk **out)
{
	int fd = open(path, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	err_t e;

	if (fd < 0)
		return ERRF(hosted_open_error(errno), "%s: %s", path, hosted_strerror(errno));
	e = file_blk_new(path, fd, readonly, out);
	if (e != OK)
		close(fd);
	return e;
}
