/*
 * AArch64 guests on EL2's hardware (Arm ARM D1, D8): what is prepared on each host CPU, what the
 * CPUs of a machine share, and the loop around the guest.
 *
 * Registers that decide about guests only (HCR_EL2, VTTBR_EL2 ...) are written when a turn begins
 * and left alone: at EL2 they have no effect, and some emulators flush their TLB for each of them.
 */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/irq.h"
#include "engine/native.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"

#define IPA_BITS	40
#define TABLES_MAX	65536		/* 256 MiB: what maps 128 GiB in 4 KiB pages */
#define VMIDS		256

enum {	/* HCR_EL2, besides what the host has */
	HCR_VM = 1 << 0, HCR_SWIO = 1 << 1, HCR_FB = 1 << 9, HCR_BSU_INNER = 1 << 10,
	HCR_TWI = 1 << 13, HCR_TID3 = 1 << 18, HCR_TSC = 1 << 19, HCR_TIDCP = 1 << 20,
	HCR_TACR = 1 << 21,
};
#define HCR_HOST	(HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO | HCR_EL2_AMO)
#define HCR_GUEST	(HCR_HOST | HCR_VM | HCR_SWIO | HCR_FB | HCR_BSU_INNER | HCR_TWI | \
			 HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR)
enum { MDCR_TPM = 1 << 6, MDCR_TDA = 1 << 9, MDCR_TDOSA = 1 << 10, MDCR_TDRA = 1 << 11 };
/* VTCR_EL2: tables write-back and inner shareable, 4 KiB granule */
#define VTCR_RES1	BIT(31)
#define VTCR_WB		(1u << 8 | 1u << 10)
#define VTCR_INNER	(3u << 12)

extern const struct isa a64_isa;

static bool vmid_used[VMIDS];

static bool el2_probe(const struct isa *isa, const char **why)
{
	*why = NULL;
	if (isa != &a64_isa)
		return false;
	*why = el2_gic_why();
	return !*why;
}

/* ---- a machine ---- */

static u64 vttbr(const struct el2_machine *m)
{
	return nested_root(&m->nested) | (u64)m->vmid << 48;
}

/*
 * Every CPU forgets, by broadcast: with this machine's VTTBR, which the caller's CPU may not have.
 * All of the machine's for now, whatever @f says.
 */
static void machine_flush(void *ctx, const struct nested_flush *f)
{
	const struct el2_machine *m = ctx;
	u64 mine = sysreg_read(vttbr_el2);

	sysreg_write(vttbr_el2, vttbr(m));
	__asm__ volatile("isb; dsb ishst; tlbi vmalls12e1is; dsb ish; isb" ::: "memory");
	sysreg_write(vttbr_el2, mine);
	barrier_isb();
}

/* VMIDs are given when machines are built, one after the other. 0 is the host's. */
static u32 vmid_take(void)
{
	for (u32 i = 1; i < VMIDS; i++)
		if (!vmid_used[i]) {
			vmid_used[i] = true;
			return i;
		}
	return 0;
}

static struct el2_machine *machine_make(struct gcpu *g)
{
	struct el2_machine *m = heap_alloc(sizeof(*m));
	struct nested_setup setup = { .ipa_bits = IPA_BITS, .leaf_level = 1, .tables = TABLES_MAX,
				      .flush = machine_flush, .ctx = m };

	if (!m)
		return NULL;
	m->vmid = vmid_take();
	if (m->vmid && nested_init(&m->nested, &s2_format, g->space, &setup) == OK)
		return m;
	vmid_used[m->vmid] = false;
	heap_free(m);
	return NULL;
}

static err_t el2_init(struct gcpu *g)
{
	struct el2_cpu *c = heap_alloc(sizeof(*c));

	g->accel = c;
	if (!c)
		return ERRF(E_NOMEM, "no memory for EL2");
	if (!g->space->accel)
		g->space->accel = machine_make(g);
	if (!g->space->accel)
		return ERRF(E_NOMEM, "no memory for stage 2, or more than %u machines", VMIDS - 1);
	*c = (struct el2_cpu){ .g = g, .st = g->st, .machine = g->space->accel, .host = CPU_MAX };
	c->machine->cpus++;
	c->st->cntfrq = (u32)sysreg_read(cntfrq_el0);
	return OK;
}

