/*
 * The clock is the TSC. Its frequency comes from CPUID leaf 15h or is measured against the
 * best reference there is: HPET (its specification 2.3), the ACPI timer (ACPI 6.4, 4.8.3.3)
 * or channel 2 of the PIT. The alarm is the local APIC's timer, in TSC-deadline mode where
 * that exists, else as a one-shot counter whose own frequency is measured against the TSC.
 *
 * A measurement can be interrupted by a host below us, so both ends of the interval are read
 * several times and the tightest reading counts.
 */
#include "arch/bare/firmware.h"
#include "arch/bare/scale.h"
#include "arch/clock.h"
#include "arch/mem.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"

#include <cpuid.h>

#define PM_TIMER_HZ	3579545
#define PIT_HZ		1193182
#define PERIOD		100	/* measure 1/100 s */

struct reference {
	const char *name;
	u32 (*read)(void);
	u64 hz;
	u32 mask;
};

struct sample {
	u64 tsc;
	u32 count;
};

static u64 tsc_base, tsc_hz;
static struct scale to_ns, to_tsc, to_timer;
static bool has_deadline;
static const char *source = "CPUID";

static volatile u8 *hpet;
static u16 pm_timer;

static u32 hpet_read(void)
{
	return mmio_read32(hpet + 0xf0);
}

static u32 pm_read(void)
{
	return in32(pm_timer);
}

/* Counts down, and is latched to be read in halves. */
static u32 pit_read(void)
{
	out8(0x43, 0x80);
	u32 low = in8(0x42);

	return 0xffff - (low | (u32)in8(0x42) << 8);
}

static bool hpet_find(struct reference *r)
{
	const struct acpi_hpet *t = acpi_find(&acpi, "HPET", 0, sizeof(*t));
	u32 period;

	if (!t || t->base.space != ACPI_SPACE_MEMORY || !t->base.address)
		return false;
	hpet = arch_mmio_map(t->base.address, 1024, PROT_R | PROT_W | PROT_DEVICE);
	period = hpet ? mmio_read32(hpet + 4) : 0;	/* femtoseconds, at most 100 ns */
	if (!period || period > 100000000)
		return false;
	mmio_write32(hpet + 0x10, mmio_read32(hpet + 0x10) | 1);
	*r = (struct reference){ "HPET", hpet_read, 1000000000000000ull / period, UINT32_MAX };
	return true;
}

static bool pm_find(struct reference *r)
{
	const struct acpi_fadt *f =
		acpi_find(&acpi, "FACP", 0, offsetof(struct acpi_fadt, unused0));

	if (!f || !f->pm_timer || f->pm_timer > 0xffff)
		return false;
	pm_timer = (u16)f->pm_timer;
	*r = (struct reference){ "ACPI timer", pm_read, PM_TIMER_HZ, MASK(24) };
	return true;
}

static void pit_find(struct reference *r)
{
	out8(0x61, (in8(0x61) & ~2) | 1);	/* gate of channel 2 on, speaker off */
	out8(0x43, 0xb0);			/* channel 2, both bytes, mode 0 */
	out8(0x42, 0xff);
	out8(0x42, 0xff);
	*r = (struct reference){ "PIT", pit_read, PIT_HZ, MASK(16) };
}

static struct sample sample_take(u32 (*read)(void))
{
	struct sample best = { 0 };
	u64 gap_best = UINT64_MAX;

	for (u32 i = 0; i < 8; i++) {
		u64 before = host_cycles();
		u32 count = read();
		u64 gap = host_cycles() - before;

		if (gap < gap_best) {
			gap_best = gap;
			best = (struct sample){ before + gap / 2, count };
		}
	}
	return best;
}

static u64 tsc_measure(const struct reference *r)
{
	struct sample a = sample_take(r->read), b;

	while (((r->read() - a.count) & r->mask) < r->hz / PERIOD)
		;
	b = sample_take(r->read);
	return scale_apply(scale_make((b.count - a.count) & r->mask, r->hz), b.tsc - a.tsc);
}

