/*
 * Control and status registers: the list is csr.def, the rest of their behaviour is here.
 * Privileged spec 2-4, Zicsr 9, F 11.2.
 *
 * A read has no side effects, so csrrw to x0 need not be told from others. In M-mode
 * "time" and hpm counters exist too; all gates are in csr_permitted().
 */
#include "engine/front/rv64/rv64.h"

enum csr_flags {
	CSR_QUIET = 1 << 0, CSR_FP = 1 << 1, CSR_COUNTER = 1 << 2, CSR_EVEN = 1 << 3,
	CSR_TVM = 1 << 4, CSR_STC = 1 << 5, CSR_NAMED = 1 << 6,
};

#define MISA	(2ull << 62 | 1 << ('I' - 'A') | 1 << ('M' - 'A') | 1 << ('A' - 'A') | \
		 1 << ('F' - 'A') | 1 << ('D' - 'A') | 1 << ('C' - 'A') | 1 << ('S' - 'A') | \
		 1 << ('U' - 'A'))

enum { CY = 1 << 0, IR = 1 << 2 };		/* bits of mcountinhibit */

/* ---- floating point ---- */

static void fp_mark_dirty(struct gcpu *g)
{
	rv64_st(g)->mstatus |= MSTATUS_FS;
	rv64_ctx_update(g);
}

static u64 fp_dirty(struct gcpu *g, u64 a, u64 b, u64 c)
{
	fp_mark_dirty(g);
	return 0;
}
const struct ir_helper rv64_fp_dirty = { "fp dirty", fp_dirty, 0 };

static u64 read_fflags(const struct gcpu *g, u32 i)
{
	return g->fp_flags & 0x1f;
}

static void write_fflags(struct gcpu *g, u32 i, u64 v)
{
	g->fp_flags = v & 0x1f;
	fp_mark_dirty(g);
}

static u64 read_frm(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->frm;
}

static void write_frm(struct gcpu *g, u32 i, u64 v)
{
	rv64_st(g)->frm = v & 7;
	g->fp_rm = rv64_st(g)->frm;	/* reserved values never reach arithmetic: CTX_FRM */
	fp_mark_dirty(g);
}

static u64 read_fcsr(const struct gcpu *g, u32 i)
{
	return read_frm(g, 0) << 5 | read_fflags(g, 0);
}

static void write_fcsr(struct gcpu *g, u32 i, u64 v)
{
	write_fflags(g, 0, v);
	write_frm(g, 0, v >> 5);
}

/* ---- counters ---- */

static u64 counter_read(const struct gcpu *g, u64 stored, u32 inhibit)
{
	return rv64_st(g)->mcountinhibit & inhibit ? stored : stored + gcpu_icount(g);
}

/* What to store so that the next instruction reads @v. */
static u64 counter_store(const struct gcpu *g, u64 v, u32 inhibit)
{
	return rv64_st(g)->mcountinhibit & inhibit ? v : v - (gcpu_icount(g) + 1);
}

static u64 read_mcycle(const struct gcpu *g, u32 i)
{
	return counter_read(g, rv64_st(g)->mcycle, CY);
}

static void write_mcycle(struct gcpu *g, u32 i, u64 v)
{
	rv64_st(g)->mcycle = counter_store(g, v, CY);
}

static u64 read_minstret(const struct gcpu *g, u32 i)
{
	return counter_read(g, rv64_st(g)->minstret, IR);
}

static void write_minstret(struct gcpu *g, u32 i, u64 v)
{
	rv64_st(g)->minstret = counter_store(g, v, IR);
}

static u64 read_mcountinhibit(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->mcountinhibit;
}

static void write_mcountinhibit(struct gcpu *g, u32 i, u64 v)
{
	u64 cycle = read_mcycle(g, 0), instret = read_minstret(g, 0);
	u64 changed = (rv64_st(g)->mcountinhibit ^ v) & (CY | IR);

	rv64_st(g)->mcountinhibit = v & (CY | IR);
	if (changed & CY)
		write_mcycle(g, 0, cycle);
	if (changed & IR)
		write_minstret(g, 0, instret);
}

