/*
 * The guest's TSC counts guest time at the host's frequency: 0 when the machine starts, and the
 * same on all its CPUs, unless the guest adjusts one. A turn computes it anew, for the VM may have
 * been paused.
 */
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/vt/vt.h"
#include "host/cpu.h"

void vt_tsc_load(struct vt_cpu *v)
{
	ns_t start = (ns_t)atomic_load(&v->g->clock->offset);	/* host time at guest time 0 */

	v->tsc_offset = v->st->tsc_adjust - clock_tsc_at(start);
}

u64 vt_tsc(const struct vt_cpu *v)
{
	return host_cycles() + v->tsc_offset;
}
