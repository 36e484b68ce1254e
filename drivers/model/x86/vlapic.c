/*
 * The local APICs of all CPUs of a machine, xAPIC and x2APIC. Intel SDM volume 3A, chapter 11.
 *
 * Each CPU finds its own registers at the same address, so a read or write must know whose it is:
 * dev->cpu() says. What a runner needs (vector, MSRs, CR8) has entries of its own, see irq.h.
 * A CPU's register file is an array indexed by offset / 16, which is the MSR's number, too.
 *
 * Simplifications: APIC ids are CPU indexes and cannot be changed; the page cannot be moved (#GP);
 * no SMI, no ExtINT by message, no thermal or performance interrupts, no EOI-broadcast
 * suppression. LINT0 in a mode other than ExtINT is taken as an edge.
 */
#include "drivers/model/x86/vlapic.h"

#include "kernel/base/log.h"
#include "kernel/base/str.h"

#define VERSION		0x00050014u	/* six LVT entries; integrated */
#define ALL		UINT32_MAX	/* destination: every CPU */
#define NOBODY		UINT32_MAX	/* exception: no CPU */

enum { ESR_SEND_VECTOR = 1 << 5, ESR_RECEIVE_VECTOR = 1 << 6, ESR_REGISTER = 1 << 7 };
enum { MODE_FIXED, MODE_LOWEST, MODE_SMI, MODE_NMI = 4, MODE_INIT, MODE_STARTUP, MODE_EXTINT };
enum { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };		/* shorthands */

/* What an LVT entry can hold. */
const u32 lapic_lvt_mask[6] = { 0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff };

static const struct field vlapic_fields[] = {
	FIELD_ARRAY(struct vlapic, reg),
	FIELD_ARRAY(struct vlapic, base),
	FIELD_ARRAY(struct vlapic, deadline),
	FIELD_ARRAY(struct vlapic, due),
	FIELD_ARRAY(struct vlapic, errors),
	FIELD_ARRAY(struct vlapic, waits),
	FIELD_ARRAY(struct vlapic, intr),
	FIELD(struct vlapic, lint0),
	FIELD(struct vlapic, last_lowest),
	{ NULL },
};

struct message {
	u32 dest, except;
	bool logical, level;
	u8 mode, vector;
};

/* ---- priority ------------------------------------------------------------------------------ */

static void bitmap_put(u32 *word, u8 vector, bool set)
{
	u32 bit = 1u << vector % 32;

	word[vector / 32] = (word[vector / 32] & ~bit) | (set ? bit : 0);
}

static bool bitmap_has(const u32 *word, u8 vector)
{
	return word[vector / 32] >> vector % 32 & 1;
}

static int bitmap_highest(const u32 *word)
{
	for (int w = 7; w >= 0; w--)
		if (word[w])
			return 32 * w + 31 - __builtin_clz(word[w]);
	return -1;
}

/* 11.8.3.1 */
static u32 lapic_ppr(const u32 *reg)
{
	int serving = bitmap_highest(reg + REG_ISR);
	u32 class = serving < 0 ? 0 : (u32)serving & 0xf0;

	return (reg[REG_TPR] & 0xf0) >= class ? reg[REG_TPR] : class;
}

/* The vector that the CPU would take now, or -1. */
static int lapic_ready(const u32 *reg)
{
	int vector = bitmap_highest(reg + REG_IRR);

	return vector >= 0 && (vector & 0xf0) > (int)(lapic_ppr(reg) & 0xf0) ? vector : -1;
}

/* Does the PIC's output reach this CPU? With the APIC switched off LINT0 is its INTR pin. */
static bool lapic_has_extint(const struct dev *d, u32 cpu)
{
	const struct vlapic *a = d->state;
	u32 lvt = lapic_regs(d, cpu)[REG_LVT_LINT0];

	if (!a->lint0)
		return false;
	if (!lapic_enabled(d, cpu))
		return cpu == 0;
	return !(lvt & LVT_MASKED) && BITS(lvt, 10, 8) == MODE_EXTINT;
}

void lapic_update(struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;
	bool level = lapic_has_extint(d, cpu) ||
		     (lapic_enabled(d, cpu) && lapic_ready(lapic_regs(d, cpu)) >= 0);

	if (level != a->intr[cpu]) {
		a->intr[cpu] = level;
		irq_set(&d->out[LAPIC_LINES * cpu + LAPIC_INTR], level);
	}
}