#define read_cycle	read_mcycle
#define write_cycle	NULL
#define read_instret	read_minstret
#define write_instret	NULL
#define write_time	NULL

static u64 read_time(const struct gcpu *g, u32 i)
{
	return rv64_time(g);
}

static u64 read_stimecmp(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->stimecmp;
}

static void write_stimecmp(struct gcpu *g, u32 i, u64 v)
{
	rv64_set_stimecmp(g, v);
}

/* ---- status and environment ---- */

static u64 read_mstatus(const struct gcpu *g, u32 i)
{
	u64 v = rv64_st(g)->mstatus;

	return v | MSTATUS_UXL | MSTATUS_SXL | ((v & MSTATUS_FS) == MSTATUS_FS ? MSTATUS_SD : 0);
}

static void status_write(struct gcpu *g, u64 v, u64 writable)
{
	struct rv64_state *st = rv64_st(g);

	if (BITS(v, 12, 11) == 2)
		writable &= ~(u64)MSTATUS_MPP;		/* no such privilege: keep the old one */
	st->mstatus = (st->mstatus & ~writable) | (v & writable);
	rv64_ctx_update(g);
}

static void write_mstatus(struct gcpu *g, u32 i, u64 v)
{
	status_write(g, v, MSTATUS_WRITABLE);
}

static u64 read_sstatus(const struct gcpu *g, u32 i)
{
	return read_mstatus(g, 0) & (SSTATUS_WRITABLE | MSTATUS_UXL | MSTATUS_SD);
}

static void write_sstatus(struct gcpu *g, u32 i, u64 v)
{
	status_write(g, v, SSTATUS_WRITABLE);
}

static u64 envcfg_writable(const struct gcpu *g)
{
	u64 w = ENVCFG_FIOM;

	if (g->features & RV64_ZICBOM)
		w |= ENVCFG_CBIE | ENVCFG_CBCFE;
	if (g->features & RV64_ZICBOZ)
		w |= ENVCFG_CBZE;
	return w;
}

static void envcfg_write(struct gcpu *g, u64 *reg, u64 v, u64 writable)
{
	if ((v & ENVCFG_CBIE) == BIT(5))		/* reserved */
		writable &= ~ENVCFG_CBIE;
	*reg = (*reg & ~writable) | (v & writable);
	rv64_ctx_update(g);
}

static u64 read_senvcfg(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->senvcfg;
}

static void write_senvcfg(struct gcpu *g, u32 i, u64 v)
{
	envcfg_write(g, &rv64_st(g)->senvcfg, v, envcfg_writable(g));
}

static u64 read_menvcfg(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->menvcfg;
}

static void write_menvcfg(struct gcpu *g, u32 i, u64 v)
{
	struct rv64_state *st = rv64_st(g);
	u64 old = st->menvcfg, extra = 0;

	extra |= g->features & RV64_SSTC ? ENVCFG_STCE : 0;
	extra |= g->features & RV64_SVADU ? ENVCFG_ADUE : 0;
	envcfg_write(g, &st->menvcfg, v, envcfg_writable(g) | extra);
	if ((old ^ st->menvcfg) & ENVCFG_ADUE)
		tlb_flush_all(g->tlb);
	if ((old ^ st->menvcfg) & ENVCFG_STCE)
		rv64_set_stimecmp(g, st->stimecmp);
}

static u64 read_misa(const struct gcpu *g, u32 i)
{
	return MISA;
}

static void write_misa(struct gcpu *g, u32 i, u64 v)
{
}

static u64 read_mhartid(const struct gcpu *g, u32 i)
{
	return g->index;
}

#define write_mhartid NULL

/* ---- interrupts ---- */

static u64 read_mip(const struct gcpu *g, u32 i)
{
	return rv64_mip(g);
}

