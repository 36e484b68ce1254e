/* kernel/json.c and report.c: the same calls as JSON and as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/report.h"

static char text[2048];

static void test_escapes(void **s)
{
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	struct json j = json_begin(&b.sink);

	json_open(&j, '[');
	json_string(&j, "a\"b\\c\n\t\r\x01\x7f/");
	json_string(&j, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	json_string(&j, "\xff\xc3(");
	json_string(&j, NULL);
	json_string(&j, "");
	json_close(&j, ']');
	assert_string_equal(text, "[\"a\\\"b\\\\c\\n\\t\\u000d\\u0001\\u007f/\","
				  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\","
				  "\"\xef\xbf\xbd\xef\xbf\xbd(\",null,\"\"]");
}

static void test_commas(void **s)
{
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	struct json j = json_begin(&b.sink);

	json_open(&j, '{');
	json_key(&j, "a");
	json_open(&j, '[');
	json_close(&j, ']');
	json_key(&j, "b");
	json_open(&j, '{');
	json_key(&j, "c");
	json_number(&j, UINT64_MAX);
	json_key(&j, "d");
	json_boolean(&j, false);
	json_close(&j, '}');
	json_key(&j, "e");
	json_boolean(&j, true);
	json_close(&j, '}');
	assert_string_equal(text,
			    "{\"a\":[],\"b\":{\"c\":18446744073709551615,\"d\":false},\"e\":true}");
}

static void report_sample(bool json)
{
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	struct report r;

	report_begin(&r, &b.sink, json);
	report_text(&r, "name", 0, "%s-%d", "x", 7);
	report_size(&r, "memory", 0, MIB(512));
	report_list(&r, "rows");
	for (u32 i = 0; i < 2; i++) {
		report_row(&r);
		report_number(&r, "n", 4, i);
		report_text(&r, "what", 0, "w%u", i);
		report_row_end(&r);
	}
	report_list_end(&r);
	report_lines(&r, "lines", "one\ntwo\n");
	report_remark(&r, "only %s\n", "people");
	report_end(&r);
}

static void test_report_text(void **s)
{
	report_sample(false);
	assert_string_equal(text, "name           x-7\nmemory         512M\nn    what\n0    w0\n1  "
				  "  w1\none\ntwo\nonly people\n");
}

static void test_report_json(void **s)
{
	report_sample(true);
	assert_string_equal(
		text, "{\"name\":\"x-7\",\"memory\":536870912,\"rows\":[{\"n\":0,\"what\":\"w0\"},"
		      "{\"n\":1,\"what\":\"w1\"}],\"lines\":\"one\\ntwo\\n\"}\n");
}

static void test_report_nothing_and_error(void **s)
{
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	struct report r;

	report_begin(&r, &b.sink, true);
	report_end(&r);
	assert_string_equal(text, "{}\n");
	b = sink_buf_init(text, sizeof(text));
	report_error(&b.sink, true, "E_X", "no \"x\"");
	assert_string_equal(text, "{\"error\":\"no \\\"x\\\"\",\"code\":\"E_X\"}\n");
	b = sink_buf_init(text, sizeof(text));
	report_error(&b.sink, false, "E_X", "no x");
	assert_string_equal(text, "error: no x\n");
}

static void test_sizes(void **s)
{
	static const struct {
		u64 bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1025, "1025" },
		{ 10240, "10K" },
		{ KIB(1536), "1536K" },
		{ MIB(512), "512M" },
		{ GIB(2), "2G" },
		{ KIB(262080), "255M" },
		{ UINT64_MAX, "16777215T" },
	};
	char buf[24];

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_text(buf, sizeof(buf), sizes[i].bytes);
		assert_string_equal(buf, sizes[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_commas),
		cmocka_unit_test(test_report_text),
		cmocka_unit_test(test_report_json),
		cmocka_unit_test(test_report_nothing_and_error),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
