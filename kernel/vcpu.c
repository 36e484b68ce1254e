/* A guest CPU as the rest of the kernel sees it: power, and the engine's call for attention. */
#include "kernel/sched.h"

err_t vcpu_power_on(struct vcpu *v)
{
	return sched_power_on(v);
}

void vcpu_power_off(struct vcpu *v)
{
	sched_power_off(v);
}

bool vcpu_is_off(struct vcpu *v)
{
	return sched_is_off(v);
}

/* With a clock that counts the scheduler knows the carrier only. */
u32 vm_cpu(void *ctx)
{
	const struct vm *vm = ctx;
	const struct vcpu *v = sched_current();

	if (gclock_counts(&vm->clock))
		return vm->turn;
	return v && v->vm == vm ? v->index : 0;
}

void gcpu_kick(struct gcpu *g)
{
	sched_kick(vcpu_of(g));
}
