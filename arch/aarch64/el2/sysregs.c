/*
 * System registers whose access is trapped, a row each (Arm ARM D17): identification with what a
 * guest may use of it, the physical timer, interrupts that the guest sends, debug registers, which
 * are remembered but do nothing. What has no row is UNDEFINED.
 */
#include "arch/aarch64/el2/el2.h"
#include "arch/aarch64/sys/sysreg.h"

enum kind { ID, STATE, ZERO, COUNT, TIMER_CTL, TIMER_CVAL, TIMER_TVAL, SGI };

struct row {
	u32 reg, count;			/* neighbours by Op2, or by CRm for debug registers */
	enum kind kind;
	u64 arg;			/* ID: bits that show; STATE: offset; SGI: group */
};

#define R(op0, op1, crn, crm, op2)	A64_SYSREG(op0, op1, crn, crm, op2)
#define AT(member)			offsetof(struct a64_state, member)
#define FIELD(n)			(0xfull << 4 * (n))	/* the @n-th field of four bits */

static const struct row rows[] = {
	{ R(3, 0, 0, 1, 0), 8, ZERO, 0 },		/* AArch32's: there is none */
	{ R(3, 0, 0, 2, 0), 8, ZERO, 0 },
	{ R(3, 0, 0, 3, 0), 8, ZERO, 0 },
	{ R(3, 0, 0, 4, 0), 1, ID, 0 },
	{ R(3, 0, 0, 4, 1), 7, ZERO, 0 },		/* PFR1, ZFR0, SMFR0 */
	{ R(3, 0, 0, 5, 0), 1, ID, 0 },
	{ R(3, 0, 0, 5, 1), 7, ZERO, 0 },
	{ R(3, 0, 0, 6, 0), 3, ID, 0 },
	{ R(3, 0, 0, 6, 3), 5, ZERO, 0 },
	{ R(3, 0, 0, 7, 0), 3, ID, 0 },
	{ R(3, 0, 0, 7, 3), 5, ZERO, 0 },
	{ R(3, 0, 1, 0, 1), 1, ZERO, 0 },		/* ACTLR_EL1 */
	{ R(3, 3, 14, 0, 1), 1, COUNT, 0 },		/* CNTPCT_EL0 */
	{ R(3, 3, 14, 2, 0), 1, TIMER_TVAL, 0 },	/* CNTP */
	{ R(3, 3, 14, 2, 1), 1, TIMER_CTL, 0 },
	{ R(3, 3, 14, 2, 2), 1, TIMER_CVAL, 0 },
	{ R(3, 0, 12, 11, 5), 1, SGI, 1 },		/* ICC_SGI1R_EL1 */
	{ R(3, 0, 12, 11, 6), 1, SGI, 0 },		/* ICC_ASGI1R_EL1 */
	{ R(3, 0, 12, 11, 7), 1, SGI, 0 },		/* ICC_SGI0R_EL1 */
	{ R(2, 0, 0, 2, 2), 1, STATE, AT(mdscr) },
	{ R(2, 0, 1, 0, 4), 1, ZERO, 0 },		/* OSLAR_EL1 */
	{ R(2, 0, 1, 1, 4), 1, STATE, AT(oslsr) },
	{ R(2, 0, 1, 3, 4), 1, STATE, AT(osdlr) },
	{ R(2, 0, 1, 0, 0), 1, ZERO, 0 },		/* MDRAR_EL1 */
	{ R(2, 3, 0, 1, 0), 1, ZERO, 0 },		/* MDCCSR_EL0 */
	{ R(2, 0, 7, 14, 6), 1, ZERO, 0 },		/* DBGAUTHSTATUS_EL1 */
};

/* Bits 15:0 of the host's registers would show features that need registers we do not switch. */
static u64 id_pfr0(void)
{
	u64 host = sysreg_read(id_aa64pfr0_el1);

	return (host & (FIELD(4) | FIELD(5) | FIELD(6) | FIELD(14) | FIELD(15))) | 1 | 1 << 4;
}

static u64 id_mmfr0(void)
{
	u64 host = sysreg_read(id_aa64mmfr0_el1);

	return (host & ~FIELD(0) & (MASK(48))) | MIN(host & 0xf, 2ull);	/* 40 bits at most */
}