/* ---- delivery ------------------------------------------------------------------------------ */

static void lapic_deliver(struct dev *d, u32 cpu, u32 mode, u8 vector, bool level);

void lapic_local(struct dev *d, u32 cpu, u32 entry)
{
	u32 lvt = lapic_regs(d, cpu)[entry];

	if (!(lvt & LVT_MASKED) && lapic_enabled(d, cpu))
		lapic_deliver(d, cpu, BITS(lvt, 10, 8), (u8)lvt, false);
}

/* 11.5.3: an error interrupts once until software reads it by writing ESR. */
static void lapic_error(struct dev *d, u32 cpu, u8 error)
{
	struct vlapic *a = d->state;

	if (a->errors[cpu] & error)
		return;
	a->errors[cpu] |= error;
	lapic_local(d, cpu, REG_LVT_ERROR);
}

static void lapic_take(struct dev *d, u32 cpu, u8 vector, bool level)
{
	u32 *reg = lapic_regs(d, cpu);

	if (!(reg[REG_SVR] & SVR_ENABLED))
		return;
	if (vector < 16) {
		lapic_error(d, cpu, ESR_RECEIVE_VECTOR);
		return;
	}
	bitmap_put(reg + REG_IRR, vector, true);
	bitmap_put(reg + REG_TMR, vector, level);
	lapic_update(d, cpu);
}

/* 11.4.7.1, table 11-1; what INIT keeps (base, mode) is not here. */
void lapic_clear(struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;
	u32 *reg = lapic_regs(d, cpu);

	memset(reg, 0, REGS * sizeof(*reg));
	reg[REG_DFR] = UINT32_MAX;
	reg[REG_SVR] = 0xff;
	for (u32 i = REG_LVT_TIMER; i <= REG_LVT_ERROR; i++)
		reg[i] = LVT_MASKED;
	a->errors[cpu] = 0;
	lapic_timer_stop(d, cpu);
	lapic_update(d, cpu);
}

/* 9.4.1: the first CPU begins anew at its reset vector, others wait for a start-up IPI. */
static void lapic_init(struct dev *d, u32 cpu)
{
	struct vlapic *a = d->state;

	lapic_clear(d, cpu);
	if (a->waits[cpu])
		return;
	a->waits[cpu] = cpu != 0;
	irq_set(&d->out[LAPIC_LINES * cpu + LAPIC_INIT], true);
}

/* A CPU that waits for its start-up IPI hears nothing else. */
static void lapic_nmi(struct dev *d, u32 cpu)
{
	const struct vlapic *a = d->state;

	if (!a->waits[cpu])
		irq_set(&d->out[LAPIC_LINES * cpu + LAPIC_NMI], true);
}

static void lapic_startup(struct dev *d, u32 cpu, u8 page)
{
	const struct lapic_board *b = lapic_board(d);
	struct vlapic *a = d->state;

	if (a->waits[cpu] && b->start && b->start(b->ctx, cpu, page))
		a->waits[cpu] = false;
}

static void lapic_deliver(struct dev *d, u32 cpu, u32 mode, u8 vector, bool level)
{
	switch (mode) {
	case MODE_FIXED:
	case MODE_LOWEST: lapic_take(d, cpu, vector, level); break;
	case MODE_NMI: lapic_nmi(d, cpu); break;
	case MODE_INIT: lapic_init(d, cpu); break;
	case MODE_STARTUP: lapic_startup(d, cpu, vector); break;
	}
}

/* 11.6.2.2 and 11.12.10.2 */
static bool lapic_matches_logical(const struct dev *d, u32 cpu, u32 dest)
{
	const u32 *reg = lapic_regs(d, cpu);
	u32 ldr = reg[REG_LDR] >> 24;

	if (lapic_is_x2(d, cpu))
		return dest >> 16 == cpu >> 4 && dest >> (cpu & 15) & 1;
	if (dest > 0xff)
		return false;
	if (reg[REG_DFR] >> 28 == 0xf)
		return (dest & ldr) != 0;
	return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf) != 0;
}

static bool lapic_matches(const struct dev *d, u32 cpu, const struct message *m)
{
	if (cpu == m->except || !lapic_enabled(d, cpu))
		return false;
	if (m->dest == ALL)
		return true;
	return m->logical ? lapic_matches_logical(d, cpu, m->dest) : m->dest == cpu;
}

