/* kernel/sched.c and run.c on real threads: fairness, pins, no lost wake-up, parking, power. */
#include "test/unit/kernel/fake.h"

static struct vm *vm, *other;

/* ---- sharing ------------------------------------------------------------------------------- */

static void test_fairness(void **s)
{
	u64 least = UINT64_MAX, most = 0;

	vm = vm_make("a", "spin", 5);
	assert_int_equal(vm_start(vm), OK);
	run_ms(1500);
	assert_int_equal(vm_pause(vm), OK);
	for (u32 i = 0; i < 5; i++) {
		least = MIN(least, vm->vcpu[i].run_ns);
		most = MAX(most, vm->vcpu[i].run_ns);
	}
	assert_true(least > 0 && most / least < 3);
}

/* A CPU that spins politely leaves the host CPU to one that computes. */
static void test_yield(void **s)
{
	vm = vm_make("polite", "yield", FAKE_CPUS);
	other = vm_make("busy", "spin", FAKE_CPUS);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_start(other), OK);
	run_ms(500);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_pause(other), OK);
	for (u32 i = 0; i < FAKE_CPUS; i++) {
		assert_true(vm->vcpu[i].retired > 0);
		assert_true(other->vcpu[i].run_ns > vm->vcpu[i].run_ns);
	}
}

static void test_pin(void **s)
{
	vm = vm_make("pinned", "spin", 4);
	vm->config.pin = (struct strlist){ .item = { "1", "1", "2" }, .count = 3 };
	other = vm_make("free", "spin", 4);
	assert_int_equal(vm_start(vm), OK);
	assert_int_equal(vm_start(other), OK);
	run_ms(500);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(strayed, 0);
	for (u32 i = 0; i < 4; i++)
		assert_true(vm->vcpu[i].retired > 0);
}

/* ---- wake-ups -------------------------------------------------------------------------------- */

#define HOPS 20000

static bool hopped(void)
{
	return hops >= HOPS;
}

static void ring_test(u32 cpu_number, struct strlist pin, bool busy)
{
	vm = vm_make("ring", "ring", cpu_number);
	vm->config.pin = pin;
	if (busy) {
		other = vm_make("busy", "spin", 2);
		assert_int_equal(vm_start(other), OK);
	}
	assert_int_equal(vm_start(vm), OK);
	gcpu_line(&vm->vcpu[0].g, 0, true);
	assert_true(run_until(hopped));
}

static void test_ring(void **s)
{
	ring_test(4, (struct strlist){ .count = 0 }, false);
}

static void test_ring_of_two(void **s)
{
	ring_test(2, (struct strlist){ .item = { "1", "2" }, .count = 2 }, false);
}

static void test_ring_pinned(void **s)
{
	ring_test(3, (struct strlist){ .item = { "2", "0", "1" }, .count = 3 }, false);
}

static void test_ring_beside_busy_vm(void **s)
{
	ring_test(4, (struct strlist){ .count = 0 }, true);
}

static bool all_waiting(void)
{
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].state != VCPU_WAITING)
			return false;
	return true;
}

static bool one_woke(void)
{
	return vm->vcpu[1].g.icount > 1;
}

static void test_halt_sleeps(void **s)
{
	vm = vm_make("sleepy", "halt", 4);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(all_waiting));
	run_ms(20);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(vm->vcpu[i].retired, 1);
	gcpu_line(&vm->vcpu[1].g, 3, true);
	assert_true(run_until(one_woke));
	gcpu_line(&vm->vcpu[1].g, 3, false);
	assert_true(run_until(all_waiting));
	assert_int_equal(vm->vcpu[0].retired, 1);
}

