/*
 * gzip files (RFC 1952), inflated by zlib, which also checks CRC and length. What follows the
 * first member is not looked at. The length that the end of the file claims is modulo 4 GiB and
 * believed only until inflating disproves it.
 */
#include <zlib.h>

#include "guests/image.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"

enum {
	GZIP_HEADER = 10,
	GZIP_TRAILER = 8,
	GZIP_WINDOW = 15 + 16,		/* zlib's way to say: gzip and nothing else */
};

bool gzip_match(const u8 *data, u64 len)
{
	return len >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

u64 gzip_size(const u8 *data, u64 len)
{
	return len < GZIP_HEADER + GZIP_TRAILER ? 0 : load_le32(data + len - 4);
}

static void *gzip_alloc(void *opaque, unsigned items, unsigned size)
{
	return heap_alloc((size_t)items * size);
}

static void gzip_free(void *opaque, void *p)
{
	heap_free(p);
}

/* zlib counts in 32 bits. */
static unsigned gzip_chunk(u64 left)
{
	return (unsigned)MIN(left, GIB(1));
}

/* Inflate until the end of the stream or of @cap bytes; zlib's last word in *status. */
static err_t gzip_inflate(const struct image *i, u8 *buf, u64 cap, u64 *got, int *status)
{
	z_stream z = { .zalloc = gzip_alloc, .zfree = gzip_free };
	const u8 *in_end = i->data + i->len, *out_end = buf + cap;

	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return ERRF(E_NOMEM, "%s: no memory to decompress", i->file);
	z.next_in = (u8 *)(uptr)i->data;
	z.next_out = buf;
	do {
		z.avail_in = gzip_chunk((u64)(in_end - z.next_in));
		z.avail_out = gzip_chunk((u64)(out_end - z.next_out));
		*status = inflate(&z, Z_NO_FLUSH);
	} while (*status == Z_OK && z.next_in < in_end && z.next_out < out_end);
	*got = (u64)(z.next_out - buf);
	inflateEnd(&z);
	return OK;
}

static err_t gzip_broken(const struct image *i, int status)
{
	if (status == Z_MEM_ERROR)
		return ERRF(E_NOMEM, "%s: no memory to decompress", i->file);
	if (status == Z_DATA_ERROR)
		return ERRF(E_FORMAT, "%s: damaged gzip data; copy or build the file again", i->file);
	return ERRF(E_FORMAT, "%s: truncated gzip data; copy or build the file again", i->file);
}

err_t gzip_peek(const struct image *i, u8 *buf, u64 cap, u64 *got)
{
	int status;
	err_t e = gzip_inflate(i, buf, cap, got, &status);

	if (e)
		return e;
	if (status != Z_STREAM_END && *got < cap)
		return gzip_broken(i, status);
	return OK;
}

err_t gzip_expand(const struct image *i, u8 *buf, u64 len)
{
	u64 got;
	int status;
	err_t e = gzip_inflate(i, buf, len, &got, &status);

	if (e)
		return e;
	if (status == Z_OK && got == len)
		return ERRF(E_FORMAT, "%s: damaged gzip data: longer than its end says", i->file);
	if (status != Z_STREAM_END)
		return gzip_broken(i, status);
	if (got != len)
		return ERRF(E_FORMAT, "%s: damaged gzip data: shorter than its end says", i->file);
	return OK;
}
