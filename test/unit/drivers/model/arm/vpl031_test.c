/* The PL031: time, setting it, the alarm; DDI 0224. */
#include "test/unit/drivers/model/bench.h"

enum { DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18,
       ICR = 0x1c };

static struct dev d;

static u32 rd(u64 off) { return (u32)bench_read(&d, off, 4); }
static void wr(u64 off, u32 val) { bench_write(&d, off, 4, val); }

static int setup(void **state)
{
	bench_open();
	d = bench_dev(&vpl031_model, 0x1000);
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void wall_time(void **state)
{
	assert_int_equal(rd(DR), BENCH_WALL);
	assert_int_equal(rd(CR), 1);
	assert_int_equal(rd(0xfe0) | rd(0xfe4) << 8 | rd(0xfe8) << 16, 0x041031);
	bench_pass(10 * NS_PER_SEC);
	assert_int_equal(rd(DR), BENCH_WALL + 10);
	gclock_freeze(&bench_clock);
	bench_ns += 100 * NS_PER_SEC;
	assert_int_equal(rd(DR), BENCH_WALL + 10);
	gclock_thaw(&bench_clock);
}

static void time_can_be_set(void **state)
{
	static const u32 times[] = { 0, 1, 1000, 0x7fffffff, 0x80000000, 0xfffffffe };

	for (u32 i = 0; i < ARRAY_LEN(times); i++) {
		wr(LR, times[i]);
		assert_int_equal(rd(LR), times[i]);
		assert_int_equal(rd(DR), times[i]);
		bench_pass(NS_PER_SEC);
		assert_int_equal(rd(DR), times[i] + 1);
	}
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(DR), 0);		/* 2106 */
}

static void an_alarm(void **state)
{
	wr(IMSC, 1);
	wr(MR, rd(DR) + 3);
	assert_int_equal(rd(MR), BENCH_WALL + 3);
	bench_pass(3 * NS_PER_SEC - 1);
	assert_false(bench_level[0]);
	bench_pass(1);
	assert_true(bench_level[0]);
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 1);
	wr(ICR, 0);
	assert_true(bench_level[0]);
	wr(ICR, 1);
	assert_false(bench_level[0]);
	bench_pass(100 * NS_PER_SEC);
	assert_int_equal(bench_edges, 1);
}

static void masked_or_at_once(void **state)
{
	wr(MR, rd(DR));
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 0);
	assert_false(bench_level[0]);
	wr(IMSC, 1);
	assert_true(bench_level[0]);
	wr(IMSC, 0);
	assert_false(bench_level[0]);
}

static void setting_the_time_moves_the_alarm(void **state)
{
	wr(IMSC, 1);
	wr(MR, 5000);			/* long past */
	assert_int_equal(timer_next(), NS_NEVER);
	wr(LR, 4990);
	bench_pass(9 * NS_PER_SEC);
	assert_false(bench_level[0]);
	wr(LR, 4990);
	bench_pass(9 * NS_PER_SEC);
	assert_false(bench_level[0]);
	bench_pass(NS_PER_SEC);
	assert_true(bench_level[0]);
}

static void an_alarm_ages_away_arms_nothing(void **state)
{
	wr(MR, rd(DR) - 1);
	assert_int_equal(timer_next(), NS_NEVER);
	wr(MR, 0xf0000000);
	wr(LR, 0);
	assert_int_equal(timer_next(), NS_NEVER);
}

static void other_accesses_do_nothing(void **state)
{
	bench_write(&d, IMSC, 1, 1);
	bench_write(&d, IMSC, 8, 1);
	bench_write(&d, IMSC + 1, 4, 1);
	wr(CR, 0);
	wr(0xffc, 0);
	assert_int_equal(rd(IMSC), 0);
	assert_int_equal(rd(CR), 1);
	assert_int_equal(bench_read(&d, DR, 8) | bench_read(&d, DR, 1), 0);
	assert_int_equal(rd(0x20), 0);
}

static void reset(void **state)
{
	wr(IMSC, 1);
	wr(MR, rd(DR));
	wr(LR, 77);
	dev_reset(&d);
	assert_false(bench_level[0]);
	assert_int_equal(rd(IMSC) | rd(RIS) | rd(MR) | rd(LR), 0);
	assert_int_equal(rd(DR), BENCH_WALL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wall_time), T(time_can_be_set), T(an_alarm), T(masked_or_at_once),
		T(setting_the_time_moves_the_alarm), T(an_alarm_ages_away_arms_nothing),
		T(other_accesses_do_nothing), T(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
