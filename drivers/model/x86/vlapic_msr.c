/*
 * The local APICs by MSR: IA32_APIC_BASE with the changes of mode, TSC_DEADLINE, and x2APIC's
 * registers with all that raises #GP. Intel SDM volume 3A, sections 11.4.4 and 11.12.
 */
#include "drivers/model/x86/vlapic.h"

#define X2_ABSENT	(BIT(REG_APR) | BIT(REG_RRD) | BIT(REG_DFR) | BIT(REG_ICR_HIGH))
#define X2_READABLE	(READABLE & ~X2_ABSENT)
#define X2_WRITABLE	((WRITABLE & ~X2_ABSENT & ~BIT(REG_LDR)) | BIT(REG_SELF_IPI))

enum { MSR_APIC_BASE = 0x1b, MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC = 0x800 };

/* 11.12.1 and table 11-5: off, xAPIC, x2APIC, off are the only ways. */
static bool lapic_write_base(struct dev *d, u32 cpu, u64 val)
{
	struct vlapic *a = d->state;
	u64 old = a->base[cpu], changes = old ^ val;

	if (changes & ~(u64)(BASE_BSP | BASE_X2 | BASE_EN))
		return false;
	if (val & BASE_X2 && !(val & old & BASE_EN))
		return false;
	if (old & BASE_X2 && (val & (BASE_X2 | BASE_EN)) == BASE_EN)
		return false;
	a->base[cpu] = old ^ (changes & (BASE_X2 | BASE_EN));
	if (changes & BASE_EN)
		lapic_clear(d, cpu);
	lapic_update(d, cpu);
	return true;
}

/* Bits that are reserved where a write of them raises #GP. */
static u64 lapic_reserved(u32 index)
{
	if (index >= REG_LVT_TIMER && index <= REG_LVT_ERROR)
		return ~(u64)(lapic_lvt_mask[index - REG_LVT_TIMER] | LVT_READ_ONLY);
	switch (index) {
	case REG_TPR:
	case REG_SELF_IPI: return ~0xffull;
	case REG_EOI:
	case REG_ESR: return ~0ull;
	case REG_SVR: return ~(u64)SVR_MASK;
	case REG_ICR: return ~(MASK(32) << 32 | ICR_MASK | ICR_BUSY);
	case REG_DCR: return ~0xbull;
	}
	return ~MASK(32);
}

static bool lapic_x2_write(struct dev *d, u32 cpu, u32 index, u64 val)
{
	if (!(X2_WRITABLE >> index & 1) || val & lapic_reserved(index))
		return false;
	if (index == REG_ICR) {
		lapic_regs(d, cpu)[REG_ICR_HIGH] = (u32)(val >> 32);
		lapic_put_icr(d, cpu, (u32)val);
	} else {
		lapic_put(d, cpu, index, (u32)val);
	}
	return true;
}

static bool lapic_x2_read(struct dev *d, u32 cpu, u32 index, u64 *val)
{
	if (!(X2_READABLE >> index & 1))
		return false;
	*val = lapic_get(d, cpu, index);
	if (index == REG_ICR)
		*val |= (u64)lapic_regs(d, cpu)[REG_ICR_HIGH] << 32;
	return true;
}

static bool lapic_msr(struct dev *d, u32 cpu, u32 msr, bool write, u64 *val)
{
	struct vlapic *a = d->state;

	if (msr == MSR_APIC_BASE) {
		if (write)
			return lapic_write_base(d, cpu, *val);
		*val = a->base[cpu];
		return true;
	}
	if (msr == MSR_TSC_DEADLINE) {
		if (write)
			lapic_write_deadline(d, cpu, *val);
		else
			*val = a->deadline[cpu];
		return true;
	}
	if (msr - MSR_X2APIC >= REGS || !lapic_is_x2(d, cpu))
		return false;
	return write ? lapic_x2_write(d, cpu, msr - MSR_X2APIC, *val) :
		       lapic_x2_read(d, cpu, msr - MSR_X2APIC, val);
}

bool vlapic_msr(void *ctl, u32 cpu, u32 msr, bool write, u64 *val)
{
	struct dev *d = ctl;
	bool ok;

	lock_take(d->lock);
	ok = lapic_msr(d, cpu, msr, write, val);
	lock_drop(d->lock);
	return ok;
}
