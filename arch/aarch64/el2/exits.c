/*
 * Why the guest was left, by exception class (ESR_EL2.EC, Arm ARM D17.2.39). Accesses to devices
 * are described by the syndrome; what it cannot describe (pairs, write-back) is not emulated.
 */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "engine/exit.h"
#include "kernel/base/fmt.h"

enum ec { EC_UNKNOWN = 0x00, EC_WFX = 0x01, EC_HVC = 0x16, EC_SMC = 0x17, EC_SYSREG = 0x18,
	  EC_INSN_ABORT = 0x20, EC_DATA_ABORT = 0x24, EC_COUNT = 0x40 };
#define ESR_IL		BIT(25)
/* ISS of data aborts */
#define ISV		BIT(24)
#define SSE		BIT(21)
#define SF		BIT(15)
#define S1PTW		BIT(7)
#define WNR		BIT(6)
enum { FSC_MASK = 0x3c, FSC_TRANSLATION = 0x04, FSC_ACCESS = 0x08, FSC_PERMISSION = 0x0c };
#define SCTLR_M		BIT(0)
#define BLOCK		MIB(2)

static enum el2_next leave(struct exit *x, enum exit_why why)
{
	x->why = why;
	return EL2_LEAVE;
}

static enum el2_next fail(struct el2_cpu *c, struct exit *x, const char *what, u64 esr)
{
	fmt_buf(x->text, sizeof(x->text), "%s: esr %#llx, pc %#llx", what, (unsigned long long)esr,
		(unsigned long long)c->st->pc);
	return leave(x, EXIT_FAIL);
}

void el2_raise(struct el2_cpu *c, u32 class, u32 iss)
{
	struct a64_state *st = c->st;
	u64 from = st->pstate & (A64_EL | A64_SP);
	u64 offset = from == (A64_EL1 | A64_SP) ? 0x200 : from == A64_EL1 ? 0 : 0x400;

	sysreg_write(elr_el1, st->pc);
	sysreg_write(spsr_el1, st->pstate);
	sysreg_write(esr_el1, (u64)class << 26 | ESR_IL | iss);
	st->pc = sysreg_read(vbar_el1) + offset;
	st->pstate = A64_D | A64_A | A64_I | A64_F | A64_EL1 | A64_SP;
}

static enum el2_next exit_undefined(struct el2_cpu *c, u64 esr, struct exit *x)
{
	el2_raise(c, EC_UNKNOWN, 0);
	return EL2_AGAIN;
}

static enum el2_next exit_wait(struct el2_cpu *c, u64 esr, struct exit *x)
{
	c->st->pc += 4;
	el2_gic_store(c);		/* what is listed must count when the kernel asks */
	a64_timers(c->g);
	c->g->halted = true;
	return leave(x, EXIT_HALT);
}

static enum el2_next exit_hvc(struct el2_cpu *c, u64 esr, struct exit *x)
{
	if (esr & 0xffff) {
		c->st->pc -= 4;
		return exit_undefined(c, esr, x);
	}
	return leave(x, EXIT_HYPERCALL);
}

static enum el2_next exit_sysreg(struct el2_cpu *c, u64 esr, struct exit *x)
{
	u32 reg = A64_SYSREG((u32)(esr >> 20 & 3), (u32)(esr >> 14 & 7), (u32)(esr >> 10 & 15),
			     (u32)(esr >> 1 & 15), (u32)(esr >> 17 & 7));
	u32 rt = esr >> 5 & 31;
	bool write = !(esr & 1);
	u64 val = write && rt != 31 ? c->st->x[rt] : 0;

	if (!el2_sysreg(c, reg, write, &val))
		return exit_undefined(c, esr, x);
	if (!write && rt != 31)
		c->st->x[rt] = val;
	c->st->pc += 4;
	return EL2_AGAIN;
}

/* ---- stage 2 ---- */

/* HPFAR_EL2 has bits 47:12 of the address from its bit 4 on. */
static gpa_t fault_gpa(const struct el2_cpu *c)
{
	return (c->hpfar & MASK(44) & ~MASK(4)) << 8 | (c->far & MASK(12));
}

/*
 * With its MMU off the guest looks past the caches, where what was loaded for it may still be.
 * FVP maps no more than 2 MiB at a time.
 */
