/* kernel/base/err.c: birthplaces, the ring, texts and statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/base/cpu.h"
#include "kernel/base/err.h"

static err_t fail_plain(void)
{
	return ERR(E_NOENT);
}

static void test_before_cpu(void **s)
{
	u32 line = __LINE__ + 1;
	err_t e = ERRF(E_FORMAT, "%s: bad at %u", "file", 7u);

	assert_null(cpu_self);
	assert_int_equal(e, E_FORMAT);
	assert_non_null(err_recent(0));
	assert_int_equal(err_recent(0)->line, line);
	assert_non_null(strstr(err_recent(0)->file, "err_test.c"));
	assert_string_equal(err_recent(0)->text, "file: bad at 7");
}

static void test_text_is_the_newest_of_that_code(void **s)
{
	err_t e = ERRF(E_IO, "disk gone");

	assert_string_equal(err_text(e), "disk gone");
	assert_string_equal(err_text(E_NOMEM), "out of memory");
	e = fail_plain();
	assert_string_equal(err_text(E_IO), "input/output error");
	assert_string_equal(err_text(e), "no such object");
}

static void test_message_may_quote_the_last_one(void **s)
{
	err_t e = ERRF(E_IO, "inner");

	for (int i = 0; i < 40; i++)	/* goes around the ring */
		e = ERRF(E_IO, "outer: %s", i == 0 ? err_text(e) : "x");
	e = ERRF(E_IO, "again: %s", err_text(e));
	assert_string_equal(err_text(e), "again: outer: x");
}

static void test_long_text_is_cut(void **s)
{
	char big[1000];
	err_t e;

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	e = ERRF(E_IO, "%s", big);
	assert_int_equal(strlen(err_text(e)), sizeof(((struct err_record *)0)->text) - 1);
}

static void test_ring_keeps_the_newest(void **s)
{
	u32 n = 0;

	for (u32 i = 0; i < 100; i++)
		(void)!ERRF(E_RANGE, "n%u", i);
	assert_string_equal(err_recent(0)->text, "n99");
	while (err_recent(n))
		n++;
	assert_in_range(n, 8, 64);
	assert_int_equal(atoi(err_recent(n - 1)->text + 1), 100 - (int)n);
	assert_true(err_recent(0)->when >= err_recent(n - 1)->when);
}

static void test_rings_are_per_cpu(void **s)
{
	cpus[3].id = 3;
	cpu_self = &cpus[3];
	assert_null(err_recent(0));
	(void)!ERRF(E_BUSY, "on three");
	assert_string_equal(err_recent(0)->text, "on three");
	cpu_self = NULL;
	assert_int_not_equal(err_recent(0)->code, E_BUSY);
}

static void test_names_and_statuses(void **s)
{
	assert_string_equal(err_name(OK), "OK");
	assert_string_equal(err_name(E_NOMEM), "E_NOMEM");
	assert_string_equal(err_name((err_t)999), "E_?");
	assert_int_equal(err_status(OK), 0);
	assert_int_equal(err_status(E_USAGE), 64);
	assert_int_equal(err_status(E_CONFIG), 65);
	assert_int_equal(err_status(E_NOENT), 66);
	assert_int_equal(err_status(E_UNSUPPORTED), 69);
	assert_int_equal(err_status((err_t)999), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before_cpu),
		cmocka_unit_test(test_text_is_the_newest_of_that_code),
		cmocka_unit_test(test_message_may_quote_the_last_one),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_ring_keeps_the_newest),
		cmocka_unit_test(test_rings_are_per_cpu),
		cmocka_unit_test(test_names_and_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
