/* The PL061: data by address mask, directions, interrupts on edges and levels; DDI 0190. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/arm/gpio.h"

enum { DATA = 0x3fc, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414,
       MIS = 0x418, IC = 0x41c, AFSEL = 0x420 };

static struct dev d;

static u32 rd(u64 off) { return (u32)bench_read(&d, off, 4); }
static void wr(u64 off, u32 val) { bench_write(&d, off, 4, val); }

static int setup(void **state)
{
	bench_open();
	d = bench_dev(&vpl061_model, 0x1000);
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

static void input(u32 line, bool level)
{
	lock_take(&bench_lock);
	vpl061_input(&d, line, level);
	lock_drop(&bench_lock);
}

static void data(void **state)
{
	assert_int_equal(rd(0xfe0) | rd(0xfe4) << 8 | rd(0xfe8) << 16, 0x041061);
	input(3, true);
	assert_int_equal(rd(DATA), 8);
	wr(DIR, 0xf0);
	wr(DATA, 0xff);
	assert_int_equal(rd(DATA), 0xf8);
	wr(0x30 << 2, 0);			/* only lines 4 and 5 */
	assert_int_equal(rd(DATA), 0xc8);
	assert_int_equal(rd(8 << 2), 8);
	assert_int_equal(rd(0), 0);
	wr(0, 0xff);
	assert_int_equal(rd(DATA), 0xc8);
	wr(DIR, 0);
	assert_int_equal(rd(DATA), 8);
}

/* Linux's gpio-keys: both edges of line 3. */
static void power_key(void **state)
{
	wr(IBE, 8);
	wr(IE, 8);
	input(3, true);
	assert_true(bench_level[0]);
	assert_int_equal(rd(MIS), 8);
	wr(IC, 8);
	assert_false(bench_level[0]);
	input(3, true);
	assert_false(bench_level[0]);
	input(3, false);
	assert_true(bench_level[0]);
	wr(IC, 8);
	input(2, true);
	assert_false(bench_level[0]);
}

static void a_press(void **state)
{
	wr(IBE, 8);
	wr(IE, 8);
	vpl061_press(&d, 3);
	assert_true(bench_level[0]);
	assert_int_equal(rd(DATA), 8);
	wr(IC, 8);
	bench_pass(99 * NS_PER_MS);
	assert_int_equal(rd(DATA), 8);
	vpl061_press(&d, 3);			/* impatient */
	bench_pass(99 * NS_PER_MS);
	assert_int_equal(rd(DATA), 8);
	dev_reset(&d);
	assert_int_equal(rd(DATA), 8);
	wr(IE, 8);
	bench_pass(NS_PER_MS);
	assert_int_equal(rd(DATA), 0);
	assert_true(bench_level[0]);
	assert_int_equal(timer_next(), NS_NEVER);
	vpl061_press(&d, 3);			/* and then the machine goes */
}

static void one_edge(void **state)
{
	wr(IE, 1);
	input(0, true);
	assert_int_equal(rd(RIS), 0);		/* falling edges only */
	input(0, false);
	assert_int_equal(rd(RIS), 1);
	wr(IC, 1);
	wr(IEV, 1);
	input(0, true);
	assert_true(bench_level[0]);
	wr(IE, 0);
	assert_false(bench_level[0]);
	assert_int_equal(rd(RIS), 1);
}

static void levels(void **state)
{
	wr(IS, 1);
	wr(IEV, 1);
	wr(IE, 1);
	input(0, true);
	wr(IC, 1);
	assert_true(bench_level[0]);		/* a level is not cleared */
	input(0, false);
	assert_false(bench_level[0]);
	wr(IEV, 0);
	assert_true(bench_level[0]);
}

static void other_accesses_do_nothing(void **state)
{
	wr(AFSEL, 0x1ff);
	assert_int_equal(rd(AFSEL), 0xff);
	bench_write(&d, IE, 8, 0xff);
	bench_write(&d, IE + 1, 1, 0xff);
	wr(RIS, 0xff);
	wr(0x424, 0xff);
	assert_int_equal(rd(IE) | rd(RIS) | rd(0x424), 0);
	input(11, true);			/* 3, then */
	assert_int_equal(rd(DATA), 8);
}

static void reset(void **state)
{
	input(3, true);
	wr(IE, 0xff);
	wr(IS, 0xff);
	wr(DIR, 0xf0);
	dev_reset(&d);
	assert_false(bench_level[0]);
	assert_int_equal(rd(IE) | rd(IS) | rd(DIR) | rd(RIS), 0);
	assert_int_equal(rd(DATA), 8);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(data), T(power_key), T(a_press), T(one_edge), T(levels),
		T(other_accesses_do_nothing), T(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