static void clean_block(struct el2_cpu *c, gpa_t gpa)
{
	const struct range *r = space_find(c->g->space, gpa);
	gpa_t from = MAX(ALIGN_DOWN(gpa, BLOCK), r->base);
	gpa_t to = MIN(ALIGN_DOWN(gpa, BLOCK) + BLOCK, r->base + r->len);

	mem_clean(r->host + (from - r->base), to - from);
}

static u64 mmio_access(struct el2_cpu *c, gpa_t gpa, u32 len, bool write, u64 value)
{
	const struct range *r = space_find(c->g->space, gpa);

	c->g->exits[EXIT_MMIO]++;
	/* The interrupt controller must know what is in list registers. */
	if (r && r->kind == RANGE_MMIO && r->ctx == c->g->intc_ctl)
		el2_gic_store(c);
	return range_emulate(r, gpa, len, write, value);
}

static enum el2_next device_access(struct el2_cpu *c, u64 esr, gpa_t gpa, struct exit *x)
{
	u32 reg = esr >> 16 & 31, len = 1u << (esr >> 22 & 3);
	bool write = esr & WNR;
	u64 v = write && reg != 31 ? c->st->x[reg] & MASK(8 * len) : 0;

	if (!(esr & ISV))
		return fail(c, x, "an instruction that is not emulated accesses a device", esr);
	v = mmio_access(c, gpa, len, write, v) & MASK(8 * len);
	if (!write && esr & SSE)
		v = (u64)sext(v, 8 * len);
	if (!write && reg != 31)
		c->st->x[reg] = esr & SF ? v : (u32)v;
	c->st->pc += 4;
	return EL2_AGAIN;
}

static enum el2_next exit_abort(struct el2_cpu *c, u64 esr, struct exit *x)
{
	u32 kind = esr & FSC_MASK;
	bool data = esr >> 26 == EC_DATA_ABORT, write = data && esr & WNR && !(esr & S1PTW);
	enum access access = !data ? ACCESS_FETCH : write ? ACCESS_WRITE : ACCESS_READ;
	gpa_t gpa = fault_gpa(c);
	const struct range *r;

	if (kind != FSC_TRANSLATION && kind != FSC_ACCESS && kind != FSC_PERMISSION)
		return fail(c, x, "an abort that is no fault of translation", esr);
	r = space_find(c->g->space, gpa);
	if (r && r->kind == RANGE_MMIO && data && !(esr & S1PTW))
		return device_access(c, esr, gpa, x);
	switch (nested_fault(&c->machine->nested, gpa, access)) {
	case NESTED_MAPPED:
		if (!(sysreg_read(sctlr_el1) & SCTLR_M))
			clean_block(c, gpa);
		return EL2_AGAIN;
	case NESTED_MMIO:
	case NESTED_READONLY:
		if (data && !(esr & S1PTW))
			return device_access(c, esr, gpa, x);
		return fail(c, x, "code or page tables where no memory is", esr);
	case NESTED_NOMEM:
		break;
	}
	return fail(c, x, "no memory for page tables", esr);
}

/* ---- dispatch ---- */

typedef enum el2_next exit_fn(struct el2_cpu *c, u64 esr, struct exit *x);

static exit_fn *const exits[EC_COUNT] = {
	[EC_UNKNOWN] = exit_undefined,
	[EC_WFX] = exit_wait,
	[EC_HVC] = exit_hvc,
	[EC_SMC] = exit_undefined,		/* there is no EL3 */
	[EC_SYSREG] = exit_sysreg,
	[EC_INSN_ABORT] = exit_abort,
	[EC_DATA_ABORT] = exit_abort,
};

enum el2_next el2_exit(struct el2_cpu *c, u64 slot, struct exit *x)
{
	u64 esr = c->esr;

	if (slot == EL2_IRQ || slot == EL2_FIQ)
		return EL2_AGAIN;
	if (slot == EL2_SERROR)
		return fail(c, x, "SError", esr);
	if (!exits[esr >> 26 & 63])
		return fail(c, x, "an exception of an unknown class", esr);
	return exits[esr >> 26 & 63](c, esr, x);
}
