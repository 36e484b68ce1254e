/* The keyboard controller without a keyboard, and the debug exit. */
#include "test/unit/drivers/model/bench.h"

static struct dev d, debug;
static struct { u32 how, code, count; } ended;

static void shutdown(void *vm, u32 how, u32 code)
{
	ended.how = how;
	ended.code = code;
	ended.count++;
}

static int setup(void **state)
{
	bench_open();
	ended.count = 0;
	d = bench_port_dev(&vps2_model, NULL);
	debug = bench_port_dev(&vdebugexit_model, NULL);
	d.shutdown = debug.shutdown = shutdown;
	return dev_create(&d) || dev_create(&debug);
}

static int teardown(void **state)
{
	dev_destroy(&debug);
	dev_destroy(&d);
	bench_close();
	return 0;
}

static void expect_answer(u8 command, u8 answer)
{
	assert_int_equal(bench_in(0x64, 1) & 1, 0);
	bench_out_to(0x64, 1, command);
	assert_int_equal(bench_in(0x64, 1) & 1, 1);
	assert_int_equal(bench_in(0x60, 1), answer);
	assert_int_equal(bench_in(0x64, 1) & 1, 0);
}

static void answers(void **state)
{
	assert_int_equal(bench_in(0x64, 1) & 3, 0);
	expect_answer(0xaa, 0x55);
	expect_answer(0xab, 0x01);
	expect_answer(0xa9, 0x01);
	bench_out_to(0x64, 1, 0x60);
	bench_out_to(0x60, 1, 0x47);
	expect_answer(0x20, 0x47);
	expect_answer(0xd0, 0x03);
	bench_out_to(0x60, 1, 0xff);		/* reset the keyboard: silence */
	assert_int_equal(bench_in(0x64, 1) & 1, 0);
	assert_int_equal(ended.count, 0);
}

static void resets(void **state)
{
	bench_out_to(0x64, 1, 0xff);
	assert_int_equal(ended.count, 0);
	bench_out_to(0x64, 1, 0xfe);
	assert_int_equal(ended.count, 1);
	assert_int_equal(ended.how, SHUTDOWN_REBOOT);
	bench_out_to(0x64, 1, 0xd1);
	bench_out_to(0x60, 1, 0x02);
	assert_int_equal(ended.count, 2);
	assert_int_equal(bench_in(0x92, 1), 2);
	bench_out_to(0x92, 1, 0);
	bench_out_to(0x92, 1, 1);
	assert_int_equal(ended.count, 3);
}

static void debug_exit(void **state)
{
	bench_out_to(0xf4, 4, 21);
	assert_int_equal(ended.how, SHUTDOWN_FAIL);
	assert_int_equal(ended.code, 43);
	bench_out_to(0xf4, 1, 0);
	assert_int_equal(ended.code, 1);
	assert_int_equal(bench_in(0xf4, 4), 0);
}

static void random_accesses(void **state)
{
	static const u16 ports[] = { 0x60, 0x64, 0x92, 0xf4, 0xf6 };
	u64 r = 5;

	for (u32 i = 0; i < 50000; i++) {
		r = r * 6364136223846793005ull + 1442695040888963407ull;
		if (r >> 59 & 1)
			bench_out_to(ports[(r >> 40) % 5], 1u << (r >> 50) % 3, (u32)(r >> 16));
		else
			bench_in(ports[(r >> 40) % 5], 1u << (r >> 50) % 3);
	}
	dev_reset(&d);
	assert_int_equal(bench_in(0x64, 1) & 1, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(answers),
		T(resets),
		T(debug_exit),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
