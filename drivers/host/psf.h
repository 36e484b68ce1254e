/*
 * PC screen fonts, versions 1 and 2: a header, bitmaps of equal size, and an optional table
 * that says which characters each bitmap draws.
 */
#pragma once

#include "kernel/base/err.h"

struct psf {
	u32 width, height;	/* pixels */
	u32 stride;		/* bytes of a row, most significant bit leftmost */
	u32 count;
	const u8 *bitmap;	/* count * stride * height bytes */
	const u8 *table, *table_end;
	bool utf8;		/* the table's encoding: version 2 UTF-8, version 1 UTF-16 */
	u16 ascii[128];		/* glyph of each character below 128 */
};

/* @data stays the caller's and must outlive the font. E_FORMAT. */
err_t psf_parse(struct psf *f, const u8 *data, size_t len);
/* The glyph that draws @character, or that of '?'. */
u32 psf_glyph(const struct psf *f, u32 character);

/* The fonts that every image carries (font.S): Spleen, width x height. */
extern const u8 font_8x16[], font_8x16_end[], font_16x32[], font_16x32_end[];
