/*
 * Time: the physical counter, which all CPUs share, and each CPU's EL2 physical timer CNTHP
 * (Arm ARM D11). The timer's interrupt is a level: it stays until the timer is switched off.
 */
#include "arch/clock.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/scale.h"
#include "boot/boot.h"
#include "kernel/base/log.h"

#define CNTFRQ_ASSUMED	62500000	/* when firmware left CNTFRQ_EL0 zero */

/* set once */
static u64 start;
static struct scale to_ns, to_ticks;
static u64 wall_start;

static u64 counter_read(void)
{
	barrier_isb();
	return sysreg_read(cntpct_el0);
}

void clock_init(const struct boot_info *info)
{
	u64 hz = (u32)sysreg_read(cntfrq_el0);

	if (!hz) {
		hz = CNTFRQ_ASSUMED;
		log_warn("clock: firmware did not set CNTFRQ_EL0, assuming %llu Hz",
			 (unsigned long long)hz);
	}
	to_ns = scale_make(hz, NS_PER_SEC);
	to_ticks = scale_make(NS_PER_SEC, hz);
	start = counter_read();
	wall_start = info->wall_seconds;
}

void clock_init_cpu(void)
{
	arch_timer_set(NS_NEVER);
	gic_enable(machine.timer);
}

/* Before clock_init() the scale is empty and time stands at 0. */
ns_t arch_clock_ns(void)
{
	return scale_apply(to_ns, counter_read() - start);
}

u64 clock_count_at(ns_t ns)
{
	return start + scale_apply(to_ticks, ns);
}

/* Most calls change nothing; writing the timer costs more than reading it, not only under QEMU. */
void arch_timer_set(ns_t deadline)
{
	u64 on = sysreg_read(cnthp_ctl_el2) & CNT_CTL_ENABLE;
	u64 at = start + scale_apply(to_ticks, deadline) + 1;

	if (deadline == NS_NEVER) {
		if (on)
			sysreg_write(cnthp_ctl_el2, 0);
	} else if (!on || sysreg_read(cnthp_cval_el2) != at) {
		sysreg_write(cnthp_cval_el2, at);
		sysreg_write(cnthp_ctl_el2, CNT_CTL_ENABLE);
	}
	barrier_isb();
}

void clock_poll(void)
{
	if (!(sysreg_read(cnthp_ctl_el2) & CNT_CTL_ISTATUS))
		return;
	arch_timer_set(NS_NEVER);
	cpu_raise_local(cpu_self, CPU_TIMER);
}

u64 arch_wall_seconds(void)
{
	return wall_start ? wall_start + arch_clock_ns() / NS_PER_SEC : 0;
}
