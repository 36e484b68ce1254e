/* arch/hosted/port_file.c: a disk image through the block port, and bad disk files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/io.h"
#include "drivers/port/blk.h"
#include "kernel/base/heap.h"

static char dir[] = "/tmp/fvp-blk-XXXXXX";
static struct blk *disk;
static err_t result;

static int setup(void **s)
{
	FILE *f;

	if (!mkdtemp(dir) || chdir(dir) != 0 || !(f = fopen("disk", "w")))
		return -1;
	for (u32 i = 0; i < 256; i++) {
		u8 sector[512];

		memset(sector, (int)i, sizeof(sector));
		fwrite(sector, 1, sizeof(sector), f);
	}
	return fclose(f);
}

static int teardown(void **s)
{
	unlink("disk");
	unlink("odd");
	unlink("empty");
	assert_int_equal(heap_stats().count, 0);
	return rmdir(dir);
}

static int open_disk(void **s)
{
	return (int)arch_disk_open("disk", false, &disk);
}

static int close_disk(void **s)
{
	disk->ops->close(disk);
	return 0;
}

static void done(struct blk_req *r, err_t e)
{
	result = e;
}

static err_t submit(enum blk_op op, u64 sector, u64 sectors, struct iovec_host *iov, u32 count)
{
	struct blk_req r = {
		.op = op, .sector = sector, .sectors = sectors,
		.iov = iov, .iov_count = count, .done = done,
	};

	result = E_INTERNAL;
	blk_submit(disk, &r);
	return result;
}

static err_t whole(enum blk_op op, u64 sector, u64 sectors, u8 *buf)
{
	return submit(op, sector, sectors, &(struct iovec_host){ buf, sectors * 512 }, 1);
}

static void test_read_write(void **s)
{
	u8 buf[1024], back[1536];

	assert_int_equal(disk->sectors, 256);
	assert_false(disk->readonly);
	assert_string_equal(disk->name, "disk");
	assert_int_equal(whole(BLK_READ, 7, 2, buf), OK);
	assert_int_equal(buf[0], 7);
	assert_int_equal(buf[512], 8);
	memset(buf, 0xab, sizeof(buf));
	assert_int_equal(whole(BLK_WRITE, 7, 2, buf), OK);
	assert_int_equal(whole(BLK_FLUSH, 0, 0, buf), OK);
	assert_int_equal(whole(BLK_READ, 7, 3, back), OK);
	assert_memory_equal(back, buf, 1024);
	assert_int_equal(back[1024], 9);
	assert_int_equal(whole(BLK_READ, 255, 1, buf), OK);
	assert_int_equal(whole(BLK_READ, 255, 2, buf), E_RANGE);
}

/* More elements than one system call takes, of odd lengths, some empty. */
static void test_scatter(void **s)
{
	static u8 buf[512 * 60], flat[512 * 60];
	struct iovec_host iov[300];
	u64 left = sizeof(buf), at = 0;
	u32 n = 0;

	for (; n < ARRAY_LEN(iov) - 1; n++) {
		u64 len = MIN(left, (u64)(n * 37 % 211));

		iov[n] = (struct iovec_host){ buf + at, len };
		at += len;
		left -= len;
	}
	iov[n++] = (struct iovec_host){ buf + at, left };
	assert_int_equal(submit(BLK_READ, 100, 60, iov, n), OK);
	assert_int_equal(whole(BLK_READ, 100, 60, flat), OK);
	assert_memory_equal(buf, flat, sizeof(buf));
	for (u32 i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)(i * 31 >> 3);
	assert_int_equal(submit(BLK_WRITE, 100, 60, iov, n), OK);
	assert_int_equal(whole(BLK_READ, 100, 60, flat), OK);
	assert_memory_equal(buf, flat, sizeof(buf));
}

static void test_zero_and_discard(void **s)
{
	u8 buf[512 * 20], zeros[512] = { 0 };

	assert_true(disk->discard);
	assert_int_equal(submit(BLK_ZERO, 201, 17, NULL, 0), OK);
	assert_int_equal(whole(BLK_READ, 200, 20, buf), OK);
	assert_int_equal(buf[511], 200);
	assert_memory_equal(buf + 512, zeros, 512);
	assert_memory_equal(buf + 512 * 17, zeros, 512);
	assert_int_equal(buf[512 * 18], 218);
	assert_int_equal(submit(BLK_DISCARD, 0, 256, NULL, 0), OK);
	assert_int_equal(submit(BLK_ZERO, 256, 0, NULL, 0), OK);
	assert_int_equal(disk->sectors, 256);
}

static void test_file_that_shrinks(void **s)
{
	u8 buf[512];

	assert_int_equal(truncate("disk", 512 * 10), 0);
	assert_int_equal(whole(BLK_READ, 20, 1, buf), E_IO);
	assert_non_null(strstr(err_text(E_IO), "shorter"));
	assert_int_equal(truncate("disk", 512 * 256), 0);
	assert_int_equal(whole(BLK_READ, 20, 1, buf), OK);
}

static void test_in_use(void **s)
{
	struct blk *b, *c;

	assert_int_equal(arch_disk_open("disk", false, &b), E_BUSY);
	assert_non_null(strstr(err_text(E_BUSY), "disk: in use"));
	assert_int_equal(arch_disk_open("disk", true, &b), E_BUSY);
	close_disk(s);
	assert_int_equal(arch_disk_open("disk", true, &b), OK);
	assert_int_equal(arch_disk_open("disk", true, &c), OK);
	assert_true(b->readonly);
	b->ops->close(b);
	c->ops->close(c);
	assert_int_equal(open_disk(s), OK);
}

static void test_bad_files(void **s)
{
	struct blk *b;
	FILE *f = fopen("odd", "w");

	fputs("not a disk", f);
	fclose(f);
	assert_int_equal(arch_disk_open("odd", false, &b), E_FORMAT);
	assert_non_null(strstr(err_text(E_FORMAT), "odd: size of 10 bytes is not a multiple"));
	fclose(fopen("empty", "w"));
	assert_int_equal(arch_disk_open("empty", true, &b), E_FORMAT);
	assert_int_equal(arch_disk_open("absent", true, &b), E_NOENT);
	assert_non_null(strstr(err_text(E_NOENT), "absent"));
	assert_int_equal(arch_disk_open(".", true, &b), E_IO);
	assert_int_equal(arch_disk_open("/dev/null", true, &b), E_IO);
	for (u32 i = 1; i <= 2; i++) {
		heap_fail_after(i);
		assert_int_equal(arch_disk_open("disk", true, &b), E_NOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read_write, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(test_scatter, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(test_zero_and_discard, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(test_file_that_shrinks, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(test_in_use, open_disk, close_disk),
		cmocka_unit_test(test_bad_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
