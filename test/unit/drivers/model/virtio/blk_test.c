/* The virtio block device: requests of every kind, malformed ones, and requests in flight. */
#include <pthread.h>

#include "drivers/model/virtio/virtio.h"
#include "test/unit/drivers/model/virtio/driver.h"

enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { OKAY, IOERR, UNSUPP, UNTOUCHED = 0x77 };

#define F_RO		BIT(5)
#define F_FLUSH		BIT(9)
#define F_DISCARD	BIT(13)
#define F_ZEROES	BIT(14)
#define SECTORS		64
#define HEADER		DRV_BUF
#define DATA		(DRV_BUF + 0x1000)
#define STATUS		(DRV_BUF + 0x8000)

/*
 * A disk in memory; `defer` keeps requests until disk_finish() or, if `polls`, the device's poll.
 */
static u8 disk[SECTORS * BLK_SECTOR];
static struct blk_req *waiting[16];
static u32 waiting_count, polled, submits;
static bool defer;
static err_t disk_error;
static enum blk_op last_op;

static void disk_run(struct blk_req *r)
{
	u8 *at = disk + r->sector * BLK_SECTOR;

	for (u32 i = 0; i < r->iov_count && disk_error == OK; at += r->iov[i++].len) {
		if (r->op == BLK_READ)
			memcpy(r->iov[i].base, at, r->iov[i].len);
		else
			memcpy(at, r->iov[i].base, r->iov[i].len);
	}
	if (r->op == BLK_ZERO)
		memset(at, 0, r->sectors * BLK_SECTOR);
	r->done(r, disk_error);
}

static void disk_submit(struct blk *b, struct blk_req *r)
{
	submits++;
	last_op = r->op;
	if (defer)
		waiting[waiting_count++] = r;
	else
		disk_run(r);
}

static void disk_finish(void)
{
	while (waiting_count)
		disk_run(waiting[--waiting_count]);
}

static void disk_poll(struct blk *b)
{
	if (++polled > 3)
		disk_finish();
}

static const struct blk_ops disk_ops = { .submit = disk_submit, .poll = disk_poll };
static struct blk blk;

static int setup(void **state)
{
	bench_open();
	for (u32 i = 0; i < sizeof(disk); i++)
		disk[i] = (u8)(i / BLK_SECTOR + i % 7);
	blk = (struct blk){ .ops = &disk_ops, .name = "disk", .sectors = SECTORS, .discard = true };
	waiting_count = polled = submits = 0;
	defer = false;
	disk_error = OK;
	d = bench_dev(&vblk_model, 0x1000);
	d.port.blk = &blk;
	return dev_create(&d);
}

static int teardown(void **state)
{
	drv_close();
	return 0;
}

static void header(u32 type, u64 sector)
{
	store_le32(ram(HEADER), type);
	store_le32(ram(HEADER + 4), 0);
	store_le64(ram(HEADER + 8), sector);
	*ram(STATUS) = UNTOUCHED;
}

/*
 * Header, @len bytes of data (written by the device or not), status; the descriptors from 3 *
 * @slot on.
 */
static void request(u16 slot, u32 type, u64 sector, u32 len, u16 data_flags)
{
	u16 i = (u16)(3 * slot);

	header(type, sector);
	drv_desc(0, i, HEADER, 16, NEXT, len ? i + 1 : i + 2);
	drv_desc(0, i + 1, DATA, len, NEXT | data_flags, i + 2);
	drv_desc(0, i + 2, STATUS, 1, WRITE, 0);
	drv_send(0, i);
}

static u8 status(void)
{
	return *ram(STATUS);
}

static void zone(u64 sector, u32 sectors, u32 flags)
{
	store_le64(ram(DATA), sector);
	store_le32(ram(DATA + 8), sectors);
	store_le32(ram(DATA + 12), flags);
}

