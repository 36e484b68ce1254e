/*
 * Traps: taking exceptions and interrupts, returning from them, waiting for them.
 * Privileged spec 3.1.6-3.1.9, 3.1.15, 3.3, 4.1; Zawrs.
 *
 * Helpers that leave the runner set pc past their instruction themselves: all are 4 bytes.
 */
#include "engine/front/rv64/rv64.h"

/* The bit at @to of @status becomes the bit at @from. */
static u64 move_bit(u64 status, u64 to, u64 from)
{
	return status & from ? status | to : status & ~to;
}

static u64 vector(u64 tvec, u64 cause)
{
	u64 base = tvec & ~3ull;

	return tvec & 1 && cause & CAUSE_INTERRUPT ? base + 4 * (cause & ~CAUSE_INTERRUPT) : base;
}

static void enter_s(struct rv64_state *st, u64 cause, u64 value)
{
	u64 status = move_bit(st->mstatus, MSTATUS_SPIE, MSTATUS_SIE) &
		     ~(u64)(MSTATUS_SIE | MSTATUS_SPP);

	st->mstatus = status | (st->priv == PRIV_S ? MSTATUS_SPP : 0);
	st->scause = cause;
	st->sepc = st->pc;
	st->stval = value;
	st->priv = PRIV_S;
	st->pc = vector(st->stvec, cause);
}

static void enter_m(struct rv64_state *st, u64 cause, u64 value)
{
	u64 status = move_bit(st->mstatus, MSTATUS_MPIE, MSTATUS_MIE) &
		     ~(u64)(MSTATUS_MIE | MSTATUS_MPP);

	st->mstatus = status | (u64)st->priv << 11;
	st->mcause = cause;
	st->mepc = st->pc;
	st->mtval = value;
	st->priv = PRIV_M;
	st->pc = vector(st->mtvec, cause);
}

static void take_trap(struct gcpu *g, u64 cause, u64 value)
{
	struct rv64_state *st = rv64_st(g);
	u64 delegated = cause & CAUSE_INTERRUPT ? st->mideleg : st->medeleg;

	g->excl.host = NULL;
	if (st->priv != PRIV_M && delegated >> (cause & 63) & 1)
		enter_s(st, cause, value);
	else
		enter_m(st, cause, value);
	rv64_ctx_update(g);
}

/*
 * A handler whose first instruction cannot be fetched or is illegal traps for ever, if nothing
 * more privileged can step in.
 */
static bool trap_is_fatal(const struct gcpu *g, u64 from, enum rv64_priv priv, u32 cause)
{
	const struct rv64_state *st = rv64_st(g);

	return (cause == CAUSE_FETCH_ACCESS || cause == CAUSE_FETCH_PAGE ||
		cause == CAUSE_ILLEGAL) &&
	       st->pc == from && st->priv == priv && (st->priv == PRIV_M || !g->firmware);
}

void rv64_raise(struct gcpu *g)
{
	struct rv64_state *st = rv64_st(g);
	u64 from = st->pc;
	enum rv64_priv priv = st->priv;

	g->xcpt.pending = false;
	take_trap(g, g->xcpt.cause, g->xcpt.value);
	if (trap_is_fatal(g, from, priv, g->xcpt.cause) && g->exit) {
		g->exit->why = EXIT_SHUTDOWN;
		fmt_buf(g->exit->text, sizeof(g->exit->text),
			"trap handler at %#llx traps itself", (unsigned long long)from);
		g->leave = true;
	}
}

/* Interrupts that are pending and enabled by mie; the timer is asked only if its line is up. */
static u64 pending(const struct gcpu *g)
{
	const struct rv64_state *st = rv64_st(g);
	u64 maybe = (atomic_load_explicit(&g->lines, memory_order_relaxed) | st->mip) & st->mie;

	return maybe ? rv64_mip(g) & st->mie : 0;
}

