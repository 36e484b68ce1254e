/* The frame buffer console, rendered into memory and compared with the font pixel by pixel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/host/fbcon.h"
#include "drivers/host/psf.h"
#include "kernel/base/heap.h"

#define WIDTH	83		/* 10 characters and a margin */
#define HEIGHT	50		/* 3 lines and a margin */
#define STRIDE	90
#define GREY	0xb8b8b8

static u32 *fb;
static struct chr *con;
static struct psf font;

static int setup(void **state)
{
	fb = malloc(4 * STRIDE * HEIGHT);
	memset(fb, 0xee, 4 * STRIDE * HEIGHT);
	assert_int_equal(psf_parse(&font, font_8x16, (size_t)(font_8x16_end - font_8x16)), OK);
	con = fbcon_open(fb, WIDTH, HEIGHT, STRIDE, true);
	assert_non_null(con);
	return 0;
}

static int teardown(void **state)
{
	fbcon_close(con);
	free(fb);
	return 0;
}

static void put(const char *text)
{
	assert_int_equal(chr_write(con, text, strlen(text)), strlen(text));
}

static bool looks_like(u32 col, u32 row, u32 character, u32 fg, u32 bg)
{
	const u8 *glyph = font.bitmap + psf_glyph(&font, character) * 16;

	for (u32 y = 0; y < 16; y++)
		for (u32 x = 0; x < 8; x++)
			if (fb[(row * 16 + y) * STRIDE + col * 8 + x] !=
			    (glyph[y] & 0x80 >> x ? fg : bg))
				return false;
	return true;
}

static void opens_blank(void **state)
{
	assert_true(looks_like(0, 0, ' ', 0, GREY));	/* the cursor */
	assert_true(looks_like(1, 0, ' ', GREY, 0));
	for (u32 y = 0; y < HEIGHT; y++) {
		assert_int_equal(fb[y * STRIDE + WIDTH - 1], 0);
		assert_int_equal(fb[y * STRIDE + WIDTH], 0xeeeeeeee);	/* beyond the picture */
	}
	assert_int_equal(fb[(HEIGHT - 1) * STRIDE], 0);
}

static void text_and_cursor(void **state)
{
	put("Ay\x1b[31m!");
	assert_true(looks_like(0, 0, 'A', GREY, 0));
	assert_true(looks_like(1, 0, 'y', GREY, 0));
	assert_true(looks_like(2, 0, '!', 0xaa0000, 0));
	assert_true(looks_like(3, 0, ' ', 0, GREY));
	put("\x1b[?25l");
	assert_true(looks_like(3, 0, ' ', GREY, 0));
	put("\x1b[?25h\x1b[m\r");
	assert_true(looks_like(0, 0, 'A', 0, GREY));
	put("\xe2\x94\x80");
	assert_true(looks_like(0, 0, 0x2500, GREY, 0));
}

static void byte_order(void **state)
{
	fbcon_close(con);
	con = fbcon_open(fb, WIDTH, HEIGHT, STRIDE, false);
	put("\x1b[33mx");
	assert_true(looks_like(0, 0, 'x', 0x0055aa, 0));
}

/*
 * Scrolling redraws from memory, and only what changed: damage on the screen is neither copied nor
 * repaired.
 */
static void scrolling_reads_nothing_back(void **state)
{
	put("ab\nxb\nz");
	assert_true(looks_like(0, 1, 'x', GREY, 0));
	memset(fb, 0x55, 4 * STRIDE * 32);
	put("\nend");
	assert_true(looks_like(0, 0, 'x', GREY, 0));
	assert_true(looks_like(0, 1, 'z', GREY, 0));
	assert_true(looks_like(0, 2, 'e', GREY, 0));
	assert_int_equal(fb[8], 0x55555555);		/* 'b' stayed 'b': not drawn again */
	assert_true(looks_like(1, 1, ' ', GREY, 0));
}

static void input_there_is_none(void **state)
{
	u8 byte;

	assert_int_equal(chr_read(con, &byte, 1), 0);
}

static void big_screens_get_the_big_font(void **state)
{
	u32 *big = calloc(1600 * 40, 4), ink = 0;
	struct chr *c = fbcon_open(big, 1600, 40, 1600, true);

	assert_non_null(c);
	chr_write(c, "\x1b[?25l#", 7);
	for (u32 y = 0; y < 40; y++)
		for (u32 x = 0; x < 1600; x++) {
			ink += big[y * 1600 + x] != 0;
			assert_true(!big[y * 1600 + x] || (x < 16 && y < 32));
		}
	assert_true(ink > 64);
	fbcon_close(c);
	free(big);
}

static void impossible(void **state)
{
	u64 before = heap_stats().count;

	assert_null(fbcon_open(fb, 7, HEIGHT, STRIDE, true));
	assert_null(fbcon_open(fb, WIDTH, 0, STRIDE, true));
	for (u32 n = 1; n <= 3; n++) {
		heap_fail_after(n);
		assert_null(fbcon_open(fb, WIDTH, HEIGHT, STRIDE, true));
		heap_fail_after(0);
	}
	assert_int_equal(heap_stats().count, before);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(opens_blank), T(text_and_cursor), T(byte_order), T(scrolling_reads_nothing_back),
		T(input_there_is_none), T(big_screens_get_the_big_font), T(impossible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