/* A kick that changes nothing wakes nobody; a request is seen before the next instruction. */
static void test_requests(void **s)
{
	vm = vm_make("sleepy", "halt", 1);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(all_waiting));
	gcpu_kick(&vm->vcpu[0].g);
	assert_int_equal(vm->vcpu[0].state, VCPU_WAITING);
	gcpu_request_wait(&vm->vcpu[0].g, REQ_TLB);	/* outside the guest: returns at once */
	assert_int_equal(vm->vcpu[0].g.requests & REQ_TLB, REQ_TLB);
	other = vm_make("busy", "spin", 1);
	other->config.pin = (struct strlist){ .item = { "1" }, .count = 1 };
	assert_int_equal(vm_start(other), OK);
	run_ms(20);
	for (u32 i = 0; i < 1000; i++)
		gcpu_request_wait(&other->vcpu[0].g, REQ_TLB | REQ_FENCE_I);
}

/*
 * ---- parking ----------------------------------------------------------------------------------
 */

static void test_pause_stops_everything(void **s)
{
	u64 before[4];
	ns_t clock;

	vm = vm_make("a", "spin", 4);
	assert_int_equal(vm_start(vm), OK);
	for (u32 round = 0; round < 50; round++) {
		run_ms(1);
		assert_int_equal(vm_pause(vm), OK);
		assert_int_equal(vm->state, VM_PAUSED);
		clock = gclock_now(&vm->clock);
		for (u32 i = 0; i < 4; i++) {
			assert_int_equal(vm->vcpu[i].state, VCPU_PARKED);
			before[i] = vm->vcpu[i].g.icount;
		}
		run_ms(1);
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(vm->vcpu[i].g.icount, before[i]);
		assert_int_equal(gclock_now(&vm->clock), clock);
		assert_int_equal(vm_pause(vm), E_STATE);
		assert_int_equal(vm_resume(vm), OK);
		assert_int_equal(vm_resume(vm), E_STATE);
	}
}

/* Interrupts that arrive during a pause are found afterwards. */
static void test_line_while_paused(void **s)
{
	vm = vm_make("ring", "ring", 3);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(all_waiting));
	assert_int_equal(vm_pause(vm), OK);
	gcpu_line(&vm->vcpu[2].g, 0, true);
	run_ms(5);
	assert_int_equal(hops, 0);
	assert_int_equal(vm_resume(vm), OK);
	assert_true(run_until(hopped));
}

static bool is_paused(void)
{
	return vm->state == VM_PAUSED;
}

static void test_pause_from_the_guests_own_exit(void **s)
{
	vm = vm_make("a", "pause_self", 4);
	assert_int_equal(vm_start(vm), OK);
	for (u32 i = 0; i < 20; i++) {
		assert_true(run_until(is_paused));
		assert_int_equal(vm_resume(vm), OK);
	}
}

/*
 * ---- power ------------------------------------------------------------------------------------
 */

static bool all_started(void)
{
	return hops >= 4;
}

static bool is_stopped(void)
{
	return vm->state == VM_STOPPED;
}

static void test_power_on(void **s)
{
	vm = vm_make("smp", "power_on", 5);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(all_started));
	run_ms(20);
	assert_int_equal(hops, 4);
	for (u32 i = 0; i < 5; i++) {
		assert_true(vm->vcpu[i].power);
		assert_false(vcpu_is_off(&vm->vcpu[i]));
		assert_int_equal(vcpu_power_on(&vm->vcpu[i]), E_STATE);
	}
}

static void test_power_off(void **s)
{
	vm = vm_make("gone", "power_off", 4);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_HALTED);
	assert_int_equal(vm_end_status(vm->end), 2);
}

static void test_power_off_while_pausing(void **s)
{
	vm = vm_make("gone", "pause_off", 1);
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_HALTED);
}

/*
 * ---- budget -----------------------------------------------------------------------------------
 */

static void test_budget_is_exact(void **s)
{
	vm = vm_make("a", "spin", 1);
	vm->config.budget = 123457;
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_BUDGET);
	assert_int_equal(vm->ended.instructions, 123457);
}

static void test_budget_is_shared(void **s)
{
	vm = vm_make("a", "spin", 4);
	vm->config.budget = 1000000;
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_BUDGET);
	assert_true(vm->ended.instructions >= 1000000);
	assert_true(vm->ended.instructions < 1750000);
}

