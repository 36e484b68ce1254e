/*
 * Split queues without a device: chains, indirect tables, every kind of malformed ring,
 * notification.
 */
#include "test/unit/drivers/model/virtio/driver.h"

#include "drivers/model/virtio/virtio.h"

static struct vq q;
static struct chain c;

static int setup(void **state)
{
	bench_open();
	drv_offered[0] = drv_seen[0] = 0;
	q = (struct vq){
		.size = DRV_SIZE, .desc = DRV_DESC(0), .driver = DRV_AVAIL(0), .device = DRV_USED(0)
	};
	assert_true(vq_open(&q, &bench_space, VIRTIO_F_INDIRECT_DESC));
	return 0;
}

static int teardown(void **state)
{
	bench_close();
	return 0;
}

static void again(void)
{
	teardown(NULL);
	setup(NULL);
}

static enum vq_pop pop(u16 head)
{
	drv_offer(0, head);
	return vq_pop(&q, &c, "test");
}

static void empty(void **state)
{
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_EMPTY);
}

static void chain_of_three(void **state)
{
	u8 buf[32];

	drv_desc(0, 2, DRV_BUF, 5, NEXT, 7);
	drv_desc(0, 7, DRV_BUF + 100, 6, NEXT, 0);
	drv_desc(0, 0, DRV_BUF + 200, 10, WRITE, 0);
	memcpy(ram(DRV_BUF), "hello", 5);
	memcpy(ram(DRV_BUF + 100), " world", 6);
	assert_int_equal(pop(2), VQ_CHAIN);
	assert_int_equal(c.head, 2);
	assert_int_equal(c.outs, 2);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.out_len, 11);
	assert_int_equal(c.in_len, 10);
	assert_int_equal(chain_take(&c, buf, 8), 8);
	assert_memory_equal(buf, "hello wo", 8);
	assert_int_equal(chain_take(&c, buf, sizeof(buf)), 11);
	assert_int_equal(chain_put(&c, "0123456789abc", 13), 10);
	assert_memory_equal(ram(DRV_BUF + 200), "0123456789", 10);
	assert_int_equal(*ram(DRV_BUF + 210), 0);
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_EMPTY);
	vq_unpop(&q);
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_CHAIN);
}

static void indices_wrap(void **state)
{
	drv_desc(0, 1, DRV_BUF, 4, WRITE, 0);
	drv_offered[0] = drv_seen[0] = q.next_avail = q.next_used = q.told_used = 65533;
	store_le16(ram(DRV_USED(0) + 2), 65533);
	for (u32 i = 0; i < 20; i++) {
		assert_int_equal(pop(1), VQ_CHAIN);
		vq_push(&q, 1, i);
		assert_true(vq_wants_interrupt(&q));
		assert_int_equal(drv_collect(0, NULL), i);
	}
	assert_int_equal(q.next_avail, 17);
}

static void longest_chain(void **state)
{
	for (u16 i = 0; i < DRV_SIZE; i++)
		drv_desc(0, i, DRV_BUF + 16 * i, 16, i < DRV_SIZE - 1 ? NEXT : 0, (u16)(i + 1));
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_int_equal(c.count, DRV_SIZE);
}

static void loops(void **state)
{
	drv_desc(0, 0, DRV_BUF, 1, NEXT, 0);
	assert_int_equal(pop(0), VQ_BROKEN);
	again();
	for (u16 i = 0; i < DRV_SIZE; i++)
		drv_desc(0, i, DRV_BUF, 1, NEXT, (u16)((i + 1) % DRV_SIZE));
	assert_int_equal(pop(5), VQ_BROKEN);
}

static void bad_indices(void **state)
{
	assert_int_equal(pop(DRV_SIZE), VQ_BROKEN);
	again();
	assert_int_equal(pop(0xffff), VQ_BROKEN);
	again();
	drv_desc(0, 0, DRV_BUF, 1, NEXT, DRV_SIZE);
	assert_int_equal(pop(0), VQ_BROKEN);
	again();
	store_le16(ram(DRV_AVAIL(0) + 2), DRV_SIZE + 1);	/* more than the ring holds */
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_BROKEN);
}

static void bad_buffers(void **state)
{
	static const struct { gpa_t gpa; u32 len; } bad[] = {
		{ 0, 1 }, { BENCH_RAM - 1, 2 }, { BENCH_RAM + BENCH_RAM_LEN, 1 },
		{ BENCH_RAM + BENCH_RAM_LEN - 1, 2 }, { BENCH_RAM, 0xffffffff }, { UINT64_MAX, 2 },
		{ UINT64_MAX - 7, 8 }, { 0x10000000, 4 },
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		for (u16 flags = 0; flags <= WRITE; flags += WRITE) {
			again();
			drv_desc(0, 0, bad[i].gpa, bad[i].len, flags, 0);
			assert_int_equal(pop(0), VQ_BROKEN);
		}
	}
	again();
	drv_desc(0, 0, DRV_BUF, 4, WRITE | NEXT, 1);
	drv_desc(0, 1, DRV_BUF, 4, 0, 0);		/* readable after writable */
	assert_int_equal(pop(0), VQ_BROKEN);
}

