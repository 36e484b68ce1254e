/*
 * Model-specific registers: a table of those that exist in a guest (SDM 4; AMD APM 2, appendix A).
 * What it does not name raises #GP, which is what software expects of a register that is not there.
 *
 * PASS: the guest reaches it without an exit; vendors' control blocks or vt_host carry it.
 * STATE: a member of the state, with the bits that a guest may set; others raise #GP.
 * CONST: reads as that, and writing is ignored: what operating systems try without asking CPUID.
 */
#include "arch/x86_64/vt/vt.h"

enum kind { PASS, STATE, CONST };

struct row {
	u32 msr;
	u8 kind;
	u16 count;			/* neighbours that go with it */
	u16 at;				/* STATE */
	u16 step;			/* ... from one to the next, bytes */
	u64 value;			/* CONST: it; STATE: bits that may be set */
};

#define AT(member)	offsetof(struct x86_state, member)
#define ANY		UINT64_MAX

static const struct row rows[] = {
	{ 0x17, CONST, 1 },				/* PLATFORM_ID */
	{ 0x1b, PASS, 0 },				/* APIC_BASE: x86_intc */
	{ 0x34, CONST, 1 },				/* SMI_COUNT */
	{ 0x3a, CONST, 1, .value = 1 },			/* FEATURE_CONTROL: locked, no VMX */
	{ 0x8b, CONST, 1 },				/* microcode: none loaded */
	{ 0xfe, CONST, 1, .value = 0x500 | X86_MTRR_VAR },	/* MTRRCAP: fixed, WC */
	{ 0x174, PASS, 3 },				/* SYSENTER_CS, ESP, EIP */
	{ 0x179, CONST, 3 },				/* MCG_CAP: no banks; STATUS, CTL */
	{ 0x1a0, STATE, 1, AT(misc_enable), 8, 1 },
	{ 0x1d9, CONST, 1 },				/* DEBUGCTL */
	{ 0x200, STATE, X86_MTRR_VAR * 2 },		/* interleaved: see mtrr_at() */
	{ 0x250, STATE, 1, AT(mtrr_fixed[0]), 8, ANY },
	{ 0x258, STATE, 2, AT(mtrr_fixed[1]), 8, ANY },
	{ 0x268, STATE, 8, AT(mtrr_fixed[3]), 8, ANY },
	{ 0x277, PASS, 1 },				/* PAT */
	{ 0x2ff, STATE, 1, AT(mtrr_def_type), 8, 0xcff },
	{ VT_MSR_WALL_CLOCK, STATE, 1, AT(kvm_wall_clock), 8, ANY },
	{ VT_MSR_SYSTEM_TIME, STATE, 1, AT(kvm_system_time), 8, ANY },
	{ 0xc0000081, PASS, 4 },			/* STAR, LSTAR, CSTAR, SFMASK */
	{ 0xc0000100, PASS, 3 },			/* FS_BASE, GS_BASE, KERNEL_GS_BASE */
	{ 0xc0000103, PASS, 1 },			/* TSC_AUX */
	/* AMD's, which Linux reads or sets by CPU family */
	{ 0xc0010010, CONST, 1 },			/* SYSCFG */
	{ 0xc0010015, CONST, 1, .value = 1 << 24 },	/* HWCR: TSC frequency is that of P0 */
	{ 0xc001001f, CONST, 1 },			/* NB_CFG */
	{ 0xc0010055, CONST, 1 },			/* interrupt pending */
	{ 0xc0010114, CONST, 1, .value = 1 << 4 },	/* VM_CR: no SVM */
	{ 0xc0011022, CONST, 2 },			/* DC_CFG, BU_CFG */
	{ 0xc0011029, CONST, 2, .value = 2 },		/* DE_CFG: LFENCE waits */
};

enum { MSR_TSC = 0x10, MSR_TSC_ADJUST = 0x3b, MSR_APIC = 0x1b, MSR_DEADLINE = 0x6e0,
       MSR_X2 = 0x800, MSR_X2_END = 0x900, MSR_MTRR_VAR = 0x200 };

static const struct row *row_find(u32 msr)
{
	for (u32 i = 0; i < ARRAY_LEN(rows); i++)
		if (msr - rows[i].msr < rows[i].count)
			return &rows[i];
	return NULL;
}

static u64 *state_at(struct vt_cpu *v, const struct row *r, u32 msr)
{
	u32 n = msr - r->msr;

	if (r->msr == MSR_MTRR_VAR)
		return n % 2 ? &v->st->mtrr_mask[n / 2] : &v->st->mtrr_base[n / 2];
	return (u64 *)((u8 *)v->st + r->at + n * r->step);
}

static bool is_apic(u32 msr)
{
	return msr == MSR_APIC || msr == MSR_DEADLINE || (msr >= MSR_X2 && msr < MSR_X2_END);
}

static bool apic_msr(struct vt_cpu *v, u32 msr, bool write, u64 *val)
{
	const struct x86_intc *intc = v->g->intc;

	return intc && intc->msr(v->g->intc_ctl, v->g->index, msr, write, val);
}

bool vt_msr_read(struct vt_cpu *v, u32 msr, u64 *val)
{
	const struct row *r;

	if (is_apic(msr))
		return apic_msr(v, msr, false, val);
	if (msr == MSR_TSC || msr == MSR_TSC_ADJUST) {
		*val = msr == MSR_TSC ? vt_tsc(v) : v->st->tsc_adjust;
		return true;
	}
	r = row_find(msr);
	if (!r || r->kind == PASS)
		return false;
	*val = r->kind == CONST ? r->value : *state_at(v, r, msr);
	return true;
}

bool vt_msr_write(struct vt_cpu *v, u32 msr, u64 val)
{
	const struct row *r;

	if (is_apic(msr))
		return apic_msr(v, msr, true, &val);
	if (msr == VT_MSR_WALL_CLOCK || msr == VT_MSR_SYSTEM_TIME) {
		vt_pvclock_write(v, msr, val);
		return true;
	}
	if (msr == MSR_TSC || msr == MSR_TSC_ADJUST) {
		v->st->tsc_adjust = msr == MSR_TSC ? v->st->tsc_adjust + val - vt_tsc(v) : val;
		vt_tsc_load(v);
		return true;
	}
	r = row_find(msr);
	if (!r || r->kind == PASS)
		return false;
	if (r->kind == CONST)
		return true;
	if (r->value && val & ~r->value)
		return false;
	*state_at(v, r, msr) = val;
	return true;
}

void vt_msr_each_passed(void (*pass)(void *ctx, u32 msr), void *ctx)
{
	for (u32 i = 0; i < ARRAY_LEN(rows); i++)
		for (u32 n = 0; rows[i].kind == PASS && n < rows[i].count; n++)
			pass(ctx, rows[i].msr + n);
}