/* Of those that match, the one that does the least important thing; in turns. */
static void lapic_send_lowest(struct dev *d, const struct message *m)
{
	struct vlapic *a = d->state;
	u32 cpus = lapic_cpus(d), best = NOBODY, least = 0;

	for (u32 i = 1; i <= cpus; i++) {
		u32 cpu = (a->last_lowest + i) % cpus, *reg = lapic_regs(d, cpu);

		if (!lapic_matches(d, cpu, m) || !(reg[REG_SVR] & SVR_ENABLED))
			continue;
		if (best == NOBODY || lapic_ppr(reg) < least) {
			best = cpu;
			least = lapic_ppr(reg);
		}
	}
	if (best == NOBODY)
		return;
	a->last_lowest = best;
	lapic_deliver(d, best, MODE_FIXED, m->vector, m->level);
}

static void lapic_send(struct dev *d, const struct message *m)
{
	if (m->mode == MODE_LOWEST) {
		lapic_send_lowest(d, m);
		return;
	}
	for (u32 cpu = 0; cpu < lapic_cpus(d); cpu++)
		if (lapic_matches(d, cpu, m))
			lapic_deliver(d, cpu, m->mode, m->vector, m->level);
}

void vlapic_msi(void *ctl, u64 addr, u32 data)
{
	struct dev *d = ctl;
	u32 dest = BITS(addr, 19, 12);
	struct message m = {
		.dest = dest == 0xff ? ALL : dest, .except = NOBODY, .logical = addr >> 2 & 1,
		.mode = BITS(data, 10, 8), .vector = (u8)data, .level = data >> 15 & 1,
	};

	if (addr >> 20 == LAPIC_BASE >> 20)
		lapic_send(d, &m);
	else
		log_limited(LOG_DEBUG, "%s: message to 0x%lx ignored", d->name, addr);
}

void vlapic_lint0(void *ctl, u32 input, bool level)
{
	struct dev *d = ctl;
	struct vlapic *a = d->state;
	bool rises = level && !a->lint0;

	a->lint0 = level;
	for (u32 cpu = 0; cpu < lapic_cpus(d); cpu++) {
		if (rises)
			lapic_local(d, cpu, REG_LVT_LINT0);
		lapic_update(d, cpu);
	}
}

