/* kernel/base/cpu.c: who is told what, and who is kicked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/smp.h"
#include "kernel/base/cpu.h"

static u32 kicks;
static u32 pending_at_kick;

void arch_cpu_kick(struct cpu *c)
{
	kicks++;
	pending_at_kick = c->pending;
}

static void test_raise(void **s)
{
	_Atomic u32 attention = 0;

	cpu_self = &cpus[0];
	cpu_raise(&cpus[1], CPU_KICK);
	assert_int_equal(cpus[1].pending, CPU_KICK);
	assert_int_equal(kicks, 1);
	assert_int_equal(pending_at_kick, CPU_KICK);
	cpus[1].attention = &attention;
	cpu_raise(&cpus[1], CPU_TIMER);
	assert_int_equal(cpus[1].pending, CPU_KICK | CPU_TIMER);
	assert_int_equal(attention, 1);
	assert_int_equal(kicks, 2);
}

static void test_raise_on_self_needs_no_kick(void **s)
{
	_Atomic u32 attention = 0;

	kicks = 0;
	cpu_self = &cpus[2];
	cpus[2].attention = &attention;
	cpu_raise(&cpus[2], CPU_INPUT);
	cpu_raise_local(&cpus[2], CPU_TIMER);
	assert_int_equal(cpus[2].pending, CPU_INPUT | CPU_TIMER);
	assert_int_equal(attention, 1);
	assert_int_equal(kicks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raise),
		cmocka_unit_test(test_raise_on_self_needs_no_kick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
