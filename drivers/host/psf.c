/*
 * PC screen fonts: see psf.h. The formats are those of the Linux console tools (kbd, psf.h):
 * version 1 has 8 pixels a row and 256 or 512 glyphs, version 2 any size.
 *
 * A table entry is a list of characters, then maybe sequences of combining characters, which
 * are skipped. Only ASCII is looked up ahead of time, the rest is rare enough to search.
 */
#include "drivers/host/psf.h"

#include "kernel/base/str.h"

enum { PSF1_MAGIC = 0x0436, PSF1_512 = 1, PSF1_TABLE = 2 };
enum { PSF1_SEQUENCE = 0xfffe, PSF1_END = 0xffff };
enum { PSF2_TABLE = 1, PSF2_SEQUENCE = 0xfe, PSF2_END = 0xff };

#define PSF2_MAGIC	0x864ab572u
#define SIDE_MAX	64	/* pixels of a glyph either way */
#define COUNT_MAX	65536

struct psf1_header {
	u16 magic;
	u8 mode, bytes;
};

struct psf2_header {
	u32 magic, version, header, flags, count, bytes, height, width;
};

/* What a table says next: a character, or a marker. */
enum { TABLE_SEQUENCE = -1, TABLE_END = -2, TABLE_OVER = -3 };

static s32 table_next_utf16(const u8 **at, const u8 *end)
{
	u16 v;

	if (end - *at < 2)
		return TABLE_OVER;
	v = load_le16(*at);
	*at += 2;
	return v == PSF1_END ? TABLE_END : v == PSF1_SEQUENCE ? TABLE_SEQUENCE : v;
}

static s32 table_next_utf8(const u8 **at, const u8 *end)
{
	u32 more, v;

	if (*at == end)
		return TABLE_OVER;
	v = *(*at)++;
	if (v >= PSF2_SEQUENCE)
		return v == PSF2_END ? TABLE_END : TABLE_SEQUENCE;
	more = v >= 0xf0 ? 3 : v >= 0xe0 ? 2 : v >= 0xc0 ? 1 : 0;
	v &= more ? MASK(6 - more) : MASK(8);
	for (; more && *at < end && (**at & 0xc0) == 0x80; more--)
		v = v << 6 | (*(*at)++ & 0x3f);
	return (s32)v;
}

static s32 table_next(const struct psf *f, const u8 **at)
{
	return f->utf8 ? table_next_utf8(at, f->table_end) : table_next_utf16(at, f->table_end);
}

struct walk {
	const u8 *at;
	u32 glyph;
	bool sequence;
};

/* The next character that the table gives a glyph, w->glyph; false at the end. */
static bool table_walk(const struct psf *f, struct walk *w, u32 *character)
{
	s32 c;

	while (w->glyph < f->count && (c = table_next(f, &w->at)) != TABLE_OVER) {
		if (c == TABLE_END) {
			w->glyph++;
			w->sequence = false;
		} else if (c == TABLE_SEQUENCE) {
			w->sequence = true;
		} else if (!w->sequence) {
			*character = (u32)c;
			return true;
		}
	}
	return false;
}

u32 psf_glyph(const struct psf *f, u32 character)
{
	struct walk w = { .at = f->table };
	u32 c;

	if (character < ARRAY_LEN(f->ascii))
		return f->ascii[character];
	if (!f->table)
		return character < f->count ? character : f->ascii['?'];
	while (table_walk(f, &w, &c))
		if (c == character)
			return w.glyph;
	return f->ascii['?'];
}

/* The first glyph of each ASCII character counts; without a table, glyph numbers are characters. */
static void psf_index(struct psf *f)
{
	struct walk w = { .at = f->table };
	bool known[ARRAY_LEN(f->ascii)] = { false };
	u32 c;

	if (f->table) {
		while (table_walk(f, &w, &c)) {
			if (c < ARRAY_LEN(known) && !known[c]) {
				known[c] = true;
				f->ascii[c] = (u16)w.glyph;
			}
		}
	} else {
		for (c = 0; c < MIN(f->count, ARRAY_LEN(known)); c++) {
			known[c] = true;
			f->ascii[c] = (u16)c;
		}
	}
	for (c = 0; c < ARRAY_LEN(known); c++)
		if (!known[c])
			f->ascii[c] = f->ascii['?'];
}

static err_t psf_parse_1(struct psf *f, const u8 *data, size_t len)
{
	struct psf1_header h;

	memcpy(&h, data, sizeof(h));
	f->width = 8;
	f->stride = 1;
	f->height = h.bytes;
	f->count = h.mode & PSF1_512 ? 512 : 256;
	f->bitmap = data + sizeof(h);
	if (h.mode & PSF1_TABLE)
		f->table = f->bitmap;
	return OK;
}

static err_t psf_parse_2(struct psf *f, const u8 *data, size_t len)
{
	struct psf2_header h;

	if (len < sizeof(h))
		return ERRF(E_FORMAT, "font: truncated header");
	memcpy(&h, data, sizeof(h));
	if (h.version || h.header < sizeof(h) || h.header > len)
		return ERRF(E_FORMAT, "font: version %u with a header of %u bytes", h.version,
			    h.header);
	f->width = h.width;
	f->height = h.height;
	f->stride = h.width <= SIDE_MAX ? (h.width + 7) / 8 : 0;
	f->count = h.count;
	f->bitmap = data + h.header;
	f->utf8 = true;
	if (h.bytes != f->stride * f->height)
		return ERRF(E_FORMAT, "font: glyphs of %u bytes for %ux%u pixels", h.bytes, h.width,
			    h.height);
	if (h.flags & PSF2_TABLE)
		f->table = f->bitmap;
	return OK;
}

/*
 * What both versions have in common. So far nothing of *f is checked against the @end of the data.
 */
static err_t psf_check(struct psf *f, const u8 *end)
{
	u64 bytes = (u64)f->stride * f->height * f->count;

	if (!f->width || !f->height || f->width > SIDE_MAX || f->height > SIDE_MAX)
		return ERRF(E_FORMAT, "font: glyphs of %ux%u pixels", f->width, f->height);
	if (!f->count || f->count > COUNT_MAX || bytes > (u64)(end - f->bitmap))
		return ERRF(E_FORMAT, "font: truncated: %u glyphs do not fit", f->count);
	if (f->table) {
		f->table = f->bitmap + bytes;
		f->table_end = end;
	}
	return OK;
}

err_t psf_parse(struct psf *f, const u8 *data, size_t len)
{
	err_t e;

	*f = (struct psf){ 0 };
	if (len >= sizeof(struct psf1_header) && load_le16(data) == PSF1_MAGIC)
		e = psf_parse_1(f, data, len);
	else if (len >= 4 && load_le32(data) == PSF2_MAGIC)
		e = psf_parse_2(f, data, len);
	else
		return ERRF(E_FORMAT, "font: not a PC screen font");
	if (!e)
		e = psf_check(f, data + len);
	if (e)
		return e;
	psf_index(f);
	return OK;
}