/* 11.6.1. INIT with level 0 was for APICs with a bus of their own. */
static void lapic_send_icr(struct dev *d, u32 cpu, u32 icr, u32 dest)
{
	u32 to = BITS(icr, 19, 18);
	struct message m = {
		.dest = to == TO_DEST ? dest : ALL, .except = to == TO_OTHERS ? cpu : NOBODY,
		.logical = icr & ICR_LOGICAL, .mode = BITS(icr, 10, 8), .vector = (u8)icr,
	};

	if (m.mode == MODE_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
		return;
	if (m.mode <= MODE_LOWEST && m.vector < 16)
		lapic_error(d, cpu, ESR_SEND_VECTOR);
	else if (to != TO_SELF)
		lapic_send(d, &m);
	else if (m.mode == MODE_FIXED)
		lapic_take(d, cpu, m.vector, false);
}

static void lapic_eoi(struct dev *d, u32 cpu)
{
	struct dev *ioapic = lapic_board(d)->ioapic;
	u32 *reg = lapic_regs(d, cpu);
	int vector = bitmap_highest(reg + REG_ISR);

	if (vector < 0)
		return;
	bitmap_put(reg + REG_ISR, (u8)vector, false);
	if (bitmap_has(reg + REG_TMR, (u8)vector) && ioapic)
		vioapic_eoi(ioapic, (u8)vector);
	lapic_update(d, cpu);
}

/* ---- registers ----------------------------------------------------------------------------- */

u32 lapic_get(const struct dev *d, u32 cpu, u32 index)
{
	const u32 *reg = lapic_regs(d, cpu);
	bool x2 = lapic_is_x2(d, cpu);

	switch (index) {
	case REG_ID: return x2 ? cpu : cpu << 24;
	case REG_VERSION: return VERSION;
	case REG_APR:
	case REG_PPR: return lapic_ppr(reg);
	case REG_LDR: return x2 ? cpu >> 4 << 16 | 1u << (cpu & 15) : reg[REG_LDR];
	case REG_TMCCT: return lapic_timer_count(d, cpu);
	}
	return reg[index];
}

static void lapic_write_svr(struct dev *d, u32 cpu, u32 val)
{
	u32 *reg = lapic_regs(d, cpu);

	reg[REG_SVR] = val & SVR_MASK;
	if (!(val & SVR_ENABLED))
		for (u32 i = REG_LVT_TIMER; i <= REG_LVT_ERROR; i++)
			reg[i] |= LVT_MASKED;
}

static void lapic_write_lvt(struct dev *d, u32 cpu, u32 index, u32 val)
{
	u32 *reg = lapic_regs(d, cpu);
	bool had_deadline = lapic_has_deadline(reg);

	reg[index] = val & lapic_lvt_mask[index - REG_LVT_TIMER];
	if (!(reg[REG_SVR] & SVR_ENABLED))
		reg[index] |= LVT_MASKED;
	if (lapic_has_deadline(reg) != had_deadline)
		lapic_timer_stop(d, cpu);
}

/* DCR: what is left of the count goes on at the new rate. */
static void lapic_write_dcr(struct dev *d, u32 cpu, u32 val)
{
	u32 left = lapic_timer_count(d, cpu);

	lapic_regs(d, cpu)[REG_DCR] = val & 0xb;
	if (left)
		lapic_timer_start(d, cpu, left);
}

void lapic_put(struct dev *d, u32 cpu, u32 index, u32 val)
{
	struct vlapic *a = d->state;
	u32 *reg = lapic_regs(d, cpu);

	switch (index) {
	case REG_TPR: reg[REG_TPR] = val & 0xff; break;
	case REG_EOI: lapic_eoi(d, cpu); break;
	case REG_LDR: reg[REG_LDR] = val & 0xff000000; break;
	case REG_DFR: reg[REG_DFR] = val | 0x0fffffff; break;
	case REG_SVR: lapic_write_svr(d, cpu, val); break;
	case REG_ESR:
		reg[REG_ESR] = a->errors[cpu];
		a->errors[cpu] = 0;
		break;
	case REG_ICR_HIGH: reg[REG_ICR_HIGH] = val & 0xff000000; break;
	case REG_TMICT:
		if (lapic_has_deadline(reg))
			break;
		reg[REG_TMICT] = val;
		lapic_timer_start(d, cpu, val);
		break;
	case REG_DCR: lapic_write_dcr(d, cpu, val); break;
	case REG_SELF_IPI: lapic_send_icr(d, cpu, TO_SELF << 18 | (val & 0xff), 0); break;
	default: lapic_write_lvt(d, cpu, index, val);
	}
	lapic_update(d, cpu);
}

void lapic_put_icr(struct dev *d, u32 cpu, u32 icr)
{
	u32 *reg = lapic_regs(d, cpu), dest = reg[REG_ICR_HIGH];

	reg[REG_ICR] = icr & ICR_MASK;
	if (!lapic_is_x2(d, cpu))
		dest = dest >> 24 == 0xff ? ALL : dest >> 24;
	lapic_send_icr(d, cpu, icr, dest);
}

/* ---- the page: xAPIC ----------------------------------------------------------------------- */

static bool lapic_has_page(const struct dev *d, u32 cpu)
{
	return cpu < lapic_cpus(d) && lapic_enabled(d, cpu) && !lapic_is_x2(d, cpu);
}

/* 11.4.1: registers are 32 bits at multiples of 16; parts of one may be read. */
static u32 lapic_page_read(struct dev *d, u32 cpu, u64 off)
{
	u32 index = (u32)off / 16;

	if (!lapic_has_page(d, cpu) || index >= REGS)
		return UINT32_MAX;
	if (off % 16 >= 4)
		return 0;
	if (READABLE >> index & 1)
		return lapic_get(d, cpu, index) >> 8 * (off % 4);
	if (index != REG_EOI)
		lapic_error(d, cpu, ESR_REGISTER);
	return 0;
}

static void lapic_page_write(struct dev *d, u32 cpu, u64 off, u32 val)
{
	u32 index = (u32)off / 16;

	if (!lapic_has_page(d, cpu) || index >= REGS || off % 16)
		return;
	if (index == REG_ICR)
		lapic_put_icr(d, cpu, val);
	else if (WRITABLE >> index & 1)
		lapic_put(d, cpu, index, val);
	else if (!(READABLE >> index & 1))
		lapic_error(d, cpu, ESR_REGISTER);
}

static u32 lapic_accessor(const struct dev *d)
{
	return d->cpu ? d->cpu(d->vm) : 0;
}

static u64 vlapic_read(struct dev *d, u64 off, u32 len)
{
	return lapic_page_read(d, lapic_accessor(d), off);
}

static void vlapic_write(struct dev *d, u64 off, u32 len, u64 val)
{
	if (len == 4)
		lapic_page_write(d, lapic_accessor(d), off, (u32)val);
}

u32 vlapic_read_page(struct dev *d, u32 cpu, u32 off)
{
	u32 val;

	lock_take(d->lock);
	val = lapic_page_read(d, cpu, off);
	lock_drop(d->lock);
	return val;
}

void vlapic_write_page(struct dev *d, u32 cpu, u32 off, u32 val)
{
	lock_take(d->lock);
	lapic_page_write(d, cpu, off, val);
	lock_drop(d->lock);
}

/* ---- struct x86_intc ----------------------------------------------------------------------- */

static int lapic_accept(struct dev *d, u32 cpu)
{
	struct dev *pic = lapic_board(d)->pic;
	u32 *reg = lapic_regs(d, cpu);
	int vector;

	if (lapic_has_extint(d, cpu) && pic)
		return vpic_ack(pic);
	vector = lapic_enabled(d, cpu) ? lapic_ready(reg) : -1;
	if (vector >= 0) {
		bitmap_put(reg + REG_IRR, (u8)vector, false);
		bitmap_put(reg + REG_ISR, (u8)vector, true);
	}
	return vector;
}

int vlapic_accept(void *ctl, u32 cpu)
{
	struct dev *d = ctl;
	int vector;

	lock_take(d->lock);
	vector = lapic_accept(d, cpu);
	lapic_update(d, cpu);
	lock_drop(d->lock);
	return vector;
}

u8 vlapic_tpr(void *ctl, u32 cpu)
{
	struct dev *d = ctl;

	return (u8)(lapic_regs(d, cpu)[REG_TPR] >> 4);	/* only the CPU itself writes it */
}

void vlapic_set_tpr(void *ctl, u32 cpu, u8 cr8)
{
	struct dev *d = ctl;

	lock_take(d->lock);
	lapic_put(d, cpu, REG_TPR, (u32)(cr8 & 0xf) << 4);
	lock_drop(d->lock);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void vlapic_reset(struct dev *d)
{
	struct vlapic *a = d->state;

	a->last_lowest = 0;
	for (u32 cpu = 0; cpu < lapic_cpus(d); cpu++) {
		a->base[cpu] = LAPIC_BASE | BASE_EN | (cpu ? 0 : BASE_BSP);
		a->waits[cpu] = cpu != 0;
		lapic_clear(d, cpu);
		for (u32 line = LAPIC_NMI; line < LAPIC_LINES; line++)
			irq_set(&d->out[LAPIC_LINES * cpu + line], false);
	}
}

static err_t vlapic_attach(struct dev *d)
{
	struct vlapic *a = d->state;

	if (!d->outs || d->outs > LAPIC_LINES * LAPIC_CPUS || d->outs % LAPIC_LINES)
		return ERRF(E_RANGE, "%s: %u outputs, %u per CPU and at most %u", d->name, d->outs,
			    LAPIC_LINES, LAPIC_LINES * LAPIC_CPUS);
	for (u32 cpu = 0; cpu < LAPIC_CPUS; cpu++)
		a->timer[cpu] = (struct lapic_timer){ { .fire = lapic_timer_fire }, d, cpu };
	return OK;
}

static void vlapic_detach(struct dev *d)
{
	struct vlapic *a = d->state;

	for (u32 cpu = 0; cpu < lapic_cpus(d); cpu++)
		timer_cancel(&a->timer[cpu].timer);
}

const struct model vlapic_model = {
	.name = "vlapic",
	.compatible = "intel,ce4100-lapic",
	.state_size = sizeof(struct vlapic),
	.fields = vlapic_fields,
	.attach = vlapic_attach,
	.detach = vlapic_detach,
	.reset = vlapic_reset,
	.read = vlapic_read,
	.write = vlapic_write,
};
