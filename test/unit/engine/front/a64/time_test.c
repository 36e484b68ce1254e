/* engine/front/a64/time.c: the count, both comparators, the line that makes the CPU look. */
#include "test/unit/engine/front/a64/rig.h"

static bool line(void)
{
	return atomic_load(&g.lines) & BIT(A64_LINE_TIMER);
}

static void count_is_guest_time(void **s)
{
	u64 start = a64_count(&g);

	bench_pass(NS_PER_SEC);
	assert_int_equal(a64_count(&g) - start, A64_CNTFRQ);
	bench_pass(16);
	assert_int_equal(a64_count(&g) - start, A64_CNTFRQ + 1);
	gclock_freeze(&bench_clock);
	bench_ns += NS_PER_SEC;
	assert_int_equal(a64_count(&g) - start, A64_CNTFRQ + 1);
	gclock_thaw(&bench_clock);
	state()->cntfrq = 1000000000;
	bench_pass(5);
	assert_int_equal(a64_count(&g), gcpu_now(&g));
}

static void a_deadline(void **s)
{
	state()->cntvoff = 1000;
	state()->cntv_cval = a64_count(&g) - 1000 + 100;
	state()->cntv_ctl = A64_TIMER_ENABLE;
	a64_timers(&g);
	assert_false(line() || ppi.level[A64_PPI_CNTV]);
	bench_pass(99 * 16);
	assert_false(line());
	bench_pass(16);
	assert_true(line());
	assert_int_equal(kicks, 1);
	assert_int_equal(ppi.calls, 0);		/* only the CPU itself tells */
	a64_timers(&g);
	assert_false(line());
	assert_true(ppi.level[A64_PPI_CNTV]);
	assert_false(ppi.level[A64_PPI_CNTP]);
	a64_timers(&g);
	assert_int_equal(ppi.calls, 1);		/* and only news */
	state()->cntv_cval = UINT64_MAX;
	a64_timers(&g);
	assert_false(ppi.level[A64_PPI_CNTV]);
}

static void masked_or_off(void **s)
{
	state()->cntp_ctl = A64_TIMER_ENABLE | A64_TIMER_IMASK;
	state()->cntv_ctl = A64_TIMER_ISTATUS;
	a64_timers(&g);
	assert_int_equal(ppi.calls, 0);
	assert_int_equal(timer_next(), NS_NEVER);
	state()->cntp_ctl = A64_TIMER_ENABLE;
	a64_timers(&g);
	assert_true(ppi.level[A64_PPI_CNTP]);
}

static void the_nearer_of_two(void **s)
{
	state()->cntp_cval = a64_count(&g) + 50;
	state()->cntv_cval = a64_count(&g) + 20;
	state()->cntp_ctl = state()->cntv_ctl = A64_TIMER_ENABLE;
	a64_timers(&g);
	bench_pass(20 * 16);
	assert_true(line());
	a64_timers(&g);
	assert_true(ppi.level[A64_PPI_CNTV] && !ppi.level[A64_PPI_CNTP]);
	bench_pass(30 * 16);
	assert_true(line());
	a64_timers(&g);
	assert_true(ppi.level[A64_PPI_CNTP]);
}

static void absurd_values(void **s)
{
	static const u64 values[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1, BIT(63), BIT(63) - 1 };

	state()->cntv_ctl = state()->cntp_ctl = A64_TIMER_ENABLE;
	for (u32 i = 0; i < ARRAY_LEN(values); i++) {
		for (u32 n = 0; n < ARRAY_LEN(values); n++) {
			state()->cntv_cval = state()->cntp_cval = values[i];
			state()->cntvoff = values[n];
			a64_timers(&g);
			assert_int_equal(ppi.level[A64_PPI_CNTV],
					 a64_count(&g) - values[n] >= values[i]);
			assert_int_equal(ppi.level[A64_PPI_CNTP], a64_count(&g) >= values[i]);
		}
	}
}

/* The controller's view survives a reset until the CPU runs again and corrects it. */
static void reset_while_due(void **s)
{
	state()->cntv_ctl = A64_TIMER_ENABLE;
	a64_timers(&g);
	assert_true(ppi.level[A64_PPI_CNTV]);
	a64_start(&g, 0, 0);
	assert_true(line());
	a64_timers(&g);
	assert_false(ppi.level[A64_PPI_CNTV]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(count_is_guest_time),
		T(a_deadline),
		T(masked_or_off),
		T(the_nearer_of_two),
		T(absurd_values),
		T(reset_while_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