static void config_space(void **state)
{
	assert_int_equal(rd(REG_DEVICE_ID), 2);
	assert_int_equal(bench_read(&d, REG_CONFIG, 8), SECTORS);
	assert_int_equal(rd(REG_CONFIG), SECTORS);
	assert_int_equal(bench_read(&d, REG_CONFIG, 1), SECTORS);
	assert_int_equal(bench_read(&d, REG_CONFIG + 1, 1), 0);
	assert_int_equal(rd(REG_CONFIG + 12), 254);
	assert_int_equal(rd(REG_CONFIG + 20), 512);
	assert_int_equal(rd(REG_CONFIG + 40), 1);
	assert_int_equal(bench_read(&d, REG_CONFIG + 56, 1), 1);
	assert_int_equal(bench_read(&d, REG_CONFIG + 63, 8), 0);
	for (u32 len = 1; len <= 8; len *= 2)
		bench_write(&d, REG_CONFIG, len, ~0ull);
	assert_int_equal(rd(REG_CONFIG), SECTORS);
	assert_int_equal(drv_features() & (F_RO | F_FLUSH | F_DISCARD | F_ZEROES),
			 F_FLUSH | F_DISCARD | F_ZEROES);
}

static void read_sectors(void **state)
{
	drv_start(0, 1);
	request(0, T_IN, 3, 1024, WRITE);
	assert_int_equal(status(), OKAY);
	assert_int_equal(drv_collect(0, NULL), 1025);
	assert_memory_equal(ram(DATA), disk + 3 * 512, 1024);
	assert_true(bench_level[0]);
}

static void write_sectors(void **state)
{
	drv_start(0, 1);
	memset(ram(DATA), 0x5c, 512);
	request(0, T_OUT, 63, 512, 0);
	assert_int_equal(status(), OKAY);
	assert_int_equal(drv_collect(0, NULL), 1);
	assert_memory_equal(disk + 63 * 512, ram(DATA), 512);
	assert_int_equal(disk[63 * 512 - 1], (u8)(62 + (63 * 512 - 1) % 7));
}

/* 2.7.4: nothing may be assumed about how a request is spread over descriptors. */
static void any_framing(void **state)
{
	drv_start(F_INDIRECT, 1);
	header(T_IN, 1);
	for (u16 i = 0; i < 4; i++)
		drv_desc(0, i, HEADER + 4 * i, 4, NEXT, (u16)(i + 1));
	drv_desc(0, 4, DATA, 100, NEXT | WRITE, 5);
	drv_desc(0, 5, DATA + 0x1000, 413, WRITE, 0);	/* 412 bytes of data and the status */
	drv_send(0, 0);
	assert_int_equal(drv_collect(0, NULL), 513);
	assert_memory_equal(ram(DATA), disk + 512, 100);
	assert_memory_equal(ram(DATA + 0x1000), disk + 612, 412);
	assert_int_equal(*ram(DATA + 0x1000 + 412), OKAY);

	header(T_OUT, 2);
	memset(ram(HEADER + 16), 0xee, 512);		/* header and data in one */
	drv_put_desc(ram(DRV_BUF + 0x9000), HEADER, 528, NEXT, 1);
	drv_put_desc(ram(DRV_BUF + 0x9010), STATUS, 1, WRITE, 0);
	drv_desc(0, 0, DRV_BUF + 0x9000, 32, INDIRECT, 0);
	drv_send(0, 0);
	assert_int_equal(status(), OKAY);
	assert_memory_equal(disk + 1024, ram(HEADER + 16), 512);
}

static void flush_and_id(void **state)
{
	drv_start(F_FLUSH, 1);
	request(0, T_FLUSH, 0, 0, 0);
	assert_int_equal(status(), OKAY);
	assert_int_equal(last_op, BLK_FLUSH);
	request(0, T_GET_ID, 0, 20, WRITE);
	assert_int_equal(status(), OKAY);
	assert_memory_equal(ram(DATA), "dut\0\0\0", 6);
	request(0, T_GET_ID, 0, 19, WRITE);
	assert_int_equal(status(), IOERR);
	request(0, 0xdead, 0, 0, 0);
	assert_int_equal(status(), UNSUPP);
}

