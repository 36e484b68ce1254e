/* The RAM disk, through blk_submit() as a device uses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "drivers/host/ramdisk.h"
#include "kernel/base/heap.h"

static u8 data[8 * BLK_SECTOR];
static err_t result;
static u32 calls;

static void done(struct blk_req *r, err_t e)
{
	result = e;
	calls++;
}

static err_t run(struct blk *b, enum blk_op op, u64 sector, u64 sectors, struct iovec_host *iov,
		 u32 n)
{
	struct blk_req r = { .op = op,
			     .sector = sector,
			     .sectors = sectors,
			     .iov = iov,
			     .iov_count = n,
			     .done = done };

	calls = 0;
	blk_submit(b, &r);
	assert_int_equal(calls, 1);
	return result;
}

static void reads_and_writes(void **state)
{
	struct blk *b;
	u8 one[100], two[BLK_SECTOR * 2 - 100];
	struct iovec_host iov[] = { { one, sizeof(one) }, { two, sizeof(two) } };

	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + i / 512);
	assert_int_equal(ramdisk_open("disk.img", data, sizeof(data), false, &b), OK);
	assert_int_equal(b->sectors, 8);
	assert_true(b->discard);
	assert_string_equal(b->name, "disk.img");
	assert_int_equal(run(b, BLK_READ, 3, 2, iov, 2), OK);
	assert_memory_equal(one, data + 3 * 512, 100);
	assert_memory_equal(two, data + 3 * 512 + 100, sizeof(two));
	memset(one, 1, sizeof(one));
	memset(two, 2, sizeof(two));
	assert_int_equal(run(b, BLK_WRITE, 6, 2, iov, 2), OK);
	assert_int_equal(data[6 * 512 + 99], 1);
	assert_int_equal(data[6 * 512 + 100], 2);
	assert_int_equal(data[6 * 512 - 1], (u8)((6 * 512 - 1) * 7 + 5));
	assert_int_equal(run(b, BLK_ZERO, 7, 1, NULL, 0), OK);
	assert_int_equal(data[7 * 512 - 1], 2);
	assert_int_equal(data[7 * 512], 0);
	assert_int_equal(data[8 * 512 - 1], 0);
	assert_int_equal(run(b, BLK_DISCARD, 6, 1, NULL, 0), OK);
	assert_int_equal(run(b, BLK_FLUSH, 0, 0, NULL, 0), OK);
	b->ops->close(b);
}

static void refusals(void **state)
{
	struct blk *b;
	u8 buf[BLK_SECTOR];
	struct iovec_host iov = { buf, sizeof(buf) };

	assert_int_equal(ramdisk_open("x", data, 0, false, &b), E_FORMAT);
	assert_int_equal(ramdisk_open("x", data, 513, false, &b), E_FORMAT);
	assert_non_null(strstr(err_text(E_FORMAT), "multiple of 512"));
	assert_int_equal(ramdisk_open("x", data, sizeof(data), true, &b), OK);
	assert_false(b->discard);
	assert_int_equal(run(b, BLK_WRITE, 0, 1, &iov, 1), E_ACCESS);
	assert_int_equal(run(b, BLK_ZERO, 0, 1, NULL, 0), E_ACCESS);
	assert_int_equal(run(b, BLK_READ, 8, 1, &iov, 1), E_RANGE);
	b->ops->close(b);
}

static void out_of_memory(void **state)
{
	u64 before = heap_stats().count;
	struct blk *b;

	for (u32 n = 1; n <= 2; n++) {
		heap_fail_after(n);
		assert_int_equal(ramdisk_open("x", data, sizeof(data), true, &b), E_NOMEM);
		heap_fail_after(0);
	}
	assert_int_equal(heap_stats().count, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(refusals),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
