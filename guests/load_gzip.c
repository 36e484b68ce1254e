/*
 * gzip files (RFC 1952), inflated by zlib, which also checks CRC and length. What follows the
 * first member is not looked at. A file is inflated twice, first into nothing: only then it is
 * known to be whole, and how long its content is.
 */
#include <zlib.h>

#include "guests/image.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"

#define GZIP_WINDOW	(15 + 16)	/* zlib's way to say: gzip and nothing else */
#define GZIP_MAX GIB(1) /* no content is longer; it also fits zlib's 32-bit counters */
#define GZIP_PIECE	KIB(64)

bool gzip_match(const u8 *data, u64 len)
{
	return len >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

static void *gzip_alloc(void *opaque, unsigned items, unsigned size)
{
	return heap_alloc((size_t)items * size);
}

static void gzip_free(void *opaque, void *p)
{
	heap_free(p);
}

static err_t gzip_broken(const struct image *i, int status)
{
	if (status == Z_MEM_ERROR)
		return ERRF(E_NOMEM, "%s: no memory to decompress", i->file);
	if (status == Z_DATA_ERROR)
		return ERRF(E_FORMAT, "%s: damaged gzip data; copy or build the file again",
			    i->file);
	return ERRF(E_FORMAT, "%s: truncated gzip data; copy or build the file again", i->file);
}

static err_t gzip_begin(const struct image *i, z_stream *z)
{
	*z = (z_stream){ .zalloc = gzip_alloc, .zfree = gzip_free };
	if (i->len > GZIP_MAX)
		return ERRF(E_FORMAT, "%s: too long for a kernel", i->file);
	z->next_in = (u8 *)(uptr)i->data;
	z->avail_in = (unsigned)i->len;
	return inflateInit2(z, GZIP_WINDOW) == Z_OK ? OK : gzip_broken(i, Z_MEM_ERROR);
}

/* Inflate piece by piece, each over the last; the first one's beginning is kept. */
static err_t gzip_inflate_away(struct image *i, z_stream *z, u8 *piece, u8 *head, u64 cap)
{
	int status;

	do {
		u64 before = z->total_out;

		z->next_out = piece;
		z->avail_out = GZIP_PIECE;
		status = inflate(z, Z_NO_FLUSH);
		if (!before)
			memcpy(head, piece, cap);
	} while (status == Z_OK && z->total_out <= GZIP_MAX);
	if (status == Z_OK)
		return ERRF(E_FORMAT, "%s: its content is too long for a kernel", i->file);
	if (status != Z_STREAM_END)
		return gzip_broken(i, status);
	i->bytes = z->total_out;
	return OK;
}

err_t gzip_parse(struct image *i, u8 *head, u64 cap)
{
	u8 *piece = heap_alloc(GZIP_PIECE);
	z_stream z;
	err_t e = piece ? gzip_begin(i, &z) : gzip_broken(i, Z_MEM_ERROR);

	if (e == OK) {
		e = gzip_inflate_away(i, &z, piece, head, MIN(cap, GZIP_PIECE));
		inflateEnd(&z);
	}
	i->gzip = true;
	heap_free(piece);
	return e;
}

err_t gzip_expand(const struct image *i, u8 *buf)
{
	z_stream z;
	err_t e = gzip_begin(i, &z);
	int status;

	if (e)
		return e;
	z.next_out = buf;
	z.avail_out = (unsigned)i->bytes;
	status = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	return status == Z_STREAM_END ? OK : gzip_broken(i, status);
}
