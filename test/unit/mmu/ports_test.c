/* The I/O space: what may be mapped where, dispatch, accesses that cross ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/base/heap.h"
#include "mmu/ports.h"

static struct ports ports;
static struct lock bus_lock;
static struct { u64 off, val; u32 len, count; } last;

/* Every port reads as the low byte of its offset. */
static u64 echo_read(void *ctx, u64 off, u32 len)
{
	u64 val = ~0ull << 32;

	assert_false(lock_try(&bus_lock));
	for (u32 i = 0; i < len; i++)
		val |= (u64)(u8)(off + i) << 8 * i;
	last.count++;
	return val;
}

static void echo_write(void *ctx, u64 off, u32 len, u64 val)
{
	assert_false(lock_try(&bus_lock));
	last.off = off;
	last.len = len;
	last.val = val;
	last.count++;
}

static const struct mmio_ops echo_ops = { echo_read, echo_write };

static err_t map(u32 base, u32 len, u32 off)
{
	return ports_map(&ports, &(struct port_range){ base, len, off, "echo", &echo_ops, NULL,
						       &bus_lock });
}

static int setup(void **state)
{
	ports_init(&ports);
	last.count = 0;
	return 0;
}

static int teardown(void **state)
{
	ports_fini(&ports);
	return 0;
}

static void map_refuses(void **state)
{
	static const struct { u32 base, len; err_t want; } row[] = {
		{ 0x60, 0, E_RANGE },
		{ 0xffff, 2, E_RANGE },
		{ 0x10000, 1, E_RANGE },
		{ 1, 0xffffffff, E_RANGE },
		{ 0, 0x10000, E_EXIST },
		{ 0x3ff, 1, E_EXIST },
		{ 0x3f0, 9, E_EXIST },
		{ 0x3f0, 8, OK },
		{ 0x400, 1, OK },
		{ 0, 1, OK },
		{ 0xffff, 1, OK },
		{ 0xffff, 1, E_EXIST },
	};

	assert_int_equal(map(0x3f8, 8, 0), OK);
	for (u32 i = 0; i < ARRAY_LEN(row); i++)
		assert_int_equal(map(row[i].base, row[i].len, 0), row[i].want);
	assert_int_equal(ports.count, 5);
	assert_int_equal(ports_unmap(&ports, 0x3f9), E_NOENT);
	assert_int_equal(ports_unmap(&ports, 0x3f8), OK);
	assert_int_equal(ports_unmap(&ports, 0x3f8), E_NOENT);
	assert_int_equal(map(0x3f8, 8, 0), OK);
	heap_fail_after(1);
	assert_int_equal(map(0x500, 8, 0), E_NOMEM);
	heap_fail_after(0);
	assert_int_equal(ports.count, 5);
}

static void nobody_is_there(void **state)
{
	assert_int_equal(ports_read(&ports, 0x80, 1), 0xff);
	assert_int_equal(ports_read(&ports, 0x80, 4), 0xffffffff);
	assert_int_equal(ports_read(&ports, 0xffff, 2), 0xffff);
	ports_write(&ports, 0x80, 1, 0);
	ports_write(&ports, 0xffff, 4, 0);
	assert_int_equal(last.count, 0);
}

static void inside_a_range(void **state)
{
	assert_int_equal(map(0x70, 0x10, 0x20), OK);
	assert_int_equal(ports_read(&ports, 0x70, 1), 0x20);
	assert_int_equal(ports_read(&ports, 0x73, 2), 0x2423);
	assert_int_equal(ports_read(&ports, 0x7c, 4), 0x2f2e2d2c);
	assert_int_equal(last.count, 3);
	ports_write(&ports, 0x7e, 2, 0x12345678);
	assert_int_equal(last.count, 4);
	assert_int_equal(last.off, 0x2e);
	assert_int_equal(last.len, 2);
	assert_int_equal(last.val, 0x5678);
}

static void across_ranges_goes_by_bytes(void **state)
{
	assert_int_equal(map(0x60, 1, 0x60), OK);
	assert_int_equal(map(0x61, 1, 0xa1), OK);
	assert_int_equal(map(0x63, 1, 0xb3), OK);
	assert_int_equal(map(0xffff, 1, 0x11), OK);
	assert_int_equal(ports_read(&ports, 0x60, 4), 0xb3ffa160);
	assert_int_equal(last.count, 3);
	ports_write(&ports, 0x60, 4, 0x44332211);
	assert_int_equal(last.count, 6);
	assert_int_equal(last.off, 0xb3);
	assert_int_equal(last.val, 0x44);
	assert_int_equal(ports_read(&ports, 0xffff, 2), 0xff11);
	assert_int_equal(ports_read(&ports, 0x5f, 2), 0x60ff);
}

static void every_port_and_width(void **state)
{
	for (u32 base = 0; base < PORTS_END; base += 0x100)
		assert_int_equal(map(base, base % 0x300 ? 0x100 : 0x7f, base), OK);
	for (u32 port = 0; port < PORTS_END; port++)
		for (u32 len = 1; len <= 4; len *= 2) {
			u32 val = ports_read(&ports, port, len), first = val & 0xff;

			if (port / 0x100 % 3 == 0 && port % 0x100 >= 0x7f)
				assert_int_equal(first, 0xff);
			else
				assert_int_equal(first, port & 0xff);
			ports_write(&ports, port, len, val);
		}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(map_refuses),
		T(nobody_is_there),
		T(inside_a_range),
		T(across_ranges_goes_by_bytes),
		T(every_port_and_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
