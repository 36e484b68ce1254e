/* engine/gcpu.c, isa.c, runner.c: events reach a guest CPU once, choices are explained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "arch/hosted/hosted.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"

static u32 kicks, resets, finis;
static err_t init_result;

void gcpu_kick(struct gcpu *g)
{
	kicks++;
}

static void toy_reset(struct gcpu *g)
{
	resets++;
}

static err_t toy_init(struct gcpu *g)
{
	return init_result == OK ? OK : ERR(init_result);
}

static void toy_fini(struct gcpu *g)
{
	finis++;
}

static const struct isa_feature toy_features[] = { { "fast", 1 }, { "wide", 6 }, { NULL } };
static const struct isa toy = {
	.name = "toy", .state_size = 64, .features = 5, .feature = toy_features, .reset = toy_reset,
};
static const struct isa plain = { .name = "plain" };

static bool probe_no(const struct isa *isa, const char **why)
{
	*why = "no silicon";
	return false;
}

static bool probe_toy(const struct isa *isa, const char **why)
{
	*why = "only toys";
	return isa == &toy;
}

static const struct runner hard = { .name = "hard", .accelerated = true, .probe = probe_no };
static const struct runner soft = {
	.name = "soft", .probe = probe_toy, .init = toy_init, .fini = toy_fini
};
const struct runner *const runners[] = { &hard, &soft, NULL };

static int setup(void **s)
{
	cpu_count = 1;
	hosted_cpu_attach(0);
	return 0;
}

static void test_life(void **s)
{
	struct gcpu g = { .isa = &toy, .runner = &soft };
	u64 objects = heap_stats().count;

	init_result = OK;
	assert_int_equal(gcpu_init(&g), OK);
	assert_int_equal(resets, 1);
	assert_non_null(g.st);
	gcpu_fini(&g);
	gcpu_fini(&g);			/* once more is harmless */
	assert_int_equal(finis, 1);
	assert_int_equal(heap_stats().count, objects);
}

static void test_init_fails(void **s)
{
	struct gcpu g = { .isa = &toy, .runner = &soft };
	u64 objects = heap_stats().count;

	init_result = E_UNSUPPORTED;
	assert_int_equal(gcpu_init(&g), E_UNSUPPORTED);
	init_result = OK;
	for (u64 nth = 1; nth <= 2; nth++) {
		heap_fail_after(nth);
		assert_int_equal(gcpu_init(&g), E_NOMEM);
		heap_fail_after(0);
	}
	assert_null(g.st);
	assert_int_equal(heap_stats().count, objects);
}

static void test_lines(void **s)
{
	struct gcpu g = { 0 };

	kicks = 0;
	gcpu_line(&g, 5, true);
	assert_int_equal(g.lines, 32);
	assert_int_equal(g.attention, 1);
	assert_int_equal(kicks, 1);
	gcpu_line(&g, 5, true);		/* no edge, no news */
	assert_int_equal(kicks, 1);
	g.attention = 0;
	gcpu_line(&g, 63, true);
	assert_int_equal(kicks, 2);
	gcpu_line(&g, 5, false);
	assert_true(g.lines == BIT(63));
	assert_int_equal(kicks, 2);
}

static void test_requests(void **s)
{
	struct gcpu g = { 0 };

	kicks = 0;
	gcpu_request(&g, REQ_TLB);
	gcpu_request(&g, REQ_LEAVE);
	assert_int_equal(g.requests, REQ_TLB | REQ_LEAVE);
	assert_int_equal(g.attention, 1);
	assert_int_equal(kicks, 2);
	gcpu_request_wait(&g, REQ_FENCE_I);	/* not in the guest: no waiting */
}

static void *serve(void *arg)
{
	struct gcpu *g = arg;

	while (!(atomic_load(&g->requests) & REQ_TLB))
		;
	atomic_exchange(&g->requests, 0);
	return NULL;
}

static void test_request_wait(void **s)
{
	struct gcpu g = { .in_guest = true };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, serve, &g), 0);
	gcpu_request_wait(&g, REQ_TLB);
	assert_int_equal(g.requests, 0);
	pthread_join(thread, NULL);
}

static void test_raise(void **s)
{
	struct gcpu g = { 0 };

	gcpu_raise(&g, 13, 0x1000);
	gcpu_raise(&g, 2, 0);
	assert_int_equal(g.xcpt.cause, 13);
	assert_int_equal(g.xcpt.value, 0x1000);
}

static void test_features(void **s)
{
	const char *const change[] = { "wide", "-fast" }, *const wrong[] = { "fast", "-slow" };
	u32 bits = 0;

	assert_int_equal(isa_features(&toy, NULL, 0, &bits), OK);
	assert_int_equal(bits, 5);
	assert_int_equal(isa_features(&toy, change, 2, &bits), OK);
	assert_int_equal(bits, 6);
	assert_int_equal(isa_features(&toy, wrong, 2, &bits), E_CONFIG);
	assert_string_equal(err_text(E_CONFIG),
			    "toy has no feature \"slow\" to switch; there are: fast wide");
	assert_int_equal(isa_features(&plain, wrong, 1, &bits), E_CONFIG);
	assert_string_equal(err_text(E_CONFIG),
			    "plain has no feature \"fast\" to switch; there are: none");
	assert_int_equal(bits, 6);
}

static void test_isas(void **s)
{
	assert_non_null(isa_find("riscv64"));
	assert_non_null(isa_find("aarch64"));
	assert_null(isa_find("riscv"));
	assert_null(isa_find(""));
}

static void test_pick(void **s)
{
	const char *why = NULL;

	assert_ptr_equal(runner_pick(&toy, "auto", &why), &soft);
	assert_string_equal(why, "the best there is");
	assert_ptr_equal(runner_pick(&toy, "soft", &why), &soft);
	assert_string_equal(why, "asked for");
	assert_null(runner_pick(&toy, "hard", &why));
	assert_string_equal(why, "no silicon");
	assert_null(runner_pick(&toy, "warp", &why));
	assert_string_equal(why, "this build has no such runner");
	assert_null(runner_pick(&plain, "auto", &why));
	assert_string_equal(why, "no silicon");
}

static void test_exit_names(void **s)
{
	assert_string_equal(exit_name(EXIT_BUDGET), "BUDGET");
	assert_string_equal(exit_name(EXIT_FAIL), "FAIL");
	assert_string_equal(exit_name(EXIT_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),         cmocka_unit_test(test_init_fails),
		cmocka_unit_test(test_lines),        cmocka_unit_test(test_requests),
		cmocka_unit_test(test_request_wait), cmocka_unit_test(test_raise),
		cmocka_unit_test(test_features),     cmocka_unit_test(test_isas),
		cmocka_unit_test(test_pick),         cmocka_unit_test(test_exit_names),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