static void empty_buffers_are_skipped(void **state)
{
	drv_desc(0, 0, 0, 0, NEXT, 1);
	drv_desc(0, 1, DRV_BUF, 4, NEXT, 2);
	drv_desc(0, 2, 0, 0, WRITE, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.outs, 1);
	assert_int_equal(c.in_len, 0);
}

static void rom_can_be_read_only(void **state)
{
	static u8 rom[4096] aligned_to(4096) = "rom";

	assert_int_equal(space_map_rom(&bench_space, 0x1000, 4096, rom, "rom"), OK);
	drv_desc(0, 0, 0x1000, 3, 0, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_memory_equal(c.seg[0].base, "rom", 3);
	drv_desc(0, 0, 0x1000, 3, WRITE, 0);
	assert_int_equal(pop(0), VQ_BROKEN);
}

/* A buffer may cover adjacent ranges; each gives a segment. */
static void buffer_over_two_ranges(void **state)
{
	static u8 more[4096] aligned_to(4096);

	assert_int_equal(space_map_ram(&bench_space, BENCH_RAM + BENCH_RAM_LEN, 4096, more, "more"),
			 OK);
	drv_desc(0, 0, BENCH_RAM + BENCH_RAM_LEN - 6, 10, WRITE, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.in_len, 10);
	assert_ptr_equal(c.seg[1].base, more);
	assert_int_equal(chain_put(&c, "abcdefghij", 10), 10);
	assert_memory_equal(more, "ghij", 4);
}

static void indirect(void **state)
{
	u8 *table = ram(DRV_BUF);

	drv_put_desc(table, DRV_BUF + 0x1000, 16, NEXT, 2);
	drv_put_desc(table + 16, 0, 1, INDIRECT, 9);	/* not reached */
	drv_put_desc(table + 32, DRV_BUF + 0x2000, 1, WRITE, 0);
	drv_desc(0, 0, DRV_BUF + 0x3000, 8, NEXT, 1);
	drv_desc(0, 1, DRV_BUF, 48, INDIRECT, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_int_equal(c.count, 3);
	assert_int_equal(c.out_len, 24);
	assert_int_equal(c.in_len, 1);
}

static void bad_indirect(void **state)
{
	u8 *table = ram(DRV_BUF);
	static const struct {
		gpa_t gpa;
		u32 len;
		u16 flags;
	} bad[] = {
		{ DRV_BUF, 0, INDIRECT },
		{ DRV_BUF, 15, INDIRECT },
		{ DRV_BUF, 17, INDIRECT },
		{ DRV_BUF, 16 * 257, INDIRECT },
		{ DRV_BUF, 0xfffffff0, INDIRECT },
		{ 0, 16, INDIRECT },
		{ BENCH_RAM + BENCH_RAM_LEN - 8, 16, INDIRECT },
		{ DRV_BUF, 16, INDIRECT | NEXT },
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		again();
		drv_put_desc(table, DRV_BUF, 4, 0, 0);
		drv_desc(0, 0, bad[i].gpa, bad[i].len, bad[i].flags, 1);
		drv_desc(0, 1, DRV_BUF, 4, 0, 0);
		assert_int_equal(pop(0), VQ_BROKEN);
	}
	for (u32 i = 0; i < 3; i++) {
		again();
		memset(&c, 0, sizeof(c));	/* nothing that an earlier table left */
		/* nested, outside, loop */
		drv_put_desc(table, DRV_BUF, 4, i == 0 ? INDIRECT : NEXT, i == 1 ? 1 : 0);
		drv_desc(0, 0, DRV_BUF, 16, INDIRECT, 0);
		assert_int_equal(pop(0), VQ_BROKEN);
	}
	again();
	q.indirect = false;		/* not negotiated */
	drv_put_desc(table, DRV_BUF, 4, 0, 0);
	drv_desc(0, 0, DRV_BUF, 16, INDIRECT, 0);
	assert_int_equal(pop(0), VQ_BROKEN);
}

/* An indirect table counts against the queue size like the ring's own descriptors. */
static void indirect_chain_length(void **state)
{
	for (u16 i = 0; i < 2 * DRV_SIZE; i++)
		drv_put_desc(ram(DRV_BUF + 16 * i), DRV_BUF + 0x1000, 1, NEXT, (u16)(i + 1));
	drv_put_desc(ram(DRV_BUF + 16 * (DRV_SIZE - 1)), DRV_BUF + 0x1000, 1, 0, 0);
	drv_desc(0, 0, DRV_BUF, 16 * DRV_SIZE, INDIRECT, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_int_equal(c.count, DRV_SIZE);
	drv_put_desc(ram(DRV_BUF + 16 * (DRV_SIZE - 1)), DRV_BUF + 0x1000, 1, NEXT, DRV_SIZE);
	drv_put_desc(ram(DRV_BUF + 16 * DRV_SIZE), DRV_BUF + 0x1000, 1, 0, 0);
	drv_desc(0, 0, DRV_BUF, 16 * DRV_SIZE + 16, INDIRECT, 0);
	assert_int_equal(pop(0), VQ_BROKEN);
}

static void chain_below_4_gib(void **state)
{
	static u8 *big;
	u64 len = GIB(1);

	big = bench_ram;		/* never touched beyond: only the sum matters */
	assert_int_equal(space_map_ram(&bench_space, 0x100000000, len, big, "big"), OK);
	for (u16 i = 0; i < 5; i++)
		drv_desc(0, i, 0x100000000, (u32)len, WRITE | (i < 4 ? NEXT : 0), (u16)(i + 1));
	assert_int_equal(pop(0), VQ_BROKEN);
	drv_desc(0, 3, 0x100000000, (u32)len - 1, WRITE, 0);
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_CHAIN);
	assert_int_equal(c.in_len, UINT32_MAX);
}

/* What the driver changes after vq_pop() is without effect: no second look at its tables. */
static void descriptors_are_read_once(void **state)
{
	drv_desc(0, 0, DRV_BUF, 16, WRITE, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	drv_desc(0, 0, 0, 0xffffffff, NEXT, 9);
	assert_ptr_equal(c.seg[0].base, ram(DRV_BUF));
	assert_int_equal(c.seg[0].len, 16);
	assert_int_equal(chain_put(&c, bench_ram, 64), 16);
}

static void interrupt_suppression_by_flag(void **state)
{
	assert_false(vq_wants_interrupt(&q));
	vq_push(&q, 0, 0);
	assert_true(vq_wants_interrupt(&q));
	assert_false(vq_wants_interrupt(&q));
	store_le16(ram(DRV_AVAIL(0)), 1);
	vq_push(&q, 0, 0);
	assert_false(vq_wants_interrupt(&q));
}

static void interrupt_suppression_by_event_index(void **state)
{
	u8 *used_event = ram(DRV_AVAIL(0) + 4 + 2 * DRV_SIZE);

	assert_true(vq_open(&q, &bench_space, VIRTIO_F_EVENT_IDX));
	store_le16(used_event, 2);	/* after the third */
	store_le16(ram(DRV_AVAIL(0)), 1);	/* the flag does not count now */
	vq_push(&q, 0, 0);
	vq_push(&q, 0, 0);
	assert_false(vq_wants_interrupt(&q));
	vq_push(&q, 0, 0);
	assert_true(vq_wants_interrupt(&q));
	vq_push(&q, 0, 0);
	assert_false(vq_wants_interrupt(&q));
	store_le16(used_event, 5);
	for (u32 i = 0; i < 4; i++)
		vq_push(&q, 0, 0);
	assert_true(vq_wants_interrupt(&q));	/* passed it on the way */
}

static void rearm(void **state)
{
	u8 *avail_event = ram(DRV_USED(0) + 4 + 8 * DRV_SIZE);

	drv_desc(0, 0, DRV_BUF, 1, 0, 0);
	assert_int_equal(pop(0), VQ_CHAIN);
	assert_false(vq_rearm(&q));
	assert_int_equal(load_le16(avail_event), 0);	/* not ours to write without the feature */
	drv_offer(0, 0);
	assert_true(vq_rearm(&q));
	assert_true(vq_open(&q, &bench_space, VIRTIO_F_EVENT_IDX));
	assert_int_equal(vq_pop(&q, &c, "test"), VQ_CHAIN);
	assert_false(vq_rearm(&q));
	assert_int_equal(load_le16(avail_event), 2);
}

static void used_ring_and_buffers_are_marked_dirty(void **state)
{
	u64 bits[BENCH_RAM_LEN / PAGE_SIZE / 64];
	u64 used = (DRV_USED(0) - BENCH_RAM) >> PAGE_SHIFT,
	    buf = (DRV_BUF - BENCH_RAM) >> PAGE_SHIFT;

	drv_desc(0, 0, DRV_BUF, 1, WRITE, 0);
	assert_int_equal(space_log_start(&bench_space), OK);
	assert_true(vq_open(&q, &bench_space, 0));
	assert_int_equal(pop(0), VQ_CHAIN);
	vq_push(&q, 0, 1);
	assert_int_equal(space_log_take(&bench_space, BENCH_RAM, bits, ARRAY_LEN(bits)), OK);
	assert_true(bits[used / 64] & BIT(used % 64));
	assert_true(bits[buf / 64] & BIT(buf % 64));
	space_log_stop(&bench_space);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(empty),
		T(chain_of_three),
		T(indices_wrap),
		T(longest_chain),
		T(loops),
		T(bad_indices),
		T(bad_buffers),
		T(empty_buffers_are_skipped),
		T(rom_can_be_read_only),
		T(buffer_over_two_ranges),
		T(indirect),
		T(bad_indirect),
		T(indirect_chain_length),
		T(chain_below_4_gib),
		T(descriptors_are_read_once),
		T(interrupt_suppression_by_flag),
		T(interrupt_suppression_by_event_index),
		T(rearm),
		T(used_ring_and_buffers_are_marked_dirty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
