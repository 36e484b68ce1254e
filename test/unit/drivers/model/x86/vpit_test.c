/* The 8254: modes, latches, read-back, channel 0's interrupt, port B; Intel 8254 data sheet. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/pc.h"

enum { CH0 = 0x40, CH2 = 0x42, CTL = 0x43, PORT_B = 0x61 };

static struct dev d;

static u8 in(u32 port) { return (u8)bench_in(port, 1); }
static void out(u32 port, u8 val) { bench_out_to(port, 1, val); }

/* To the first nanosecond of the @n-th tick from the current one. */
static void pass_ticks(u64 n)
{
	u64 now = gclock_now(&bench_clock);
	u64 tick = now / NS_PER_SEC * PIT_HZ + now % NS_PER_SEC * PIT_HZ / NS_PER_SEC + n;
	u64 to = tick / PIT_HZ * NS_PER_SEC + (tick % PIT_HZ * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ;

	bench_pass(to - now);
}

static void program(u32 channel, u32 mode, u16 count)
{
	out(CTL, (u8)(channel << 6 | 3 << 4 | mode << 1));
	out(CH0 + channel, (u8)count);
	out(CH0 + channel, (u8)(count >> 8));
}

static u16 latch(u32 channel)
{
	u16 low;

	out(CTL, (u8)(channel << 6));
	low = in(CH0 + channel);
	return (u16)(in(CH0 + channel) << 8 | low);
}

static u8 status(u32 channel)
{
	out(CTL, (u8)(0xe0 | 2 << channel));
	return in(CH0 + channel);
}

static bool out2(void) { return in(PORT_B) >> 5 & 1; }

static int setup(void **state)
{
	bench_open();
	d = bench_port_dev(&vpit_model, NULL);
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void rate_generator(void **state)
{
	program(0, 2, 1000);
	for (u32 i = 1; i <= 20; i++) {
		pass_ticks(999);
		assert_int_equal(bench_edges, i);	/* the level it was left with counts */
		assert_int_equal(status(0), 0x34);	/* low for one tick */
		pass_ticks(1);
		assert_int_equal(bench_edges, i + 1);
		assert_int_equal(latch(0), 1000);
		assert_int_equal(status(0), 0xb4);
	}
	pass_ticks(250);
	assert_int_equal(latch(0), 750);
	program(0, 2, 0);				/* 65536 */
	pass_ticks(1);
	assert_int_equal(latch(0), 65535);
}

static void square_wave(void **state)
{
	program(2, 3, 100);
	out(PORT_B, 1);
	assert_true(out2());
	pass_ticks(49);
	assert_true(out2());
	assert_int_equal(latch(2), 2);
	pass_ticks(1);
	assert_false(out2());
	assert_int_equal(latch(2), 100);
	pass_ticks(50);
	assert_true(out2());
	out(PORT_B, 0);
	assert_true(out2());
	program(0, 3, 10000);
	bench_edges = 0;
	pass_ticks(50000);
	assert_int_equal(bench_edges, 5);
}

static void terminal_count(void **state)
{
	program(0, 0, 500);
	assert_false(bench_level[0]);
	pass_ticks(499);
	assert_false(bench_level[0]);
	assert_int_equal(latch(0), 1);
	pass_ticks(1);
	assert_true(bench_level[0]);
	pass_ticks(70000);
	assert_int_equal(bench_edges, 1);
	assert_int_equal(latch(0), (u16)-70000);
	program(0, 0, 10);
	assert_false(bench_level[0]);
}

/* What kernels do to measure their TSC. */
static void gated_one_shot_on_channel_2(void **state)
{
	out(PORT_B, 1);
	program(2, 0, 11932);
	assert_false(out2());
	pass_ticks(6000);
	out(PORT_B, 0);				/* holds the count */
	pass_ticks(1000);
	assert_int_equal(latch(2), 5932);
	out(PORT_B, 1);
	pass_ticks(5931);
	assert_false(out2());
	pass_ticks(1);
	assert_true(out2());
}

static void triggered_modes(void **state)
{
	program(2, 1, 100);
	pass_ticks(200);
	assert_true(out2());
	out(PORT_B, 1);
	assert_false(out2());
	out(PORT_B, 0);				/* does not stop it */
	pass_ticks(100);
	assert_true(out2());
	program(2, 5, 10);
	out(PORT_B, 1);
	pass_ticks(10);
	assert_false(out2());
	pass_ticks(1);
	assert_true(out2());
	program(0, 4, 50);
	bench_edges = 0;
	pass_ticks(51);
	assert_int_equal(bench_edges, 1);
	pass_ticks(1000);
	assert_int_equal(bench_edges, 1);
}

static void bytes_and_latches(void **state)
{
	u16 first;

	out(CTL, 0x14);				/* channel 0, low byte only, mode 2 */
	assert_int_equal(status(0) & 0x40, 0x40);
	out(CH0, 200);
	assert_int_equal(status(0), 0x94);
	pass_ticks(10);
	assert_int_equal(in(CH0), 190);
	out(CTL, 0x24);				/* high byte only */
	out(CH0, 0x10);
	pass_ticks(0x100);
	assert_int_equal(in(CH0), 0x0f);
	program(0, 2, 0x1234);
	pass_ticks(4);
	out(CTL, 0);
	pass_ticks(100);
	out(CTL, 0);				/* latched already */
	first = in(CH0);
	assert_int_equal(in(CH0) << 8 | first, 0x1230);
	assert_int_equal(in(CH0), (0x1230 - 100) & 0xff);	/* live again */
	assert_int_equal(in(CH0), 0x11);
	out(CTL, 0xc2);				/* status, then count */
	assert_int_equal(in(CH0), 0xb4);
	assert_int_equal(in(CH0), (0x1230 - 100) & 0xff);
	assert_int_equal(in(CH0), 0x11);
	assert_int_equal(in(CTL), 0xff);
}

static void port_b(void **state)
{
	u8 changes = 0, last = in(PORT_B);

	out(PORT_B, 0xff);
	assert_int_equal(in(PORT_B) & 0x0f, 3);
	for (u32 i = 0; i < 100; i++) {
		bench_pass(15085);
		changes += (in(PORT_B) ^ last) >> 4 & 1;
		last = in(PORT_B);
	}
	assert_int_equal(changes, 100);
}

static void a_count_of_one_does_not_starve(void **state)
{
	program(0, 2, 1);
	bench_pass(NS_PER_MS);
	assert_in_range(bench_edges, 1, 60);
	program(0, 3, 1);
	bench_pass(NS_PER_MS);
}

static void random_accesses(void **state)
{
	u64 r = 11;

	for (u32 i = 0; i < 100000; i++) {
		u32 port;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		port = r >> 40 & 7;
		port = port < 4 ? CH0 + port : port < 6 ? CTL : PORT_B;
		if (r >> 60 & 1)
			bench_out_to(port, 1u << (r >> 50) % 3, (u32)(r >> 16));
		else
			bench_in(port, 1u << (r >> 50) % 3);
		if (i % 16 == 0)
			bench_pass(r >> 20 & 0xffff);
		if (i % 20000 == 0)
			dev_reset(&d);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(rate_generator),
		T(square_wave),
		T(terminal_count),
		T(gated_one_shot_on_channel_2),
		T(triggered_modes),
		T(bytes_and_latches),
		T(port_b),
		T(a_count_of_one_does_not_starve),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