static void transfers_out_of_range(void **state)
{
	static const struct {
		u64 sector;
		u32 len;
	} bad[] = {
		{ SECTORS, 512 },    { SECTORS - 1, 1024 },
		{ UINT64_MAX, 512 }, { UINT64_MAX - 1, 1024 },
		{ BIT(55), 512 },    { 0, 511 },
		{ 0, 513 },          { 0, 0 },
	};

	drv_start(0, 1);
	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		request(0, T_IN, bad[i].sector, bad[i].len, WRITE);
		assert_int_equal(status(), IOERR);
		assert_int_equal(drv_collect(0, NULL), 1);
		request(0, T_OUT, bad[i].sector, bad[i].len, 0);
		assert_int_equal(status(), IOERR);
		drv_collect(0, NULL);
	}
	assert_int_equal(submits, 0);
	assert_false(drv_broken());
}

static void discard_and_write_zeroes(void **state)
{
	drv_start(F_DISCARD | F_ZEROES, 1);
	zone(4, 2, 0);
	request(0, T_DISCARD, 0, 16, 0);
	assert_int_equal(status(), OKAY);
	assert_int_equal(last_op, BLK_DISCARD);
	zone(62, 2, 1);
	request(0, T_WRITE_ZEROES, 0, 16, 0);
	assert_int_equal(status(), OKAY);
	assert_int_equal(disk[63 * 512], 0);
	assert_int_equal(disk[62 * 512 + 511], 0);
	assert_int_not_equal(disk[62 * 512 - 1], 0);
}

/*
 * Sector arithmetic that overflows, unknown flags, more zones than we said: none reaches the disk.
 */
static void bad_zones(void **state)
{
	static const struct { u64 sector; u32 sectors, flags; u8 status; } bad[] = {
		{ SECTORS, 1, 0, IOERR }, { SECTORS - 1, 2, 0, IOERR }, { UINT64_MAX, 1, 0, IOERR },
		{ UINT64_MAX - 7, 16, 0, IOERR }, { 0, 0, 0, IOERR }, { 0, UINT32_MAX, 0, IOERR },
		{ 0, 1, 2, UNSUPP }, { 0, 1, BIT(31), UNSUPP },
	};

	drv_start(F_DISCARD | F_ZEROES, 1);
	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		zone(bad[i].sector, bad[i].sectors, bad[i].flags);
		request(0, T_WRITE_ZEROES, 0, 16, 0);
		assert_int_equal(status(), bad[i].status);
		request(0, T_DISCARD, 0, 16, 0);
		assert_int_equal(status(), bad[i].status);
	}
	zone(0, 1, 1);
	request(0, T_DISCARD, 0, 16, 0);	/* discard has no unmap flag */
	assert_int_equal(status(), UNSUPP);
	zone(0, 1, 0);
	request(0, T_DISCARD, 0, 32, 0);
	assert_int_equal(status(), IOERR);
	request(0, T_DISCARD, 0, 15, 0);
	assert_int_equal(status(), IOERR);
	drv_start(0, 1);			/* not negotiated */
	request(0, T_DISCARD, 0, 16, 0);
	assert_int_equal(status(), UNSUPP);
	assert_int_equal(submits, 0);
}

static void read_only(void **state)
{
	dev_destroy(&d);
	blk.readonly = true;
	blk.discard = false;
	assert_int_equal(dev_create(&d), OK);
	assert_int_equal(drv_features() & (F_RO | F_DISCARD | F_ZEROES), F_RO);
	drv_start(F_RO, 1);
	request(0, T_OUT, 0, 512, 0);
	assert_int_equal(status(), IOERR);
	request(0, T_IN, 0, 512, WRITE);
	assert_int_equal(status(), OKAY);
	assert_int_equal(submits, 1);
}

static void port_errors(void **state)
{
	drv_start(0, 1);
	disk_error = E_IO;
	request(0, T_IN, 0, 512, WRITE);
	assert_int_equal(status(), IOERR);
	assert_int_equal(drv_collect(0, NULL), 1);
	disk_error = E_UNSUPPORTED;
	request(0, T_FLUSH, 0, 0, 0);
	assert_int_equal(status(), UNSUPP);
	disk_error = OK;
	heap_fail_after(1);
	request(0, T_IN, 0, 512, WRITE);
	heap_fail_after(0);
	assert_int_equal(status(), IOERR);
}

