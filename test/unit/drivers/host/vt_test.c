/* The terminal: text, controls, sequences, on a grid of 10 x 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "drivers/host/vt.h"

#define COLS 10
#define ROWS 4

static struct vt t;

static int setup(void **state)
{
	return vt_open(&t, COLS, ROWS);
}

static int teardown(void **state)
{
	vt_close(&t);
	return 0;
}

static void put(const char *text)
{
	vt_write(&t, (const u8 *)text, strlen(text));
}

/* The whole grid, rows separated by '|', blanks at the end of a row left out. */
static void expect(const char *want)
{
	char got[(COLS + 1) * ROWS + 1], *p = got;

	for (u32 y = 0; y < ROWS; y++) {
		u32 used = COLS;

		while (used && cell_character(t.cell[y * COLS + used - 1]) == ' ')
			used--;
		for (u32 x = 0; x < used; x++)
			*p++ = (char)cell_character(t.cell[y * COLS + x]);
		*p++ = '|';
	}
	p[-1] = 0;
	assert_string_equal(got, want);
}

static void expect_cursor(u32 x, u32 y)
{
	assert_int_equal(t.x, x);
	assert_int_equal(t.y, y);
}

static void expect_colour(u32 x, u32 y, u32 fg, u32 bg)
{
	assert_int_equal(cell_fg(t.cell[y * COLS + x]), fg);
	assert_int_equal(cell_bg(t.cell[y * COLS + x]), bg);
}

static void text_and_controls(void **state)
{
	put("ab\r\ncd\bX\te\n\rlast\a\v");
	expect("ab|cX      e|last|");
	expect_cursor(0, 3);
	put("\b\b\b");
	expect_cursor(0, 3);
	put("\t\t\t\t");
	expect_cursor(9, 3);
}

static void wraps_late(void **state)
{
	put("0123456789");
	expect_cursor(10, 0);		/* not yet on the next line */
	put("\r\n");
	expect_cursor(0, 1);
	put("0123456789ab");
	expect("0123456789|0123456789|ab|");
	put("\x1b[2;10H!\b<");
	expect("0123456789|01234567<!|ab|");
}

static void scrolls(void **state)
{
	put("1\n2\n3\n4");
	expect("1|2|3|4");
	put("\n5");
	expect("2|3|4|5");
	put("\nabcdefghijkl");
	expect("4|5|abcdefghij|kl");
}

static void moves(void **state)
{
	put("\x1b[3;5H");
	expect_cursor(4, 2);
	put("\x1b[A");
	expect_cursor(4, 1);
	put("\x1b[2C\x1b[B\x1b[3D");
	expect_cursor(3, 2);
	put("\x1b[99;99f");
	expect_cursor(9, 3);
	put("\x1b[99A\x1b[99D");
	expect_cursor(0, 0);
	put("\x1b[3d\x1b[7G");
	expect_cursor(6, 2);
	put("\x1b[E");
	expect_cursor(0, 3);
	put("\x1b[2F");
	expect_cursor(0, 1);
	put("\x1b[H");
	expect_cursor(0, 0);
	put("\x1b[4;4H\x1b[s\x1b[H\x1b[u");
	expect_cursor(3, 3);
	put("\x1b" "7\x1b[H\x1b" "8");
	expect_cursor(3, 3);
	put("\x1b[0;0H\x1b[4294967297C");
	expect_cursor(9, 0);
}

static void erases(void **state)
{
	put("aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd");
	put("\x1b[2;4H\x1b[K");
	expect("aaaaaaaaaa|bbb|cccccccccc|dddddddddd");
	put("\x1b[3;4H\x1b[1K");
	expect("aaaaaaaaaa|bbb|    cccccc|dddddddddd");
	put("\x1b[1;2H\x1b[3X");
	expect("a   aaaaaa|bbb|    cccccc|dddddddddd");
	put("\x1b[3;6H\x1b[J");
	expect("a   aaaaaa|bbb|    c|");
	put("\x1b[2;2H\x1b[1J");
	expect("|  b|    c|");
	expect_cursor(1, 1);
	put("\x1b[5G\x1b[2K\x1b[2J");
	expect("|||");
	put("\x1b[4;10Hx\x1b[K");	/* with a wrap pending: the last cell */
	expect("|||");
}

