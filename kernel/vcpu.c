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

void gcpu_kick(struct gcpu *g)
{
	sched_kick(vcpu_of(g));
}
