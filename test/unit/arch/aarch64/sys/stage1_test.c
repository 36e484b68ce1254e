/* Translation tables in plain memory: sizes, splits, permissions, what live entries never see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "arch/aarch64/sys/stage1.h"
#include "arch/mem.h"
#include "kernel/base/str.h"

#define PAGES 32
#define RW (PROT_R | PROT_W)

static struct stage1 s;
static void *pool;
static u32 changes, stores;

static void record(u64 *entry, u64 value, bool change)
{
	stores++;
	changes += change;
	*entry = value;
}

static int setup(void **state)
{
	pool = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	memset(pool, 0, PAGES * PAGE_SIZE);
	changes = stores = 0;
	return stage1_init(&s, pool, PAGES);
}

static int teardown(void **state)
{
	free(pool);
	return 0;
}

static void expect(u64 va, u64 pa, u32 level)
{
	u32 at;
	u64 e = stage1_lookup(&s, va, &at);

	assert_true(e != 0);
	assert_int_equal(at, level);
	assert_true((e & 0xfffffffff000) == pa);
}

static void test_largest_blocks(void **state)
{
	u32 level;

	assert_int_equal(stage1_map(&s, MIB(2), MIB(2), GIB(2), RW, false), OK);
	expect(MIB(2), MIB(2), 2);
	expect(GIB(1), GIB(1), 1);
	expect(GIB(2), GIB(2), 2);
	assert_true(stage1_lookup(&s, 0, &level) == 0);
	assert_true(stage1_lookup(&s, GIB(2) + MIB(2), &level) == 0);
	assert_int_equal(s.pool_used, 4);
}

static void test_unlike_alignment(void **state)
{
	assert_int_equal(stage1_map(&s, GIB(4), MIB(3) + 4096, MIB(4), RW, false), OK);
	expect(GIB(4), MIB(3) + 4096, 3);
	expect(GIB(4) + MIB(4) - 4096, MIB(7), 3);
}

static void test_pages_on_request(void **state)
{
	assert_int_equal(stage1_map(&s, 0, 0, MIB(2), RW, true), OK);
	expect(MIB(1), MIB(1), 3);
}

static void test_split_keeps_the_rest(void **state)
{
	u64 before, after;
	u32 level;

	assert_int_equal(stage1_map(&s, 0, 0, GIB(1), RW, false), OK);
	before = stage1_lookup(&s, 0, &level);
	s.store = record;
	assert_int_equal(stage1_map(&s, MIB(4) + 4096, MIB(4) + 4096, 4096, 0, false), OK);
	assert_int_equal(changes, 2);			/* 1 GiB to a table, 2 MiB to a table */
	assert_true(stage1_lookup(&s, MIB(4) + 4096, &level) == 0);
	expect(MIB(4), MIB(4), 3);
	expect(MIB(6), MIB(6), 2);
	after = stage1_lookup(&s, MIB(6), &level);
	assert_true((before ^ after) == MIB(6));	/* same attributes, other address */
	expect(MIB(4) + 8192, MIB(4) + 8192, 3);
}

static void test_permissions_in_place(void **state)
{
	u64 e;
	u32 level;

	assert_int_equal(stage1_map(&s, 0, 0, 8192, RW, false), OK);
	s.store = record;
	assert_int_equal(stage1_map(&s, 0, 0, 4096, PROT_R | PROT_X, false), OK);
	assert_int_equal(changes, 0);
	e = stage1_lookup(&s, 0, &level);
	assert_true((e & BIT(7)) && !(e & BIT(54)));
	e = stage1_lookup(&s, 4096, &level);
	assert_true(!(e & BIT(7)) && (e & BIT(54)));
	assert_int_equal(stage1_map(&s, 0, 0, 4096, RW | PROT_DEVICE, false), OK);
	assert_int_equal(changes, 1);			/* another memory type must break first */
}

static void test_unmap_hole_costs_nothing(void **state)
{
	assert_int_equal(stage1_map(&s, 0, 0, 4096, RW, false), OK);
	u32 used = s.pool_used;

	assert_int_equal(stage1_map(&s, 4096, 4096, GIB(3), 0, false), OK);
	assert_int_equal(s.pool_used, used);
	expect(0, 0, 3);
}

/* Tables of others hang from an entry of level 1 and end in entries like our own. */
static void test_tables_of_others(void **state)
{
	u64 *theirs = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE), *e = stage1_gib(&s, GIB(700) + 4096);
	u32 level;

	assert_non_null(e);
	assert_ptr_equal(stage1_gib(&s, GIB(701)), e + 1);
	memset(theirs, 0, 2 * PAGE_SIZE);
	theirs[512 + 3] = stage1_page(MIB(9), PROT_R);
	theirs[5] = stage1_table(theirs + 512);
	*e = stage1_table(theirs);
	expect(GIB(700) + MIB(10) + 3 * 4096, MIB(9), 3);
	assert_int_equal(stage1_map(&s, 0, MIB(9), 4096, PROT_R, true), OK);
	assert_true(stage1_lookup(&s, 0, &level) == theirs[512 + 3]);
	free(theirs);
	while (s.pool_used < s.pool_len)
		assert_int_equal(stage1_map(&s, s.pool_used * MIB(2), 0, 4096, RW, true), OK);
	assert_null(stage1_gib(&s, GIB(512) * 100));
}

static void test_refusals(void **state)
{
	u32 n = 0;
	err_t e = OK;

	assert_int_equal(stage1_map(&s, 1, 0, 4096, RW, false), E_INVAL);
	assert_int_equal(stage1_map(&s, BIT(48), 0, 4096, RW, false), E_RANGE);
	assert_int_equal(stage1_map(&s, 0, BIT(48) - 4096, 8192, RW, false), E_RANGE);
	assert_int_equal(stage1_map(&s, BIT(48) - 4096, BIT(48) - 4096, 4096, RW, false), OK);
	while (!e && n++ < PAGES)
		e = stage1_map(&s, n * GIB(1), 0, 4096, RW, false);
	assert_int_equal(e, E_NOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_largest_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlike_alignment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages_on_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_keeps_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_permissions_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unmap_hole_costs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tables_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