/*
 * SSIP is a line, since other harts set it too; SEIP and, without Sstc, STIP are software's.
 * Only bits that the instruction names are written: a pin must not be latched into another
 * bit, and an SSIP that arrives between read and write must not be lost.
 */
static void ip_write(struct gcpu *g, u64 v, u64 writable)
{
	struct rv64_state *st = rv64_st(g);

	if (rv64_timer_active(g))
		writable &= ~BIT(IRQ_STI);
	if (v & writable & BIT(IRQ_SSI))
		atomic_fetch_or(&g->lines, BIT(IRQ_SSI));
	else if (writable & BIT(IRQ_SSI))
		atomic_fetch_and(&g->lines, ~BIT(IRQ_SSI));
	writable &= ~BIT(IRQ_SSI);
	st->mip = (st->mip & ~writable) | (v & writable);
}

static void write_mip(struct gcpu *g, u32 named, u64 v)
{
	ip_write(g, v, MIP_S & named);
}

static u64 read_sip(const struct gcpu *g, u32 i)
{
	return rv64_mip(g) & rv64_st(g)->mideleg;
}

static void write_sip(struct gcpu *g, u32 named, u64 v)
{
	ip_write(g, v, rv64_st(g)->mideleg & BIT(IRQ_SSI) & named);
}

static u64 read_sie(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->mie & rv64_st(g)->mideleg;
}

static void write_sie(struct gcpu *g, u32 i, u64 v)
{
	struct rv64_state *st = rv64_st(g);

	st->mie = (st->mie & ~st->mideleg) | (v & st->mideleg);
}

/* ---- memory ---- */

static u64 read_satp(const struct gcpu *g, u32 i)
{
	return rv64_st(g)->satp;
}

static bool has_mode(const struct gcpu *g, u32 mode)
{
	return mode == SATP_BARE || mode == SATP_SV39 ||
	       (mode == SATP_SV48 && g->features & RV64_SV48) ||
	       (mode == SATP_SV57 && g->features & RV64_SV57);
}

/* A mode that there is not leaves all of satp as it was. */
static void write_satp(struct gcpu *g, u32 i, u64 v)
{
	if (!has_mode(g, SATP_MODE(v)))
		return;
	rv64_st(g)->satp = v;
	rv64_ctx_update(g);
}

static u64 read_pmpcfg(const struct gcpu *g, u32 i)
{
	return rv64_pmp_read_cfg(rv64_st(g), i / 2);
}

static void write_pmpcfg(struct gcpu *g, u32 i, u64 v)
{
	rv64_pmp_write_cfg(g, i / 2, v);
}

static u64 read_pmpaddr(const struct gcpu *g, u32 i)
{
	return i < RV64_PMP_COUNT ? rv64_st(g)->pmpaddr[i] : 0;
}

static void write_pmpaddr(struct gcpu *g, u32 i, u64 v)
{
	rv64_pmp_write_addr(g, i, v);
}

/* ---- the table ---- */

static u64 read_zero(const struct gcpu *g, u32 i)
{
	return 0;
}

static void write_ignored(struct gcpu *g, u32 i, u64 v)
{
}

#define CSR_CODE(first, last, name, flags)
#define CSR_ZERO(first, last, name, flags)
#define CSR_STATE(number, name, mask, flags)						\
	static u64 read_##name(const struct gcpu *g, u32 i) { return rv64_st(g)->name; }	\
	static void write_##name(struct gcpu *g, u32 i, u64 v)				\
	{										\
		rv64_st(g)->name = v & (mask);						\
	}
#include "engine/front/rv64/csr.def"

struct csr {
	const char *name;
	/* @i: number less the row's first; NAMED rows: the bits to write */
	u64 (*read)(const struct gcpu *g, u32 i);
	void (*write)(struct gcpu *g, u32 i, u64 v);
	u16 first, last;
	u8 flags;
};

