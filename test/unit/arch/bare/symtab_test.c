/* arch/bare/symtab.c over a table of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define symtab_find bare_symtab_find
#include "arch/bare/symtab.c"

const struct symtab_entry symtab[] = { { 0x100, 0 }, { 0x140, 6 }, { 0x200, 10 }, { 0x300, 14 } };
const u32 symtab_count = ARRAY_LEN(symtab);
const char symtab_names[] = "first\0two\0big\0end";
uptr symtab_base = 0x10000;

static void expect(uptr pc, const char *name, uptr offset)
{
	uptr got = 0;
	const char *found = bare_symtab_find(pc, &got);

	if (!name) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, name);
	assert_int_equal(got, offset);
}

static void test_find(void **s)
{
	expect(0x10100, "first", 0);
	expect(0x1013f, "first", 0x3f);
	expect(0x10140, "two", 0);
	expect(0x102ff, "big", 0xff);
}

static void test_outside(void **s)
{
	expect(0x100ff, NULL, 0);
	expect(0x0, NULL, 0);
	expect(0x10300, NULL, 0);
	expect(UINTPTR_MAX, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