static u64 id_read(u32 reg)
{
	switch (reg) {
	case R(3, 0, 0, 4, 0):	return id_pfr0();
	case R(3, 0, 0, 5, 0):	return 6;		/* DFR0: v8 debug, nothing counts */
	case R(3, 0, 0, 6, 0):	return sysreg_read(id_aa64isar0_el1) & ~FIELD(6);
	case R(3, 0, 0, 6, 1):	/* less pointer authentication, whose keys stay the host's */
		return sysreg_read(id_aa64isar1_el1) &
		       ~(FIELD(1) | FIELD(2) | FIELD(6) | FIELD(7));
	case R(3, 0, 0, 7, 0):	return id_mmfr0();
	case R(3, 0, 0, 7, 1):	/* less VHE, LORegions, XNX */
		return sysreg_read(id_aa64mmfr1_el1) & ~(FIELD(2) | FIELD(4) | FIELD(7)) & MASK(32);
	case R(3, 0, 0, 7, 2):	/* less nested virtualisation, stage 2's own */
		return sysreg_read(s3_0_c0_c7_2) & ~(FIELD(6) | FIELD(10) | FIELD(15)) & MASK(44);
	default:		return 0;
	}
}

static const struct row *row_find(u32 reg)
{
	for (u32 i = 0; i < ARRAY_LEN(rows); i++)
		if (reg - rows[i].reg < rows[i].count)
			return &rows[i];
	return NULL;
}

/* DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n>_EL1: op0 2, CRn 0, CRm n, Op2 4 to 7. */
static u64 *debug_at(struct el2_cpu *c, u32 reg)
{
	struct a64_state *st = c->st;
	u32 n = reg >> 3 & 15;

	if ((reg & ~(15u << 3)) < R(2, 0, 0, 0, 4) || (reg & ~(15u << 3)) > R(2, 0, 0, 0, 7))
		return NULL;
	switch (reg & 3) {
	case 0:		return &st->bvr[n];
	case 1:		return &st->bcr[n];
	case 2:		return &st->wvr[n];
	default:	return &st->wcr[n];
	}
}

static void timer_write(struct el2_cpu *c, enum kind kind, u64 val)
{
	struct a64_state *st = c->st;

	if (kind == TIMER_CTL)
		st->cntp_ctl = val & (A64_TIMER_ENABLE | A64_TIMER_IMASK);
	else
		st->cntp_cval = kind == TIMER_CVAL ? val :
						     a64_count(c->g) + (u64)(s64)(s32)val;
	a64_timers(c->g);
}

static u64 timer_read(const struct el2_cpu *c, enum kind kind)
{
	const struct a64_state *st = c->st;
	u64 count = a64_count(c->g);

	if (kind == TIMER_CTL)
		return st->cntp_ctl | (st->cntp_ctl & A64_TIMER_ENABLE && count >= st->cntp_cval ?
					       A64_TIMER_ISTATUS : 0);
	return kind == TIMER_CVAL ? st->cntp_cval : (u32)(st->cntp_cval - count);
}

static bool row_write(struct el2_cpu *c, const struct row *r, u64 val)
{
	switch (r->kind) {
	case STATE:
		*(u64 *)((u8 *)c->st + r->arg) = val;
		return true;
	case TIMER_CTL: case TIMER_CVAL: case TIMER_TVAL:
		timer_write(c, r->kind, val);
		return true;
	case SGI:
		el2_intc(c)->sgi(c->g->intc_ctl, c->g->index, val, (u32)r->arg);
		return true;
	case ZERO:
		return true;
	default:
		return false;			/* read-only */
	}
}

static bool row_read(struct el2_cpu *c, const struct row *r, u32 reg, u64 *val)
{
	switch (r->kind) {
	case ID:
		*val = id_read(reg);
		return true;
	case STATE:
		*val = *(u64 *)((u8 *)c->st + r->arg);
		return true;
	case ZERO:
		*val = 0;
		return true;
	case COUNT:
		*val = a64_count(c->g);
		return true;
	case TIMER_CTL: case TIMER_CVAL: case TIMER_TVAL:
		*val = timer_read(c, r->kind);
		return true;
	default:
		return false;			/* write-only */
	}
}

bool el2_sysreg(struct el2_cpu *c, u32 reg, bool write, u64 *val)
{
	const struct row *r = row_find(reg);
	u64 *debug = debug_at(c, reg);

	if (debug) {
		*(write ? debug : val) = *(write ? val : debug);
		return true;
	}
	if (!r)
		return false;
	return write ? row_write(c, r, *val) : row_read(c, r, reg, val);
}
