/* kernel/base/str.c: strings and the number and size parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/base/str.h"

static void test_strings(void **s)
{
	assert_int_equal(str_len(""), 0);
	assert_int_equal(str_len("abc"), 3);
	assert_true(str_eq("", ""));
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", "ab"));
	assert_false(str_eq("ab", "a"));
	assert_true(str_cmp("a", "b") < 0);
	assert_true(str_cmp("b", "a") > 0);
	assert_true(str_cmp("a", "") > 0);
	assert_true(str_cmp("\xff", "a") > 0);	/* bytes, not signed chars */
	assert_true(str_starts("abc", ""));
	assert_true(str_starts("abc", "abc"));
	assert_false(str_starts("ab", "abc"));
	assert_false(str_starts("abc", "b"));
}

static void test_search(void **s)
{
	const char *t = "aabaac";

	assert_ptr_equal(str_chr(t, 'b'), t + 2);
	assert_ptr_equal(str_chr(t, '\0'), t + 6);
	assert_null(str_chr(t, 'x'));
	assert_ptr_equal(str_find(t, "aac"), t + 3);
	assert_ptr_equal(str_find(t, ""), t);
	assert_null(str_find(t, "aad"));
	assert_null(str_find("", "a"));
	assert_non_null(str_find("", ""));
}

static void test_copy(void **s)
{
	char b[4] = "xyz";

	assert_false(str_copy(b, 0, "a"));
	assert_string_equal(b, "xyz");
	assert_true(str_copy(b, 4, "abc"));
	assert_string_equal(b, "abc");
	assert_false(str_copy(b, 4, "defg"));
	assert_string_equal(b, "def");
	assert_false(str_copy(b, 1, "d"));
	assert_string_equal(b, "");
	assert_true(str_copy(b, 1, ""));
}

static const struct number {
	const char *text;
	bool ok;
	u64 value;
} numbers[] = {
	{ "0", true, 0 },
	{ "7", true, 7 },
	{ "007", true, 7 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999999", false, 0 },
	{ "0x0", true, 0 },
	{ "0xffffffffffffffff", true, UINT64_MAX },
	{ "0x1_0000", true, 0x10000 },
	{ "0xABcd", true, 0xabcd },
	{ "0x10000000000000000", false, 0 },
	{ "0o777", true, 511 },
	{ "0o8", false, 0 },
	{ "0b1010", true, 10 },
	{ "0b2", false, 0 },
	{ "1_000_000", true, 1000000 },
	{ "1__0", false, 0 },
	{ "_1", false, 0 },
	{ "1_", false, 0 },
	{ "0x_1", false, 0 },
	{ "0x", false, 0 },
	{ "", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "+1", false, 0 },
	{ "-1", false, 0 },
	{ "1a", false, 0 },
	{ "0X10", false, 0 },
	{ "1K", false, 0 },
};

static void test_numbers(void **s)
{
	for (u32 i = 0; i < ARRAY_LEN(numbers); i++) {
		u64 v = 4711;

		if (str_to_u64(numbers[i].text, &v) != numbers[i].ok)
			fail_msg("\"%s\"", numbers[i].text);
		assert_int_equal(v, numbers[i].ok ? numbers[i].value : 4711);
	}
}

static void test_sizes(void **s)
{
	static const struct number sizes[] = {
		{ "0", true, 0 },
		{ "512", true, 512 },
		{ "1K", true, 1024 },
		{ "512M", true, MIB(512) },
		{ "4G", true, GIB(4) },
		{ "1T", true, GIB(1024) },
		{ "0x10M", true, MIB(16) },
		{ "16777215T", true, 16777215 * GIB(1024) },
		{ "16777216T", false, 0 },
		{ "K", false, 0 },
		{ "1MB", false, 0 },
		{ "1P", false, 0 },
		{ "1 M", false, 0 },
		{ "", false, 0 },
	};

	for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
		u64 v = 0;

		if (str_to_size(sizes[i].text, &v) != sizes[i].ok)
			fail_msg("\"%s\"", sizes[i].text);
		if (sizes[i].ok)
			assert_int_equal(v, sizes[i].value);
	}
}

static void test_byte_order(void **s)
{
	u8 b[9] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_int_equal(load_le16(b + 1), 0x0201);
	assert_int_equal(load_be16(b + 1), 0x0102);
	assert_int_equal(load_le32(b + 1), 0x04030201);
	assert_int_equal(load_be32(b + 1), 0x01020304);
	assert_int_equal(load_le64(b + 1), 0x0807060504030201);
	assert_int_equal(load_be64(b + 1), 0x0102030405060708);
	store_le32(b + 1, 0xdeadbeef);
	assert_int_equal(load_le32(b + 1), 0xdeadbeef);
	assert_int_equal(b[5], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