bool rv64_interrupt(struct gcpu *g)
{
	static const u8 order[] = { IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI };
	const struct rv64_state *st = rv64_st(g);
	u64 ready = pending(g), now;

	if (likely(!ready))
		return false;
	now = ready & ~st->mideleg;			/* to M first */
	if (st->priv == PRIV_M && !(st->mstatus & MSTATUS_MIE))
		now = 0;
	if (!now && (st->priv == PRIV_U || (st->priv == PRIV_S && st->mstatus & MSTATUS_SIE)))
		now = ready & st->mideleg;
	for (u32 i = 0; now && i < ARRAY_LEN(order); i++)
		if (now & BIT(order[i])) {
			take_trap(g, CAUSE_INTERRUPT | order[i], 0);
			return true;
		}
	return false;
}

bool rv64_wakes(struct gcpu *g)
{
	return pending(g) != 0;
}

/* ---- returns: the result is the new pc ---- */

static u64 mret(struct gcpu *g, u64 insn, u64 b, u64 c)
{
	struct rv64_state *st = rv64_st(g);
	u64 status = st->mstatus;

	if (st->priv != PRIV_M)
		return rv64_illegal(g, insn);
	st->priv = (u8)BITS(status, 12, 11);
	status = (move_bit(status, MSTATUS_MIE, MSTATUS_MPIE) | MSTATUS_MPIE) & ~(u64)MSTATUS_MPP;
	st->mstatus = st->priv == PRIV_M ? status : status & ~(u64)MSTATUS_MPRV;
	g->excl.host = NULL;
	rv64_ctx_update(g);
	return st->mepc;
}
const struct ir_helper rv64_mret = { "mret", mret, H_FAULT };

static u64 sret(struct gcpu *g, u64 insn, u64 b, u64 c)
{
	struct rv64_state *st = rv64_st(g);
	u64 status = st->mstatus;

	if (st->priv == PRIV_U || (st->priv == PRIV_S && status & MSTATUS_TSR))
		return rv64_illegal(g, insn);
	st->priv = status & MSTATUS_SPP ? PRIV_S : PRIV_U;
	status = (move_bit(status, MSTATUS_SIE, MSTATUS_SPIE) | MSTATUS_SPIE) & ~(u64)MSTATUS_SPP;
	st->mstatus = status & ~(u64)MSTATUS_MPRV;
	g->excl.host = NULL;
	rv64_ctx_update(g);
	return st->sepc;
}
const struct ir_helper rv64_sret = { "sret", sret, H_FAULT };

/* ---- waiting and calling out ---- */

static u64 wfi(struct gcpu *g, u64 insn, u64 b, u64 c)
{
	const struct rv64_state *st = rv64_st(g);

	if (st->priv == PRIV_U || (st->priv == PRIV_S && st->mstatus & MSTATUS_TW))
		return rv64_illegal(g, insn);
	g->halted = !rv64_wakes(g);
	return 0;
}
const struct ir_helper rv64_wfi = { "wfi", wfi, H_FAULT };

static u64 leave(struct gcpu *g, enum exit_why why)
{
	rv64_st(g)->pc += 4;
	g->exit->why = why;
	g->leave = true;
	return 0;
}

static u64 pause(struct gcpu *g, u64 a, u64 b, u64 c)
{
	return leave(g, EXIT_YIELD);
}
const struct ir_helper rv64_pause = { "pause", pause, H_LEAVE };

/* wrs: gives the host CPU away while the reservation is held, instead of watching it. */
static u64 wrs(struct gcpu *g, u64 a, u64 b, u64 c)
{
	return g->excl.host ? leave(g, EXIT_YIELD) : 0;
}
const struct ir_helper rv64_wrs = { "wrs", wrs, H_LEAVE };

static u64 hypercall(struct gcpu *g, u64 a, u64 b, u64 c)
{
	return leave(g, EXIT_HYPERCALL);
}
const struct ir_helper rv64_hypercall = { "hypercall", hypercall, H_STATE | H_LEAVE };
