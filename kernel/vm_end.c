/*
 * How a VM's run ends. Anybody may ask for it at any depth (a device model, an exit, the
 * monitor); the first one wins. The work is done in CPU 0's loop: park the guest's CPUs, write
 * the post-mortem, take the machine apart, then start again or say that it is over.
 */
#include "arch/clock.h"
#include "engine/isa.h"
#include "kernel/base/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"
#include "kernel/sched.h"

#define SOON		(5 * NS_PER_SEC)	/* a failure so soon after the start counts */
#define FAILURES_MAX	3			/* so many in a row and it is not restarted */

void (*vm_on_end)(struct vm *vm);

const char *vm_end_text(enum vm_end e)
{
	static const char *const texts[] = {
#define VM_END(name, text, status) text,
		VM_ENDS(VM_END)
#undef VM_END
	};

	return texts[e];
}

int vm_end_status(enum vm_end e)
{
	static const u8 statuses[] = {
#define VM_END(name, text, status) status,
		VM_ENDS(VM_END)
#undef VM_END
	};

	return statuses[e];
}

/* ---- asking ----------------------------------------------------------------------------- */

static void vm_post_end(struct vm *vm, enum vm_end end, u32 code)
{
	vm->stop_code = code;
	atomic_store(&vm->stop_request, (u32)end + 1);
	for (u32 i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].g.st)
			gcpu_request(&vm->vcpu[i].g, REQ_LEAVE);
	cpu_raise(&cpus[0], CPU_KICK);
}

void vm_request_end(struct vm *vm, enum vm_end end, u32 code)
{
	/* the user's word is the last */
	if (!atomic_exchange(&vm->end_claimed, true) || end == END_STOPPED)
		vm_post_end(vm, end, code);
}

void vm_fail(struct vm *vm, const char *fmt, ...)
{
	struct sink_buf b;
	va_list ap;

	if (atomic_exchange(&vm->end_claimed, true))
		return;
	b = sink_buf_init(vm->cause, sizeof(vm->cause));
	va_start(ap, fmt);
	sink_vprintf(&b.sink, fmt, ap);
	va_end(ap);
	vm_post_end(vm, END_CRASH, 0);
}

void vm_shutdown(void *vm, u32 how, u32 code)
{
	static const enum vm_end ends[] = {
		[SHUTDOWN_POWEROFF] = END_POWEROFF,
		[SHUTDOWN_REBOOT] = END_REBOOT,
		[SHUTDOWN_FAIL] = END_FAIL_CODE,
	};

	vm_request_end(vm, ends[how], code);
}

/* ---- the post-mortem --------------------------------------------------------------------- */

static void print_exits(const struct vcpu *v, struct sink *to)
{
	u32 n = MIN(v->last_at, ARRAY_LEN(v->last));

	if (!n)
		return;
	sink_puts(to, "last exits:");
	for (u32 i = 0; i < n; i++)
		sink_printf(to, " %s",
			    exit_name(v->last[(v->last_at - n + i) % ARRAY_LEN(v->last)]));
	sink_puts(to, "\n");
}

void vm_print_cpus(const struct vm *vm, struct sink *to)
{
	for (u32 i = 0; i < vm->vcpus; i++) {
		const struct vcpu *v = &vm->vcpu[i];

		sink_printf(to, "cpu %u: %s, pc %llx, %llu instructions\n", i,
			    !v->power ? "off" : v->g.halted ? "halted" : "on",
			    (unsigned long long)gcpu_pc(&v->g), (unsigned long long)v->g.icount);
		if (!v->power)
			continue;
		v->g.isa->print(&v->g, to);
		print_exits(v, to);
	}
}

static void vm_write_post_mortem(struct vm *vm)
{
	struct sink_buf b = sink_buf_init(vm->post_mortem, sizeof(vm->post_mortem));

	sink_printf(&b.sink, "%s\n", vm->cause);
	vm_print_cpus(vm, &b.sink);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void vm_log_end(const struct vm *vm)
{
	const char *name = vm->config.name, *text = vm_end_text(vm->end);

	if (vm->end == END_CRASH)
		log_limited(LOG_WARN, "vm %s: %s: %s", name, text, vm->cause);
	else if (vm->end == END_FAIL_CODE)
		log_limited(LOG_WARN, "vm %s: %s, with code %u", name, text, vm->end_code);
	else
		log_limited(LOG_INFO, "vm %s: %s", name, text);
}

/* Does configuration want another run? A guest that keeps failing at once is given up. */
static bool vm_wants_restart(struct vm *vm)
{
	const char *policy = vm->config.restart;
	bool failed = vm->end == END_CRASH || vm->end == END_FAIL_CODE;
	bool always = str_eq(policy, "always");

	if (vm->end == END_RESET)
		return true;
	if (vm->end == END_STOPPED || vm->end == END_BUDGET || str_eq(policy, "never"))
		return false;
	if (!failed) {
		vm->failures = 0;
		return vm->end == END_REBOOT || always;
	}
	if (!always && !str_eq(policy, "on-failure"))
		return false;
	vm->failures = arch_clock_ns() - vm->started < SOON ? vm->failures + 1 : 0;
	if (vm->failures < FAILURES_MAX)
		return true;
	log_error("vm %s: failed %u times at once, not restarted", vm->config.name, vm->failures);
	vm->failures = 0;
	return false;
}

void vm_finish(struct vm *vm)
{
	struct vm_stats stats;

	lock_take(&vm->lock);
	if (vm->state == VM_STOPPED) {
		vm->stop_request = 0;
		lock_drop(&vm->lock);
		return;
	}
	sched_park(vm);
	gclock_freeze(&vm->clock);
	vm->end = vm->stop_request - 1;
	vm->end_code = vm->stop_code;
	if (vm->end == END_CRASH)
		vm_write_post_mortem(vm);
	vm_stats(vm, &stats);
	vm_teardown(vm);
	vm->ended = stats;
	vm->state = VM_STOPPED;
	vm->stop_request = 0;
	lock_drop(&vm->lock);
	vm_log_end(vm);
	if (!vm_wants_restart(vm) || vm_start(vm) != OK)
		if (vm_on_end)
			vm_on_end(vm);
}
