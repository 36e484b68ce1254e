/* The virtio registers, with the entropy device behind them; VIRTIO 1.2, 4.2.2. */
#include "test/unit/drivers/model/virtio/driver.h"

static u32 rng_calls;
static bool rng_fails;

static err_t fake_rng_read(struct rng *r, void *buf, size_t len)
{
	rng_calls++;
	memset(buf, 0xa5, len);
	return rng_fails ? E_IO : OK;
}

static const struct rng_ops fake_rng_ops = { .read = fake_rng_read };
static struct rng fake_rng = { .ops = &fake_rng_ops, .name = "rng" };

static int setup(void **state)
{
	bench_open();
	rng_calls = 0;
	rng_fails = false;
	d = bench_dev(&vrng_model, 0x1000);
	d.port.rng = &fake_rng;
	return dev_create(&d);
}

static int teardown(void **state)
{
	drv_close();
	return 0;
}

static void identity(void **state)
{
	assert_int_equal(rd(REG_MAGIC), 0x74726976);
	assert_int_equal(rd(REG_VERSION), 2);
	assert_int_equal(rd(REG_DEVICE_ID), 4);
	assert_int_equal(rd(REG_VENDOR), 0x554d4551);
	assert_int_equal(rd(REG_GENERATION), 0);
	assert_int_equal(rd(REG_STATUS), 0);
	assert_int_equal(rd(REG_SHM_LEN_LOW), 0xffffffff);
	assert_int_equal(rd(REG_SHM_LEN_LOW + 12), 0xffffffff);
}

static void negotiation(void **state)
{
	assert_int_equal(drv_features(), F_INDIRECT | F_EVENT_IDX | F_VERSION_1);
	wr(REG_DEVICE_FEATURES_SEL, 2);
	assert_int_equal(rd(REG_DEVICE_FEATURES), 0);
	drv_choose(F_VERSION_1 | F_EVENT_IDX);
	assert_int_equal(rd(REG_STATUS), ACKNOWLEDGE | DRIVER | FEATURES_OK);
	drv_choose(F_EVENT_IDX);		/* legacy driver */
	assert_int_equal(rd(REG_STATUS), ACKNOWLEDGE | DRIVER);
	drv_choose(F_VERSION_1 | 1);		/* a feature that we do not have */
	assert_int_equal(rd(REG_STATUS), ACKNOWLEDGE | DRIVER);
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK);
	assert_int_equal(rd(REG_STATUS), ACKNOWLEDGE | DRIVER);
}

