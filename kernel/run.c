/*
 * A guest CPU's turn: call its runner until there is a reason to give up the host CPU. The
 * instruction budget of a VM is dealt out here, one CPU's share at a time.
 *
 * With a clock that counts instructions the first CPU's turn is that of all: a quantum each, in
 * order. What happens between quanta (timers, time skipped, who is next) depends on instructions
 * alone, and a turn that ends early for the host's sake goes on where it was.
 */
#include "engine/isa.h"
#include "engine/runner.h"
#include "kernel/base/field.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"
#include "kernel/sched.h"

/* Instructions left of the VM's budget. */
static u64 budget_left(const struct vm *vm)
{
	u64 used = 0;

	for (u32 i = 0; i < vm->vcpus; i++)
		used += vm->vcpu[i].retired;
	return vm->config.budget > used ? vm->config.budget - used : 0;
}

/*
 * Instructions this CPU may run now. With several CPUs the rest is shared out, so that it is
 * exceeded by at most one share's rounding; with one CPU it is exact.
 */
static s64 vcpu_budget(const struct vcpu *v)
{
	const struct vm *vm = v->vm;
	u64 left;

	if (!vm->config.budget)
		return INT64_MAX;
	left = budget_left(vm);
	return (s64)(left ? MAX(left / vm->vcpus, 1) : 0);
}

static void vcpu_note(struct vcpu *v, const struct exit *x)
{
	v->g.exits[x->why]++;
	v->retired = v->g.icount;
	if (x->why == EXIT_BUDGET || x->why == EXIT_HALT)
		return;			/* say nothing about how a guest came to its end */
	v->last[v->last_at++ % ARRAY_LEN(v->last)] = (u8)x->why;
}

static bool vcpu_must_leave(const struct vcpu *v)
{
	return cpu_self->pending || v->park || !v->power || v->vm->stop_request ||
	       v->vm->pause_request;
}

/* ---- all CPUs of a VM whose clock counts -------------------------------------------------- */

/* To the end of the quantum, or of the budget. */
static s64 quantum_left(const struct vcpu *v)
{
	u64 left = ICOUNT_QUANTUM - v->g.icount % ICOUNT_QUANTUM;

	return (s64)(v->vm->config.budget ? MIN(left, budget_left(v->vm)) : left);
}

/* Of all the state that the ISA lists. */
static u64 state_hash(const struct gcpu *g)
{
	u64 h = 0;

	for (const struct field *f = g->isa->fields; f->name; f++)
		for (u32 i = 0; i < f->count; i++) {
			u64 v = 0;

			memcpy(&v, (const u8 *)g->st + f->offset + i * f->size, f->size);
			h = (h ^ v) * 0xd6e8feb86659fd93ull;
			h ^= h >> 32;
		}
	return h;
}

static void quantum_trace(const struct vcpu *v)
{
	u64 every = ALIGN_UP(v->vm->config.trace, (u64)ICOUNT_QUANTUM);

	if (every && v->g.icount % every == 0)
		log_info("vm %s: cpu %u at %llu: pc %llx state %016llx", v->vm->config.name,
			 v->index, (unsigned long long)v->g.icount,
			 (unsigned long long)gcpu_pc(&v->g),
			 (unsigned long long)state_hash(&v->g));
}

/* One call of the runner; false if @v may go on after it. */
static bool quantum_run(struct vcpu *v)
{
	u64 before = v->g.icount;

	v->g.runner->run(&v->g, &v->exit);
	vcpu_note(v, &v->exit);
	exit_dispatch(v, &v->exit);
	if (v->exit.why != EXIT_BUDGET)
		return true;
	if (v->g.icount == before || v->g.icount % ICOUNT_QUANTUM)
		return false;
	quantum_trace(v);
	return true;
}

static bool vcpu_sleeps(struct vcpu *v)
{
	return !v->power || (v->g.halted && !v->g.isa->wakes(&v->g));
}

/* The next CPU that does not sleep gets the turn; false if all do and no timer will wake one. */
static bool quantum_next(struct vm *vm)
{
	gclock_fire(&vm->clock);
	for (;;) {
		for (u32 i = 0; i < vm->vcpus; i++) {
			vm->turn = (vm->turn + 1) % vm->vcpus;
			if (!vcpu_sleeps(&vm->vcpu[vm->turn]))
				return true;
		}
		if (cpu_self->pending)
			return true;
		if (!gclock_skip(&vm->clock))
			return false;
		gclock_fire(&vm->clock);
	}
}

static bool carrier_must_leave(const struct vcpu *v)
{
	return cpu_self->pending || v->park || v->vm->stop_request || v->vm->pause_request;
}

static enum turn carrier_run(struct vcpu *carrier)
{
	struct vm *vm = carrier->vm;

	for (;;) {
		struct vcpu *v = &vm->vcpu[vm->turn];

		atomic_store(&cpu_self->attention, &v->g.attention);
		if (carrier_must_leave(carrier))
			return TURN_AGAIN;
		if (vcpu_sleeps(v)) {
			if (!quantum_next(vm))
				return TURN_HALT;
			continue;
		}
		v->g.budget = quantum_left(v);
		if (v->g.budget <= 0) {
			vm_request_end(vm, END_BUDGET, 0);
			return TURN_AGAIN;
		}
		if (!quantum_run(v))
			continue;
		if (!v->power)
			return TURN_AGAIN;
		if (!quantum_next(vm))
			return TURN_HALT;
	}
}

/* ---- one CPU ------------------------------------------------------------------------------ */

enum turn vcpu_run(struct vcpu *v)
{
	enum turn next;

	if (gclock_counts(&v->vm->clock))
		return carrier_run(v);
	do {
		v->g.budget = vcpu_budget(v);
		if (v->g.budget <= 0) {
			vm_request_end(v->vm, END_BUDGET, 0);
			return TURN_AGAIN;
		}
		v->g.runner->run(&v->g, &v->exit);
		vcpu_note(v, &v->exit);
		next = exit_dispatch(v, &v->exit);
	} while (next == TURN_AGAIN && !vcpu_must_leave(v));
	if (v->g.runner->sync)
		v->g.runner->sync(&v->g);
	return next;
}
