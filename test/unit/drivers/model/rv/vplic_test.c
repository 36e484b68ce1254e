/* The PLIC: register map, gateways, priorities, claims; PLIC specification 1.0.0. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/rv/irq.h"

#define PRIORITY(s)	(4ull * (s))
#define PENDING(w)	(0x1000ull + 4 * (w))
#define ENABLE(c, w)	(0x2000ull + 0x80 * (c) + 4 * (w))
#define THRESHOLD(c)	(0x200000ull + 0x1000 * (c))
#define CLAIM(c)	(0x200004ull + 0x1000 * (c))

static struct dev d;

static int setup(void **state)
{
	bench_open();
	d = bench_dev(&vplic_model, 0x600000);
	d.out = bench_out;
	d.outs = 4;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

static u32 rd(u64 off)
{
	return (u32)bench_read(&d, off, 4);
}

static void wr(u64 off, u32 val)
{
	bench_write(&d, off, 4, val);
}

static bool out(u32 ctx)
{
	return bench_level[1 + ctx];
}

/* Source @s at @priority, enabled in @ctx. */
static void route(u32 s, u32 priority, u32 ctx)
{
	wr(PRIORITY(s), priority);
	wr(ENABLE(ctx, s / 32), rd(ENABLE(ctx, s / 32)) | 1u << s % 32);
}

static void registers(void **state)
{
	wr(PRIORITY(0), 5);
	assert_int_equal(rd(PRIORITY(0)), 0);
	wr(PRIORITY(95), 0xffffffff);
	assert_int_equal(rd(PRIORITY(95)), 7);
	wr(PRIORITY(96), 7);
	assert_int_equal(rd(PRIORITY(96)), 0);
	for (u32 c = 0; c < 4; c++) {
		wr(ENABLE(c, 0), 0xffffffff);
		wr(ENABLE(c, 2), 0xfffffff0 + c);
		wr(ENABLE(c, 3), 0xffffffff);
		wr(THRESHOLD(c), 8 + c);
	}
	for (u32 c = 0; c < 4; c++) {
		assert_int_equal(rd(ENABLE(c, 0)), 0xfffffffe);	/* source 0 does not exist */
		assert_int_equal(rd(ENABLE(c, 1)), 0);
		assert_int_equal(rd(ENABLE(c, 2)), 0xfffffff0 + c);
		assert_int_equal(rd(ENABLE(c, 3)), 0);
		assert_int_equal(rd(THRESHOLD(c)), c);
	}
	wr(ENABLE(4, 0), 0xffffffff);	/* no such context */
	wr(THRESHOLD(4), 3);
	assert_int_equal(rd(ENABLE(4, 0)), 0);
	assert_int_equal(rd(THRESHOLD(4)), 0);
	wr(PENDING(0), 0xffffffff);
	assert_int_equal(rd(PENDING(0)), 0);
	dev_reset(&d);
	assert_int_equal(rd(PRIORITY(95)), 0);
	assert_int_equal(rd(ENABLE(1, 2)), 0);
	assert_int_equal(rd(THRESHOLD(3)), 0);
}

static void other_widths_do_nothing(void **state)
{
	static const u32 widths[] = { 1, 2, 8 };

	for (u32 i = 0; i < ARRAY_LEN(widths); i++) {
		bench_write(&d, PRIORITY(4), widths[i], 3);
		assert_int_equal(rd(PRIORITY(4)), 0);
		wr(PRIORITY(4), 5);
		assert_int_equal(bench_read(&d, PRIORITY(4), widths[i]), 0);
		wr(PRIORITY(4), 0);
	}
	bench_write(&d, PRIORITY(4) + 2, 4, ~0ull);
	assert_int_equal(rd(PRIORITY(4)), 0);
	assert_int_equal(rd(PRIORITY(5)), 0);
	assert_int_equal(bench_read(&d, 0x5ffffc, 4), 0);
	bench_write(&d, 0x5ffffe, 4, 1);
}

