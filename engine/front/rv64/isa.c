/*
 * The RV64 guest as the engine and the kernel see it: reset, start registers, ISA string,
 * dumps, and rv64_isa, which ties the folder together.
 */
#include "engine/fp/fp.h"
#include "engine/front/rv64/rv64.h"
#include "kernel/base/field.h"
#include "kernel/base/str.h"

static void rv64_reset(struct gcpu *g)
{
	struct rv64_state *st = rv64_st(g);

	memset(st, 0, sizeof(*st));
	st->priv = PRIV_M;
	st->stimecmp = ~0ull;
	st->mcycle = st->minstret = -g->icount;
	g->fp_flags = 0;
	g->fp_rm = 0;
	g->xcpt.pending = false;
	g->halted = false;
	g->excl.host = NULL;
	atomic_fetch_and(&g->lines, ~BIT(IRQ_SSI));
	rv64_timer_init(g);
	tlb_flush_all(g->tlb);
	rv64_ctx_update(g);
}

/* As SBI firmware hands over: everything delegated (there is nobody else to take it), PMP open. */
static void enter_supervisor(struct gcpu *g)
{
	struct rv64_state *st = rv64_st(g);

	st->priv = PRIV_S;
	st->medeleg = MEDELEG_WRITABLE;
	st->mideleg = MIP_S;
	st->mcounteren = COUNTEREN_ALL;
	st->menvcfg = ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE;
	if (g->features & RV64_SSTC)
		st->menvcfg |= ENVCFG_STCE;
	if (g->features & RV64_SVADU)
		st->menvcfg |= ENVCFG_ADUE;
	st->pmpaddr[0] = MASK(54);
	st->pmpcfg[0] = PMP_R | PMP_W | PMP_X | 3 << 3;	/* NAPOT: all of memory */
}

void rv64_start(struct gcpu *g, u64 pc, u64 a0, u64 a1, bool machine)
{
	struct rv64_state *st = rv64_st(g);

	rv64_reset(g);
	st->pc = pc;
	st->x[10] = a0;
	st->x[11] = a1;
	if (!machine)
		enter_supervisor(g);
	rv64_ctx_update(g);
}

/* ---- extensions ---- */

static const struct {
	const char *name;
	u32 bit;			/* 0: always there */
} exts[] = {
#define RV64_BASE(name)			{ name, 0 },
#define RV64_EXT(id, name, on)		{ name, RV64_##id },
#define RV64_MODE(id, name, on)
#include "engine/front/rv64/ext.def"
};

const char *rv64_ext_next(u32 features, u32 *at)
{
	while (*at < ARRAY_LEN(exts)) {
		u32 i = (*at)++;

		if (!exts[i].bit || features & exts[i].bit)
			return exts[i].name;
	}
	return NULL;
}

void rv64_isa_string(u32 features, struct sink *to)
{
	const char *name;

	sink_puts(to, "rv64");
	for (u32 at = 0; (name = rv64_ext_next(features, &at));)
		sink_printf(to, "%s%s", name[1] ? "_" : "", name);
}

static const struct isa_feature features[] = {
#define RV64_BASE(name)
#define RV64_EXT(id, name, on)		{ name, RV64_##id },
#define RV64_MODE			RV64_EXT
#include "engine/front/rv64/ext.def"
	{ NULL }
};

enum {
	FEATURES_DEFAULT = 0
#define RV64_BASE(name)
#define RV64_EXT(id, name, on)		| ((on) ? RV64_##id : 0)
#define RV64_MODE			RV64_EXT
#include "engine/front/rv64/ext.def"
};

/* ---- dumps ---- */

