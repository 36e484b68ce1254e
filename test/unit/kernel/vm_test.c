/* kernel/vm.c and vm_end.c: plans, builds that fail, every way to end, restarts, storms. */
#include "kernel/base/log.h"
#include "test/unit/kernel/fake.h"

static struct vm *vm, *other;

static bool is_stopped(void)
{
	return vm->state == VM_STOPPED;
}

static struct vm *make(const char *what, u32 cpu_number)
{
	vm = vm_make("web", what, cpu_number);
	return vm;
}

/*
 * ---- plans and builds --------------------------------------------------------------------------
 */

static void test_plan_errors(void **s)
{
	static const struct strlist no_pin = { .item = { "3" }, .count = 1 },
				    no_isa = { .item = { "-zz" }, .count = 1 };
	const struct {
		struct vm_config change;
		err_t code;
		const char *message;
	} rows[] = {
		{ { .arch = "aarch64" },
		  E_UNSUPPORTED,
		  "no board for arch = \"aarch64\" in this build; there is: riscv64" },
		{ { .runner = "jit" },
		  E_UNSUPPORTED,
		  "runner = \"jit\" cannot execute riscv64 here: this build has no such runner" },
		{ { .memory = MIB(128) }, E_CONFIG, "memory = \"128M\"; toy has 16M to 64M" },
		{ { .cpus = 9 }, E_CONFIG, "cpus = 9; toy has 1 to 8" },
		{ { .pin = no_pin }, E_CONFIG, "pin = \"3\"; this machine has the CPUs 0 to 2" },
		{ { .isa = no_isa },
		  E_CONFIG,
		  "fake has no feature \"zz\" to switch; there are: none" },
		{ { .memory = MIB(1) },
		  E_CONFIG,
		  "vm.web: memory = 1048576 bytes is too little; at least \"16M\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct vm_config *c = &rows[i].change;

		make("spin", 1);
		vm->config.arch = c->arch ? c->arch : "riscv64";
		vm->config.runner = c->runner ? c->runner : "auto";
		vm->config.memory = c->memory ? c->memory : MIB(16);
		vm->config.cpus = c->cpus ? c->cpus : 1;
		vm->config.pin = c->pin;
		vm->config.isa = c->isa;
		assert_int_equal(vm_start(vm), rows[i].code);
		assert_string_equal(vm->problem, rows[i].message);
		assert_int_equal(vm->state, VM_STOPPED);
		vms_forget(NULL);
	}
}

static void test_names(void **s)
{
	struct vm_config c;
	struct vm *second;

	make("spin", 1);
	c = vm->config;
	assert_int_equal(vm_create(&c, &second), E_EXIST);
	assert_ptr_equal(vm_find("web"), vm);
	assert_null(vm_find("we"));
}

/* A build that fails leaves nothing behind, and others go on. */
static void test_build_fails(void **s)
{
	u64 objects;

	other = vm_make("good", "spin", 1);
	make("nonsense", 2);
	assert_int_equal(vm_start(other), OK);
	objects = heap_stats().count;
	assert_int_equal(vm_start(vm), E_FORMAT);
	assert_string_equal(vm->problem, "no program nonsense");
	assert_int_equal(heap_stats().count, objects + 1);	/* the CPUs' memory, kept */
	assert_int_equal(vm->state, VM_STOPPED);
	assert_int_equal(other->state, VM_RUNNING);
	vm->config.cmdline = "spin";
	assert_int_equal(vm_start(vm), OK);
	assert_string_equal(vm->problem, "");
}

static void test_out_of_memory(void **s)
{
	u64 objects;

	make("spin", 2);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_stop(vm), OK);
	objects = heap_stats().count;
	for (u64 nth = 1;; nth++) {
		err_t e;

		heap_fail_after(nth);
		e = vm_start(vm);
		heap_fail_after(0);
		if (e == OK) {
			assert_true(nth > 5);
			return;
		}
		assert_int_equal(e, E_NOMEM);
		assert_int_equal(heap_stats().count, objects);
	}
}

static void test_states(void **s)
{
	make("spin", 2);
	assert_int_equal(vm_stop(vm), E_STATE);
	assert_int_equal(vm_reset(vm), E_STATE);
	assert_int_equal(vm_pause(vm), E_STATE);
	assert_int_equal(vm_resume(vm), E_STATE);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_start(vm), E_STATE);
	assert_int_equal(vm_resume(vm), E_STATE);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_start(vm), E_STATE);
	assert_int_equal(vm_stop(vm), OK);
	assert_int_equal(vm->end, END_STOPPED);
	assert_int_equal(vm->state, VM_STOPPED);
	assert_int_equal(builds, 1);
}

