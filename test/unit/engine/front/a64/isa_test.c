/* engine/front/a64/isa.c: reset, start, the list of fields, registers for people, refusals. */
#include "test/unit/engine/front/a64/rig.h"

#include "kernel/base/fmt.h"

static void after_reset(void **s)
{
	assert_int_equal(state()->pstate, 0x3c5);
	assert_int_equal(state()->sctlr, 0x30d00800);
	assert_int_equal(state()->cntfrq, 62500000);
	assert_int_equal(gcpu_pc(&g), 0);
}

static void start_forgets_everything(void **s)
{
	state()->x[5] = state()->v[3][1] = state()->ttbr1 = state()->cntv_ctl = 1;
	g.halted = true;
	gcpu_raise(&g, 1, 2);
	a64_start(&g, 0x40080000, 0x48000000);
	assert_int_equal(gcpu_pc(&g), 0x40080000);
	assert_int_equal(state()->x[0], 0x48000000);
	assert_int_equal(state()->x[5] | state()->v[3][1] | state()->ttbr1, 0);
	assert_int_equal(state()->cntv_ctl, 0);
	assert_false(g.halted || g.xcpt.pending);
	assert_int_equal(ppi.resets, 2);	/* birth, start */
	state()->cntfrq = 1000;
	a64_start(&g, 0, 0);
	assert_int_equal(state()->cntfrq, 1000);
}

static void wakes_by_its_lines(void **s)
{
	assert_false(a64_isa.wakes(&g));
	for (u32 line = A64_LINE_IRQ; line <= A64_LINE_TIMER; line++) {
		gcpu_line(&g, line, true);
		assert_true(a64_isa.wakes(&g));
		gcpu_line(&g, line, false);
		assert_false(a64_isa.wakes(&g));
	}
}

/* Every byte of the state is in one field, apart from padding, and in one only. */
static void fields_cover_the_state(void **s)
{
	static u8 seen[sizeof(struct a64_state)];
	u32 holes = 0;

	for (const struct field *f = a64_isa.fields; f->name; f++) {
		assert_true(f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8);
		for (u32 i = 0; i < f->size * f->count; i++)
			assert_int_equal(seen[f->offset + i]++, 0);
	}
	for (u32 i = 0; i < sizeof(seen); i++)
		holes += !seen[i];
	assert_in_range(holes, 0, 16);
}

static void registers_for_people(void **s)
{
	char text[4096];
	struct sink_buf b = sink_buf_init(text, sizeof(text));

	a64_start(&g, 0xffff800008001234, 0xabcdef);
	state()->pstate = A64_EL1 | A64_SP | A64_I | 1u << 30;
	state()->sp_el1 = 0x1122334455667788;
	state()->far = 0xdeadbeef;
	a64_isa.print(&g, &b.sink);
	assert_non_null(strstr(text, "pc  ffff800008001234  EL1  -Z-- --I-"));
	assert_non_null(strstr(text, "x0  0000000000abcdef"));
	assert_non_null(strstr(text, "sp  1122334455667788"));
	assert_non_null(strstr(text, "far       00000000deadbeef"));
}

static void nobody_translates_it(void **s)
{
	const char *why;

	assert_null(runner_pick(&a64_isa, "auto", &why));
	assert_string_equal(why, "there is no translation of that instruction set yet");
	assert_null(runner_pick(&a64_isa, "interp", &why));
	assert_string_equal(why, "there is no translation of that instruction set yet");
}

static void numbers(void **s)
{
	assert_int_equal(a64_mpidr(3), 0x80000003);
	assert_int_equal(a64_mpidr(37), 0x80000205);
	assert_int_equal(A64_SYSREG(3, 0, 12, 12, 0), 0xc660);	/* ICC_IAR1_EL1 */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)
	const struct CMUnitTest tests[] = {
		T(after_reset),
		T(start_forgets_everything),
		T(wakes_by_its_lines),
		T(fields_cover_the_state),
		T(registers_for_people),
		T(nobody_translates_it),
		T(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