static void el2_fini(struct gcpu *g)
{
	struct el2_cpu *c = g->accel;
	struct el2_machine *m = c ? c->machine : NULL;

	heap_free(c);
	g->accel = NULL;
	if (!m || --m->cpus)
		return;
	g->space->accel = NULL;
	machine_flush(m, NULL);
	nested_fini(&m->nested);
	vmid_used[m->vmid] = false;
	heap_free(m);
}

/* ---- a turn ---- */

static u64 vtcr(const struct el2_machine *m)
{
	u64 pa = sysreg_read(id_aa64mmfr0_el1) & 15;

	return VTCR_RES1 | MIN(pa, 5ull) << 16 | VTCR_INNER | VTCR_WB |
	       (u64)(m->nested.top - 1) << 6 | (64 - IPA_BITS);
}

static void turn_begin(struct el2_cpu *c)
{
	static bool prepared[CPU_MAX];
	const struct gcpu *g = c->g;

	if (!prepared[cpu_self->id]) {
		prepared[cpu_self->id] = true;
		el2_gic_init();
	}
	sysreg_write(vtcr_el2, vtcr(c->machine));
	sysreg_write(vttbr_el2, vttbr(c->machine));
	sysreg_write(hcr_el2, HCR_GUEST);
	sysreg_write(mdcr_el2, MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA);
	sysreg_write(cnthctl_el2, 0);		/* the physical timer and count are trapped */
	sysreg_write(cntvoff_el2, clock_count_at((ns_t)atomic_load(&g->clock->offset)) +
				  c->st->cntvoff);
	sysreg_write(vpidr_el2, sysreg_read(midr_el1));
	sysreg_write(vmpidr_el2, a64_mpidr(g->index));
	el2_load(c);
	el2_timer_turn(c);
	barrier_isb();
	c->loaded = true;
}

static void el2_sync(struct gcpu *g)
{
	struct el2_cpu *c = g->accel;

	if (!c->loaded)
		return;
	el2_gic_store(c);
	el2_store(c);
	sysreg_write(hcr_el2, HCR_HOST);
	barrier_isb();
	a64_timers(g);
	c->loaded = false;
}

/* The controller and the timer as they are now. */
static void prepare(struct el2_cpu *c)
{
	u64 lines = atomic_load(&c->g->lines);

	if (lines & BIT(A64_LINE_TIMER)) {
		a64_timers(c->g);
		lines = atomic_load(&c->g->lines);
	}
	if (c->listed && !(lines & (BIT(A64_LINE_IRQ) | BIT(A64_LINE_FIQ))))
		return;
	el2_gic_store(c);
	el2_gic_load(c);
}

/* Another CPU may have run this machine's code and tables here before: by VMID, so that is fine. */
static void flush_if_due(struct el2_cpu *c)
{
	bool stale = nested_enter(&c->machine->nested, &c->nested_seen);

	if (!stale && c->host == cpu_self->id)
		return;
	c->host = cpu_self->id;
	__asm__ volatile("tlbi vmalls12e1; ic iallu; dsb nsh; isb" ::: "memory");
}

static u64 guest_try(struct el2_cpu *c)
{
	struct gcpu *g = c->g;
	u64 slot = 0;

	prepare(c);
	arch_irq_disable();
	atomic_store(&g->in_guest, true);
	flush_if_due(c);
	el2_timer_start(c);
	if (likely(!atomic_load(&g->attention) && !atomic_load(&cpu_self->pending)))
		slot = el2_enter(c->st);
	c->esr = sysreg_read(esr_el2);
	c->far = sysreg_read(far_el2);
	c->hpfar = sysreg_read(hpfar_el2);
	el2_timer_stop(c);
	if (slot == EL2_IRQ && el2_gic_wants())
		el2_gic_store(c);
	atomic_store(&g->in_guest, false);
	arch_irq_enable();
	return slot;
}

static void el2_run(struct gcpu *g, struct exit *x)
{
	struct el2_cpu *c = g->accel;
	enum el2_next next = EL2_AGAIN;

	if (!c->loaded)
		turn_begin(c);
	while (next == EL2_AGAIN && native_may_enter(g, x, &c->host)) {
		u64 slot = guest_try(c);

		if (slot)
			next = el2_exit(c, slot, x);
	}
}

const struct runner el2_runner = {
	.name = "el2", .accelerated = true, .probe = el2_probe, .init = el2_init, .run = el2_run,
	.sync = el2_sync, .fini = el2_fini,
};
