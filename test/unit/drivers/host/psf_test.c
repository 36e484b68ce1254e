/* PC screen fonts: the two that images carry, and malformed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "drivers/host/psf.h"
#include "kernel/base/str.h"

static void carried_fonts(void **state)
{
	const struct { const u8 *font, *end; u32 width, height; } all[] = {
		{ font_8x16, font_8x16_end, 8, 16 }, { font_16x32, font_16x32_end, 16, 32 },
	};

	for (u32 i = 0; i < ARRAY_LEN(all); i++) {
		const u8 *glyph;
		struct psf f;
		u32 ink = 0;

		assert_int_equal(psf_parse(&f, all[i].font, (size_t)(all[i].end - all[i].font)),
				 OK);
		assert_int_equal(f.width, all[i].width);
		assert_int_equal(f.height, all[i].height);
		for (u32 c = ' '; c < 127; c++)		/* every character has a glyph of its own */
			for (u32 o = ' '; o < c; o++)
				assert_int_not_equal(psf_glyph(&f, c), psf_glyph(&f, o));
		glyph = f.bitmap + psf_glyph(&f, ' ') * f.stride * f.height;
		for (u32 j = 0; j < f.stride * f.height; j++)
			ink += glyph[j];
		assert_int_equal(ink, 0);
		assert_int_not_equal(psf_glyph(&f, 0x2500), psf_glyph(&f, '?')); /* box drawing */
		assert_int_equal(psf_glyph(&f, 0x1f600), psf_glyph(&f, '?'));
		assert_int_equal(psf_glyph(&f, 7), psf_glyph(&f, '?'));
	}
}

/*
 * A version 2 font of two 3x2 glyphs; the second draws '?', U+20AC, and a sequence that starts
 * with 'x'.
 */
static const u8 small[] = {
	0x72, 0xb5, 0x4a, 0x86, 0,   0,    0,   0,    32,   0,    0,    0,   1,   0,    0, 0,
	2,    0,    0,    0,    2,   0,    0,   0,    2,    0,    0,    0,   3,   0,    0, 0,
	0x40, 0xa0, 0xe0, 0x20, 'A', 0xff, '?', 0xe2, 0x82, 0xac, 0xfe, 'x', 'y', 0xff,
};

static void table(void **state)
{
	struct psf f;

	assert_int_equal(psf_parse(&f, small, sizeof(small)), OK);
	assert_int_equal(f.count, 2);
	assert_int_equal(f.bitmap[2], 0xe0);
	assert_int_equal(psf_glyph(&f, 'A'), 0);
	assert_int_equal(psf_glyph(&f, 0x20ac), 1);
	assert_int_equal(psf_glyph(&f, 'B'), 1);
	assert_int_equal(psf_glyph(&f, 'x'), 1);	/* by way of '?' */
	assert_int_equal(psf_parse(&f, small, 32 + 4 + 2), OK);	/* a cut table just ends */
	assert_int_equal(psf_glyph(&f, 0x20ac), 0);
}

static void malformed(void **state)
{
	static const struct {
		u8 at;
		u32 value;
	} bad[] = {
		{ 0, 0 },          { 4, 1 },           { 8, 31 },          { 8, 4096 },
		{ 8, UINT32_MAX }, { 16, 0 },          { 16, 100 },        { 16, UINT32_MAX },
		{ 20, 3 },         { 24, 0 },          { 24, UINT32_MAX }, { 28, 0 },
		{ 28, 65 },        { 28, UINT32_MAX },
	};
	struct psf f;
	u8 copy[sizeof(small)];

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		memcpy(copy, small, sizeof(small));
		store_le32(copy + bad[i].at, bad[i].value);
		assert_int_equal(psf_parse(&f, copy, sizeof(copy)), E_FORMAT);
	}
	for (size_t len = 0; len < 36; len++)
		assert_int_equal(psf_parse(&f, small, len), E_FORMAT);
	assert_int_equal(psf_parse(&f, (const u8 *)"\x36\x04\x03\x10glyphs", 10), E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carried_fonts),
		cmocka_unit_test(table),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
