/*
 * Sparse arrays in the process. A piece is a private mapping, over and over, of one short file
 * that holds nothing but the fill: reading takes the file's pages, which all arrays share, and
 * writing makes a copy. Dropping the copies brings the fill back, so the kernel keeps the whole
 * book and touching is nothing.
 */
#include "arch/mem.h"

#include <sys/mman.h>
#include <unistd.h>

#include "kernel/base/lock.h"

#define TILE_SIZE	MIB(1)		/* a mapping each: Linux allows a process 65530 */
#define TILES		16		/* fills remembered; more only cost time and memory */
#define SPARSE_FLAGS	(MAP_PRIVATE | MAP_NORESERVE)

struct tile {
	u64 fill;
	int fd;
	bool used;
};

static struct lock tiles_lock;
static struct tile tiles[TILES];
static u32 tile_next;

/* A file of TILE_SIZE bytes that repeats @fill, or -1. */
static int tile_make(u64 fill)
{
	int fd = memfd_create("fvp-fill", MFD_CLOEXEC);
	u64 *p;

	if (fd < 0)
		return -1;
	p = ftruncate(fd, TILE_SIZE) == 0 ?
		mmap(NULL, TILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (p == MAP_FAILED) {
		close(fd);
		return -1;
	}
	for (u64 i = 0; i < TILE_SIZE / sizeof(*p); i++)
		p[i] = fill;
	munmap(p, TILE_SIZE);
	return fd;
}

/* The file for @fill, or -1; mappings outlive it. Under the lock. */
static int tile_find(u64 fill)
{
	struct tile *t;
	int fd;

	for (u32 i = 0; i < TILES; i++)
		if (tiles[i].used && tiles[i].fill == fill)
			return tiles[i].fd;
	fd = tile_make(fill);
	if (fd < 0)
		return -1;
	t = &tiles[tile_next++ % TILES];
	if (t->used)
		close(t->fd);
	*t = (struct tile){ fill, fd, true };
	return fd;
}

static bool piece_map(u8 *at, u64 len, u64 fill)
{
	bool ok = true;
	int fd;

	lock_take(&tiles_lock);
	fd = tile_find(fill);
	for (u64 done = 0; fd >= 0 && ok && done < len; done += TILE_SIZE)
		ok = mmap(at + done, MIN(TILE_SIZE, len - done), PROT_READ | PROT_WRITE,
			  SPARSE_FLAGS | MAP_FIXED, fd, 0) != MAP_FAILED;
	lock_drop(&tiles_lock);
	return fd >= 0 && ok;
}

u64 *arch_sparse_alloc(u64 len, const u64 *fill, u32 pieces)
{
	u64 piece = pieces ? len / pieces : 0;
	u8 *p;

	if (!piece || piece * pieces != len || piece % SPARSE_ALIGN || len > BIT(46))
		return NULL;
	p = mmap(NULL, len, PROT_NONE, SPARSE_FLAGS | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	for (u32 i = 0; i < pieces; i++)
		if (!piece_map(p + i * piece, piece, fill[i])) {
			munmap(p, len);
			return NULL;
		}
	madvise(p, len, MADV_NOHUGEPAGE);
	madvise(p, len, MADV_DONTDUMP);
	return (u64 *)p;
}

void arch_sparse_adopt(u64 *base)
{
	/* The kernel tells all threads. */
}

bool arch_sparse_touch(u64 *base, u64 *at)
{
	return true;
}

void arch_sparse_reset(u64 *base, u64 len)
{
	madvise(base, len, MADV_DONTNEED);
}

void arch_sparse_free(u64 *base, u64 len)
{
	if (base)
		munmap(base, len);
}
