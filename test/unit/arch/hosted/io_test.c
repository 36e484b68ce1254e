/* arch/hosted/io.c: files with clear errors, entropy, exit statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/io.h"
#include "drivers/port/rng.h"
#include "test/unit/child.h"

static char dir[] = "/tmp/fvp-io-XXXXXX";

static int setup(void **s)
{
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **s)
{
	unlink("full");
	unlink("empty");
	unlink("fifo");
	return rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	fputs(text, f);
	fclose(f);
}

static void test_file(void **s)
{
	struct file f;

	write_file("full", "content");
	assert_int_equal(arch_file_open("full", &f), OK);
	assert_int_equal(f.len, 7);
	assert_memory_equal(f.data, "content", 7);
	assert_string_equal(f.name, "full");
	arch_file_close(&f);
	arch_file_close(&f);		/* harmless */
	write_file("empty", "");
	assert_int_equal(arch_file_open("empty", &f), OK);
	assert_int_equal(f.len, 0);
	assert_non_null(f.data);
	arch_file_close(&f);
}

static void test_file_errors(void **s)
{
	struct file f;

	assert_int_equal(arch_file_open("absent", &f), E_NOENT);
	assert_string_equal(err_text(E_NOENT), "absent: No such file or directory");
	assert_int_equal(arch_file_open("full/below", &f), E_NOENT);
	assert_int_equal(arch_file_open(".", &f), E_IO);
	assert_non_null(strstr(err_text(E_IO), "a directory"));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(arch_file_open("fifo", &f), E_IO);	/* and does not hang */
}

static void test_rng(void **s)
{
	u8 a[1000] = { 0 }, b[1000] = { 0 };

	assert_int_equal(rng_read(arch_rng(), a, sizeof(a)), OK);
	assert_int_equal(rng_read(arch_rng(), b, sizeof(b)), OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 900, b + 900, 100);
}

static void test_describe(void **s)
{
	char line[200];

	arch_describe(line, sizeof(line));
	assert_non_null(strstr(line, "CPU"));
	assert_non_null(strstr(line, "Linux"));
	assert_null(strchr(line, '\n'));
}

static void leave(void)
{
	arch_early_write("bye", 3);
	arch_poweroff(42);
}

static void test_poweroff(void **s)
{
	struct child c = child_run(leave);

	assert_int_equal(c.status, 42);
	assert_string_equal(c.err, "bye");
	assert_int_equal(child_run(arch_reboot).status, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_errors),
		cmocka_unit_test(test_rng),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_poweroff),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
