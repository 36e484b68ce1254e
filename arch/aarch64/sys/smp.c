/*
 * The other CPUs: PSCI CPU_ON one after the other, so that a broken one is known by name.
 *
 * A CPU that does not come within 100 ms may still come later. Its invitation, which lies in
 * its own area, is withdrawn first and the area stays reserved; the latecomer sees that and
 * halts, having touched nothing else.
 */
#include "arch/smp.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/selftest.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/trap.h"
#include "host/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/page.h"

#define ANSWER_TIME (100 * NS_PER_MS)

struct host_cpu host_cpus[CPU_MAX];
static void (*entry_function)(void);

void smp_enter(struct start_regs *r)
{
	struct cpu *c = (struct cpu *)(uptr)r->cpu;
	u32 invited = START_INVITED;

	if (!atomic_compare_exchange_strong(&r->arrived, &invited, START_ARRIVED))
		arch_halt();
	cpu_self = c;
	gic_init_cpu();
	clock_init_cpu();
	selftest_cpu();
	atomic_store(&c->online, true);
	arch_irq_enable();
	entry_function();
	arch_halt();
}

/* The new CPU's area and registers; its cache is off at first, so they must be in memory. */
static struct start_regs *cpu_prepare(struct cpu *c, const struct machine_cpu *m)
{
	struct host_cpu *h = &host_cpus[c->id];
	u8 *area = page_alloc(AREA_ORDER, m->node);
	struct start_regs *r;

	if (!area)
		return NULL;
	if (area_guard(area)) {
		page_free(area, AREA_ORDER);
		return NULL;
	}
	r = (struct start_regs *)(area + AREA_START);
	mem_start_regs(r);
	r->area = (u64)(uptr)area;
	r->tpidr = area_init(area);
	r->cpu = (u64)(uptr)c;
	*h = (struct host_cpu){ .area = area, .affinity = m->affinity };
	c->node = m->node;
	c->hw_id = m->affinity;
	c->arch = h;
	mem_clean(r, sizeof(*r));
	return r;
}

static bool cpu_await(struct cpu *c, struct start_regs *r)
{
	ns_t end = arch_clock_ns() + ANSWER_TIME;
	u32 invited = START_INVITED;

	while (!atomic_load(&r->arrived))
		if (arch_clock_ns() > end &&
		    atomic_compare_exchange_strong(&r->arrived, &invited, START_ABANDONED))
			return false;
	while (!atomic_load(&c->online))
		host_relax();
	return true;
}

static void cpu_start(const struct machine_cpu *m)
{
	struct cpu *c = &cpus[cpu_count];
	struct start_regs *r;
	s64 status;

	c->id = cpu_count;
	r = cpu_prepare(c, m);
	if (!r) {
		log_error("cpu %#llx: no memory for its stacks", (unsigned long long)m->affinity);
		return;
	}
	selftest_look();
	status = psci_cpu_on(m->affinity, (hpa_t)(uptr)start_secondary, (u64)(uptr)r);
	if (status)
		log_warn("cpu %#llx: PSCI refuses to start it (%lld)",
			 (unsigned long long)m->affinity, (long long)status);
	else if (!cpu_await(c, r))
		log_warn("cpu %#llx: does not answer, left out", (unsigned long long)m->affinity);
	else
		cpu_count++;
	selftest_look();
}

static void cpus_start(void)
{
	u64 self = host_cpu(cpu_self)->affinity;

	if (!psci_version() || !gic_present()) {
		log_info("no %s: only the boot CPU is used",
			 gic_present() ? "PSCI" : "interrupt controller");
		return;
	}
	if (machine.cpus_left_out)
		log_warn("%u CPUs are left out: at most %u are used", machine.cpus_left_out,
			 CPU_MAX);
	for (u32 i = 0; i < machine.cpus && cpu_count < CPU_MAX; i++)
		if (machine.cpu[i].affinity != self)
			cpu_start(&machine.cpu[i]);
}

err_t arch_smp_start(void (*entry)(void))
{
	entry_function = entry;
	cpus_start();
	selftest_end();
	return OK;
}

/* WFI ends on a pending interrupt even while that is masked: none is lost. */
void arch_cpu_idle(void)
{
	while (!atomic_load(&cpu_self->pending)) {
		if (!gic_present()) {
			clock_poll();
			uart_poll();
			continue;
		}
		arch_irq_disable();
		if (!atomic_load(&cpu_self->pending))
			__asm__ volatile("dsb sy; wfi" ::: "memory");
		arch_irq_enable();
	}
}
