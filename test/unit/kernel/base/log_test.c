/* kernel/base/log.c: lines, threshold, limiter, sink, replay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kernel/base/log.h"

static char seen[65536];
static struct sink_buf out;

static int fresh(void **s)
{
	out = sink_buf_init(seen, sizeof(seen));
	log_set_sink(&out.sink);
	atomic_store(&log_threshold, LOG_INFO);
	return 0;
}

static u32 lines(void)
{
	u32 n = 0;

	for (const char *p = seen; *p; p++)
		n += *p == '\n';
	return n;
}

static void test_line(void **s)
{
	unsigned long long sec, us;
	char level, text[64];

	log_warn("vm=%s blk%d: read past end", "web", 0);
	assert_int_equal(sscanf(seen, "[%llu.%6llu] %c %63[^\n]", &sec, &us, &level, text), 4);
	assert_int_equal(level, 'W');
	assert_string_equal(text, "vm=web blk0: read past end");
	assert_int_equal(seen[0], '[');
	assert_int_equal(seen[13], ']');
}

static void test_threshold(void **s)
{
	log_debug("not this");
	log_info("this");
	atomic_store(&log_threshold, LOG_ERROR);
	log_warn("nor this");
	log_error("but this");
	assert_int_equal(lines(), 2);
	assert_null(strstr(seen, "not"));
	assert_null(strstr(seen, "nor"));
}

static void test_no_control_characters(void **s)
{
	char longest[1000];

	log_info("a\x1b[2Jb\nc\x7f\xc3\xa9");
	assert_non_null(strstr(seen, "a?[2Jb?c?\xc3\xa9\n"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_info("%s", longest);
	assert_int_equal(lines(), 2);
}

static void test_limiter(void **s)
{
	struct timespec second = { 1, 10000000 };

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 37; i++)
			log_limited(LOG_WARN, "guest noise %d", i);
		if (round == 0) {
			assert_int_equal(lines(), 10);
			nanosleep(&second, NULL);
		}
	}
	assert_int_equal(lines(), 21);
	assert_non_null(strstr(seen, "27 lines like the next one were dropped"));
}

static void test_limiter_does_not_count_what_is_hidden(void **s)
{
	for (int i = 0; i < 37; i++) {
		if (i == 30)
			atomic_store(&log_threshold, LOG_DEBUG);
		log_limited(LOG_DEBUG, "detail %d", i);
	}
	assert_int_equal(lines(), 7);
}

static void test_replay(void **s)
{
	char all[65536], some[4096];
	struct sink_buf a = sink_buf_init(all, sizeof(all)), b = sink_buf_init(some, sizeof(some));

	for (int i = 0; i < 1000; i++)
		log_info("line %d", i);
	log_replay(&b.sink, 3);
	assert_non_null(strstr(some, "line 997\n"));
	assert_non_null(strstr(some, "line 999\n"));
	assert_null(strstr(some, "line 996\n"));
	assert_true(strstr(some, "line 997\n") < strstr(some, "line 999\n"));
	log_set_sink(NULL);
	log_info("unseen");
	log_replay(&a.sink, 100000);
	assert_non_null(strstr(all, "unseen\n"));
	assert_non_null(strstr(all, "line 800\n"));
	assert_null(strstr(all, "line 100\n"));
}

static void test_level_names(void **s)
{
	enum log_level l;

	for (int i = LOG_ERROR; i <= LOG_TRACE; i++) {
		assert_true(log_level_parse(log_level_name((enum log_level)i), &l));
		assert_int_equal(l, i);
	}
	assert_false(log_level_parse("loud", &l));
	assert_false(log_level_parse("", &l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, fresh),
		cmocka_unit_test_setup(test_threshold, fresh),
		cmocka_unit_test_setup(test_no_control_characters, fresh),
		cmocka_unit_test_setup(test_limiter, fresh),
		cmocka_unit_test_setup(test_limiter_does_not_count_what_is_hidden, fresh),
		cmocka_unit_test_setup(test_replay, fresh),
		cmocka_unit_test(test_level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
