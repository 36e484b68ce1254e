/*
 * The GIC's virtual CPU interface (IHI 0069, 12.4): what the controller model lists goes into list
 * registers, and what the guest has made of them comes back. They stay loaded over exits until
 * there is news, for which the model raises a line, or the guest is done with something, for which
 * the hardware asks by a maintenance interrupt.
 */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/irq.h"
#include "kernel/base/panic.h"

#define MAINTENANCE	25		/* INTID, by Arm's Base System Architecture */

#define ICH_HCR		s3_4_c12_c11_0
#define ICH_VTR		s3_4_c12_c11_1
#define ICH_MISR	s3_4_c12_c11_2
#define ICH_VMCR	s3_4_c12_c11_7
#define ICH_AP0R0	s3_4_c12_c8_0
#define ICH_AP1R0	s3_4_c12_c9_0
enum { HCR_EN = 1 << 0, HCR_LRENPIE = 1 << 2, HCR_NPIE = 1 << 3, HCR_VGRP0EIE = 1 << 4,
       HCR_VGRP1EIE = 1 << 6, HCR_EOICOUNT_SHIFT = 27 };
enum { VMCR_ENG0 = 1 << 0, VMCR_ENG1 = 1 << 1 };

/* Encodings: LR0 to 7 in c12, 8 to 15 in c13. */
#define LISTS(X) \
	X(0, s3_4_c12_c12_0) X(1, s3_4_c12_c12_1) X(2, s3_4_c12_c12_2) X(3, s3_4_c12_c12_3) \
	X(4, s3_4_c12_c12_4) X(5, s3_4_c12_c12_5) X(6, s3_4_c12_c12_6) X(7, s3_4_c12_c12_7) \
	X(8, s3_4_c12_c13_0) X(9, s3_4_c12_c13_1) X(10, s3_4_c12_c13_2) X(11, s3_4_c12_c13_3) \
	X(12, s3_4_c12_c13_4) X(13, s3_4_c12_c13_5) X(14, s3_4_c12_c13_6) X(15, s3_4_c12_c13_7)

static void list_write(u32 n, u64 v)
{
	switch (n) {
#define X(i, reg) case i: sysreg_write_named(reg, v); break;
	LISTS(X)
#undef X
	}
}

static u64 list_read(u32 n)
{
	switch (n) {
#define X(i, reg) case i: return sysreg_read_named(reg);
	LISTS(X)
#undef X
	}
	return 0;
}

const char *el2_gic_why(void)
{
	return machine.gic.version >= 3 && gic_present() ? NULL :
	       "this machine has no GICv3, whose list registers guests' interrupts need";
}

/* That the guest was left is all that these interrupts are for. */
static void nothing(void *arg)
{
}

void el2_gic_init(void)
{
	static bool bound;

	if (!bound) {
		bound = true;
		if (arch_irq_bind(MAINTENANCE, nothing, NULL) != OK ||
		    arch_irq_bind(A64_PPI_CNTV, nothing, NULL) != OK)
			panic("EL2: the interrupts of guests are in use");
	}
	gic_enable(MAINTENANCE);
	gic_enable(A64_PPI_CNTV);
	sysreg_write_named(ICH_HCR, 0);
}

/* More is pending than fits: come back when nothing listed is, or a group is enabled. */
static u32 wants(u32 vmcr)
{
	return HCR_NPIE | (vmcr & VMCR_ENG0 ? 0 : HCR_VGRP0EIE) |
	       (vmcr & VMCR_ENG1 ? 0 : HCR_VGRP1EIE);
}

void el2_gic_load(struct el2_cpu *c)
{
	u64 lr[A64_LR_MAX];
	u32 ich[A64_ICH_COUNT];
	bool more;

	if (!c->lists)
		c->lists = (u32)(sysreg_read_named(ICH_VTR) & 0xf) + 1;
	more = el2_intc(c)->load(c->g->intc_ctl, c->g->index, lr, c->lists, ich);
	for (u32 i = 0; i < c->lists; i++)
		list_write(i, lr[i]);
	sysreg_write_named(ICH_VMCR, ich[A64_ICH_VMCR]);
	sysreg_write_named(ICH_AP0R0, ich[A64_ICH_AP0R]);
	sysreg_write_named(ICH_AP1R0, ich[A64_ICH_AP1R]);
	sysreg_write_named(ICH_HCR, HCR_EN | HCR_LRENPIE | (more ? wants(ich[A64_ICH_VMCR]) : 0));
	c->listed = true;
}

void el2_gic_store(struct el2_cpu *c)
{
	u64 lr[A64_LR_MAX];
	u32 ich[A64_ICH_COUNT];

	if (!c->listed)
		return;
	barrier_isb();
	for (u32 i = 0; i < c->lists; i++)
		lr[i] = list_read(i);
	ich[A64_ICH_VMCR] = (u32)sysreg_read_named(ICH_VMCR);
	ich[A64_ICH_AP0R] = (u32)sysreg_read_named(ICH_AP0R0);
	ich[A64_ICH_AP1R] = (u32)sysreg_read_named(ICH_AP1R0);
	ich[A64_ICH_EOICOUNT] = (u32)(sysreg_read_named(ICH_HCR) >> HCR_EOICOUNT_SHIFT & 0x1f);
	sysreg_write_named(ICH_HCR, 0);
	barrier_isb();
	el2_intc(c)->store(c->g->intc_ctl, c->g->index, lr, c->lists, ich);
	c->listed = false;
}

bool el2_gic_wants(void)
{
	return sysreg_read_named(ICH_MISR) != 0;
}
