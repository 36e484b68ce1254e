/* drivers/port/blk.c: what never reaches a provider. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/port/blk.h"

static u32 submitted;
static err_t result;
static u32 done_count;

static void provider(struct blk *b, struct blk_req *r)
{
	submitted++;
	r->done(r, OK);
}

static void done(struct blk_req *r, err_t e)
{
	done_count++;
	result = e;
}

static const struct blk_ops ops = { .submit = provider };
static struct blk disk = { .ops = &ops, .name = "disk", .sectors = 100 };
static u8 buffer[8192];

/* Submit and return the outcome; it must be reported exactly once. */
static err_t try(enum blk_op op, u64 sector, u64 sectors, u64 len0, u64 len1)
{
	struct iovec_host iov[2] = { { buffer, len0 }, { buffer, len1 } };
	struct blk_req r = {
		.op = op, .sector = sector, .sectors = sectors,
		.iov = iov, .iov_count = len1 ? 2 : len0 ? 1 : 0, .done = done,
	};

	submitted = done_count = 0;
	result = E_INTERNAL;
	blk_submit(&disk, &r);
	assert_int_equal(done_count, 1);
	assert_int_equal(submitted, result == OK);
	return result;
}

static int writable(void **s)
{
	disk.readonly = false;
	disk.discard = true;
	return 0;
}

static void test_good(void **s)
{
	assert_int_equal(try(BLK_READ, 0, 1, 512, 0), OK);
	assert_int_equal(try(BLK_WRITE, 99, 1, 100, 412), OK);
	assert_int_equal(try(BLK_READ, 100, 0, 0, 0), OK);
	assert_int_equal(try(BLK_FLUSH, 12345, 99, 7, 0), OK);
	assert_int_equal(try(BLK_DISCARD, 0, 100, 0, 0), OK);
	assert_int_equal(try(BLK_ZERO, 50, 50, 0, 0), OK);
}

static void test_range(void **s)
{
	assert_int_equal(try(BLK_READ, 100, 1, 512, 0), E_RANGE);
	assert_int_equal(try(BLK_READ, 99, 2, 1024, 0), E_RANGE);
	assert_int_equal(try(BLK_WRITE, UINT64_MAX, 2, 1024, 0), E_RANGE);
	assert_int_equal(try(BLK_READ, 1, UINT64_MAX, 512, 0), E_RANGE);
	assert_int_equal(try(BLK_DISCARD, 50, 51, 0, 0), E_RANGE);
	assert_int_equal(try(BLK_ZERO, 101, 0, 0, 0), E_RANGE);
}

static void test_buffers(void **s)
{
	assert_int_equal(try(BLK_READ, 0, 1, 511, 0), E_INVAL);
	assert_int_equal(try(BLK_READ, 0, 1, 512, 512), E_INVAL);
	assert_int_equal(try(BLK_WRITE, 0, 2, 512, 0), E_INVAL);
	assert_int_equal(try(BLK_WRITE, 0, 1, UINT64_MAX, 513), E_INVAL);
	assert_int_equal(try((enum blk_op)77, 0, 1, 512, 0), E_INVAL);
}

static void test_permissions(void **s)
{
	disk.readonly = true;
	disk.discard = false;
	assert_int_equal(try(BLK_READ, 0, 1, 512, 0), OK);
	assert_int_equal(try(BLK_FLUSH, 0, 0, 0, 0), OK);
	assert_int_equal(try(BLK_WRITE, 0, 1, 512, 0), E_ACCESS);
	assert_int_equal(try(BLK_DISCARD, 0, 1, 0, 0), E_ACCESS);
	disk.readonly = false;
	assert_int_equal(try(BLK_ZERO, 0, 1, 0, 0), E_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_good, writable),
		cmocka_unit_test_setup(test_range, writable),
		cmocka_unit_test_setup(test_buffers, writable),
		cmocka_unit_test_setup(test_permissions, writable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
