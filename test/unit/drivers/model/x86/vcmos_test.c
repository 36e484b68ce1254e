/* The MC146818: calendar, formats, setting, the three interrupts; and the CMOS memory. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/pc.h"

enum { SEC, SEC_ALARM, MIN_, MIN_ALARM, HOUR, HOUR_ALARM, WEEKDAY, DAY, MONTH, YEAR, A, B, C, D,
       CENTURY = 0x32 };
enum { B_24H = 2, B_BINARY = 4, UIE = 0x10, AIE = 0x20, PIE = 0x40, SET = 0x80 };

static const struct cmos_board board = { GIB(3), GIB(5), 4 };
static struct dev d;

static u8 rd(u8 index)
{
	bench_out_to(0x70, 1, index);
	return (u8)bench_in(0x71, 1);
}

static void wr(u8 index, u8 val)
{
	bench_out_to(0x70, 1, index | 0x80);	/* NMIs masked, as firmware does */
	bench_out_to(0x71, 1, val);
}

static int setup(void **state)
{
	bench_open();
	d = bench_port_dev(&vcmos_model, NULL);
	d.port.any = (void *)&board;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void expect_time(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second)
{
	const u32 want[] = { year / 100, year % 100, month, day, hour, minute, second };
	static const u8 at[] = { CENTURY, YEAR, MONTH, DAY, HOUR, MIN_, SEC };

	for (u32 i = 0; i < 7; i++)
		assert_int_equal(rd(at[i]), (want[i] / 10) << 4 | want[i] % 10);
}

static void set_time(u32 year, u32 month, u32 day, u32 hour, u32 minute, u32 second)
{
	const u32 val[] = { year / 100, year % 100, month, day, hour, minute, second };
	static const u8 at[] = { CENTURY, YEAR, MONTH, DAY, HOUR, MIN_, SEC };

	wr(B, SET | B_24H);
	for (u32 i = 0; i < 7; i++)
		wr(at[i], (u8)((val[i] / 10) << 4 | val[i] % 10));
	wr(B, B_24H);
}

static void wall_time(void **state)
{
	expect_time(2023, 11, 14, 22, 13, 20);	/* BENCH_WALL */
	assert_int_equal(rd(WEEKDAY), 3);	/* a Tuesday; Sunday is 1 */
	bench_pass(3600 * NS_PER_SEC * 2);
	expect_time(2023, 11, 15, 0, 13, 20);
	assert_int_equal(rd(A) & 0x80, 0);
	assert_int_equal(rd(D), 0x80);
}

static void calendar(void **state)
{
	static const u16 months[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	for (u32 year = 1970; year < 2420; year += year < 2090 || year > 2405 ? 1 : 97)
		for (u32 month = 1; month <= 12; month++) {
			bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);
			u32 last = months[month] + (month == 2 && leap);

			set_time(year, month, last, 23, 59, 59);
			expect_time(year, month, last, 23, 59, 59);
			bench_pass(NS_PER_SEC);
			expect_time(year + month / 12, month % 12 + 1, 1, 0, 0, 0);
		}
}

static void formats(void **state)
{
	wr(B, 0);				/* 12 hours */
	assert_int_equal(rd(HOUR), 0x90);
	wr(HOUR, 0x12);				/* midnight */
	wr(B, B_24H);
	assert_int_equal(rd(HOUR), 0);
	wr(HOUR, 0x12);
	wr(B, B_BINARY);
	assert_int_equal(rd(HOUR), 0x8c);
	wr(B, B_24H | B_BINARY);
	assert_int_equal(rd(MIN_), 13);
	wr(MIN_, 47);
	wr(B, B_24H);
	assert_int_equal(rd(MIN_), 0x47);
}

static void stands_still_while_set(void **state)
{
	wr(B, SET | B_24H);
	bench_pass(100 * NS_PER_SEC);
	assert_int_equal(rd(SEC), 0x20);
	wr(SEC, 0x33);
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(SEC), 0x33);
	wr(B, B_24H);
	expect_time(2023, 11, 14, 22, 13, 33);
}

