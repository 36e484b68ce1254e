/*
 * Files of the boot volume by name, and who may open which disk. The functions have the names
 * of the process's own, so the file is included under others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define arch_file_open	volume_file_open
#define arch_file_close	volume_file_close
#define arch_disk_open	volume_disk_open
#include "boot/files.c"

static u8 disk[4096];
static struct boot_info info = {
	.file = { { "fvp.toml", (const u8 *)"x=1", 3 },
		  { "guests/riscv64/Image", (const u8 *)"kernel", 6 },
		  { "disk.img", disk, sizeof(disk) } },
	.files = 3,
};

static int start(void **state)
{
	boot = &info;
	return 0;
}

static void finds_files_however_written(void **state)
{
	static const char *const names[] = { "fvp.toml", "FVP.TOML", "/fvp.toml", "./fvp.toml",
					     "\\Fvp.Toml", "//./fvp.toml" };
	struct file f;

	for (u32 i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(arch_file_open(names[i], &f), OK);
		assert_string_equal(f.name, "fvp.toml");
		assert_int_equal(f.len, 3);
		arch_file_close(&f);
	}
	assert_int_equal(arch_file_open("guests\\RISCV64/image", &f), OK);
	assert_memory_equal(f.data, "kernel", 6);
}

static void misses_others_and_says_so(void **state)
{
	static const char *const names[] = { "", "fvp.tom", "fvp.toml2", "riscv64/Image" };
	struct file f;

	for (u32 i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(arch_file_open(names[i], &f), E_NOENT);
	assert_non_null(str_find(err_text(E_NOENT), "riscv64/Image"));
}

static void a_written_disk_has_one_owner(void **state)
{
	struct blk *a, *b = NULL, *c;

	assert_int_equal(arch_disk_open("disk.img", false, &a), OK);
	assert_int_equal(a->sectors, 8);
	assert_int_equal(arch_disk_open("disk.img", false, &b), E_BUSY);
	assert_null(b);			/* the VM closes what it got */
	assert_int_equal(arch_disk_open("DISK.IMG", true, &b), E_BUSY);
	a->ops->close(a);
	assert_int_equal(arch_disk_open("disk.img", true, &b), OK);
	assert_int_equal(arch_disk_open("disk.img", true, &c), OK);
	assert_int_equal(arch_disk_open("disk.img", false, &a), E_BUSY);
	b->ops->close(b);
	assert_int_equal(arch_disk_open("disk.img", false, &a), E_BUSY);
	c->ops->close(c);
	assert_int_equal(arch_disk_open("disk.img", false, &a), OK);
	a->ops->close(a);
	assert_int_equal(arch_disk_open("fvp.toml", true, &a), E_FORMAT);
	assert_int_equal(arch_disk_open("none.img", true, &a), E_NOENT);
}

static void keep_status(struct blk_req *r, err_t e)
{
	*(err_t *)r->user = e;
}

static void writes_outlive_the_disk(void **state)
{
	u8 data[512] = "written", back[512];
	struct iovec_host iov = { data, sizeof(data) };
	err_t e = E_INTERNAL;
	struct blk_req r = { .op = BLK_WRITE, .sector = 7, .sectors = 1, .iov = &iov,
			     .iov_count = 1, .done = keep_status, .user = &e };
	struct blk *b;

	assert_int_equal(arch_disk_open("disk.img", false, &b), OK);
	blk_submit(b, &r);
	assert_int_equal(e, OK);
	b->ops->close(b);
	assert_int_equal(arch_disk_open("disk.img", true, &b), OK);
	iov.base = back;
	r.op = BLK_READ;
	blk_submit(b, &r);
	assert_int_equal(e, OK);
	assert_memory_equal(back, data, sizeof(data));
	b->ops->close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_files_however_written, start),
		cmocka_unit_test_setup(misses_others_and_says_so, start),
		cmocka_unit_test_setup(a_written_disk_has_one_owner, start),
		cmocka_unit_test_setup(writes_outlive_the_disk, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
