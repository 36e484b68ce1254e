/*
 * The x86-64 CPU as a row of isas[]: state after reset and INIT (SDM 3A, table 9-1), what wakes it,
 * dumps. There is no translation yet, so only hardware runs it.
 */
#include "engine/front/x86/state.h"
#include "engine/isa.h"
#include "kernel/base/field.h"
#include "kernel/base/str.h"

#define RFLAGS_FIXED	2
#define RFLAGS_IF	(1 << 9)
#define CR0_RESET	0x60000010ull	/* CD, NW, ET */
#define PAT_RESET	0x0007040600070406ull
#define DR6_RESET	0xffff0ff0ull
#define DR7_RESET	0x400ull
#define MISC_ENABLE_RESET 1ull		/* fast strings */
#define FCW_RESET	0x37f
#define MXCSR_RESET	0x1f80

static struct x86_state *x86_st(const struct gcpu *g)
{
	return g->st;
}

static struct x86_seg seg_real(u16 sel, u16 type)
{
	return (struct x86_seg){ .sel = sel, .base = (u64)sel << 4, .limit = 0xffff,
				 .attr = (u16)(type | X86_SEG_P) };
}

/* What INIT sets, too. */
static void init_registers(struct x86_state *st)
{
	memset(st->gpr, 0, sizeof(st->gpr));
	st->gpr[X86_RDX] = 0xf00;
	st->rip = 0xfff0;
	st->rflags = RFLAGS_FIXED;
	for (u32 i = X86_ES; i <= X86_GS; i++)
		st->seg[i] = seg_real(0, 3 | X86_SEG_S);
	st->seg[X86_CS] = seg_real(0xf000, 11 | X86_SEG_S);
	st->seg[X86_CS].base = 0xffff0000;
	st->seg[X86_LDTR] = seg_real(0, 2);
	st->seg[X86_TR] = seg_real(0, 11);
	st->gdtr = st->idtr = (struct x86_table){ .limit = 0xffff };
	st->cr0 = CR0_RESET | (st->cr0 & 0x60000000ull);
	st->cr2 = st->cr3 = st->cr4 = st->efer = 0;
	memset(st->dr, 0, sizeof(st->dr));
	st->dr6 = DR6_RESET;
	st->dr7 = DR7_RESET;
	st->shadow = st->nmi_blocked = st->event = 0;
}

/* The XSAVE image with every component in its initial state. */
static void xsave_reset(u8 *image)
{
	memset(image, 0, X86_XSAVE_MAX);
	store_le16(image, FCW_RESET);
	store_le32(image + 24, MXCSR_RESET);
}

void x86_reset(struct gcpu *g)
{
	struct x86_state *st = x86_st(g);
	u64 tsc_hz = st->tsc_hz;

	memset(st, 0, sizeof(*st));
	st->tsc_hz = tsc_hz;
	init_registers(st);
	st->cr0 = CR0_RESET;
	st->xcr0 = 1;
	st->pat = PAT_RESET;
	st->misc_enable = MISC_ENABLE_RESET;
	xsave_reset(st->xsave);
}

void x86_start_ap(struct gcpu *g, u8 page)
{
	struct x86_state *st = x86_st(g);

	init_registers(st);
	st->seg[X86_CS] = seg_real((u16)(page << 8), 11 | X86_SEG_S);
	st->rip = 0;
	g->halted = false;
}

/* Rounded up: a timer that waits for it must not be early. */
ns_t x86_tsc_time(const struct gcpu *g, u64 tsc)
{
	const struct x86_state *st = x86_st(g);
	u64 hz = st->tsc_hz ? st->tsc_hz : NS_PER_SEC, ticks = tsc - st->tsc_adjust, seconds;

	if ((s64)st->tsc_adjust > 0 && tsc < st->tsc_adjust)
		return 0;		/* before guest time began */
	seconds = ticks / hz;
	if (seconds >= NS_NEVER / NS_PER_SEC)
		return NS_NEVER;
	return seconds * NS_PER_SEC + (ticks % hz * NS_PER_SEC + hz - 1) / hz;
}

/* From HLT: whether the interrupt is taken then is the runner's to see. */
static bool x86_wakes(struct gcpu *g)
{
	u64 lines = atomic_load(&g->lines);

	return lines & (BIT(X86_LINE_NMI) | BIT(X86_LINE_INIT)) ||
	       (lines & BIT(X86_LINE_INTR) && x86_st(g)->rflags & RFLAGS_IF);
}

/* ---- dumps ---- */