static void colours(void **state)
{
	put("a\x1b[31mb\x1b[1;44mc\x1b[7md\x1b[27;22;39;49me\x1b[93;102mf\x1b[mg");
	expect_colour(0, 0, 7, 0);
	expect_colour(1, 0, 1, 0);
	expect_colour(2, 0, 9, 4);
	expect_colour(3, 0, 4, 1);
	expect_colour(4, 0, 7, 0);
	expect_colour(5, 0, 11, 10);
	expect_colour(6, 0, 7, 0);
	put("\x1b[2;1H\x1b[38;5;2;41mh\x1b[38;2;1;2;3;45mi\x1b[0;48;5;200;32mj");
	expect_colour(0, 1, 2, 1);
	expect_colour(1, 1, 2, 5);
	expect_colour(2, 1, 2, 0);
	put("\x1b[0;44m\x1b[K");		/* erasing uses the background */
	expect_colour(9, 1, 7, 4);
}

static void utf8(void **state)
{
	put("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(cell_character(t.cell[0]), 0xe9);
	assert_int_equal(cell_character(t.cell[1]), 0x20ac);
	assert_int_equal(cell_character(t.cell[2]), 0x1f600);
	put("\xe2\x82z\x80\xff");	/* cut short, stray, impossible */
	assert_int_equal(cell_character(t.cell[3]), 0xfffd);
	assert_int_equal(cell_character(t.cell[4]), 'z');
	assert_int_equal(cell_character(t.cell[5]), 0xfffd);
	assert_int_equal(cell_character(t.cell[6]), 0xfffd);
}

static void swallows_what_it_does_not_know(void **state)
{
	put("a\x1b[?1;2cb\x1b[>0qc\x1b[ qd\x1b]0;title\ae\x1b]2;t\x1b\\f\x1b(Bg\x1b=h\x1bZi\x7f");
	expect("abcdefghi|||");
	put("\x1b[1;2\x18j");
	expect("abcdefghij|||");
	put("\r\n\x1b[1;2;3;4;5;6;7;8;9;10;11mk\x1b[6nl");
	expect("abcdefghij|kl||");
	put("\x1b[\nm.");		/* a control inside a sequence takes effect */
	expect("abcdefghij|kl|.|");
}

static void cursor_and_reset(void **state)
{
	assert_true(t.cursor);
	put("abc\x1b[?25l");
	assert_false(t.cursor);
	put("\x1b[?1;25h");
	assert_true(t.cursor);
	put("\x1b[?25l\x1b[31m\x1b" "cx");
	assert_true(t.cursor);
	expect("x|||");
	expect_colour(0, 0, 7, 0);
	put("\x1b[3;3H\x1bMy\x1b" "Ez\x1b" "D");
	expect("x|  y|z|");
}

static void sizes(void **state)
{
	struct vt other;

	assert_int_equal(vt_open(&other, 0, 1), E_RANGE);
	assert_int_equal(vt_open(&other, 1, 1025), E_RANGE);
	assert_int_equal(vt_open(&other, 1, 1), OK);
	vt_write(&other, (const u8 *)"ab\ncd\x1b[9;9He\t\b\x1b[J", 18);
	assert_int_equal(other.x, 0);
	vt_close(&other);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(text_and_controls),
		T(wraps_late),
		T(scrolls),
		T(moves),
		T(erases),
		T(colours),
		T(utf8),
		T(swallows_what_it_does_not_know),
		T(cursor_and_reset),
		T(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
