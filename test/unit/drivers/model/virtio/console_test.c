/*
 * The virtio console: input into the driver's buffers, output to the port, both with back-
 * pressure.
 */
#include "test/unit/drivers/model/virtio/driver.h"

enum { RX = 0, TX = 1 };

static struct bench_chr port;

static int setup(void **state)
{
	bench_open();
	bench_chr_open(&port);
	d = bench_dev(&vconsole_model, 0x1000);
	d.port.chr = &port.chr;
	return dev_create(&d);
}

static int teardown(void **state)
{
	drv_close();
	assert_null(port.chr.ready);
	return 0;
}

static void send(const char *text)
{
	memcpy(ram(DRV_BUF), text, strlen(text));
	drv_desc(TX, 0, DRV_BUF, (u32)strlen(text), 0, 0);
	drv_send(TX, 0);
}

static void expect_out(const char *text)
{
	assert_int_equal(port.out_len, strlen(text));
	assert_memory_equal(port.out, text, strlen(text));
}

static void identity(void **state)
{
	assert_int_equal(rd(REG_DEVICE_ID), 3);
	wr(REG_QUEUE_SEL, 1);
	assert_int_equal(rd(REG_QUEUE_NUM_MAX), 256);
	wr(REG_QUEUE_SEL, 2);
	assert_int_equal(rd(REG_QUEUE_NUM_MAX), 0);
}

static void output(void **state)
{
	drv_start(0, 2);
	send("hello");
	expect_out("hello");
	assert_int_equal(drv_collect(TX, NULL), 0);
	assert_true(bench_level[0]);
	drv_desc(TX, 1, DRV_BUF, 2, NEXT, 2);
	drv_desc(TX, 2, DRV_BUF + 2, 3, 0, 0);
	drv_send(TX, 1);
	expect_out("hellohello");
}

static void output_to_a_busy_port(void **state)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz";

	drv_start(0, 2);
	memcpy(ram(DRV_BUF), text, 26);
	drv_desc(TX, 0, DRV_BUF, 10, NEXT, 1);
	drv_desc(TX, 1, DRV_BUF + 10, 16, 0, 0);
	port.room = 0;
	drv_send(TX, 0);
	for (u32 i = 0; i < 26; i += 3) {
		assert_int_equal(drv_collect(TX, NULL), -1);
		port.room = 3;
		if (i % 2)
			drv_kick(TX);
		else
			bench_pass(NS_PER_MS);
	}
	assert_int_equal(drv_collect(TX, NULL), 0);
	expect_out(text);
}

static void reset_forgets_half_sent_output(void **state)
{
	drv_start(0, 2);
	port.room = 3;
	send("abcdef");
	wr(REG_STATUS, 0);
	port.room = SIZE_MAX;
	drv_start(0, 2);
	send("xyz");
	expect_out("abcxyz");
}

static void input(void **state)
{
	drv_start(0, 2);
	drv_desc(RX, 0, DRV_BUF, 4, WRITE | NEXT, 1);
	drv_desc(RX, 1, DRV_BUF + 0x100, 4, WRITE, 0);
	drv_send(RX, 0);
	assert_int_equal(drv_collect(RX, NULL), -1);
	assert_false(bench_level[0]);
	bench_chr_type(&port, "abcdef");
	assert_int_equal(drv_collect(RX, NULL), 6);
	assert_memory_equal(ram(DRV_BUF), "abcd", 4);
	assert_memory_equal(ram(DRV_BUF + 0x100), "ef", 2);
	assert_true(bench_level[0]);
}

static void input_waits_for_buffers(void **state)
{
	bench_chr_type(&port, "early");	/* before there is a driver */
	drv_start(0, 2);
	assert_int_equal(port.in_at, 0);
	for (u32 i = 0; i < 3; i++) {
		drv_desc(RX, 0, DRV_BUF, 2, WRITE, 0);
		drv_send(RX, 0);
		assert_int_equal(drv_collect(RX, NULL), i < 2 ? 2 : 1);
		assert_int_equal(*ram(DRV_BUF), "early"[2 * i]);
	}
}

static void chains_without_room(void **state)
{
	drv_start(0, 2);
	drv_desc(RX, 0, DRV_BUF, 2, 0, 0);	/* readable buffer for input */
	drv_send(RX, 0);
	assert_int_equal(drv_collect(RX, NULL), 0);
	drv_desc(TX, 0, DRV_BUF, 2, WRITE, 0);	/* writable buffer for output */
	drv_send(TX, 0);
	assert_int_equal(drv_collect(TX, NULL), 0);
	assert_int_equal(port.out_len, 0);
	assert_false(drv_broken());
}

/* With event index: a queue's worth of chains, one interrupt where the driver asked for it. */
static void event_index(void **state)
{
	drv_start(F_EVENT_IDX, 2);
	store_le16(ram(DRV_AVAIL(TX) + 4 + 2 * DRV_SIZE), 3);
	for (u32 i = 0; i < 3; i++)
		send("x");
	assert_int_equal(bench_edges, 0);
	send("x");
	assert_int_equal(bench_edges, 1);
	assert_int_equal(load_le16(ram(DRV_USED(TX) + 4 + 8 * DRV_SIZE)), 4);
}

/* Other guest CPUs that refill the queue while it is served, to a port that takes its time. */
static u32 refills;
static ns_t write_takes;

static size_t refilling_write(struct chr *c, const u8 *buf, size_t len)
{
	bench_ns += write_takes;
	port.writes++;
	if (refills && refills--)
		drv_offer(TX, 0);
	return len;
}

static const struct chr_ops refilling = { .write = refilling_write, .read = bench_chr_read };

static void refilled_queue_is_served_in_stretches(void **state)
{
	port.chr.ops = &refilling;
	refills = 5000;
	write_takes = 0;
	drv_start(0, 2);
	send("x");
	assert_in_range(port.writes, 1, 256);
	bench_pass(NS_PER_SEC);
	assert_int_equal(port.writes, 5001);
}

/* ... and between them there is as much time for others. */
static void slow_stretch_is_short_and_earns_a_break(void **state)
{
	ns_t start = bench_ns;

	port.chr.ops = &refilling;
	refills = 20;
	write_takes = 4 * NS_PER_MS;
	drv_start(0, 2);
	send("x");
	assert_int_equal(port.writes, 3);
	assert_int_equal(timer_next() - bench_ns, bench_ns - start);
	bench_pass(NS_PER_SEC);
	assert_int_equal(port.writes, 21);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(identity),
		T(output),
		T(output_to_a_busy_port),
		T(reset_forgets_half_sent_output),
		T(input),
		T(input_waits_for_buffers),
		T(chains_without_room),
		T(event_index),
		T(refilled_queue_is_served_in_stretches),
		T(slow_stretch_is_short_and_earns_a_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
