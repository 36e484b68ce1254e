/*
 * Control registers and EFER of the guest (SDM 3C, 24.6.6 and 26.3.1.1; 3A, 2.5 and 4.1).
 *
 * What VMX or the host wants set stays set, and the guest sees its own bits through the read
 * shadows: NE and VMXE, caches that are on, machine checks. Bits that mean nothing to us it changes
 * alone; the others exit. EFER never changes without us: paging goes on and off by an exit, which
 * sets LMA and the entry control that must equal it.
 */
#include <cpuid.h>

#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/vmx/vmx.h"

enum { PE = 1 << 0, MP = 1 << 1, EM = 1 << 2, TS = 1 << 3, ET = 1 << 4, NE = 1 << 5, WP = 1 << 16,
       AM = 1 << 18, NW = 1 << 29, CD = 1 << 30 };
#define PG		BIT(31)
#define CR0_GUEST	(MP | EM | TS | WP | AM)
#define CR0_ALL		(PE | ET | NE | NW | CD | CR0_GUEST | PG)
enum { PAE = 1 << 5, MCE = 1 << 6, VMXE = 1 << 13, PCIDE = 1 << 17 };
/* VME to UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP: as CPUID may say, and CR4_FIXED1. */
#define CR4_ALL		0x370fffull
#define CR4_GUEST	(CR4_ALL & ~(u64)(PAE | MCE))
enum { SCE = 1 << 0, LME = 1 << 8, LMA = 1 << 10, NXE = 1 << 11 };
enum { TSS16_BUSY = 3 };

/* ---- page-directory pointers: what CR3 leads to in PAE paging is loaded with it (4.4.1) ---- */

static u64 pdpte_reserved(void)
{
	u32 a = 36, b, c, d;

	__get_cpuid(0x80000008, &a, &b, &c, &d);
	return ~MASK(a & 0xff) | 0x1e6;
}

/* False: one of them is bad; it counts as not present. */
static bool pdptes_load(struct vmx_cpu *s, u64 cr0, u64 cr4)
{
	struct x86_state *st = s->vt.st;
	u64 at = st->cr3 & 0xffffffe0, reserved = pdpte_reserved();
	bool good = true;

	if (!(cr0 & PG) || !(cr4 & PAE) || st->efer & LMA)
		return true;
	for (u32 i = 0; i < 4; i++) {
		u64 e = 0;

		if (space_read(s->vt.g->space, at + 8 * i, &e, sizeof(e)) != OK)
			e = 0;
		if (e & 1 && e & reserved)
			good = false, e = 0;
		vmcs_write(VMCS_GUEST_PDPTE + 2 * i, e);
	}
	return good;
}

/* ---- load and fetch ---- */

static void cr0_put(u64 val)
{
	u64 forced = vmx_caps()->cr0_fixed0 & ~(PE | PG);

	vmcs_write(VMCS_GUEST_CR0, (val & ~(u64)(CD | NW)) | forced | NE | ET);
	vmcs_write(VMCS_CR0_SHADOW, val | ET);
}

static void cr4_put(u64 val)
{
	vmcs_write(VMCS_GUEST_CR4, val | vmx_caps()->cr4_fixed0 | VMXE | (cr4_read() & MCE));
	vmcs_write(VMCS_CR4_SHADOW, val);
}

static void efer_put(u64 val)
{
	u64 entry = vmcs_read(VMCS_ENTRY) & ~BIT(VMX_ENTRY_GUEST64);

	vmcs_write(VMCS_GUEST_EFER, val);
	vmcs_write(VMCS_ENTRY, entry | (val & LMA ? BIT(VMX_ENTRY_GUEST64) : 0));
}

void vmx_cr_load(struct vmx_cpu *s)
{
	const struct x86_state *st = s->vt.st;

	vmcs_write(VMCS_CR0_MASK, ~(u64)CR0_GUEST);
	vmcs_write(VMCS_CR4_MASK, ~CR4_GUEST);
	cr0_put(st->cr0);
	cr4_put(st->cr4);
	efer_put(st->efer);
	vmcs_write(VMCS_GUEST_CR3, st->cr3);
	(void)pdptes_load(s, st->cr0, st->cr4);
}

void vmx_cr_fetch(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;

	st->cr0 = (vmcs_read(VMCS_GUEST_CR0) & CR0_GUEST) |
		  (vmcs_read(VMCS_CR0_SHADOW) & ~(u64)CR0_GUEST);
	st->cr4 = (vmcs_read(VMCS_GUEST_CR4) & CR4_GUEST) |
		  (vmcs_read(VMCS_CR4_SHADOW) & ~CR4_GUEST);
	st->cr3 = vmcs_read(VMCS_GUEST_CR3);
}

/* ---- the guest writes: control and segment registers have been fetched ---- */

/* Paging goes on with EFER.LME, or off with LMA: may it? */
static bool long_mode_may_change(const struct x86_state *st, bool on)
{
	bool code64 = st->seg[X86_CS].attr & X86_SEG_L;

	if (on)
		return st->cr4 & PAE && !code64 &&
		       (st->seg[X86_TR].attr & X86_SEG_TYPE) != TSS16_BUSY;
	return !(st->efer & LMA && code64) && !(st->cr4 & PCIDE);
}

bool vmx_cr0_write(struct vmx_cpu *s, u64 val)
{
	struct x86_state *st = s->vt.st;
	u64 efer = st->efer;
	bool pages = val & PG, turned = (val ^ st->cr0) & PG;

	if (val >> 32 || (val & (PG | PE)) == PG || (val & (NW | CD)) == NW)
		return false;
	if (turned && (efer & LME || !pages) && !long_mode_may_change(st, pages))
		return false;
	val &= CR0_ALL;
	st->efer = pages && efer & LME ? efer | LMA : efer & ~(u64)LMA;
	if ((val ^ st->cr0) & (PG | CD | NW) && !pdptes_load(s, val, st->cr4)) {
		st->efer = efer;
		return false;
	}
	cr0_put(val);
	efer_put(st->efer);
	if (turned)
		vmx_flush(s);
	return true;
}

bool vmx_cr4_write(struct vmx_cpu *s, u64 val)
{
	struct x86_state *st = s->vt.st;

	if (val & ~(CR4_ALL & vmx_caps()->cr4_fixed1) || (st->efer & LMA && !(val & PAE)))
		return false;
	if (val & ~st->cr4 & PCIDE && (!(st->efer & LMA) || st->cr3 & 0xfff))
		return false;
	if (!pdptes_load(s, st->cr0, val))
		return false;
	cr4_put(val);
	vmx_flush(s);
	return true;
}

bool vmx_efer_write(struct vmx_cpu *s, u64 val)
{
	struct x86_state *st = s->vt.st;
	u64 old = st->efer;

	if (val & ~(u64)(SCE | LME | LMA | NXE) ||
	    (vmcs_read(VMCS_CR0_SHADOW) & PG && (val ^ old) & LME))
		return false;
	st->efer = (val & ~(u64)LMA) | (old & LMA);
	efer_put(st->efer);
	if ((val ^ old) & NXE)
		vmx_flush(s);
	return true;
}
