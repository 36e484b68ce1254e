/*
 * KVM's paravirtual clock, which Linux and the BSDs know: the guest learns its TSC's frequency, and
 * wall time, without measuring anything, which is unreliable in a guest. (Linux,
 * Documentation/virt/kvm/x86/{cpuid,msr}.rst.)
 *
 * A guest's TSC is 0 at guest time 0 and both run on together, also over pauses, so the page that
 * KVM updates all the time is written once here.
 */
#include "arch/clock.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/vt/vt.h"
#include "kernel/base/str.h"

enum { STABLE = 1 };			/* the same on all CPUs */
#define ENABLED	1u

struct time_info {
	u32 version, pad;
	u64 tsc, ns;
	u32 mul;
	s8 shift;
	u8 flags, pad2[2];
};
_Static_assert(sizeof(struct time_info) == 32, "the guest's layout");

struct wall_info {
	u32 version, seconds, ns;
};

static void write(struct vt_cpu *v, gpa_t at, const void *p, u32 len)
{
	/* Where there is no memory, the guest sees no time. */
	if (space_write(v->g->space, at, p, len) != OK)
		return;
}

/* ns = ((ticks << shift) * mul) >> 32, as precise as 32 bits allow. */
static void scale(struct time_info *t)
{
	u64 hz = clock_tsc_hz();

	for (; hz > 2 * NS_PER_SEC; t->shift--)
		hz >>= 1;
	for (; hz <= NS_PER_SEC; t->shift++)
		hz <<= 1;
	t->mul = (u32)(((u128)NS_PER_SEC << 32) / hz);
}

static void write_system(struct vt_cpu *v, u64 val)
{
	struct time_info t = { .version = 2, .tsc = v->st->tsc_adjust, .flags = STABLE };

	scale(&t);
	if (val & ENABLED)
		write(v, val & ~(u64)ENABLED, &t, sizeof(t));
}

static void write_wall(struct vt_cpu *v, u64 val)
{
	u64 now = gclock_now(v->g->clock), wall = arch_wall_seconds() * NS_PER_SEC;
	u64 start = wall > now ? wall - now : 0;	/* wall time at guest time 0 */
	struct wall_info w = { 2, (u32)(start / NS_PER_SEC), (u32)(start % NS_PER_SEC) };

	write(v, val, &w, sizeof(w));
}

void vt_pvclock_write(struct vt_cpu *v, u32 msr, u64 val)
{
	if (msr == VT_MSR_SYSTEM_TIME) {
		v->st->kvm_system_time = val;
		write_system(v, val);
	} else {
		v->st->kvm_wall_clock = val;
		write_wall(v, val);
	}
}
