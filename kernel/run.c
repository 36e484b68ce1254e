/*
 * A guest CPU's turn: call its runner until there is a reason to give up the host CPU. The
 * instruction budget of a VM is dealt out here, one CPU's share at a time.
 */
#include "engine/runner.h"
#include "kernel/sched.h"

/*
 * Instructions this CPU may run now. With several CPUs the rest is shared out, so that it is
 * exceeded by at most one share's rounding; with one CPU it is exact.
 */
static s64 vcpu_budget(const struct vcpu *v)
{
	const struct vm *vm = v->vm;
	u64 used = 0, left;

	if (!vm->config.budget)
		return INT64_MAX;
	for (u32 i = 0; i < vm->vcpus; i++)
		used += vm->vcpu[i].retired;
	left = vm->config.budget > used ? vm->config.budget - used : 0;
	return (s64)(left ? MAX(left / vm->vcpus, 1) : 0);
}

static void vcpu_note(struct vcpu *v, const struct exit *x)
{
	v->g.exits[x->why]++;
	v->retired = v->g.icount;
	if (x->why == EXIT_BUDGET || x->why == EXIT_HALT)
		return;			/* say nothing about how a guest came to its end */
	v->last[v->last_at++ % ARRAY_LEN(v->last)] = *x;
}

static bool vcpu_must_leave(const struct vcpu *v)
{
	return cpu_self->pending || v->park || !v->power || v->vm->stop_request ||
	       v->vm->pause_request;
}

enum turn vcpu_run(struct vcpu *v)
{
	enum turn next;

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
	return next;
}
