/* Dispatch of device accesses: offset, length and value arrive as the guest meant them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mmu/space.h"

#define BASE 0x10000000ull

static struct lock bus_lock;
static bool expect_lock;
static struct { u64 off, val; u32 len; bool write; } last;

static void note_lock(void)
{
	bool free = lock_try(&bus_lock);

	if (free)
		lock_drop(&bus_lock);
	assert_int_equal(free, !expect_lock);
}

static u64 dev_read(void *ctx, u64 off, u32 len)
{
	note_lock();
	assert_ptr_equal(ctx, &last);
	last.off = off;
	last.len = len;
	last.write = false;
	return 0xfedcba9876543210;
}

static void dev_write(void *ctx, u64 off, u32 len, u64 val)
{
	note_lock();
	last.off = off;
	last.len = len;
	last.val = val;
	last.write = true;
}

static const struct mmio_ops dev_ops = { dev_read, dev_write };

static void values_are_cut(void **state)
{
	static const u64 want[] = {
		[1] = 0x10, [2] = 0x3210, [4] = 0x76543210, [8] = 0xfedcba9876543210
	};
	const struct range *r;
	struct space s;

	assert_int_equal(space_init(&s), OK);
	for (u32 locked = 0; locked < 2; locked++) {
		expect_lock = locked;
		assert_int_equal(space_map_mmio(&s, BASE, PAGE_SIZE, &dev_ops, &last,
						locked ? &bus_lock : NULL, "dev"), OK);
		r = space_find(&s, BASE + 3);
		for (u32 len = 1; len <= 8; len *= 2) {
			assert_int_equal(range_mmio_read(r, BASE + 3, len), want[len]);
			assert_int_equal(last.off, 3);
			assert_int_equal(last.len, len);
			assert_false(last.write);
			range_mmio_write(r, BASE + PAGE_SIZE - 1, len, 0xfedcba9876543210);
			assert_int_equal(last.off, PAGE_SIZE - 1);
			assert_int_equal(last.len, len);
			assert_int_equal(last.val, want[len]);
			assert_true(last.write);
		}
		assert_int_equal(space_unmap(&s, BASE), OK);
	}
	space_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
