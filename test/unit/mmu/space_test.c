/* Address space: what may be mapped where, look-up against a linear search, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "kernel/base/heap.h"
#include "mmu/space.h"

#define RAM	0x80000000ull
#define TOP	(0 - PAGE_SIZE)		/* the last page there is */

static u8 memory[8 * PAGE_SIZE] aligned_to(4096);
static u64 seed = 42;

static u64 random64(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 17;
}

static u64 no_read(void *ctx, u64 off, u32 len) { return 0; }
static void no_write(void *ctx, u64 off, u32 len, u64 val) { }
static const struct mmio_ops no_ops = { no_read, no_write };

static err_t map(struct space *s, gpa_t base, u64 len)
{
	return space_map_ram(s, base, len, memory, "ram");
}

static void devices_share_a_page(void **state)
{
	struct space s;

	assert_int_equal(space_init(&s), OK);
	assert_int_equal(space_map_mmio(&s, 0x10200, 0x200, &no_ops, NULL, NULL, "b"), OK);
	assert_int_equal(space_map_mmio(&s, 0x10000, 0x200, &no_ops, NULL, NULL, "a"), OK);
	assert_int_equal(space_map_mmio(&s, 0x103f0, 0x10, &no_ops, NULL, NULL, "c"), E_EXIST);
	assert_int_equal(space_map_mmio(&s, 0x10408, 0x10, &no_ops, NULL, NULL, "c"), E_INVAL);
	assert_string_equal(space_find(&s, 0x101ff)->name, "a");
	assert_string_equal(space_find(&s, 0x10200)->name, "b");
	assert_null(space_find(&s, 0x10400));
	assert_int_equal(map(&s, 0x10000, PAGE_SIZE), E_EXIST);
	assert_int_equal(space_unmap(&s, 0x10000), OK);
	assert_null(space_find(&s, 0x10000));
	space_fini(&s);
}

static void map_refuses(void **state)
{
	static const struct { gpa_t base; u64 len; err_t want; } row[] = {
		{ 0x10000, 0, E_INVAL },
		{ 0x10001, PAGE_SIZE, E_INVAL },
		{ 0x10000, PAGE_SIZE + 1, E_INVAL },
		{ TOP, 2 * PAGE_SIZE, E_RANGE },
		{ 0x10000, TOP, E_RANGE },
		{ RAM, PAGE_SIZE, E_EXIST },
		{ RAM + 3 * PAGE_SIZE, PAGE_SIZE, E_EXIST },
		{ RAM + 3 * PAGE_SIZE, 2 * PAGE_SIZE, E_EXIST },
		{ RAM - PAGE_SIZE, 2 * PAGE_SIZE, E_EXIST },
		{ RAM - PAGE_SIZE, 8 * PAGE_SIZE, E_EXIST },
		{ 0, TOP, E_EXIST },
		{ RAM - PAGE_SIZE, PAGE_SIZE, OK },
		{ RAM + 4 * PAGE_SIZE, PAGE_SIZE, OK },
		{ 0, PAGE_SIZE, OK },
		{ TOP, PAGE_SIZE, OK },
	};

	for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		struct space s;
		u64 generation;

		assert_int_equal(space_init(&s), OK);
		assert_int_equal(map(&s, RAM, 4 * PAGE_SIZE), OK);
		generation = s.generation;
		assert_int_equal(map(&s, row[i].base, row[i].len), row[i].want);
		assert_int_equal(s.count, row[i].want == OK ? 2 : 1);
		assert_int_equal(s.generation != generation, row[i].want == OK);
		space_fini(&s);
	}
}

