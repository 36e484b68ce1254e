/* arch/hosted/mem.c: guest RAM, protection, and that the page allocator grows at need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/mem.h"
#include "kernel/base/page.h"
#include "test/unit/child.h"

static u64 resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long total = 0, resident = 0;

	assert_int_equal(fscanf(f, "%lu %lu", &total, &resident), 2);
	fclose(f);
	return resident * 4;
}

static void test_ram(void **s)
{
	static const u64 sizes[] = {
		1, PAGE_SIZE, MIB(2) - PAGE_SIZE, MIB(2), MIB(64) + PAGE_SIZE,
	};

	for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
		u8 *p = arch_ram_alloc(sizes[i], 0);

		assert_non_null(p);
		assert_int_equal((uptr)p % (sizes[i] >= MIB(2) ? MIB(2) : PAGE_SIZE), 0);
		assert_int_equal(p[0], 0);
		assert_int_equal(p[sizes[i] - 1], 0);
		p[0] = p[sizes[i] - 1] = 1;
		arch_ram_free(p, sizes[i]);
	}
	assert_null(arch_ram_alloc(0, 0));
	assert_null(arch_ram_alloc(UINT64_MAX, 0));
	assert_null(arch_ram_alloc(BIT(50), 0));
	arch_ram_free(NULL, 0);
}

static void test_pages_come_lazily(void **s)
{
	u64 before = resident_kib();
	u8 *big = page_alloc(PAGE_ORDER_MAX, NODE_ANY), *one = page_alloc(0, NODE_ANY);

	assert_non_null(big);
	assert_non_null(one);
	assert_int_equal((uptr)big % GIB(1), 0);
	assert_int_equal(big[MIB(700)], 0);
	assert_true(resident_kib() < before + 4096);	/* a gigabyte that nobody touched */
}

static u8 *page;

static void write_it(void)
{
	signal(SIGSEGV, SIG_DFL);
	*page = 1;
}

static void test_protect(void **s)
{
	page = page_alloc(0, NODE_ANY);
	assert_int_equal(arch_mem_protect(page, PAGE_SIZE, PROT_R), OK);
	assert_int_equal(child_run(write_it).status, 128 + SIGSEGV);
	assert_int_equal(arch_mem_protect(page, PAGE_SIZE, PROT_R | PROT_W), OK);
	assert_int_equal(child_run(write_it).status, 0);
	assert_int_equal(arch_mem_protect(page, PAGE_SIZE, PROT_R | PROT_W | PROT_X), E_INVAL);
	assert_int_equal(arch_mem_protect(page + 1, PAGE_SIZE, PROT_R), E_INVAL);
	page_free(page, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_pages_come_lazily),
		cmocka_unit_test(test_protect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