static void requests_without_status_or_header(void **state)
{
	drv_start(0, 1);
	header(T_IN, 0);
	drv_desc(0, 0, HEADER, 16, 0, 0);
	drv_send(0, 0);
	assert_true(drv_broken());
	drv_start(0, 1);
	drv_desc(0, 0, HEADER, 15, NEXT, 1);
	drv_desc(0, 1, STATUS, 1, WRITE, 0);
	drv_send(0, 0);
	assert_true(drv_broken());
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);	/* a reset heals */
	assert_int_equal(status(), OKAY);
}

static void completion_from_elsewhere(void **state)
{
	defer = true;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	request(1, T_IN, 1, 512, WRITE);
	assert_int_equal(drv_collect(0, NULL), -1);
	assert_false(bench_level[0]);
	disk_finish();
	assert_int_equal(drv_collect(0, NULL), 513);
	assert_int_equal(drv_collect(0, NULL), 513);
	assert_true(bench_level[0]);
}

/* After a reset no byte reaches guest memory: the reset waits for what is in flight. */
static void reset_waits_for_requests(void **state)
{
	defer = true;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	wr(REG_STATUS, 0);
	assert_int_equal(waiting_count, 0);
	assert_true(polled > 3);
	assert_int_equal(status(), OKAY);
	assert_false(bench_level[0]);
	polled = 0;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	wr(REG_QUEUE_READY, 0);			/* so does stopping the queue */
	assert_int_equal(waiting_count, 0);
	polled = 0;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	dev_destroy(&d);			/* and removing the device */
	assert_int_equal(waiting_count, 0);
	assert_int_equal(dev_create(&d), OK);
}

/* A broken device finishes what is in flight, but says nothing any more. */
static void completion_after_the_queue_broke(void **state)
{
	u64 live;

	defer = true;
	drv_start(0, 1);
	live = heap_stats().count;
	request(0, T_IN, 0, 512, WRITE);
	drv_send(0, 0xffff);
	assert_true(drv_broken());
	disk_finish();
	assert_int_equal(status(), UNTOUCHED);
	assert_int_equal(drv_collect(0, NULL), -1);
	assert_int_equal(heap_stats().count, live);
}

/* A page that comes to be watched while the disk writes to it: CPUs must hear of that. */
static void dma_ends_a_watch(void **state)
{
	u64 since, written;

	defer = true;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	assert_true(watch_begin(&bench_space, DATA, &since));
	written = bench_space.watch.written;
	disk_finish();
	assert_true(bench_space.watch.written > written);
	assert_int_equal(range_watch_state(space_find(&bench_space, DATA), DATA) & WATCH_NOW, 0);
}

static void dma_is_marked_dirty_when_it_ends(void **state)
{
	u64 bits[BENCH_RAM_LEN / PAGE_SIZE / 64];
	u64 page = (DATA - BENCH_RAM) >> PAGE_SHIFT;

	defer = true;
	drv_start(0, 1);
	assert_int_equal(space_log_start(&bench_space), OK);
	request(0, T_IN, 0, 512, WRITE);
	assert_int_equal(space_log_take(&bench_space, BENCH_RAM, bits, ARRAY_LEN(bits)), OK);
	disk_finish();
	assert_int_equal(space_log_take(&bench_space, BENCH_RAM, bits, ARRAY_LEN(bits)), OK);
	assert_true(bits[page / 64] & BIT(page % 64));
	page = (STATUS - BENCH_RAM) >> PAGE_SHIFT;
	assert_true(bits[page / 64] & BIT(page % 64));
	space_log_stop(&bench_space);
}

/* A driver may offer one chain over and over while it is in flight: bounded, then broken. */
static void in_flight_is_bounded(void **state)
{
	drv_start(0, 1);
	request(0, T_FLUSH, 0, 0, 0);
	defer = true;
	for (u32 i = 0; i < ARRAY_LEN(waiting); i++)
		request(0, T_FLUSH, 0, 0, 0);
	assert_true(drv_broken());
	assert_true(waiting_count <= DRV_SIZE);
}