static void find_equals_linear_search(void **state)
{
	for (u32 round = 0; round < 50; round++) {
		struct { gpa_t base; u64 len; } list[40];
		u32 count = 0;
		struct space s;

		assert_int_equal(space_init(&s), OK);
		for (u32 i = 0; i < ARRAY_LEN(list); i++) {
			gpa_t base = random64() % 256 * PAGE_SIZE;
			u64 len = (1 + random64() % 8) * PAGE_SIZE;

			if (map(&s, base, len) == OK) {
				list[count].base = base;
				list[count++].len = len;
			} else if (count > 0 && random64() % 2) {
				u32 victim = random64() % count;

				assert_int_equal(space_unmap(&s, list[victim].base), OK);
				list[victim] = list[--count];
			}
		}
		assert_int_equal(s.count, count);
		for (gpa_t gpa = 0; gpa < 270 * PAGE_SIZE; gpa += PAGE_SIZE / 2) {
			const struct range *r = space_find(&s, gpa);
			bool expected = false;

			for (u32 i = 0; i < count; i++) {
				if (gpa - list[i].base >= list[i].len)
					continue;
				expected = true;
				assert_non_null(r);
				assert_int_equal(r->base, list[i].base);
				assert_int_equal(r->len, list[i].len);
			}
			assert_int_equal(r != NULL, expected);
		}
		space_fini(&s);
	}
}

static void find_at_the_end_of_the_world(void **state)
{
	struct space s;

	assert_int_equal(space_init(&s), OK);
	assert_null(space_find(&s, 0));
	assert_int_equal(map(&s, TOP, PAGE_SIZE), OK);
	assert_non_null(space_find(&s, UINT64_MAX));
	assert_non_null(space_find(&s, TOP));
	assert_null(space_find(&s, TOP - 1));
	assert_null(space_find(&s, 0));
	assert_int_equal(space_unmap(&s, 0), E_NOENT);
	assert_int_equal(space_unmap(&s, TOP), OK);
	assert_null(space_find(&s, TOP));
	space_fini(&s);
}

/*
 * RAM at pages 0-1 and 2-3 (host memory not adjacent), ROM at 4, MMIO at 5, RAM at 7 after
 * a hole and on the last page of the address space.
 */
static void map_landscape(struct space *s)
{
	assert_int_equal(space_init(s), OK);
	for (u32 i = 0; i < sizeof(memory); i++)
		memory[i] = i * 7 + i / 256;
	assert_int_equal(space_map_ram(s, RAM + 2 * PAGE_SIZE, 2 * PAGE_SIZE, memory, "high"), OK);
	assert_int_equal(space_map_ram(s, RAM, 2 * PAGE_SIZE, memory + 3 * PAGE_SIZE, "low"), OK);
	assert_int_equal(
		space_map_rom(s, RAM + 4 * PAGE_SIZE, PAGE_SIZE, memory + 2 * PAGE_SIZE, "rom"),
		OK);
	assert_int_equal(
		space_map_mmio(s, RAM + 5 * PAGE_SIZE, PAGE_SIZE, &no_ops, NULL, NULL, "dev"), OK);
	assert_int_equal(
		space_map_ram(s, RAM + 7 * PAGE_SIZE, PAGE_SIZE, memory + 5 * PAGE_SIZE, "far"),
		OK);
	assert_int_equal(space_map_ram(s, TOP, PAGE_SIZE, memory + 6 * PAGE_SIZE, "top"), OK);
}

static void ptr_stays_in_one_range(void **state)
{
	struct space s;

	map_landscape(&s);
	assert_ptr_equal(space_ptr(&s, RAM + 5, 8, true), memory + 3 * PAGE_SIZE + 5);
	assert_ptr_equal(space_ptr(&s, RAM, 2 * PAGE_SIZE, false), memory + 3 * PAGE_SIZE);
	assert_null(space_ptr(&s, RAM, 2 * PAGE_SIZE + 1, false));
	assert_null(space_ptr(&s, RAM + 2 * PAGE_SIZE - 4, 8, false));
	assert_null(space_ptr(&s, RAM + 8, UINT64_MAX, false));
	assert_ptr_equal(space_ptr(&s, RAM + 4 * PAGE_SIZE, 8, false), memory + 2 * PAGE_SIZE);
	assert_null(space_ptr(&s, RAM + 4 * PAGE_SIZE, 8, true));
	assert_null(space_ptr(&s, RAM + 5 * PAGE_SIZE, 8, false));
	assert_null(space_ptr(&s, RAM + 6 * PAGE_SIZE, 1, false));
	assert_non_null(space_ptr(&s, UINT64_MAX - 7, 8, true));
	assert_null(space_ptr(&s, UINT64_MAX - 7, 9, true));
	space_fini(&s);
}

