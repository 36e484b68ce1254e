/* The test finisher: power off, fail with a code, reset. */
#include "test/unit/drivers/model/bench.h"

static struct dev d;
static struct { u32 calls, how, code; void *vm; } end;

static void shutdown_note(void *vm, u32 how, u32 code)
{
	end.calls++;
	end.how = how;
	end.code = code;
	end.vm = vm;
}

static int setup(void **state)
{
	bench_open();
	memset(&end, 0, sizeof(end));
	d = bench_dev(&vsifive_test_model, 0x1000);
	d.shutdown = shutdown_note;
	d.vm = &end;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

static void commands(void **state)
{
	bench_write(&d, 0, 4, 0x5555);
	assert_int_equal(end.how, SHUTDOWN_POWEROFF);
	assert_ptr_equal(end.vm, &end);
	bench_write(&d, 0, 4, 0x7777);
	assert_int_equal(end.how, SHUTDOWN_REBOOT);
	bench_write(&d, 0, 4, 0xabcd3333);
	assert_int_equal(end.how, SHUTDOWN_FAIL);
	assert_int_equal(end.code, 0xabcd);
	bench_write(&d, 0, 2, 0x3333);
	assert_int_equal(end.code, 0);
	assert_int_equal(end.calls, 4);
}

static void anything_else_is_ignored(void **state)
{
	bench_write(&d, 0, 4, 0x1234);
	bench_write(&d, 0, 1, 0x55);
	bench_write(&d, 0, 8, 0x5555);
	bench_write(&d, 2, 2, 0x5555);
	bench_write(&d, 4, 4, 0x5555);
	assert_int_equal(end.calls, 0);
	for (u32 len = 1; len <= 8; len *= 2)
		assert_int_equal(bench_read(&d, 0, len), 0);
}

static void needs_a_way_to_shut_down(void **state)
{
	struct dev other = bench_dev(&vsifive_test_model, 0x1000);

	other.base += 0x1000;
	assert_int_equal(dev_create(&other), E_INVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(commands), T(anything_else_is_ignored),
					    T(needs_a_way_to_shut_down) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
