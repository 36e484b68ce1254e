/* MPIDR affinity in the GIC's three packings, against values worked out from IHI 0069. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "arch/aarch64/sys/affinity.h"

#define MPIDR 0x1281030411ull	/* Aff3 0x12, MT/U bits around, Aff2 3, Aff1 4, Aff0 0x11 */

static void test_packed(void **state)
{
	assert_int_equal(affinity_packed(MPIDR), 0x12030411);
	assert_int_equal(affinity_packed(0x80000001), 1);
}

static void test_route(void **state)
{
	assert_true(affinity_route(MPIDR) == 0x1200030411ull);
	assert_true(affinity_route(0x80000003) == 3);
}

static void test_sgi(void **state)
{
	u64 v;

	assert_false(affinity_sgi(MPIDR, 1, false, &v));	/* Aff0 17 needs a range selector */
	assert_true(affinity_sgi(MPIDR, 1, true, &v));
	assert_true(v == (0x12ull << 48 | 1ull << 44 | 3ull << 32 | 1ull << 24 | 4ull << 16 | 2));
	assert_true(affinity_sgi(0x80000203, 15, false, &v));
	assert_true(v == (15ull << 24 | 2ull << 16 | 1 << 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_sgi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