static const struct field fields[] = {
	FIELD_ARRAY(struct rv64_state, x), FIELD_ARRAY(struct rv64_state, f),
	FIELD(struct rv64_state, pc), FIELD(struct rv64_state, priv), FIELD(struct rv64_state, frm),
	FIELD(struct rv64_state, mstatus), FIELD(struct rv64_state, medeleg),
	FIELD(struct rv64_state, mideleg), FIELD(struct rv64_state, mie),
	FIELD(struct rv64_state, mip), FIELD(struct rv64_state, mtvec),
	FIELD(struct rv64_state, mscratch), FIELD(struct rv64_state, mepc),
	FIELD(struct rv64_state, mcause), FIELD(struct rv64_state, mtval),
	FIELD(struct rv64_state, mcounteren), FIELD(struct rv64_state, mcountinhibit),
	FIELD(struct rv64_state, menvcfg), FIELD(struct rv64_state, mcycle),
	FIELD(struct rv64_state, minstret), FIELD(struct rv64_state, stvec),
	FIELD(struct rv64_state, sscratch), FIELD(struct rv64_state, sepc),
	FIELD(struct rv64_state, scause), FIELD(struct rv64_state, stval),
	FIELD(struct rv64_state, scounteren), FIELD(struct rv64_state, senvcfg),
	FIELD(struct rv64_state, satp), FIELD(struct rv64_state, stimecmp),
	FIELD_ARRAY(struct rv64_state, pmpcfg), FIELD_ARRAY(struct rv64_state, pmpaddr),
	{ NULL }
};

static void print_csrs(const struct gcpu *g, const u16 *number, u32 count, struct sink *to)
{
	for (u32 i = 0; i < count; i++)
		sink_printf(to, "%-8s %016llx%s", rv64_csr_name(number[i]),
			    (unsigned long long)rv64_csr_peek(g, number[i]),
			    i % 3 == 2 || i + 1 == count ? "\n" : "  ");
}

static void rv64_print(const struct gcpu *g, struct sink *to)
{
	static const char priv[] = { 'U', 'S', '?', 'M' };
	static const u16 supervisor[] = { 0x100, 0x142, 0x141, 0x143, 0x105, 0x104, 0x144, 0x180 };
	static const u16 machine[] = { 0x300, 0x342, 0x341, 0x343, 0x305, 0x304, 0x344, 0x303 };
	const struct rv64_state *st = rv64_st(g);

	sink_printf(to, "pc  %016llx  privilege %c  instructions %llu\n",
		    (unsigned long long)st->pc, priv[st->priv & 3], (unsigned long long)g->icount);
	for (u32 i = 1; i < 32; i++)
		sink_printf(to, "%-3s %016llx%s", rv64_x_name(i), (unsigned long long)st->x[i],
			    i % 4 == 0 || i == 31 ? "\n" : "  ");
	print_csrs(g, supervisor, ARRAY_LEN(supervisor), to);
	if (g->firmware)
		print_csrs(g, machine, ARRAY_LEN(machine), to);
}

#define X(n) offsetof(struct rv64_state, x[n])
#define F(n) offsetof(struct rv64_state, f[n])
/* By how often compiled code names them. */
static const u16 hot[] = {
	X(15), X(14), X(10), X(2), X(11), X(12), X(13), X(8), X(9), X(16), X(17),
	X(18), X(1), X(19), X(5), X(6), X(20), X(7), X(28), X(21), X(29), X(30),
	X(22), X(31), X(23), X(24), X(25), X(26), X(27), X(4), X(3), 0,
};
static const u16 hot_fp[] = {
	F(15), F(14), F(10), F(11), F(12), F(13), F(8), F(9), F(0), F(1), F(2),
	F(3), F(4), F(5), F(16), F(17), F(18), F(6), F(7), F(28), F(29), F(30),
	F(31), F(19), F(20), F(21), F(22), F(23), F(24), F(25), F(26), F(27), 0,
};

const struct isa rv64_isa = {
	.name = "riscv64",
	.state_size = sizeof(struct rv64_state),
	.pc_offset = offsetof(struct rv64_state, pc),
	.pc_align = 1,
	.longest = 4,
	.features = FEATURES_DEFAULT,
	.feature = features,
	.ctx_privileged = CTX_PRIV,
	.wide = RV64_SV48 | RV64_SV57,
	.fp = &rv64_fp,
	.hot = hot, .hot_fp = hot_fp, .ctx_fp = CTX_FP,
	.fields = fields,
	.reset = rv64_reset,
	.translate = rv64_translate,
	.fill = rv64_fill,
	.bus_fault = rv64_bus_fault,
	.misaligned = rv64_misaligned,
	.raise = rv64_raise,
	.interrupt = rv64_interrupt,
	.wakes = rv64_wakes,
	.print = rv64_print,
	.disasm = rv64_disasm,
};
