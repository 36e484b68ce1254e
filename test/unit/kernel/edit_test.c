/* kernel/edit.c: keys in, the line and what the terminal shows out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/edit.h"

static struct edit e;
static char shown[65536];
static struct sink_buf screen;
static char got[8][EDIT_LINE];
static u32 lines;

static void complete(const char *line, u32 start, struct edit_words *out)
{
	static const char *const words[] = { "list", "start", "stop", "show" };

	if (start == 0)
		out->word[out->count++] = "machine";
	else
		for (u32 i = 0; i < ARRAY_LEN(words); i++)
			out->word[out->count++] = words[i];
}

static void type(const char *keys)
{
	for (; *keys; keys++) {
		const char *line = edit_key(&e, (u8)*keys);

		if (line)
			strcpy(got[lines++], line);
	}
}

static int begin(void **s)
{
	screen = sink_buf_init(shown, sizeof(shown));
	edit_init(&e, &screen.sink, "> ");
	e.complete = complete;
	lines = 0;
	return 0;
}

/* Type @keys, then Enter; the line must be @want. */
static void check(const char *keys, const char *want)
{
	u32 n = lines = 0;

	type(keys);
	type("\r");
	assert_int_equal(lines, n + 1);
	assert_string_equal(got[0], want);
}

static void test_editing(void **s)
{
	check("hello", "hello");
	check("helo\x1b[Dl", "hello");			/* left */
	check("ello\x1b[Hh", "hello");			/* Home */
	check("ello\001h", "hello");			/* Ctrl-A */
	check("ello\x1bOHh\x1bOF!", "hello!");		/* Home, End as xterm's application keys */
	check("ello\x1b[1~h\x1b[4~!", "hello!");	/* and as the VT220's */
	check("hxello\x1b[H\x1b[C\x1b[3~", "hello");	/* Delete */
	check("hello\x7f\x7f", "hel");
	check("hello\b\b", "hel");
	check("\x7f\b\x1b[D\x1b[3~x", "x");		/* nothing to delete is fine */
	check("drop this\x15hello", "hello");		/* Ctrl-U */
	check("hello world\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\013", "hello");	/* Ctrl-K */
	check("hello big  world\x17\x17x", "hello x");	/* Ctrl-W */
	check("gone\003hello", "hello");		/* Ctrl-C */
	check("hello\x0c", "hello");			/* Ctrl-L */
	check("hello\x12", "hello");			/* Ctrl-R */
	check("he\x02\x02\x06x\x05y", "hxey");		/* Ctrl-B, F, E */
	check("he\x1b[Zl\x1b[99~p\x1bqo", "helpo");	/* unknown sequences vanish */
}

static void test_line_ends(void **s)
{
	type("a\rb\nc\r\nd\r\n\r\n");
	assert_int_equal(lines, 5);
	assert_string_equal(got[2], "c");
	assert_string_equal(got[4], "");
}

static void test_history(void **s)
{
	check("one", "one");
	check("two", "two");
	check("two", "two");			/* not kept twice */
	check("\x1b[A\x1b[A", "one");
	check("\x1b[A\x1b[A\x1b[B!", "one!");
	check("x\x1b[A\x1b[B", "");
	check("\x1b[B", "");
	check("\x10\x10\x10\x10\x10\x10\x10\x10", "one");	/* stops at the oldest */
}

static void test_history_wraps(void **s)
{
	char keys[3] = "a";

	for (u32 i = 0; i < EDIT_HISTORY + 5; i++) {
		keys[0] = (char)('a' + i);
		check(keys, keys);
	}
	for (u32 i = 0; i < 40; i++)
		type("\x10");
	check("", "f");
}

static void test_long_line(void **s)
{
	char keys[400], want[EDIT_LINE];

	memset(keys, 'x', sizeof(keys));
	keys[sizeof(keys) - 1] = '\0';
	memset(want, 'x', sizeof(want));
	want[sizeof(want) - 1] = '\0';
	check(keys, want);
	check("\x1b[A\x1b[Hy", want);		/* full: nothing more fits */
}

static void test_completion(void **s)
{
	check("m\t", "machine ");
	check("m\tst", "machine st");
	check("m\tl\t", "machine list ");
	check("m\ts\t", "machine s");
	check("m\tx\t", "machine x");
	check("m\tst\t\x1b[Hx", "xmachine st");
	begin(NULL);
	type("m\tst\t");
	assert_non_null(strstr(shown, "\r\nstart  stop\r\n\r> machine st\x1b[K"));
	begin(NULL);
	e.complete = NULL;
	check("m\t", "m");
}

/* Completion in the middle keeps what follows. */
static void test_completion_inside(void **s)
{
	check("m li x\x1b[D\x1b[D\t", "m list  x");
}

static void test_screen(void **s)
{
	type("ab");
	assert_string_equal(shown, "ab");	/* typed at the end: only an echo */
	begin(NULL);
	type("ab\x1b[Dc");
	assert_string_equal(shown, "ab\r> ab\x1b[K\x1b[1D\r> acb\x1b[K\x1b[1D");
	begin(NULL);
	type("a\r");
	assert_string_equal(shown, "a\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_editing, begin),
		cmocka_unit_test_setup(test_line_ends, begin),
		cmocka_unit_test_setup(test_history, begin),
		cmocka_unit_test_setup(test_history_wraps, begin),
		cmocka_unit_test_setup(test_long_line, begin),
		cmocka_unit_test_setup(test_completion, begin),
		cmocka_unit_test_setup(test_completion_inside, begin),
		cmocka_unit_test_setup(test_screen, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