/*
 * A provider on another CPU that completes while this one submits, resets and removes the device.
 */
static struct blk_req *_Atomic mailbox;
static _Atomic bool hired;

static void mailbox_submit(struct blk *b, struct blk_req *r)
{
	struct blk_req *none = NULL;

	while (!atomic_compare_exchange_weak(&mailbox, &none, r))
		none = NULL;
}

static void *work(void *arg)
{
	while (atomic_load(&hired)) {
		struct blk_req *r = atomic_exchange(&mailbox, NULL);

		if (r)
			disk_run(r);
	}
	return NULL;
}

static void completions_race_with_everything(void **state)
{
	static const struct blk_ops ops = { .submit = mailbox_submit };
	u64 live = heap_stats().count;
	pthread_t worker;

	blk.ops = &ops;
	atomic_store(&hired, true);
	assert_int_equal(pthread_create(&worker, NULL, work, NULL), 0);
	for (u32 i = 0; i < 2000; i++) {
		drv_start(0, 1);
		request(0, T_IN, 0, 512, WRITE);
		request(1, T_IN, 1, 512, WRITE);
		if (i % 3 == 0) {
			wr(REG_STATUS, 0);
			assert_int_equal(status(), OKAY);
		} else if (i % 3 == 1) {
			dev_destroy(&d);
			assert_int_equal(dev_create(&d), OK);
		} else {
			for (u32 got = 0; got < 2; got += drv_collect(0, NULL) == 513)
				host_relax();
		}
	}
	dev_reset(&d);
	atomic_store(&hired, false);
	pthread_join(worker, NULL);
	assert_int_equal(heap_stats().count, live);
}

/* A retry that fires on another CPU just when the device is taken apart submits nothing more. */
static _Atomic u32 retry_step;		/* 1: armed, 2: go, 3: ran */

static void *retry_elsewhere(void *arg)
{
	static struct cpu second;

	cpu_self = &second;
	virtio_retry(&d, 0);
	atomic_store(&retry_step, 1);
	while (atomic_load(&retry_step) != 2)
		host_relax();
	timer_run(arch_clock_ns());
	atomic_store(&retry_step, 3);
	return NULL;
}

static void retry_poll(struct blk *b)
{
	atomic_store(&retry_step, 2);
	while (bench_lock.next - bench_lock.owner < 2 && atomic_load(&retry_step) != 3)
		host_relax();		/* until it waits for the lock, or had nothing to do */
	disk_finish();
}

static void retry_races_with_removal(void **state)
{
	static const struct blk_ops ops = { .submit = disk_submit, .poll = retry_poll };
	pthread_t other;

	blk.ops = &ops;
	defer = true;
	drv_start(0, 1);
	request(0, T_IN, 0, 512, WRITE);
	drv_offer(0, 0);
	assert_int_equal(pthread_create(&other, NULL, retry_elsewhere, NULL), 0);
	while (atomic_load(&retry_step) != 1)
		host_relax();
	dev_destroy(&d);
	pthread_join(other, NULL);
	assert_int_equal(waiting_count, 0);
	assert_int_equal(dev_create(&d), OK);
}

static void needs_a_disk(void **state)
{
	struct dev other = bench_dev(&vblk_model, 0x1000);

	other.base += 0x1000;
	assert_int_equal(dev_create(&other), E_INVAL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(config_space), T(read_sectors), T(write_sectors), T(any_framing), T(flush_and_id),
		T(transfers_out_of_range), T(discard_and_write_zeroes), T(bad_zones), T(read_only),
		T(port_errors), T(requests_without_status_or_header), T(completion_from_elsewhere),
		T(reset_waits_for_requests), T(completion_after_the_queue_broke),
		T(dma_ends_a_watch), T(dma_is_marked_dirty_when_it_ends), T(in_flight_is_bounded),
		T(completions_race_with_everything), T(retry_races_with_removal), T(needs_a_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