static void update_interrupt(void **state)
{
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(C), 0x50);		/* flags alone: nothing is enabled */
	assert_int_equal(rd(C), 0);
	wr(B, UIE | B_24H);
	bench_pass(NS_PER_SEC - 1);
	assert_false(bench_level[0]);
	bench_pass(1);
	assert_true(bench_level[0]);
	assert_int_equal(rd(C), 0xd0);
	assert_false(bench_level[0]);
	bench_pass(10 * NS_PER_SEC);
	assert_int_equal(bench_edges, 2);	/* until it is read there is no other */
}

static void periodic_interrupt(void **state)
{
	u32 seen = 0;

	wr(A, 0x26);
	wr(B, PIE | B_24H);
	for (u32 i = 0; i < 1024; i++) {
		bench_pass(NS_PER_SEC / 1024 + 1);
		if (bench_level[0])
			seen++;
		rd(C);
	}
	assert_in_range(seen, 1023, 1024);
	wr(A, 0x20);				/* no rate */
	rd(C);
	bench_pass(NS_PER_SEC / 2);
	assert_false(bench_level[0]);
}

static void alarm_interrupt(void **state)
{
	wr(HOUR_ALARM, 0x22);
	wr(MIN_ALARM, 0x14);
	wr(SEC_ALARM, 0x05);
	wr(B, AIE | B_24H);
	bench_pass(44 * NS_PER_SEC);
	assert_false(bench_level[0]);
	bench_pass(NS_PER_SEC);
	assert_true(bench_level[0]);
	assert_int_equal(rd(C) & 0xa0, 0xa0);
	wr(HOUR_ALARM, 0xff);			/* every minute */
	wr(MIN_ALARM, 0xc0);
	for (u32 i = 0; i < 3; i++) {
		bench_pass(60 * NS_PER_SEC);
		assert_int_equal(rd(C) & 0xa0, 0xa0);
	}
	wr(B, B_24H);
	bench_pass(3 * 86400 * NS_PER_SEC);	/* looked at late */
	assert_int_equal(rd(C), 0x70);
}

static void memory_bytes(void **state)
{
	assert_int_equal(rd(0x34) | rd(0x35) << 8, (GIB(3) - MIB(16)) >> 16);
	assert_int_equal(rd(0x5b) | rd(0x5c) << 8 | rd(0x5d) << 16, GIB(5) >> 16);
	assert_int_equal(rd(0x30) | rd(0x31) << 8, 0xffff);
	assert_int_equal(rd(0x15) | rd(0x16) << 8, 640);
	assert_int_equal(rd(0x3d), 0x32);
	assert_int_equal(rd(0x5f), 3);
	wr(0x7f, 0x5a);
	wr(0x0f, 0xa5);
	assert_int_equal(rd(0x7f), 0x5a);
	assert_int_equal(rd(0x0f), 0xa5);
	assert_int_equal(bench_in(0x70, 1), 0xff);
	bench_out_to(0x70, 2, 0x7740);		/* index and data in one */
	assert_int_equal(rd(0x40), 0x77);
}

static void read_only_registers(void **state)
{
	wr(C, 0xff);
	wr(D, 0);
	wr(A, 0xff);
	assert_int_equal(rd(C), 0);
	assert_int_equal(rd(D), 0x80);
	assert_int_equal(rd(A), 0x7f);
}

static void random_accesses(void **state)
{
	u64 r = 5;

	for (u32 i = 0; i < 100000; i++) {
		r = r * 6364136223846793005ull + 1442695040888963407ull;
		if (i % 3)
			bench_out_to(0x70, 1u << (r >> 50) % 3,
				     (u32)(r >> 8 & 0xff00) | (r >> 60 & 1 ? r >> 40 & 15 :
								r >> 40 & 0xff));
		else
			bench_out_to(0x71, 1u << (r >> 50) % 3, (u32)(r >> 16));
		bench_in(0x71, 1u << (r >> 53) % 3);
		if (i % 32 == 0)
			bench_pass(r >> 20 & 0xffffff);
		if (i % 20000 == 0)
			dev_reset(&d);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wall_time),
		T(calendar),
		T(formats),
		T(stands_still_while_set),
		T(update_interrupt),
		T(periodic_interrupt),
		T(alarm_interrupt),
		T(memory_bytes),
		T(read_only_registers),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
