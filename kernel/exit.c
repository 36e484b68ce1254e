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

/* For hardware runners, which finish the instruction with ->value when run again. */
static enum turn exit_mmio(struct vcpu *v, struct exit *x)
{
	const struct range *r = space_find(v->g.space, x->gpa);

	if (!r || r->kind != RANGE_MMIO)
		x->value = MASK(8 * x->len);
	else if (x->write)
		range_mmio_write(r, x->gpa, x->len, x->value);
	else
		x->value = range_mmio_read(r, x->gpa, x->len);
	return TURN_AGAIN;
}

static enum turn exit_pio(struct vcpu *v, struct exit *x)
{
	const struct ports *p = &v->vm->ports;

	if (x->write)
		ports_write(p, (u32)x->gpa, x->len, (u32)x->value);
	else
		x->value = ports_read(p, (u32)x->gpa, x->len);
	return TURN_AGAIN;
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
	[EXIT_MMIO] = exit_mmio,
	[EXIT_PIO] = exit_pio,
	[EXIT_IRQ_WINDOW] = exit_again,
	[EXIT_SHUTDOWN] = exit_shutdown,
	[EXIT_DEBUG] = exit_debug,
	[EXIT_FAIL] = exit_fail,
};

enum turn exit_dispatch(struct vcpu *v, struct exit *x)
{
	return exits[x->why](v, x);
}
