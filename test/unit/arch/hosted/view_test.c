/* arch/hosted/view.c: its book of the kernel's mappings; views share their memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "arch/mem.h"
#include "kernel/base/page.h"

#define RAM	MIB(4)
#define MANY	30000			/* more than all views may have at once */

static u8 *ram, *view;

/* The same page again and again: nothing adds up. */
static void pages_are_given_back(void **state)
{
	for (u32 i = 0; i < MANY; i++) {
		assert_true(arch_view_map(view, ram, false, true));
		arch_view_unmap(view);
	}
	assert_true(arch_view_map(view, ram, false, true));
	for (u32 i = 0; i < MANY; i++)
		assert_true(arch_view_map(view, ram + i % 2 * PAGE_SIZE, i % 3, false));
	arch_view_empty(view);
}

static u32 fill(u8 *to)
{
	u32 n = 0;

	while (n < MANY && arch_view_map(to + 2 * n * PAGE_SIZE, ram, false, true))
		n++;
	return n;
}

/* What one view has others cannot have, until it gives it back in whatever way. */
static void all_of_them(void **state)
{
	u8 *other = arch_view_alloc();
	u32 n = fill(view);

	assert_non_null(other);
	assert_in_range(n, 20000, MANY - 1);
	assert_false(arch_view_map(other, ram, false, true));
	arch_view_unmap(view);
	assert_true(arch_view_map(other, ram, false, true));
	assert_false(arch_view_map(view, ram, false, true));
	assert_true(arch_view_map(other, ram, true, false));	/* the same with other rights */
	arch_view_free(view);
	assert_int_equal(fill(other + GIB(1)), n - 1);
	arch_view_empty(other);
	assert_int_equal(fill(other), n);
	arch_view_free(other);
	view = arch_view_alloc();
	assert_non_null(view);
	assert_int_equal(fill(view), n);
	arch_view_empty(view);
}

static void what_fails_counts_nothing(void **state)
{
	static u8 elsewhere[PAGE_SIZE] aligned_to(4096);

	for (u32 i = 0; i < MANY; i++)
		assert_false(arch_view_map(view, elsewhere, false, true));
	assert_true(arch_view_map(view, ram, false, true));
	arch_view_empty(view);
}

/* As many as there is room for, and then none; again after they were freed. */
static void as_many_as_there_are(void **state)
{
	static u8 *all[200];
	u32 n[2] = { 0 };

	for (u32 round = 0; round < 2; round++) {
		while (n[round] < ARRAY_LEN(all) && (all[n[round]] = arch_view_alloc()))
			n[round]++;
		for (u32 i = 0; i < n[round]; i++)
			arch_view_free(all[i]);
	}
	assert_in_range(n[0], 8, ARRAY_LEN(all) - 1);
	assert_int_equal(n[0], n[1]);
}

static void memory_is_shared(void **state)
{
	assert_true(arch_view_map(view + GIB(5), ram + PAGE_SIZE, true, true));
	assert_true(arch_view_map(view + GIB(6), ram + PAGE_SIZE, false, true));
	*(volatile u64 *)(view + GIB(5) + 8) = 0x1234;
	assert_int_equal(*(volatile u64 *)(ram + PAGE_SIZE + 8), 0x1234);
	assert_int_equal(*(volatile u64 *)(view + GIB(6) + 8), 0x1234);
	arch_view_empty(view);
}

/* Memory in views is shared and of no file: bit 1 of the filter. */
static void guests_are_not_dumped(void **state)
{
	FILE *f = fopen("/proc/self/coredump_filter", "r");
	unsigned filter = ~0u;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%x", &filter), 1);
	fclose(f);
	assert_int_equal(filter & 2, 0);
}

static int setup(void **state)
{
	ram = arch_ram_alloc_viewed(RAM, NODE_ANY);
	view = arch_view_alloc();
	return !ram || !view;
}

static int teardown(void **state)
{
	arch_view_free(view);
	arch_view_free(NULL);
	arch_ram_free(ram, RAM);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_given_back), cmocka_unit_test(all_of_them),
		cmocka_unit_test(what_fails_counts_nothing),
		cmocka_unit_test(as_many_as_there_are), cmocka_unit_test(memory_is_shared),
		cmocka_unit_test(guests_are_not_dumped),
	};

	return cmocka_run_group_tests_name("arch/hosted/view", tests, setup, teardown);
}
