/*
 * The other CPUs (SDM 3A, 8.4.4): INIT to all candidates, then for each a start-up IPI and a
 * wait until it reports. A CPU starts in real mode below 1 MiB in the trampoline, whose three
 * pages are code (made executable, then not writable), a copy of the page tables' root
 * (below 4 GiB, wherever ours is) and what differs for each CPU.
 *
 * OVMF parks CPUs in MWAIT, which keeps an emulating host busy: they are taken over early and
 * idle in HLT. Without ACPI the first 16 APIC IDs are tried, briefly.
 */
#include "arch/bare/firmware.h"
#include "arch/bare/selftest.h"
#include "arch/irq.h"
#include "arch/mem.h"
#include "arch/smp.h"
#include "arch/trap.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/clock.h"
#include "arch/x86_64/sys/fpu.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/paging.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/smp.h"
#include "arch/x86_64/sys/trap.h"
#include "arch/clock.h"
#include "host/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/page.h"
#include "kernel/base/str.h"

#define PROBED_IDS 16

struct start {			/* the trampoline's third page; trampoline.S knows the offsets */
	u64 root, cr3, stack, entry;
	struct percpu *percpu;
	u64 gdt[3];
	struct { u16 limit; u32 base; } packed gdt_register;
	u16 reserved;
	struct { u32 offset; u16 selector; } packed far;
};
_Static_assert(offsetof(struct start, percpu) == 32 && offsetof(struct start, gdt_register) == 64 &&
	       offsetof(struct start, far) == 72, "trampoline.S");

enum start_state { START_INVITED, START_ARRIVED, START_ABANDONED };

extern const u8 trampoline[], trampoline_long[], trampoline_end[];

static void (*cpu_entry)(void);
static u32 candidate[CPU_MAX], candidates;
static enum srat_type candidate_type[CPU_MAX];

static void kick_raise(u32 vector)
{
	/* Having been interrupted is all. */
}

void smp_init(void)
{
	vector_bind(VECTOR_KICK, kick_raise);
	vector_bind(VECTOR_FLUSH, paging_flush);
}

void arch_cpu_kick(struct cpu *c)
{
	if (c != cpu_self && atomic_load(&c->online))
		apic_send(c, VECTOR_KICK);
}

void arch_cpu_idle(void)
{
	/* STI holds interrupts off for one more instruction, so none slips in before HLT. */
	__asm__ volatile("cli" ::: "memory");
	while (!atomic_load(&cpu_self->pending))
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	__asm__ volatile("sti" ::: "memory");
}

static void candidate_add(u32 id, enum srat_type type)
{
	if (id == percpu_boot.apic_id || (!apic_is_x2() && id > 254))
		return;
	for (u32 i = 0; i < candidates; i++)
		if (candidate[i] == id)
			return;
	if (candidates == CPU_MAX - 1) {
		log_warn("cpu: APIC %u left out, %u CPUs are the limit", id, CPU_MAX);
		return;
	}
	candidate[candidates] = id;
	candidate_type[candidates++] = type;
}

/* True if firmware told which CPUs there are. */
static bool candidates_collect(void)
{
	const struct acpi_madt *madt = acpi_find(&acpi, "APIC", 0, sizeof(*madt));

	for (const struct madt_lapic *l = NULL; madt && (l = acpi_each(madt, MADT_LAPIC, l)); )
		if (l->flags & MADT_CPU_ENABLED)
			candidate_add(l->id, SRAT_LAPIC);
	for (const struct madt_x2apic *l = NULL; madt && (l = acpi_each(madt, MADT_X2APIC, l)); )
		if (l->flags & MADT_CPU_ENABLED)
			candidate_add(l->id, SRAT_X2APIC);
	for (u32 i = 0; !madt && i < PROBED_IDS; i++)
		candidate_add(i, SRAT_LAPIC);
	return madt;
}

/* Three free pages below 640 KiB, or 0. */
static hpa_t low_pages_find(void)
{
	for (u32 i = 0; i < boot->ranges; i++) {
		const struct boot_range *r = &boot->range[i];
		hpa_t at = MAX(r->base, PAGE_SIZE), end = MIN(r->base + r->len, KIB(640));

		if (r->kind == BOOT_FREE && at < end && end - at >= 3 * PAGE_SIZE)
			return end - 3 * PAGE_SIZE;
	}
	return 0;
}

