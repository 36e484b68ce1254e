/* kernel/base/fmt.c against the C library's snprintf, over a table and a grid of flags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/fmt.h"

#pragma clang diagnostic ignored "-Wformat"
#pragma clang diagnostic ignored "-Wformat-security"
#pragma clang diagnostic ignored "-Wformat-nonliteral"

#define SAME(...) do {						\
	char want[256], got[256];				\
	int n = snprintf(want, sizeof(want), __VA_ARGS__);	\
	size_t m = fmt_buf(got, sizeof(got), __VA_ARGS__);	\
	assert_string_equal(got, want);				\
	assert_int_equal(m, n);					\
} while (0)

static void test_plain(void **s)
{
	SAME("");
	SAME("plain");
	SAME("100%%");
	SAME("%d|%i|%u|%x|%X|%c|%s", -5, 5, 5u, 0xbeefu, 0xbeefu, 'z', "str");
	SAME("%s%s%s", "", "a", "");
	SAME("%5s|%-5s|%.2s|%5.1s|%-5.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%.*s|%*d|%-*d|", 2, "abc", 6, 42, 6, 42);
	SAME("%*d|%.*d|", -6, 42, -1, 42);
	SAME("%p", (void *)0x1234abcd);
	SAME("%20p|%-20p|", (void *)0x1234abcd, (void *)0x1234abcd);
	SAME("%5c|%-5c|", 'x', 'y');
}

static void same_numbers(const char *flags, const char *width, const char *precision,
			 const char *len, char conversion)
{
	static const long values[] = {
		0, 1, -1, 9, 10, 127, 128, 255, 256, 32767, 32768, 65535, INT_MAX, INT_MIN,
		UINT_MAX, LONG_MAX, LONG_MIN, 0x123456789abcdef,
	};
	char f[32];

	snprintf(f, sizeof(f), "%%%s%s%s%s%c", flags, width, precision, len, conversion);
	for (u32 i = 0; i < ARRAY_LEN(values); i++)
		SAME(f, values[i]);
}

static void test_integers_grid(void **s)
{
	static const char *const flags[] = {
		"", "-", "0", "+", "#", "-0", "+0", "#0", "-#", "+-", "-+#0",
	};
	static const char *const widths[] = { "", "1", "8", "25" };
	static const char *const precisions[] = { "", ".0", ".", ".1", ".7", ".22" };
	static const char *const lens[] = { "hh", "h", "", "l", "ll", "z" };

	for (u32 a = 0; a < ARRAY_LEN(flags); a++)
		for (u32 b = 0; b < ARRAY_LEN(widths); b++)
			for (u32 c = 0; c < ARRAY_LEN(precisions); c++)
				for (u32 d = 0; d < ARRAY_LEN(lens); d++)
					for (const char *p = "diuxX"; *p; p++)
						same_numbers(flags[a], widths[b], precisions[c],
							     lens[d], *p);
}

static void test_our_own_ways(void **s)
{
	char b[32];

	fmt_buf(b, sizeof(b), "%s", (char *)NULL);
	assert_string_equal(b, "(null)");
	fmt_buf(b, sizeof(b), "%p", NULL);
	assert_string_equal(b, "0x0");
	fmt_buf(b, sizeof(b), "%q|%");
	assert_string_equal(b, "%q|%");
}

static void test_cut(void **s)
{
	char b[8] = "xxxxxxx";

	assert_int_equal(fmt_buf(b, 0, "abc"), 3);
	assert_string_equal(b, "xxxxxxx");
	assert_int_equal(fmt_buf(b, 1, "abc"), 3);
	assert_string_equal(b, "");
	assert_int_equal(fmt_buf(b, 4, "%s%d", "abcd", 55), 6);
	assert_string_equal(b, "abc");
	assert_int_equal(b[4], 'x');
	assert_int_equal(fmt_buf(b, sizeof(b), "%100d", 1), 100);
	assert_string_equal(b, "       ");
}

static void test_sink_buf_collects(void **s)
{
	char b[16];
	struct sink_buf out = sink_buf_init(b, sizeof(b));

	sink_puts(&out.sink, "one ");
	sink_printf(&out.sink, "%d ", 2);
	sink_write(&out.sink, "three", 5);
	assert_string_equal(b, "one 2 three");
	assert_int_equal(out.len, 11);
	sink_puts(&out.sink, " and more");
	assert_string_equal(b, "one 2 three and");
	assert_int_equal(out.len, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_integers_grid),
		cmocka_unit_test(test_our_own_ways),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_sink_buf_collects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