/* Stop gives everything back; start finds clean RAM (the board looks). */
static void test_stop_start(void **s)
{
	u64 objects = 0;

	make("spin", 3);
	for (u32 i = 0; i < 30; i++) {
		assert_int_equal(vm_start(vm), OK);
		run_ms(1);
		assert_int_equal(vm_stop(vm), OK);
		assert_true(!i || heap_stats().count == objects);
		objects = heap_stats().count;
	}
	assert_int_equal(builds, 30);
	assert_int_equal(ended, 30);
}

/*
 * ---- ends
 * ----------------------------------------------------------------------------------------
 */

static void end_test(const char *what, u32 cpu_number, enum vm_end want)
{
	make(what, cpu_number);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, want);
	assert_int_equal(ended, 1);
	assert_true(vm->ended.instructions > 0);
}

static void test_poweroff(void **s)
{
	end_test("poweroff", 4, END_POWEROFF);	/* all four ask at once */
	assert_string_equal(vm_end_text(vm->end), "powered off by the guest");
	assert_int_equal(vm_end_status(vm->end), 0);
	assert_string_equal(vm->post_mortem, "");
}

static void test_ports(void **s)
{
	end_test("port", 3, END_FAIL_CODE);
	assert_int_equal(vm->end_code, 2 << 8 | 1);
}

static void test_fail_code(void **s)
{
	end_test("failcode", 1, END_FAIL_CODE);
	assert_int_equal(vm->end_code, 42);
	assert_int_equal(vm_end_status(vm->end), 3);
}

static void test_crash(void **s)
{
	end_test("crash", 3, END_CRASH);
	assert_int_equal(vm_end_status(vm->end), 3);
	assert_ptr_equal(strstr(vm->post_mortem, "step "), vm->post_mortem);
	assert_non_null(strstr(vm->post_mortem, " went wrong\ncpu 0: on, pc "));
	assert_non_null(strstr(vm->post_mortem, "registers of 0\n"));
	assert_non_null(strstr(vm->post_mortem, "registers of 2\n"));
}

static void test_runner_fails(void **s)
{
	end_test("fail", 1, END_CRASH);
	assert_string_equal(vm->post_mortem,
			    "CPU 0: cannot go on\ncpu 0: on, pc 4, 1 instructions\n"
			    "registers of 0\nlast exits: FAIL\n");
}

static void test_triple_fault(void **s)
{
	end_test("shut", 1, END_CRASH);
	assert_string_equal(vm->cause, "CPU 0 gave up: triple fault");
}

static void test_stop_from_own_exit(void **s)
{
	end_test("stop_self", 4, END_STOPPED);
}

static void test_stop_from_another_vm(void **s)
{
	make("spin", 4);
	victim = vm;
	other = vm_make("killer", "stop_victim", 1);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_start(other), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_STOPPED);
	assert_int_equal(other->state, VM_RUNNING);
}

static void test_fail_from_outside(void **s)
{
	make("halt", 2);
	assert_int_equal(vm_start(vm), OK);
	run_ms(5);
	vm_fail(vm, "disk %s is gone", "0");
	vm_fail(vm, "too late");
	assert_true(run_until(is_stopped));
	assert_string_equal(vm->cause, "disk 0 is gone");
	assert_non_null(strstr(vm->post_mortem, "cpu 1: halted"));
}

static void test_stop_while_paused(void **s)
{
	make("ring", 3);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_stop(vm), OK);
	assert_int_equal(vm->state, VM_STOPPED);
}

/*
 * ---- restarts
 * --------------------------------------------------------------------------------------
 */

static bool built_enough(void)
{
	return builds >= builds_wanted || vm->state == VM_STOPPED;
}

static void restart_test(const char *what, const char *policy, u64 wanted, u64 got)
{
	make(what, 2);
	vm->config.restart = policy;
	builds_wanted = wanted;
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(built_enough));
	assert_int_equal(builds, got);
	assert_int_equal(vm->state, got == wanted ? VM_RUNNING : VM_STOPPED);
	assert_int_equal(ended, got == wanted ? 0 : 1);
}

static void test_restart_never(void **s)
{
	restart_test("reboot", "never", 5, 1);
	assert_int_equal(vm->end, END_REBOOT);
	assert_int_equal(vm_end_status(vm->end), 1);
}