static struct start *trampoline_place(hpa_t at)
{
	struct start *s = (struct start *)(at + 2 * PAGE_SIZE);

	memcpy((void *)at, trampoline, (size_t)(trampoline_end - trampoline));
	memcpy((void *)(at + PAGE_SIZE), paging_root(), PAGE_SIZE);
	if (arch_mem_protect((void *)at, PAGE_SIZE, PROT_R | PROT_X) != OK)
		return NULL;
	s->root = at + PAGE_SIZE;
	s->cr3 = (u64)paging_root();
	memcpy(s->gdt, percpu_boot.gdt, sizeof(s->gdt));
	s->gdt_register.limit = sizeof(s->gdt) - 1;
	s->gdt_register.base = (u32)(u64)s->gdt;
	s->far.offset = (u32)(at + (u64)(trampoline_long - trampoline));
	s->far.selector = SEL_CODE;
	return s;
}

static _Noreturn void cpu_start(struct percpu *p)
{
	u32 invited = START_INVITED;

	if (!atomic_compare_exchange_strong(&p->start, &invited, START_ARRIVED))
		arch_halt();
	percpu_load(p, p->cpu);
	paging_load();
	fpu_load();
	apic_init_cpu(p);
	clock_init_cpu();
	selftest_cpu();
	atomic_store(&cpu_self->online, true);
	cr3_write(cr3_read());		/* what changed before we could be told */
	while (__atomic_load_n(&cpu_count, __ATOMIC_ACQUIRE) <= cpu_self->id)
		host_relax();
	arch_irq_enable();
	cpu_entry();
	arch_halt();
}

static bool cpu_answers(struct percpu *p, ns_t wait)
{
	ns_t end = arch_clock_ns() + wait;

	while (!atomic_load(&p->start) && arch_clock_ns() < end)
		host_relax();
	return atomic_load(&p->start);
}

static void cpu_take(struct start *s, u32 id, enum srat_type type, bool told)
{
	struct cpu *c = &cpus[cpu_count];
	u32 node = firmware_cpu_node(type, id);
	struct percpu *p = page_alloc(PERCPU_ORDER, node);
	u32 page = (u32)(s->root / PAGE_SIZE - 1), invited = START_INVITED;

	if (!p)
		return log_error("cpu: APIC %u left out: out of memory", id);
	*c = (struct cpu){ .id = cpu_count, .node = node, .hw_id = id, .arch = p };
	p->cpu = c;
	p->apic_id = id;
	percpu_guard(p);
	s->stack = (u64)p->guard1;
	s->entry = (u64)cpu_start;
	s->percpu = p;
	selftest_look();
	apic_send_startup(id, page);
	if (!cpu_answers(p, NS_PER_MS)) {
		apic_send_startup(id, page);
		cpu_answers(p, told ? 100 * NS_PER_MS : NS_PER_MS);
	}
	/* It may still come later, onto its stack: the block is not given back. */
	if (atomic_compare_exchange_strong(&p->start, &invited, START_ABANDONED)) {
		s->entry = (u64)arch_halt;
		if (told)
			log_error("cpu: APIC %u does not answer; going on without it", id);
		return;
	}
	while (!atomic_load(&c->online))
		host_relax();
	selftest_look();
	__atomic_store_n(&cpu_count, cpu_count + 1, __ATOMIC_RELEASE);
}

static err_t cpus_start(void (*entry)(void))
{
	bool told = candidates_collect();
	hpa_t low = candidates ? low_pages_find() : 0;
	struct start *s = low ? trampoline_place(low) : NULL;

	cpu_entry = entry;
	if (!candidates)
		return OK;
	if (!s)
		return ERRF(E_NOMEM, "no memory below 640 KiB to start %u CPUs from", candidates);
	for (u32 i = 0; i < candidates; i++)
		apic_send_init(candidate[i]);
	clock_wait(10 * NS_PER_MS);
	for (u32 i = 0; i < candidates; i++)
		cpu_take(s, candidate[i], candidate_type[i], told);
	return arch_mem_protect((void *)low, PAGE_SIZE, PROT_R | PROT_W);
}

err_t arch_smp_start(void (*entry)(void))
{
	err_t e = cpus_start(entry);

	selftest_end();
	return e;
}