static const struct csr csrs[] = {
	{ NULL },
#define CSR_CODE(first, last, name, flags) \
	{ #name, read_##name, write_##name, first, last, flags },
#define CSR_ZERO(first, last, name, flags) \
	{ #name, read_zero, write_ignored, first, last, flags },
#define CSR_STATE(number, name, mask, flags) \
	{ #name, read_##name, write_##name, number, number, flags },
#include "engine/front/rv64/csr.def"
};

enum csr_row {
	ROW_none,
#define CSR_CODE(first, last, name, flags)	ROW_##name,
#define CSR_ZERO(first, last, name, flags)	ROW_##name,
#define CSR_STATE(number, name, mask, flags)	ROW_##name,
#include "engine/front/rv64/csr.def"
};

static const u8 csr_rows[4096] = {
#define CSR_CODE(first, last, name, flags)	[first ... last] = ROW_##name,
#define CSR_ZERO(first, last, name, flags)	[first ... last] = ROW_##name,
#define CSR_STATE(number, name, mask, flags)	[number] = ROW_##name,
#include "engine/front/rv64/csr.def"
};

static const struct csr *csr_find(u32 number)
{
	const struct csr *c = &csrs[csr_rows[number & 0xfff]];

	if (!c->name || (c->flags & CSR_EVEN && number & 1))
		return NULL;
	return c;
}

/* ---- access ---- */

static bool counter_permitted(const struct rv64_state *st, u64 bit)
{
	return (st->priv == PRIV_M || st->mcounteren & bit) &&
	       (st->priv != PRIV_U || st->scounteren & bit);
}

static bool stc_permitted(const struct gcpu *g)
{
	const struct rv64_state *st = rv64_st(g);

	return g->features & RV64_SSTC &&
	       (st->priv == PRIV_M || (st->mcounteren & COUNTEREN_TM && st->menvcfg & ENVCFG_STCE));
}

static bool csr_permitted(const struct gcpu *g, const struct csr *c, u32 number, bool write)
{
	const struct rv64_state *st = rv64_st(g);

	if (BITS(number, 9, 8) > st->priv || (write && BITS(number, 11, 10) == 3))
		return false;
	if (c->flags & CSR_FP && !(st->mstatus & MSTATUS_FS))
		return false;
	if (c->flags & CSR_COUNTER && !counter_permitted(st, BIT(number & 31)))
		return false;
	if (c->flags & CSR_TVM && st->priv == PRIV_S && st->mstatus & MSTATUS_TVM)
		return false;
	return !(c->flags & CSR_STC) || stc_permitted(g);
}

/* The instruction @insn; @operand is rs1's value or the immediate. Returns the old value. */
static u64 csr(struct gcpu *g, u64 insn, u64 operand, u64 unused)
{
	u32 number = (u32)BITS(insn, 31, 20), op = (u32)BITS(insn, 13, 12);
	bool write = op == 1 || BITS(insn, 19, 15);
	const struct csr *c = csr_find(number);
	u64 old;

	if (!c || !csr_permitted(g, c, number, write))
		return rv64_illegal(g, insn);
	number -= c->first;
	old = c->read(g, number);
	if (!write)
		return old;
	if (c->flags & CSR_NAMED)
		number = op == 1 ? ~0u : (u32)operand;
	c->write(g, number, op == 1 ? operand : op == 2 ? old | operand : old & ~operand);
	return old;
}
const struct ir_helper rv64_csr = { "csr", csr, H_FAULT };

bool rv64_csr_ends_block(u32 insn)
{
	u32 number = insn >> 20;
	const struct csr *c = csr_find(number);
	bool status = number == 0x100 || number == 0x300;

	if (status && BITS(insn, 14, 12) == 7)
		return false;	/* csrrci reaches only interrupt enables; disabling is no event */
	return c && !(c->flags & CSR_QUIET);
}

const char *rv64_csr_name(u32 number)
{
	const struct csr *c = csr_find(number);

	return c ? c->name : NULL;
}

u64 rv64_csr_peek(const struct gcpu *g, u32 number)
{
	const struct csr *c = csr_find(number);

	return c ? c->read(g, number - c->first) : 0;
}
