/* The goldfish clock: time, latch, alarm. */
#include "test/unit/drivers/model/bench.h"

enum { TIME_LOW = 0, TIME_HIGH = 4, ALARM_LOW = 8, ALARM_HIGH = 0xc, IRQ_ENABLED = 0x10,
       CLEAR_ALARM = 0x14, ALARM_STATUS = 0x18, CLEAR_INTERRUPT = 0x1c };

static struct dev d;

static int setup(void **state)
{
	bench_open();
	d = bench_dev(&vgoldfish_rtc_model, 0x1000);
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static u32 rd(u64 off) { return (u32)bench_read(&d, off, 4); }
static void wr(u64 off, u32 val) { bench_write(&d, off, 4, val); }

static u64 now(void)
{
	u64 low = rd(TIME_LOW);

	return (u64)rd(TIME_HIGH) << 32 | low;
}

static void alarm_at(u64 ns)
{
	wr(ALARM_HIGH, (u32)(ns >> 32));
	wr(ALARM_LOW, (u32)ns);
}

static void wall_time(void **state)
{
	assert_int_equal(now(), BENCH_WALL * NS_PER_SEC);
	bench_pass(123456789);
	assert_int_equal(now(), BENCH_WALL * NS_PER_SEC + 123456789);
}

static void high_is_latched_by_low(void **state)
{
	u32 high;

	rd(TIME_LOW);
	high = rd(TIME_HIGH);
	bench_pass(10 * NS_PER_SEC);	/* more than 2^32 ns */
	assert_int_equal(rd(TIME_HIGH), high);
	rd(TIME_LOW);
	assert_in_range(rd(TIME_HIGH), high + 2, high + 3);
}

static void stands_still_in_a_pause(void **state)
{
	u64 before = now();

	gclock_freeze(&bench_clock);
	bench_ns += NS_PER_SEC;
	assert_int_equal(now(), before);
	gclock_thaw(&bench_clock);
	assert_int_equal(now(), before);
}

static void time_can_be_set(void **state)
{
	wr(TIME_HIGH, 0x11);
	wr(TIME_LOW, 0x22);
	assert_int_equal(now(), 0x1100000022);
	bench_pass(8);
	assert_int_equal(now(), 0x110000002a);
}

static void alarm_fires_once(void **state)
{
	wr(IRQ_ENABLED, 1);
	assert_int_equal(rd(IRQ_ENABLED), 1);
	alarm_at(now() + NS_PER_SEC);
	assert_int_equal(rd(ALARM_STATUS), 1);
	bench_pass(NS_PER_SEC - 1);
	assert_false(bench_level[0]);
	bench_pass(1);
	assert_true(bench_level[0]);
	assert_int_equal(rd(ALARM_STATUS), 0);
	wr(CLEAR_INTERRUPT, 1);
	assert_false(bench_level[0]);
	bench_pass(5 * NS_PER_SEC);
	assert_int_equal(bench_edges, 1);
}

static void alarm_in_the_past_fires_at_once(void **state)
{
	wr(IRQ_ENABLED, 1);
	alarm_at(now());
	assert_true(bench_level[0]);
	assert_int_equal(rd(ALARM_LOW), (u32)(BENCH_WALL * NS_PER_SEC));
	assert_int_equal(rd(ALARM_HIGH), (u32)(BENCH_WALL * NS_PER_SEC >> 32));
}

static void alarm_can_be_cleared_and_masked(void **state)
{
	alarm_at(now() + 10);
	wr(CLEAR_ALARM, 1);
	bench_pass(100);
	assert_int_equal(bench_edges, 0);
	alarm_at(now() + 10);
	bench_pass(100);
	assert_false(bench_level[0]);	/* fired, but not enabled */
	wr(IRQ_ENABLED, 1);
	assert_true(bench_level[0]);
	wr(IRQ_ENABLED, 0);
	assert_false(bench_level[0]);
}

static void alarm_ages_away_arms_nothing(void **state)
{
	alarm_at(UINT64_MAX);
	assert_int_equal(rd(ALARM_STATUS), 1);
	assert_int_equal(timer_next(), NS_NEVER);
}

static void other_accesses_do_nothing(void **state)
{
	bench_write(&d, IRQ_ENABLED, 1, 1);
	bench_write(&d, IRQ_ENABLED, 8, 1);
	bench_write(&d, IRQ_ENABLED + 2, 4, 1);
	bench_write(&d, 0xffc, 4, 1);
	assert_int_equal(rd(IRQ_ENABLED), 0);
	assert_int_equal(bench_read(&d, TIME_LOW, 8), 0);
	assert_int_equal(bench_read(&d, TIME_LOW, 1), 0);
	assert_int_equal(rd(0x20), 0);
}

static void reset(void **state)
{
	wr(IRQ_ENABLED, 1);
	alarm_at(now());
	wr(TIME_HIGH, 0);
	bench_pass(NS_PER_SEC);
	dev_reset(&d);
	assert_false(bench_level[0]);
	assert_int_equal(rd(IRQ_ENABLED) | rd(ALARM_STATUS) | rd(ALARM_LOW) | rd(TIME_HIGH), 0);
	assert_int_equal(now(), BENCH_WALL * NS_PER_SEC);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wall_time),
		T(high_is_latched_by_low),
		T(stands_still_in_a_pause),
		T(time_can_be_set),
		T(alarm_fires_once),
		T(alarm_in_the_past_fires_at_once),
		T(alarm_can_be_cleared_and_masked),
		T(alarm_ages_away_arms_nothing),
		T(other_accesses_do_nothing),
		T(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
