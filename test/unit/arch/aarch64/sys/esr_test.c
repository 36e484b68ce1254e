/* Syndromes in words: values that QEMU delivered, and every class and fault status once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "arch/aarch64/sys/esr.h"

static char buf[128];

static const char *words(u64 esr)
{
	struct sink_buf s = sink_buf_init(buf, sizeof(buf));

	esr_print(esr, &s.sink);
	return buf;
}

static void test_known(void **state)
{
	assert_string_equal(words(0x96000047), "data abort: translation fault, level 3, write");
	assert_string_equal(words(0x9600000f), "data abort: permission fault, level 3, read");
	assert_string_equal(words(0x8600000e), "instruction abort: permission fault, level 2");
	assert_string_equal(words(0x96000010), "data abort: external abort, read");
	assert_string_equal(words(0x96000061), "data abort: alignment fault, write");
	assert_string_equal(words(0xf2000001), "breakpoint instruction #0x1");
	assert_string_equal(words(0x02000000), "undefined instruction");
}

static void test_all(void **state)
{
	for (u64 esr = 0; esr < BIT(32); esr += BIT(26))
		for (u32 fault = 0; fault < 64; fault++)
			assert_true(words(esr | fault)[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
