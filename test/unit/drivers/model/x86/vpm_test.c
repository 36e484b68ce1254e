/* ACPI fixed hardware: timer, status and enable, SCI, power off; ACPI 6.5, 4.8. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/pc.h"

enum { STS = PM_BASE, EN = PM_BASE + 2, CNT = PM_BASE + 4, TMR = PM_BASE + 8,
       GPE = PM_BASE + PM_GPE0 };
enum { TMR_STS = 1, PWRBTN = 0x100, SCI_EN = 1, SLP_EN = 0x2000 };

static struct dev d;
static struct { u32 how, count; } ended;

static void shutdown(void *vm, u32 how, u32 code)
{
	ended.how = how;
	ended.count++;
}

static int setup(void **state)
{
	bench_open();
	ended.count = 0;
	d = bench_port_dev(&vpm_model, NULL);
	d.shutdown = shutdown;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void timer_counts(void **state)
{
	u32 before = bench_in(TMR, 4);

	bench_pass(NS_PER_SEC);
	assert_int_equal((bench_in(TMR, 4) - before) & 0xffffff, PM_HZ);
	bench_pass(4 * NS_PER_SEC);
	assert_int_equal((bench_in(TMR, 4) - before) & 0xffffff, 5 * PM_HZ & 0xffffff);
	assert_int_equal(bench_in(TMR, 4) >> 24, 0);
	bench_out_to(TMR, 4, 0);
	assert_int_equal((bench_in(TMR, 4) - before) & 0xffffff, 5 * PM_HZ & 0xffffff);
}

static void timer_interrupt(void **state)
{
	bench_out_to(EN, 2, 1);
	bench_pass(3 * NS_PER_SEC);		/* the top bit changes every 2.34 s */
	assert_int_equal(bench_in(STS, 2), TMR_STS);
	assert_false(bench_level[0]);		/* not ACPI's yet */
	bench_out_to(PM_SMI_PORT, 1, PM_ACPI_ENABLE);
	assert_int_equal(bench_in(CNT, 2), SCI_EN);
	assert_true(bench_level[0]);
	bench_out_to(STS, 2, TMR_STS);
	assert_false(bench_level[0]);
	bench_pass(3 * NS_PER_SEC);
	assert_true(bench_level[0]);
	bench_out_to(EN, 2, 0);
	assert_false(bench_level[0]);
	bench_out_to(PM_SMI_PORT, 1, PM_ACPI_DISABLE);
	assert_int_equal(bench_in(CNT, 2), 0);
	bench_out_to(PM_SMI_PORT + 1, 1, 0x77);
	assert_int_equal(bench_in(PM_SMI_PORT, 2), 0x7700 | PM_ACPI_DISABLE);
}

static void power_button(void **state)
{
	bench_out_to(CNT, 2, SCI_EN);
	bench_out_to(EN, 2, 0xffff);
	assert_int_equal(bench_in(EN, 2), 0x521);
	vpm_power_button(&d);
	assert_true(bench_level[0]);
	assert_int_equal(bench_in(STS, 4), 0x521 << 16 | PWRBTN);
	bench_out_to(STS + 1, 1, 1);
	assert_false(bench_level[0]);
}

static void power_off(void **state)
{
	bench_out_to(CNT, 2, 3 << 10 | SLP_EN);	/* not S5 */
	bench_out_to(CNT, 2, PM_S5_TYPE << 10);
	assert_int_equal(ended.count, 0);
	bench_out_to(CNT, 2, PM_S5_TYPE << 10 | SLP_EN);
	assert_int_equal(ended.count, 1);
	assert_int_equal(ended.how, SHUTDOWN_POWEROFF);
	assert_int_equal(bench_in(CNT, 2) & SLP_EN, 0);
}

static void general_purpose_events(void **state)
{
	bench_out_to(GPE + 8, 4, 0xdeadbeef);
	assert_int_equal(bench_in(GPE + 8, 4), 0xdeadbeef);
	assert_int_equal(bench_in(GPE + 10, 1), 0xad);
	assert_int_equal(bench_in(GPE, 4), 0);
	bench_out_to(PM_BASE + 0x30, 4, 0x12345678);
	assert_int_equal(bench_in(PM_BASE + 0x32, 2), 0x1234);
	assert_int_equal(bench_in(PM_BASE + 0x7c, 4), 0);
}

static void random_accesses(void **state)
{
	u64 r = 5;

	for (u32 i = 0; i < 100000; i++) {
		u32 port;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		port = r >> 60 ? PM_BASE + (r >> 40 & 0x7f) : PM_SMI_PORT;
		if (r >> 59 & 1)
			bench_out_to(port, 1u << (r >> 50) % 3, (u32)(r >> 16));
		else
			bench_in(port, 1u << (r >> 50) % 3);
		if (i % 16 == 0)
			bench_pass(r >> 20 & 0xfffffff);
		if (i % 20000 == 0)
			dev_reset(&d);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(timer_counts),
		T(timer_interrupt),
		T(power_button),
		T(power_off),
		T(general_purpose_events),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