static void claim_and_complete(void **state)
{
	route(10, 1, 1);
	vplic_input(&d, 10, true);
	assert_int_equal(rd(PENDING(0)), 1 << 10);
	assert_true(out(1));
	assert_false(out(0));
	assert_int_equal(rd(CLAIM(0)), 0);
	assert_int_equal(rd(CLAIM(1)), 10);
	assert_false(out(1));
	assert_int_equal(rd(PENDING(0)), 0);
	assert_int_equal(rd(CLAIM(1)), 0);
	wr(CLAIM(1), 10);		/* the input is still high */
	assert_true(out(1));
	assert_int_equal(rd(CLAIM(1)), 10);
	vplic_input(&d, 10, false);
	wr(CLAIM(1), 10);
	assert_false(out(1));
	assert_int_equal(rd(PENDING(0)), 0);
}

/*
 * A pulse while a source is being served is not seen; one before stays pending although the input
 * dropped.
 */
static void gateway(void **state)
{
	route(40, 1, 0);
	vplic_input(&d, 40, true);
	vplic_input(&d, 40, false);
	assert_true(out(0));
	assert_int_equal(rd(PENDING(1)), 1 << 8);
	assert_int_equal(rd(CLAIM(0)), 40);
	vplic_input(&d, 40, true);
	assert_int_equal(rd(PENDING(1)), 0);
	vplic_input(&d, 40, false);
	wr(CLAIM(0), 40);
	assert_int_equal(rd(PENDING(1)), 0);
	assert_false(out(0));
}

static void priorities(void **state)
{
	route(3, 2, 0);
	route(64, 2, 0);
	route(95, 6, 0);
	route(7, 0, 0);			/* priority 0: never */
	vplic_input(&d, 64, true);
	vplic_input(&d, 3, true);
	vplic_input(&d, 95, true);
	vplic_input(&d, 7, true);
	assert_int_equal(rd(CLAIM(0)), 95);
	assert_int_equal(rd(CLAIM(0)), 3);	/* lowest number among equals */
	assert_int_equal(rd(CLAIM(0)), 64);
	assert_int_equal(rd(CLAIM(0)), 0);
	assert_int_equal(rd(PENDING(0)), 1 << 7);
	wr(PRIORITY(7), 1);
	assert_true(out(0));
}

static void threshold(void **state)
{
	route(5, 3, 2);
	vplic_input(&d, 5, true);
	wr(THRESHOLD(2), 3);
	assert_false(out(2));
	wr(THRESHOLD(2), 2);
	assert_true(out(2));
	wr(THRESHOLD(2), 7);
	assert_false(out(2));
	assert_int_equal(rd(CLAIM(2)), 5);	/* polling works behind any threshold */
}

static void disable_takes_the_output_back(void **state)
{
	route(5, 3, 3);
	vplic_input(&d, 5, true);
	assert_true(out(3));
	wr(ENABLE(3, 0), 0);
	assert_false(out(3));
	assert_int_equal(rd(CLAIM(3)), 0);
	wr(ENABLE(3, 0), 1 << 5);
	assert_true(out(3));
}

static void one_claim_among_contexts(void **state)
{
	route(9, 1, 0);
	route(9, 1, 2);
	vplic_input(&d, 9, true);
	assert_true(out(0) && out(2));
	assert_int_equal(rd(CLAIM(2)), 9);
	assert_false(out(0) || out(2));
	assert_int_equal(rd(CLAIM(0)), 0);
	wr(CLAIM(0), 9);		/* any context may complete */
	assert_true(out(0) && out(2));
}

static void nonsense(void **state)
{
	vplic_input(&d, 0, true);
	vplic_input(&d, 96, true);
	vplic_input(&d, UINT32_MAX, true);
	wr(CLAIM(0), 0);
	wr(CLAIM(0), 96);
	wr(CLAIM(0), 0xffffffff);
	assert_int_equal(rd(PENDING(0)) | rd(PENDING(1)) | rd(PENDING(2)), 0);
}

static void reset_keeps_inputs(void **state)
{
	route(5, 3, 0);
	vplic_input(&d, 5, true);
	assert_int_equal(rd(CLAIM(0)), 5);
	dev_reset(&d);
	assert_false(out(0));
	assert_int_equal(rd(PENDING(0)), 1 << 5);
	route(5, 3, 0);
	assert_true(out(0));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(registers), T(other_widths_do_nothing), T(claim_and_complete), T(gateway),
		T(priorities), T(threshold), T(disable_takes_the_output_back),
		T(one_claim_among_contexts), T(nonsense), T(reset_keeps_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