static void copies_cross_ranges(void **state)
{
	u8 buf[5 * PAGE_SIZE], want[5 * PAGE_SIZE];
	struct space s;

	map_landscape(&s);
	memcpy(want, memory + 3 * PAGE_SIZE, 2 * PAGE_SIZE);
	memcpy(want + 2 * PAGE_SIZE, memory, 2 * PAGE_SIZE);
	memcpy(want + 4 * PAGE_SIZE, memory + 2 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(space_read(&s, RAM, buf, sizeof(buf)), OK);
	assert_memory_equal(buf, want, sizeof(buf));
	assert_int_equal(space_read(&s, RAM + 2 * PAGE_SIZE - 3, buf, 7), OK);
	assert_memory_equal(buf, want + 2 * PAGE_SIZE - 3, 7);

	memset(buf, 0xa5, sizeof(buf));
	assert_int_equal(space_write(&s, RAM + PAGE_SIZE, buf, 3 * PAGE_SIZE), OK);
	assert_memory_equal(memory + 4 * PAGE_SIZE, buf, PAGE_SIZE);
	assert_memory_equal(memory, buf, 2 * PAGE_SIZE);
	assert_memory_equal(memory + 3 * PAGE_SIZE, want, PAGE_SIZE);
	assert_int_equal(space_write(&s, UINT64_MAX - 3, buf, 4), OK);
	assert_int_equal(space_read(&s, 12345, buf, 0), OK);
	space_fini(&s);
}

static void copies_are_all_or_nothing(void **state)
{
	static const struct { gpa_t gpa; u64 len; bool read_ok; } row[] = {
		{ RAM + 4 * PAGE_SIZE - 8, 16, true },			/* into ROM */
		{ RAM + 5 * PAGE_SIZE - 8, 16, false },			/* ROM into MMIO */
		{ RAM + 5 * PAGE_SIZE, 8, false },			/* MMIO */
		{ RAM + 7 * PAGE_SIZE - 1, 2, false },			/* begins in a hole */
		{ RAM + 8 * PAGE_SIZE - 1, 2, false },			/* ends in a hole */
		{ RAM - 1, 2, false },
		{ UINT64_MAX - 3, 8, false },				/* wraps */
		{ RAM, UINT64_MAX, false },
	};
	u8 before[sizeof(memory)], buf[16], sentinel[16];
	struct space s;

	map_landscape(&s);
	memcpy(before, memory, sizeof(memory));
	memset(sentinel, 0xee, sizeof(sentinel));
	for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(space_write(&s, row[i].gpa, buf, row[i].len), E_FAULT);
		assert_memory_equal(before, memory, sizeof(memory));
		if (row[i].read_ok) {
			assert_int_equal(space_read(&s, row[i].gpa, buf, row[i].len), OK);
		} else {
			assert_int_equal(space_read(&s, row[i].gpa, buf, row[i].len), E_FAULT);
			assert_memory_equal(buf, sentinel, sizeof(buf));
		}
	}
	space_fini(&s);
}

static void changes_survive_a_lack_of_memory(void **state)
{
	struct space s;

	map_landscape(&s);
	heap_fail_after(1);
	assert_int_equal(map(&s, 0, PAGE_SIZE), E_NOMEM);
	assert_int_equal(s.count, 6);
	assert_null(space_find(&s, 0));
	heap_fail_after(1);
	assert_int_equal(space_unmap(&s, RAM), OK);
	heap_fail_after(0);
	assert_int_equal(s.count, 5);
	assert_null(space_find(&s, RAM));
	space_fini(&s);
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_refuses),
		cmocka_unit_test(devices_share_a_page),
		cmocka_unit_test(find_equals_linear_search),
		cmocka_unit_test(find_at_the_end_of_the_world),
		cmocka_unit_test(ptr_stays_in_one_range),
		cmocka_unit_test(copies_cross_ranges),
		cmocka_unit_test(copies_are_all_or_nothing),
		cmocka_unit_test(changes_survive_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
