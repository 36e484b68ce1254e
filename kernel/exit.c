/*
 * What happens when a runner returns: one function for each reason, whatever ran the guest.
 * They run between turns of the guest CPU on its host CPU and must not take vm->lock: whoever
 * holds that may be waiting for this turn to end.
 */
#include "kernel/board.h"
#include "kernel/sched.h"

static enum turn exit_again(struct vcpu *v, struct exit *x)
{
	return TURN_AGAIN;
}

static enum turn exit_halt(struct vcpu *v, struct exit *x)
{
	return TURN_HALT;
}

static enum turn exit_yield(struct vcpu *v, struct exit *x)
{
	if (sched_others_wait())
		return TURN_YIELD;
	host_relax();
	return TURN_AGAIN;
}

static enum turn exit_hypercall(struct vcpu *v, struct exit *x)
{
	v->vm->board->hypercall(v);
	return v->g.halted ? TURN_HALT : TURN_AGAIN;
}

static enum turn exit_shutdown(struct vcpu *v, struct exit *x)
{
	vm_fail(v->vm, "CPU %u gave up: %s", v->index, x->text);
	return TURN_AGAIN;
}

static enum turn exit_debug(struct vcpu *v, struct exit *x)
{
	vm_fail(v->vm, "CPU %u hit a breakpoint and there is no debugger", v->index);
	return TURN_AGAIN;
}

static enum turn exit_fail(struct vcpu *v, struct exit *x)
{
	vm_fail(v->vm, "CPU %u: %s", v->index, x->text);
	return TURN_AGAIN;
}

static enum turn (*const exits[EXIT_COUNT])(struct vcpu *v, struct exit *x) = {
	[EXIT_BUDGET] = exit_again,
	[EXIT_HALT] = exit_halt,
	[EXIT_YIELD] = exit_yield,
	[EXIT_HYPERCALL] = exit_hypercall,
	[EXIT_MMIO] = exit_again,		/* runners do these themselves, and count them */
	[EXIT_PIO] = exit_again,
	[EXIT_IRQ_WINDOW] = exit_again,
	[EXIT_SHUTDOWN] = exit_shutdown,
	[EXIT_DEBUG] = exit_debug,
	[EXIT_FAIL] = exit_fail,
};

enum turn exit_dispatch(struct vcpu *v, struct exit *x)
{
	return exits[x->why](v, x);
}
