/*
 * The interrupt controller's common part: who is told about which INTID. Every shared
 * interrupt goes to the boot CPU; handlers only raise flags, so that is load enough for one.
 */
#include "arch/aarch64/sys/gic.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "arch/trap.h"
#include "kernel/base/log.h"

struct binding {
	_Atomic(void (*)(void *arg)) raise;
	void *arg;
};

static const struct gic *gic;			/* set once; NULL: none */
static struct binding bindings[GIC_INTIDS];

void gic_init(void)
{
	gic = machine.gic.version >= 3 ? &gicv3_gic : machine.gic.version == 2 ? &gicv2_gic : NULL;
	if (gic && !gic->init()) {
		log_error("%s: the distributor at %#llx does not answer", gic->name,
			  (unsigned long long)machine.gic.dist);
		gic = NULL;
	}
	if (!gic) {
		log_error("no interrupt controller: timer and console are polled, no other CPUs");
		return;
	}
	gic_init_cpu();
}

void gic_init_cpu(void)
{
	if (gic && !gic->init_cpu(cpu_self))
		log_error("%s: no CPU interface for CPU %u", gic->name, cpu_self->id);
}

bool gic_present(void)
{
	return gic;
}

void gic_enable(u32 intid)
{
	if (gic)
		gic->enable(intid, true);
}

void gic_disable(u32 intid)
{
	if (gic)
		gic->enable(intid, false);
}

void gic_send(struct cpu *to, u32 sgi)
{
	if (gic)
		gic->send(to, sgi);
}

void arch_cpu_kick(struct cpu *c)
{
	gic_send(c, SGI_KICK);
}

static void bound_raise(u32 intid)
{
	void (*raise)(void *arg) =
		atomic_load_explicit(&bindings[intid].raise, memory_order_acquire);

	if (raise)
		raise(bindings[intid].arg);
	else
		gic_disable(intid);	/* nobody can quieten it, so it must not come back */
}

void irq_take(void)
{
	u32 ack = gic->ack(), intid = ack & 0xffffff;

	if (intid >= GIC_INTIDS) {
		return;
	} else if (intid < 16) {
		gic->eoi(ack);
		if (intid == SGI_STOP)
			arch_halt();
		return;			/* SGI_KICK: the flags are set, waking up was the message */
	} else if (intid == machine.timer) {
		clock_poll();
	} else {
		bound_raise(intid);
	}
	gic->eoi(ack);
}

err_t arch_irq_bind(irq_t irq, void (*raise)(void *arg), void *arg)
{
	if (!gic)
		return ERRF(E_UNSUPPORTED, "no interrupt controller");
	if (irq < 16 || irq >= GIC_INTIDS)
		return ERRF(E_RANGE, "interrupt %u: not a PPI or SPI", irq);
	if (irq == machine.timer || atomic_load(&bindings[irq].raise))
		return ERRF(E_EXIST, "interrupt %u is in use", irq);
	bindings[irq].arg = arg;
	atomic_store_explicit(&bindings[irq].raise, raise, memory_order_release);
	gic_enable(irq);
	return OK;
}

void arch_irq_unbind(irq_t irq)
{
	if (irq >= GIC_INTIDS)
		return;
	gic_disable(irq);
	atomic_store(&bindings[irq].raise, NULL);
}

void arch_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #3" ::: "memory");
}

void arch_irq_disable(void)
{
	__asm__ volatile("msr daifset, #3" ::: "memory");
}

void arch_stop_others(void)
{
	for (u32 i = 0; i < cpu_count; i++)
		if (&cpus[i] != cpu_self && atomic_load(&cpus[i].online))
			gic_send(&cpus[i], SGI_STOP);
}