static void test_restart_on_reboot(void **s)
{
	restart_test("reboot", "on-reboot", 10, 10);
}

static u32 lines;

static void count_lines(struct sink *to, const char *text, size_t len)
{
	lines++;
}

/* A guest that reboots as fast as it can does not drown what others have to say. */
static void test_reboots_do_not_flood_the_log(void **s)
{
	struct sink to = { count_lines };
	ns_t start = arch_clock_ns();

	lines = 0;
	log_set_sink(&to);
	restart_test("reboot", "on-reboot", 300, 300);
	log_set_sink(NULL);
	assert_true(lines <= 11 * (2 + (arch_clock_ns() - start) / NS_PER_SEC));
}

static void test_crash_is_no_reboot(void **s)
{
	restart_test("crash", "on-reboot", 5, 1);
}

static void test_restart_on_failure(void **s)
{
	restart_test("crash", "on-failure", 3, 3);
}

static void test_restart_gives_up(void **s)
{
	restart_test("crash", "on-failure", 10, 3);
	assert_int_equal(vm->end, END_CRASH);
}

static void test_restart_always(void **s)
{
	make("poweroff", 1);
	vm->config.restart = "always";
	builds_wanted = 5;
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(built_enough));
	assert_int_equal(vm_stop(vm), OK);
	assert_int_equal(vm->state, VM_STOPPED);
	assert_int_equal(ended, 1);
}

static void test_reset(void **s)
{
	make("spin", 2);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_reset(vm), OK);
	assert_int_equal(vm->state, VM_RUNNING);
	assert_int_equal(builds, 2);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_reset(vm), OK);
	assert_int_equal(vm->state, VM_RUNNING);
	assert_int_equal(ended, 0);
}

/*
 * ---- storm
 * ------------------------------------------------------------------------------------------
 */

static u32 storm_random(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (u32)(x >> 32);
}

/* Whatever is asked in whatever order: no deadlock, no crash, and a clean end. */
static void test_storm(void **s)
{
	static err_t (*const actions[])(struct vm *) = { vm_start, vm_stop, vm_reset, vm_pause,
							 vm_resume };
	static const char *const what[] = { "ring", "spin", "halt", "yield" };
	struct vm *all[4];
	char name[2] = "a";

	for (u32 i = 0; i < 4; i++, name[0]++)
		all[i] = vm_make(name, what[i], i + 1 + (i == 0));
	for (u32 i = 0; i < 400; i++) {
		vm = all[storm_random() % 4];
		(void)!actions[storm_random() % ARRAY_LEN(actions)](vm);
		if (vm->state == VM_RUNNING && storm_random() % 2)
			gcpu_line(&vm->vcpu[0].g, 0, true);
		if (storm_random() % 4 == 0)
			run_ms(storm_random() % 3);
	}
	for (u32 i = 0; i < 4; i++) {
		(void)!vm_stop(all[i]);
		assert_int_equal(all[i]->state, VM_STOPPED);
	}
}

static void test_stats(void **s)
{
	struct vm_stats st;

	make("yield", 2);
	assert_int_equal(vm_start(vm), OK);
	run_ms(20);
	vm_stats(vm, &st);
	assert_true(st.instructions > 0 && st.run_ns > 0 && st.exits[EXIT_YIELD] > 0);
	assert_int_equal(vm_stop(vm), OK);
	assert_true(vm->ended.instructions >= st.instructions);
	vm_stats(vm, &st);
	assert_int_equal(st.instructions, vm->ended.instructions);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, vms_forget, vms_forget)
	const struct CMUnitTest tests[] = {
		T(test_plan_errors),
		T(test_names),
		T(test_build_fails),
		T(test_out_of_memory),
		T(test_states),
		T(test_stop_start),
		T(test_poweroff),
		T(test_fail_code),
		T(test_ports),
		T(test_crash),
		T(test_runner_fails),
		T(test_triple_fault),
		T(test_stop_from_own_exit),
		T(test_stop_from_another_vm),
		T(test_fail_from_outside),
		T(test_stop_while_paused),
		T(test_restart_never),
		T(test_restart_on_reboot),
		T(test_reboots_do_not_flood_the_log),
		T(test_crash_is_no_reboot),
		T(test_restart_on_failure),
		T(test_restart_gives_up),
		T(test_restart_always),
		T(test_reset),
		T(test_storm),
		T(test_stats),
	};

	return cmocka_run_group_tests(tests, fake_setup, NULL);
}
