/*
 * Views and the space: a block takes an address that it accessed before to be in the view. Without
 * translation memory may be anywhere, so where some is outside there are no views.
 */
#include "rig.h"

#include "arch/hosted/hosted.h"
#include "arch/mem.h"

#define FAR	(BIT(44) + BIT(20))

static u8 far_ram[2 * PAGE_SIZE] aligned_to(4096);

static u8 *viewed;

static int close_all(void **unused)
{
	rig_close(unused);
	arch_ram_free(viewed, RAM_SIZE);
	return 0;
}

static void run_with(bool far_away)
{
	static const u32 code[] = {
		0x0005b503,		/* ld a0, 0(a1) */
		0x0085b603,		/* ld a2, 8(a1) */
		0x0000006f,		/* j . */
	};
	struct exit x;

	hosted_traps_init();
	gcpu_fini(&g);
	arch_ram_free(viewed, RAM_SIZE);
	viewed = arch_ram_alloc_viewed(RAM_SIZE, NODE_ANY);
	assert_non_null(viewed);
	space_fini(&space);
	assert_int_equal(space_init(&space), OK);
	assert_int_equal(space_map_ram(&space, RAM_BASE, RAM_SIZE, viewed, "ram"), OK);
	if (far_away)
		assert_int_equal(space_map_ram(&space, FAR, sizeof(far_ram), far_ram, "far"), OK);
	memcpy(viewed, code, sizeof(code));
	((u64 *)viewed)[32] = ((u64 *)far_ram)[0] = 17;
	((u64 *)viewed)[33] = ((u64 *)far_ram)[1] = 18;
	g = (struct gcpu){ .isa = &rv64_isa, .runner = &jit_runner, .space = &space,
			   .clock = &guest_clock, .firmware = true, .views = VIEWS_ALL };
	assert_int_equal(gcpu_init(&g), OK);
	rv64_start(&g, RAM_BASE, 0, far_away ? FAR : RAM_BASE + 256, true);	/* a1 */
	g.budget = 100;
	g.runner->run(&g, &x);
	assert_int_equal(x.why, EXIT_BUDGET);
	assert_int_equal(state()->x[10], 17);
	assert_int_equal(state()->x[12], 18);
	assert_int_equal(!g.tlb->lpt->now->view, far_away);
}

static void memory_outside(void **unused)
{
	run_with(true);
}

static void memory_inside(void **unused)
{
	run_with(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_outside), cmocka_unit_test(memory_inside),
	};

	return cmocka_run_group_tests_name("engine/front/rv64/view", tests, rig_open, close_all);
}
