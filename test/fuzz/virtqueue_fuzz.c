/*
 * Rings and descriptors from the fuzzer's bytes, with the block, console and entropy devices
 * on top. The input is a short program: pokes into ring memory, notifications, register
 * writes, time, completions. Whatever it does, no access leaves guest RAM, nothing leaks
 * and the device works again after a reset.
 */
#include "test/unit/drivers/model/virtio/driver.h"

#define DISK_SECTORS	32

static const u8 *input, *input_end;
static u8 disk[DISK_SECTORS * BLK_SECTOR];
static struct blk_req *waiting;
static u32 defer;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 take(u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes && input < input_end; i++)
		v |= (u64)*input++ << 8 * i;
	return v;
}

static void disk_run(struct blk_req *r)
{
	u8 *at = disk + r->sector * BLK_SECTOR;

	for (u32 i = 0; i < r->iov_count; at += r->iov[i++].len)
		memmove(r->op == BLK_READ ? r->iov[i].base : at,
			r->op == BLK_READ ? at : r->iov[i].base, r->iov[i].len);
	if (r->op == BLK_ZERO)
		memset(at, 0, r->sectors * BLK_SECTOR);
	r->done(r, OK);
}

static void disk_finish(struct blk *b)
{
	while (waiting) {
		struct blk_req *r = waiting;

		waiting = r->user;
		disk_run(r);
	}
}

static void disk_submit(struct blk *b, struct blk_req *r)
{
	if (!(defer++ % 3)) {
		disk_run(r);
		return;
	}
	r->user = waiting;
	waiting = r;
}

static err_t entropy(struct rng *r, void *buf, size_t len)
{
	memset(buf, 0x5a, len);
	return defer++ % 16 ? OK : E_IO;
}

static const struct blk_ops disk_ops = { .submit = disk_submit, .poll = disk_finish };
static const struct rng_ops rng_ops = { .read = entropy };
static struct blk blk = {
	.ops = &disk_ops, .name = "disk", .sectors = DISK_SECTORS, .discard = true
};
static struct rng rng = { .ops = &rng_ops, .name = "rng" };
static struct bench_chr port;

/* An address near something interesting: the rings, the buffers, the end of RAM, or anywhere. */
static gpa_t take_address(void)
{
	static const gpa_t near[] = {
		DRV_DESC(0), DRV_AVAIL(0), DRV_USED(0), DRV_DESC(1), DRV_BUF, DRV_BUF + 0x4000,
		BENCH_RAM + BENCH_RAM_LEN - 16,
	};
	u32 which = (u32)take(1) % 8;

	return which < 7 ? near[which] + take(1) : take(8);
}

static void poke(void)
{
	gpa_t at = take_address();
	u64 len = take(1) % 32;
	u8 *to = space_ptr(&bench_space, at, len + 1, true);

	for (u64 i = 0; to && i < len; i++)
		to[i] = (u8)take(1);
}

static void describe(u32 q)
{
	u16 i = (u16)(take(1) % DRV_SIZE);
	gpa_t at = take_address();
	u32 len = (u32)take(2);

	drv_desc(q, i, at, len & 0x8000 ? len << 17 : len, (u16)(take(1) & 7),
		 (u16)(take(1) % (DRV_SIZE + 1)));
}

static void step(void)
{
	u32 op = (u32)take(1), q = op >> 7;

	switch (op % 10) {
	case 0: poke(); break;
	case 1: case 2: describe(q); break;
	case 3: case 4: drv_send(q, (u16)(take(1) % (DRV_SIZE + 1))); break;
	case 5: bench_pass(NS_PER_MS); break;
	case 6: disk_finish(&blk); break;
	case 7: port.room = take(1); bench_chr_type(&port, "some input"); port.out_len = 0; break;
	case 8: bench_write(&d, take(1) * 4 % 0x100, 4, take(4)); break;
	case 9: drv_start(take(1) % 2 ? F_INDIRECT | F_EVENT_IDX | BIT(13) | BIT(14) : 0, 2); break;
	}
}

/* After all that, a well-behaved driver still gets its answer. */
static void check_alive(u32 queue)
{
	drv_start(0, 2);
	port.room = SIZE_MAX;
	port.out_len = 0;
	bench_chr_type(&port, "x");
	memset(ram(DRV_BUF), 0, 16);
	if (d.model == &vblk_model)
		*ram(DRV_BUF) = 4;		/* flush */
	drv_desc(queue, 0, DRV_BUF, 16, NEXT, 1);
	drv_desc(queue, 1, DRV_BUF + 16, 1, WRITE, 0);
	drv_send(queue, 0);
	disk_finish(&blk);
	bench_pass(NS_PER_SEC);
	assert(drv_collect(queue, NULL) >= 0);
	assert(!drv_broken());
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct model *const models[] = { &vblk_model, &vconsole_model, &vrng_model };
	static void *const ports[] = { &blk, &port, &rng };
	u64 objects;
	u32 which;

	input = data;
	input_end = data + size;
	which = (u32)take(1) % 3;
	bench_open();
	bench_chr_open(&port);
	objects = heap_stats().count;
	d = bench_dev(models[which], 0x1000);
	d.port.any = ports[which];
	assert(dev_create(&d) == OK);
	drv_start(F_INDIRECT | F_EVENT_IDX, 2);
	while (input < input_end)
		step();
	check_alive(which == 1);
	dev_destroy(&d);
	assert(!waiting && heap_stats().count == objects);
	bench_close();
	return 0;
}