static const struct field fields[] = {
	FIELD_ARRAY(struct x86_state, gpr), FIELD(struct x86_state, rip),
	FIELD(struct x86_state, rflags),
#define SEGMENT(n)									\
	FIELD(struct x86_state, seg[n].base), FIELD(struct x86_state, seg[n].limit),	\
	FIELD(struct x86_state, seg[n].sel), FIELD(struct x86_state, seg[n].attr)
	SEGMENT(0), SEGMENT(1), SEGMENT(2), SEGMENT(3), SEGMENT(4), SEGMENT(5), SEGMENT(6),
	SEGMENT(7),
#undef SEGMENT
	FIELD(struct x86_state, gdtr.base), FIELD(struct x86_state, gdtr.limit),
	FIELD(struct x86_state, idtr.base), FIELD(struct x86_state, idtr.limit),
	FIELD(struct x86_state, cr0), FIELD(struct x86_state, cr2), FIELD(struct x86_state, cr3),
	FIELD(struct x86_state, cr4), FIELD(struct x86_state, xcr0),
	FIELD_ARRAY(struct x86_state, dr), FIELD(struct x86_state, dr6),
	FIELD(struct x86_state, dr7), FIELD(struct x86_state, efer), FIELD(struct x86_state, star),
	FIELD(struct x86_state, lstar), FIELD(struct x86_state, cstar),
	FIELD(struct x86_state, sfmask), FIELD(struct x86_state, kernel_gs_base),
	FIELD(struct x86_state, sysenter_cs), FIELD(struct x86_state, sysenter_esp),
	FIELD(struct x86_state, sysenter_eip), FIELD(struct x86_state, pat),
	FIELD(struct x86_state, tsc_aux), FIELD(struct x86_state, debugctl),
	FIELD(struct x86_state, misc_enable), FIELD(struct x86_state, spec_ctrl),
	FIELD(struct x86_state, xss), FIELD(struct x86_state, mtrr_def_type),
	FIELD_ARRAY(struct x86_state, mtrr_fixed), FIELD_ARRAY(struct x86_state, mtrr_base),
	FIELD_ARRAY(struct x86_state, mtrr_mask), FIELD(struct x86_state, kvm_system_time),
	FIELD(struct x86_state, kvm_wall_clock), FIELD(struct x86_state, tsc_adjust),
	FIELD(struct x86_state, tsc_hz),
	FIELD(struct x86_state, shadow), FIELD(struct x86_state, nmi_blocked),
	FIELD(struct x86_state, event), FIELD(struct x86_state, event_type),
	FIELD(struct x86_state, event_vector), FIELD(struct x86_state, event_has_error),
	FIELD(struct x86_state, event_error), FIELD_ARRAY(struct x86_state, xsave),
	{ NULL }
};

static const char *const reg_names[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};
static const char *const seg_names[X86_SEGS] = { "es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr" };

static void x86_print(const struct gcpu *g, struct sink *to)
{
	const struct x86_state *st = x86_st(g);

	sink_printf(to, "rip %016llx  rflags %08llx  cpl %u\n", (unsigned long long)st->rip,
		    (unsigned long long)st->rflags, st->seg[X86_SS].attr >> 5 & 3);
	for (u32 i = 0; i < ARRAY_LEN(reg_names); i++)
		sink_printf(to, "%-3s %016llx%s", reg_names[i], (unsigned long long)st->gpr[i],
			    i % 4 == 3 ? "\n" : "  ");
	for (u32 i = 0; i < X86_SEGS; i++)
		sink_printf(to, "%-3s %04x base %016llx limit %08x attr %04x\n", seg_names[i],
			    st->seg[i].sel, (unsigned long long)st->seg[i].base, st->seg[i].limit,
			    st->seg[i].attr);
	sink_printf(to, "gdt %016llx+%04x  idt %016llx+%04x\n", (unsigned long long)st->gdtr.base,
		    st->gdtr.limit, (unsigned long long)st->idtr.base, st->idtr.limit);
	sink_printf(to, "cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %04llx\n",
		    (unsigned long long)st->cr0, (unsigned long long)st->cr2,
		    (unsigned long long)st->cr3, (unsigned long long)st->cr4,
		    (unsigned long long)st->efer);
}

const struct isa x86_isa = {
	.name = "x86_64",
	.state_size = sizeof(struct x86_state),
	.pc_offset = offsetof(struct x86_state, rip),
	.longest = 15,
	.fields = fields,
	.reset = x86_reset,
	.wakes = x86_wakes,
	.print = x86_print,
};