/* ---- a clock that counts ------------------------------------------------------------------- */

/* Twice the same, whatever the host's ticks and another VM do to its turns. */
static u64 counted_order(const char *what, u32 cpu_number, u64 budget)
{
	vm = vm_make("counted", what, cpu_number);
	vm->config.clock = "icount";
	vm->config.budget = budget;
	other = vm_make("busy", "spin", FAKE_CPUS);
	assert_int_equal(vm_start(other), OK);
	for (u64 i = 0, first = 0; i < 2; i++, first = order) {
		order = 0;
		assert_int_equal(vm_start(vm), OK);
		assert_true(run_until(is_stopped));
		assert_int_equal(vm->end, END_BUDGET);
		assert_int_equal(vm->ended.instructions, budget);
		assert_true(i == 0 || order == first);
	}
	return order;
}

static void test_counted_order(void **s)
{
	counted_order("order", 3, 2000001);
}

/* Time that is slept through does not take any. */
static void test_counted_sleep(void **s)
{
	counted_order("nap", 2, 100000);
	assert_true(gclock_now(&vm->clock) > 10000 * NS_PER_SEC);
}

static void test_counted_one_cpu(void **s)
{
	counted_order("nap", 1, 1000);
}

/* All sleep and there is no timer: a line from outside wakes ... */
static void test_counted_wakes(void **s)
{
	vm = vm_make("counted", "ring", 2);
	vm->config.clock = "icount";
	assert_int_equal(vm_start(vm), OK);
	run_ms(50);
	assert_int_equal(hops, 0);
	gcpu_line(&vm->vcpu[1].g, 0, true);
	assert_true(run_until(hopped));
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(vm_resume(vm), OK);
	run_ms(50);
	assert_int_equal(vm_stop(vm), OK);
	assert_true(hops > HOPS);
}

/* ... and so does a timer. */
static void test_counted_timer_from_outside(void **s)
{
	vm = vm_make("counted", "halt", 2);
	vm->config.clock = "icount";
	assert_int_equal(vm_start(vm), OK);
	run_ms(50);
	vm->vcpu[1].g.timer.fire = nap_over;
	gclock_arm(&vm->clock, &vm->vcpu[1].g.timer, 100 * NS_PER_SEC);
	run_ms(50);
	assert_true(gclock_now(&vm->clock) >= 100 * NS_PER_SEC);
}

static void test_counted_power(void **s)
{
	vm = vm_make("counted", "power_on", 4);
	vm->config.clock = "icount";
	assert_int_equal(vm_start(vm), OK);
	run_ms(50);
	assert_int_equal(vm_pause(vm), OK);
	assert_int_equal(hops, 3);
	for (u32 i = 0; i < 4; i++)
		assert_true(vm->vcpu[i].retired > 0);
	assert_int_equal(vm_stop(vm), OK);
	vm->config.cmdline = "power_off";
	assert_int_equal(vm_start(vm), OK);
	assert_true(run_until(is_stopped));
	assert_int_equal(vm->end, END_HALTED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, vms_forget, vms_forget)
	const struct CMUnitTest tests[] = {
		T(test_fairness),
		T(test_yield),
		T(test_pin),
		T(test_ring),
		T(test_ring_of_two),
		T(test_ring_pinned),
		T(test_ring_beside_busy_vm),
		T(test_halt_sleeps),
		T(test_requests),
		T(test_pause_stops_everything),
		T(test_line_while_paused),
		T(test_pause_from_the_guests_own_exit),
		T(test_power_on),
		T(test_power_off),
		T(test_power_off_while_pausing),
		T(test_budget_is_exact),
		T(test_budget_is_shared),
		T(test_counted_order),
		T(test_counted_sleep),
		T(test_counted_one_cpu),
		T(test_counted_wakes),
		T(test_counted_timer_from_outside),
		T(test_counted_power),
	};

	return cmocka_run_group_tests(tests, fake_setup, NULL);
}