static u64 tsc_of_cpuid(void)
{
	u32 a, b, c, d;

	if (!__get_cpuid(0x15, &a, &b, &c, &d) || !a || !b || !c)
		return 0;
	return (u64)c * b / a;
}

static u64 tsc_find(void)
{
	struct reference r;
	u64 hz = tsc_of_cpuid();

	if (hz)
		return hz;
	if (!hpet_find(&r) && !pm_find(&r))
		pit_find(&r);
	source = r.name;
	return tsc_measure(&r);
}

/* Ticks of the local APIC's counter in a second. */
static u64 timer_measure(void)
{
	struct sample a, b;

	apic_timer_start(UINT32_MAX);
	a = sample_take(apic_timer_left);
	while (host_cycles() - a.tsc < tsc_hz / PERIOD)
		;
	b = sample_take(apic_timer_left);
	apic_timer_start(0);
	return scale_apply(scale_make(b.tsc - a.tsc, tsc_hz), a.count - b.count);
}

static void timer_raise(u32 vector)
{
	percpu_of(cpu_self)->alarm = NS_NEVER;
	cpu_raise_local(cpu_self, CPU_TIMER);
}

void clock_init(void)
{
	u32 a, b, c = 0, d;

	tsc_base = host_cycles();
	tsc_hz = tsc_find();
	to_ns = scale_make(tsc_hz, NS_PER_SEC);
	to_tsc = scale_make(NS_PER_SEC, tsc_hz);
	has_deadline = __get_cpuid(1, &a, &b, &c, &d) && (c & (1 << 24));
	if (!has_deadline)
		to_timer = scale_make(NS_PER_SEC, timer_measure());
	if (!boot->firmware_ns)
		boot->firmware_ns = scale_apply(to_ns, tsc_base);
	vector_bind(VECTOR_TIMER, timer_raise);
	clock_init_cpu();
}

void clock_init_cpu(void)
{
	percpu_of(cpu_self)->alarm = NS_NEVER;
	if (has_deadline)
		apic_timer_deadline(VECTOR_TIMER);
	else
		apic_timer_oneshot(VECTOR_TIMER);
}

u64 clock_tsc_hz(void)
{
	return tsc_hz;
}

u64 clock_tsc_at(ns_t ns)
{
	return tsc_base + scale_apply(to_tsc, ns);
}

const char *clock_source(void)
{
	return source;
}

ns_t arch_clock_ns(void)
{
	return tsc_hz ? scale_apply(to_ns, host_cycles() - tsc_base) : 0;
}

void arch_timer_set(ns_t deadline)
{
	_Atomic ns_t *alarm = &percpu_of(cpu_self)->alarm;
	ns_t now;
	u64 count;

	/*
	 * Setting it is dear where the timer is emulated, and the scheduler asks for the same
	 * again and again.
	 */
	if (atomic_exchange(alarm, deadline) == deadline)
		return;
	if (has_deadline) {
		msr_write(MSR_TSC_DEADLINE,
			  deadline == NS_NEVER ? 0 : tsc_base + scale_apply(to_tsc, deadline) + 1);
		return;
	}
	if (deadline == NS_NEVER)
		return apic_timer_start(0);
	now = arch_clock_ns();
	/* A counter that is too short fires early; the timer queue then sets it again. */
	count = deadline > now ? scale_apply(to_timer, MIN(deadline - now, 60 * NS_PER_SEC)) + 1 :
				 1;
	apic_timer_start((u32)MIN(count, UINT32_MAX));
}

u64 arch_wall_seconds(void)
{
	return boot->wall_seconds ? boot->wall_seconds + arch_clock_ns() / NS_PER_SEC : 0;
}

void clock_wait(ns_t ns)
{
	ns_t end = arch_clock_ns() + ns;

	while (arch_clock_ns() < end)
		host_relax();
}
