/* kernel/base/panic.c: what the dump holds, and that it ends whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "arch/hosted/hosted.h"
#include "kernel/base/cpu.h"
#include "kernel/base/err.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"
#include "test/unit/child.h"

static noinline void culprit(void)
{
	panic("the sky is %s", "falling");
}

static void die(void)
{
	log_info("last words");
	(void)!ERRF(E_IO, "disk %d gone", 3);
	culprit();
}

static void test_dump(void **s)
{
	struct child c = child_run(die);

	assert_int_equal(c.status, 70);
	assert_non_null(strstr(c.err, "PANIC on cpu 0: the sky is falling"));
	assert_non_null(strstr(c.err, " culprit+0x"));
	assert_non_null(strstr(c.err, " main+0x"));
	assert_non_null(strstr(c.err, "E_IO disk 3 gone"));
	assert_non_null(strstr(c.err, "panic_test.c:"));
	assert_non_null(strstr(c.err, "last words"));
}

static void failed_assertion(void)
{
	assert(1 + 1 == 3);
}

static void test_assert(void **s)
{
	struct child c = child_run(failed_assertion);

	assert_int_equal(c.status, 70);
	assert_non_null(strstr(c.err, "assertion failed: 1 + 1 == 3"));
}

static void bad_sink(struct sink *s, const char *text, size_t len)
{
	panic("while logging");		/* with the log lock held */
}

static void die_logging(void)
{
	static struct sink sink = { bad_sink };

	log_set_sink(&sink);
	log_info("trigger");
}

static void test_panic_under_the_log_lock(void **s)
{
	struct child c = child_run(die_logging);

	assert_int_equal(c.status, 70);
	assert_non_null(strstr(c.err, "while logging"));
	assert_non_null(strstr(c.err, "trigger"));
}

static noinline void wild_write(void)
{
	*(volatile int *)0x10 = 1;
}

static void trap_it(void)
{
	hosted_traps_init();
	hosted_trap_stack();
	wild_write();
}

static void test_trap(void **s)
{
	struct child c = child_run(trap_it);

	assert_int_equal(c.status, 70);
	assert_non_null(strstr(c.err, "trap: SIGSEGV, address 0x10"));
	assert_non_null(strstr(c.err, " wild_write+0x"));
}

static noinline u64 recurse(volatile u64 *p)
{
	volatile u64 big[512];

	big[0] = (uptr)p;
	if (big[0] == 1)
		return 0;
	return recurse(big) + big[0];
}

static void overflow_stack(void)
{
	hosted_traps_init();
	hosted_trap_stack();
	recurse(NULL);
}

static void test_stack_overflow(void **s)
{
	struct child c = child_run(overflow_stack);

	assert_int_equal(c.status, 70);
	assert_non_null(strstr(c.err, "recurse+0x"));
}

static void get_term(void)
{
	hosted_traps_init();
	raise(SIGTERM);
}

static void get_int(void)
{
	hosted_traps_init();
	raise(SIGINT);
}

static void test_signals_end_in_order(void **s)
{
	assert_int_equal(child_run(get_term).status, 143);
	assert_int_equal(child_run(get_int).status, 130);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_assert),
		cmocka_unit_test(test_panic_under_the_log_lock),
		cmocka_unit_test(test_trap),
		cmocka_unit_test(test_stack_overflow),
		cmocka_unit_test(test_signals_end_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
