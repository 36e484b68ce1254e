/* The CLINT: software interrupts, comparators, mtime in whole and halves. */
#include "test/unit/drivers/model/bench.h"

#define MSIP(h)		(4ull * (h))
#define MTIMECMP(h)	(0x4000ull + 8 * (h))
#define MTIME		0xbff8ull
#define TICK		100ull		/* ns */

static struct dev d;

static int setup(void **state)
{
	bench_open();
	d = bench_dev(&vclint_model, 0x10000);
	d.out = bench_out;
	d.outs = 4;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static bool msip(u32 hart) { return bench_level[1 + 2 * hart]; }
static bool mtip(u32 hart) { return bench_level[2 + 2 * hart]; }
static u64 rd8(u64 off) { return bench_read(&d, off, 8); }
static u64 rd4(u64 off) { return bench_read(&d, off, 4); }
static void wr8(u64 off, u64 val) { bench_write(&d, off, 8, val); }
static void wr4(u64 off, u32 val) { bench_write(&d, off, 4, val); }

static void software_interrupts(void **state)
{
	wr4(MSIP(1), 0xffffffff);
	assert_int_equal(rd4(MSIP(1)), 1);
	assert_int_equal(rd4(MSIP(0)), 0);
	assert_true(msip(1));
	assert_false(msip(0));
	wr4(MSIP(1), 0xfffffffe);
	assert_false(msip(1));
	wr4(MSIP(2), 1);		/* no such hart */
	assert_int_equal(rd4(MSIP(2)), 0);
}

static void time_runs_at_10_mhz(void **state)
{
	u64 before = rd8(MTIME);

	bench_pass(NS_PER_SEC);
	assert_int_equal(rd8(MTIME) - before, 10000000);
	bench_pass(TICK - 1);
	assert_int_equal(rd8(MTIME) - before, 10000000);
	bench_pass(1);
	assert_int_equal(rd8(MTIME) - before, 10000001);
	gclock_freeze(&bench_clock);
	bench_ns += NS_PER_SEC;
	assert_int_equal(rd8(MTIME) - before, 10000001);
	gclock_thaw(&bench_clock);
	assert_int_equal(rd8(MTIME) - before, 10000001);
}

static void comparator_fires(void **state)
{
	assert_int_equal(rd8(MTIMECMP(0)), UINT64_MAX);
	wr8(MTIMECMP(0), rd8(MTIME) + 50);
	bench_pass(49 * TICK);
	assert_false(mtip(0));
	bench_pass(TICK);
	assert_true(mtip(0));
	assert_false(mtip(1));
	wr8(MTIMECMP(0), UINT64_MAX);
	assert_false(mtip(0));
	wr8(MTIMECMP(1), 0);		/* the past: at once */
	assert_true(mtip(1));
	wr8(MTIMECMP(1), rd8(MTIME));	/* equal counts */
	assert_true(mtip(1));
}

/* A comparator moved away leaves an early timer behind, which must not fire the line. */
static void comparator_moves(void **state)
{
	wr8(MTIMECMP(0), rd8(MTIME) + 10);
	wr8(MTIMECMP(0), rd8(MTIME) + 1000);
	bench_pass(999 * TICK);
	assert_false(mtip(0));
	bench_pass(TICK);
	assert_true(mtip(0));
	wr8(MTIMECMP(0), rd8(MTIME) + 10);
	wr8(MTIMECMP(0), UINT64_MAX - 1);
	bench_pass(NS_PER_SEC);
	assert_false(mtip(0));
}

static void comparator_waits_out_a_pause(void **state)
{
	wr8(MTIMECMP(0), rd8(MTIME) + 100);
	bench_pass(50 * TICK);
	gclock_freeze(&bench_clock);
	bench_ns += NS_PER_SEC;
	gclock_thaw(&bench_clock);
	bench_pass(49 * TICK);
	assert_false(mtip(0));
	bench_pass(TICK);
	assert_true(mtip(0));
}

static void halves(void **state)
{
	wr4(MTIMECMP(1), 0x11223344);
	assert_int_equal(rd8(MTIMECMP(1)), 0xffffffff11223344);
	wr4(MTIMECMP(1) + 4, 0x55667788);
	assert_int_equal(rd8(MTIMECMP(1)), 0x5566778811223344);
	assert_int_equal(rd4(MTIMECMP(1) + 4), 0x55667788);
	wr8(MTIME, 0x00000001ffffffff);
	assert_int_equal(rd4(MTIME), 0xffffffff);
	bench_pass(TICK);
	assert_int_equal(rd4(MTIME), 0);
	assert_int_equal(rd4(MTIME + 4), 2);
	wr4(MTIME + 4, 7);
	assert_int_equal(rd8(MTIME), 0x700000000);
}

static void mtime_written_moves_all_comparators(void **state)
{
	wr8(MTIMECMP(0), 1000);
	wr8(MTIMECMP(1), 2000);
	wr8(MTIME, 1500);
	assert_true(mtip(0));
	assert_false(mtip(1));
	bench_pass(500 * TICK);
	assert_true(mtip(1));
	wr8(MTIME, 0);
	assert_false(mtip(0) || mtip(1));
	bench_pass(1000 * TICK);
	assert_true(mtip(0));
	wr8(MTIME, UINT64_MAX);		/* wraps a tick later */
	assert_true(mtip(1));
	bench_pass(TICK);
	assert_int_equal(rd8(MTIME), 0);
}

static void wrong_accesses_do_nothing(void **state)
{
	bench_write(&d, MSIP(0), 1, 1);
	bench_write(&d, MSIP(0), 2, 1);
	bench_write(&d, MSIP(0) + 1, 4, ~0ull);
	bench_write(&d, MTIMECMP(0) + 4, 8, 0);	/* crosses two registers */
	bench_write(&d, MTIMECMP(2), 8, 0);
	bench_write(&d, 0xc000, 8, 1);
	assert_false(msip(0) || msip(1) || mtip(0) || mtip(1));
	assert_int_equal(rd8(MTIMECMP(0)), UINT64_MAX);
	assert_int_equal(bench_read(&d, MTIMECMP(0), 2), 0);
	assert_int_equal(bench_read(&d, MTIMECMP(0) + 4, 8), 0);
	assert_int_equal(bench_read(&d, MTIMECMP(2), 8), 0);
	assert_int_equal(bench_read(&d, 0xfff8, 8), 0);
}

static void reset(void **state)
{
	wr4(MSIP(0), 1);
	wr8(MTIMECMP(0), 0);
	wr8(MTIME, 12345678);
	dev_reset(&d);
	assert_false(msip(0) || mtip(0));
	assert_int_equal(rd8(MTIMECMP(0)), UINT64_MAX);
	assert_int_equal(rd8(MTIME), gclock_now(&bench_clock) / TICK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(software_interrupts),
		T(time_runs_at_10_mhz),
		T(comparator_fires),
		T(comparator_moves),
		T(comparator_waits_out_a_pause),
		T(halves),
		T(mtime_written_moves_all_comparators),
		T(wrong_accesses_do_nothing),
		T(reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
