/* Dirty log: who marks, what take returns, life with the log on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kernel/base/heap.h"
#include "mmu/space.h"

#define RAM	0x80000000ull
#define PAGES	130			/* three bitmap words, the last one short */
#define WORDS	3

static u8 memory[PAGES * PAGE_SIZE] aligned_to(4096);
static u8 more[PAGE_SIZE] aligned_to(4096);

static void start(struct space *s)
{
	assert_int_equal(space_init(s), OK);
	assert_int_equal(space_map_ram(s, RAM, sizeof(memory), memory, "ram"), OK);
	assert_int_equal(space_map_rom(s, 0, PAGE_SIZE, more, "rom"), OK);
	assert_int_equal(space_log_start(s), OK);
}

static void assert_bits(struct space *s, gpa_t base, u64 w0, u64 w1, u64 w2)
{
	u64 bits[WORDS + 1] = { 1, 1, 1, 0x5a };

	assert_int_equal(space_log_take(s, base, bits, WORDS), OK);
	assert_int_equal(bits[0], w0);
	assert_int_equal(bits[1], w1);
	assert_int_equal(bits[2], w2);
	assert_int_equal(bits[3], 0x5a);
}

static void writers_mark(void **state)
{
	u8 buf[2 * PAGE_SIZE] = { 0 };
	struct space s;

	start(&s);
	assert_bits(&s, RAM, 0, 0, 0);
	assert_int_equal(space_write(&s, RAM + 5 * PAGE_SIZE - 1, buf, 2), OK);
	assert_int_equal(space_write(&s, RAM + 63 * PAGE_SIZE + 8, buf, 2 * PAGE_SIZE), OK);
	assert_non_null(space_ptr(&s, RAM + 129 * PAGE_SIZE, 8, true));
	range_mark_dirty(space_find(&s, RAM), RAM + 70 * PAGE_SIZE + 12);
	assert_bits(&s, RAM, BIT(4) | BIT(5) | BIT(63), BIT(0) | BIT(1) | BIT(6), BIT(1));
	assert_bits(&s, RAM, 0, 0, 0);
	space_fini(&s);
}

static void readers_and_failures_do_not(void **state)
{
	u8 buf[16] = { 0 };
	struct space s;

	start(&s);
	assert_int_equal(space_read(&s, RAM, buf, 16), OK);
	assert_non_null(space_ptr(&s, RAM, 8, false));
	assert_non_null(space_ptr(&s, RAM, 0, true));
	assert_int_equal(space_write(&s, RAM, buf, 0), OK);
	assert_int_equal(space_write(&s, RAM + sizeof(memory) - 8, buf, 16), E_FAULT);
	assert_null(space_ptr(&s, RAM + sizeof(memory) - 8, 16, true));
	assert_bits(&s, RAM, 0, 0, 0);
	space_fini(&s);
}

static void take_checks_its_arguments(void **state)
{
	u64 bits[WORDS];
	struct space s;

	start(&s);
	assert_int_equal(space_log_take(&s, RAM, bits, WORDS - 1), E_RANGE);
	assert_int_equal(space_log_take(&s, RAM + PAGE_SIZE, bits, WORDS), E_NOENT);
	assert_int_equal(space_log_take(&s, 0, bits, WORDS), E_NOENT);
	assert_int_equal(space_log_take(&s, 0x1000, bits, WORDS), E_NOENT);
	space_log_stop(&s);
	assert_int_equal(space_log_take(&s, RAM, bits, WORDS), E_STATE);
	space_fini(&s);
}

static void log_restarts_clean_and_covers_new_ram(void **state)
{
	struct space s;

	start(&s);
	assert_non_null(space_ptr(&s, RAM, 8, true));
	assert_int_equal(space_log_start(&s), OK);
	assert_bits(&s, RAM, 0, 0, 0);
	assert_int_equal(space_map_ram(&s, 0x1000, PAGE_SIZE, more, "new"), OK);
	assert_non_null(space_ptr(&s, 0x1000, 8, true));
	assert_non_null(space_ptr(&s, RAM, 8, true));
	assert_bits(&s, 0x1000, 1, 0, 0);
	assert_bits(&s, RAM, 1, 0, 0);
	assert_int_equal(space_unmap(&s, 0x1000), OK);
	space_fini(&s);
}

static void log_survives_a_lack_of_memory(void **state)
{
	struct space s;

	start(&s);
	space_log_stop(&s);
	heap_fail_after(1);
	assert_int_equal(space_log_start(&s), E_NOMEM);
	assert_false(s.logging);
	assert_int_equal(space_log_start(&s), OK);
	heap_fail_after(1);
	assert_int_equal(space_map_ram(&s, 0x1000, PAGE_SIZE, more, "new"), E_NOMEM);
	heap_fail_after(2);
	assert_int_equal(space_map_ram(&s, 0x1000, PAGE_SIZE, more, "new"), E_NOMEM);
	heap_fail_after(0);
	space_fini(&s);
	assert_int_equal(heap_stats().count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writers_mark),
		cmocka_unit_test(readers_and_failures_do_not),
		cmocka_unit_test(take_checks_its_arguments),
		cmocka_unit_test(log_restarts_clean_and_covers_new_ram),
		cmocka_unit_test(log_survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
