/*
 * The AArch64 guest as the engine and the kernel see it: reset, start registers, dumps, and
 * a64_isa, which ties the folder together. Arm ARM (DDI 0487), D1.6.
 *
 * There is no translation of it yet: it runs where the host's own CPU runs it.
 */
#include "engine/front/a64/a64.h"
#include "kernel/base/field.h"
#include "kernel/base/str.h"

#define SCTLR_RES1	0x30d00800ull	/* and everything else off: MMU, caches, alignment checks */
#define OSLSR_LOCKED	0xau		/* OSLM = 0b10, OSLK */
#define WORD_ALIGN	2

void a64_reset(struct gcpu *g)
{
	struct a64_state *st = a64_st(g);
	u8 levels = st->timer_levels;	/* what the controller still thinks */
	u32 hz = st->cntfrq;

	memset(st, 0, sizeof(*st));
	st->timer_levels = levels;
	st->pstate = A64_D | A64_A | A64_I | A64_F | A64_EL1 | A64_SP;
	st->sctlr = SCTLR_RES1;
	st->oslsr = OSLSR_LOCKED;
	st->cntfrq = hz ? hz : A64_CNTFRQ;
	g->fp_flags = g->fp_rm = 0;
	g->xcpt.pending = false;
	g->halted = false;
	g->excl.host = NULL;
	a64_timer_init(g);
	if (g->intc)
		((const struct a64_intc *)g->intc)->reset(g->intc_ctl, g->index);
	if (levels)
		atomic_fetch_or(&g->lines, BIT(A64_LINE_TIMER));
	tlb_flush_all(g->tlb);
}

void a64_start(struct gcpu *g, u64 pc, u64 x0)
{
	struct a64_state *st = a64_st(g);

	a64_reset(g);
	st->pc = pc;
	st->x[0] = x0;
}

/* Whether or not PSTATE masks it: D1.11.4. */
static bool a64_wakes(struct gcpu *g)
{
	return atomic_load(&g->lines) &
	       (BIT(A64_LINE_IRQ) | BIT(A64_LINE_FIQ) | BIT(A64_LINE_TIMER));
}

/* ---- dumps ---- */

#define F(member)	FIELD(struct a64_state, member)
#define A(member)	FIELD_ARRAY(struct a64_state, member)

static const struct field fields[] = {
	A(x), F(sp_el0), F(sp_el1), F(pc), F(pstate),
	{ "v", offsetof(struct a64_state, v), 8, 64 },
	F(fpcr), F(fpsr),
	F(sctlr), F(actlr), F(cpacr), F(ttbr0), F(ttbr1), F(tcr), F(esr), F(far), F(afsr0),
	F(afsr1), F(mair), F(amair), F(vbar), F(elr), F(spsr), F(par), F(contextidr), F(tpidr_el0),
	F(tpidrro_el0), F(tpidr_el1), F(csselr), F(cntkctl),
	F(mdscr), F(osdlr), F(oslsr), A(bvr), A(bcr), A(wvr), A(wcr),
	F(cntvoff), F(cntv_cval), F(cntp_cval), F(cntv_ctl), F(cntp_ctl), F(cntfrq),
	F(timer_levels),
	F(pmcr), F(pmccntr), F(pmccfiltr), F(pmcntenset), F(pmintenset), F(pmovsset), F(pmuserenr),
	F(pmselr), F(event),
	{ NULL }
};
#undef F
#undef A

/* Registers of EL1 that tell most about a crash, in columns of three. */
static void print_system(const struct a64_state *st, struct sink *to)
{
	const struct { const char *name; u64 value; } reg[] = {
		{ "esr", st->esr }, { "far", st->far }, { "elr", st->elr },
		{ "spsr", st->spsr }, { "vbar", st->vbar }, { "sctlr", st->sctlr },
		{ "ttbr0", st->ttbr0 }, { "ttbr1", st->ttbr1 }, { "tcr", st->tcr },
		{ "mair", st->mair }, { "cntv_ctl", st->cntv_ctl }, { "cntv_cval", st->cntv_cval },
	};

	for (u32 i = 0; i < ARRAY_LEN(reg); i++)
		sink_printf(to, "%-9s %016llx%s", reg[i].name, (unsigned long long)reg[i].value,
			    i % 3 == 2 ? "\n" : "  ");
}

static void a64_print(const struct gcpu *g, struct sink *to)
{
	const struct a64_state *st = a64_st(g);
	u64 p = st->pstate;

	sink_printf(to, "pc  %016llx  EL%u  %c%c%c%c %c%c%c%c  instructions %llu\n",
		    (unsigned long long)st->pc, (u32)BITS(p, 3, 2), p >> 31 & 1 ? 'N' : '-',
		    p >> 30 & 1 ? 'Z' : '-', p >> 29 & 1 ? 'C' : '-', p >> 28 & 1 ? 'V' : '-',
		    p & A64_D ? 'D' : '-', p & A64_A ? 'A' : '-', p & A64_I ? 'I' : '-',
		    p & A64_F ? 'F' : '-', (unsigned long long)g->icount);
	for (u32 i = 0; i < ARRAY_LEN(st->x); i++)
		sink_printf(to, "x%-2u %016llx%s", i, (unsigned long long)st->x[i],
			    i % 4 == 3 ? "\n" : "  ");
	sink_printf(to, "sp  %016llx\n",
		    (unsigned long long)(p & A64_SP ? st->sp_el1 : st->sp_el0));
	print_system(st, to);
}

const struct isa a64_isa = {
	.name = "aarch64",
	.state_size = sizeof(struct a64_state),
	.pc_offset = offsetof(struct a64_state, pc),
	.pc_align = WORD_ALIGN,
	.longest = 1 << WORD_ALIGN,
	.fields = fields,
	.reset = a64_reset,
	.wakes = a64_wakes,
	.print = a64_print,
};