static void features_are_fixed_after_features_ok(void **state)
{
	drv_choose(F_VERSION_1);
	wr(REG_DRIVER_FEATURES, 0xffffffff);
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER);
	wr(REG_STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	assert_int_equal(rd(REG_STATUS), ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

static void queue_registers(void **state)
{
	wr(REG_QUEUE_SEL, 0);
	assert_int_equal(rd(REG_QUEUE_NUM_MAX), 256);
	assert_int_equal(rd(REG_QUEUE_READY), 0);
	wr(REG_QUEUE_SEL, 1);
	assert_int_equal(rd(REG_QUEUE_NUM_MAX), 0);
	wr(REG_QUEUE_READY, 1);
	assert_int_equal(rd(REG_QUEUE_READY), 0);
	wr(REG_QUEUE_SEL, 0xffffffff);
	wr(REG_QUEUE_NUM, 4);
	wr(REG_QUEUE_DESC, 4);
	assert_int_equal(rd(REG_QUEUE_NUM_MAX), 0);
	wr(REG_QUEUE_NOTIFY, 0xffffffff);
}

static void request_entropy(u16 head)
{
	drv_desc(0, head, DRV_BUF, 64, WRITE, 0);
	drv_send(0, head);
}

static void chain_is_served_and_interrupts(void **state)
{
	u32 id;

	drv_start(0, 1);
	request_entropy(3);
	assert_int_equal(drv_collect(0, &id), 64);
	assert_int_equal(id, 3);
	assert_int_equal(*ram(DRV_BUF + 63), 0xa5);
	assert_true(bench_level[0]);
	assert_int_equal(rd(REG_INTERRUPT_STATUS), 1);
	wr(REG_INTERRUPT_ACK, 2);
	assert_true(bench_level[0]);
	wr(REG_INTERRUPT_ACK, 1);
	assert_false(bench_level[0]);
	assert_int_equal(rd(REG_INTERRUPT_STATUS), 0);
}

static void nothing_happens_before_driver_ok(void **state)
{
	drv_choose(F_VERSION_1);
	drv_queue(0);
	request_entropy(0);
	assert_int_equal(rng_calls, 0);
	wr(REG_STATUS, rd(REG_STATUS) | DRIVER_OK);	/* what waits is served then */
	assert_int_equal(drv_collect(0, NULL), 64);
}

static void live_queue_cannot_be_changed(void **state)
{
	drv_start(0, 1);
	wr(REG_QUEUE_NUM, 4);
	wr_pair(REG_QUEUE_DESC, 0);
	wr_pair(REG_QUEUE_DRIVER, 0);
	wr_pair(REG_QUEUE_DEVICE, 0);
	request_entropy(0);
	assert_int_equal(drv_collect(0, NULL), 64);
	wr(REG_QUEUE_READY, 0);
	assert_int_equal(rd(REG_QUEUE_READY), 0);
	drv_kick(0);
	drv_queue(0);			/* starts from index 0 again */
	request_entropy(1);
	assert_int_equal(drv_collect(0, NULL), 64);
}

/*
 * Rings outside RAM, across its end, misaligned, of a bad size: DEVICE_NEEDS_RESET and an
 * interrupt, until reset.
 */
static void bad_rings(void **state)
{
	const struct {
		u64 reg;
		u64 val;
	} bad[] = {
		{ REG_QUEUE_DESC, 0 },
		{ REG_QUEUE_DESC, UINT64_MAX - 15 },
		{ REG_QUEUE_DESC, DRV_DESC(0) + 8 },
		{ REG_QUEUE_DESC, BENCH_RAM + BENCH_RAM_LEN - 16 },
		{ REG_QUEUE_DRIVER, DRV_AVAIL(0) + 1 },
		{ REG_QUEUE_DRIVER, BENCH_RAM + BENCH_RAM_LEN },
		{ REG_QUEUE_DEVICE, DRV_USED(0) + 2 },
		{ REG_QUEUE_DEVICE, d.base },
		{ REG_QUEUE_NUM, 0 },
		{ REG_QUEUE_NUM, 3 },
		{ REG_QUEUE_NUM, 512 },
		{ REG_QUEUE_NUM, 0x10008 },
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		drv_choose(F_VERSION_1);
		drv_queue(0);
		wr(REG_QUEUE_READY, 0);
		if (bad[i].reg == REG_QUEUE_NUM)
			wr(REG_QUEUE_NUM, (u32)bad[i].val);
		else
			wr_pair(bad[i].reg, bad[i].val);
		wr(REG_QUEUE_READY, 1);
		assert_false(drv_broken());
		wr(REG_STATUS, rd(REG_STATUS) | DRIVER_OK);
		assert_true(drv_broken());
		assert_int_equal(rd(REG_INTERRUPT_STATUS), 2);
		assert_true(bench_level[0]);
		wr(REG_STATUS, ACKNOWLEDGE);	/* the bit stays until a reset */
		assert_true(drv_broken());
		wr(REG_STATUS, 0);
		assert_int_equal(rd(REG_STATUS), 0);
		assert_false(bench_level[0]);
	}
	drv_start(0, 1);
	request_entropy(0);
	assert_int_equal(drv_collect(0, NULL), 64);
}

static void broken_device_stays_silent(void **state)
{
	drv_start(0, 1);
	drv_send(0, DRV_SIZE);		/* head outside the table */
	assert_true(drv_broken());
	request_entropy(0);
	assert_int_equal(drv_collect(0, NULL), -1);
	assert_int_equal(rng_calls, 0);
}

static void wrong_widths(void **state)
{
	static const u32 widths[] = { 1, 2, 8 };

	for (u32 i = 0; i < ARRAY_LEN(widths); i++) {
		for (u64 off = 0; off < 0x100; off++)
			assert_int_equal(bench_read(&d, off, widths[i]), 0);
		for (u64 off = 0; off < 0x100; off++)
			bench_write(&d, off, widths[i], ~0ull);
	}
	assert_int_equal(bench_read(&d, REG_MAGIC + 1, 4), 0);
	bench_write(&d, REG_STATUS + 1, 4, 1);
	assert_int_equal(rd(REG_STATUS), 0);
	for (u64 off = 0xf8; off < 0x1000; off++)
		for (u32 len = 1; len <= 8; len *= 2) {
			if (off + len > 0x1000)
				continue;
			bench_write(&d, off, len, ~0ull);
			assert_int_equal(bench_read(&d, off, len), 0);
		}
}

static void failing_port_is_asked_again(void **state)
{
	rng_fails = true;
	drv_start(0, 1);
	request_entropy(0);
	assert_int_equal(drv_collect(0, NULL), -1);
	rng_fails = false;
	bench_pass(NS_PER_SEC);
	assert_int_equal(drv_collect(0, NULL), 64);
	assert_true(bench_level[0]);
}

static void entropy_requests_are_bounded(void **state)
{
	drv_start(0, 1);
	drv_desc(0, 0, BENCH_RAM, 100, NEXT, 1);	/* readable parts are skipped */
	drv_desc(0, 1, DRV_BUF, KIB(200), WRITE, 0);
	drv_send(0, 0);
	assert_int_equal(drv_collect(0, NULL), 4096);
	drv_desc(0, 0, DRV_BUF, 64, 0, 0);		/* no writable part at all */
	drv_send(0, 0);
	assert_int_equal(drv_collect(0, NULL), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(identity),
		T(negotiation),
		T(features_are_fixed_after_features_ok),
		T(queue_registers),
		T(chain_is_served_and_interrupts),
		T(nothing_happens_before_driver_ok),
		T(live_queue_cannot_be_changed),
		T(bad_rings),
		T(broken_device_stays_silent),
		T(wrong_widths),
		T(failing_port_is_asked_again),
		T(entropy_requests_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
