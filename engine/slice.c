/* The loop of the translating runners: see slice.h and, for the protocol, runner.h. */
#include "engine/slice.h"

#include "engine/back/interp/interp.h"
#include "engine/runner.h"
#include "engine/tuning.h"
#include "kernel/base/cpu.h"

/*
 * Requests of other CPUs, before the next guest instruction. False: leave, for one asked or the
 * host CPU has work.
 */
static bool take_requests(struct gcpu *g)
{
	u32 r;

	atomic_exchange(&g->attention, 0);	/* as a read, orders ->lines behind it */
	r = atomic_load(&g->requests);
	if (r & REQ_TLB)
		tlb_flush_all(g->tlb);
	if (r & REQ_UNLINK)
		code_unlink(g);
	if (r & REQ_FENCE_I)
		smc_fence(g);
	atomic_fetch_and(&g->requests, ~r);
	return !(r & REQ_LEAVE) && !atomic_load(&cpu_self->pending);
}

static bool may_interrupt(const struct gcpu *g)
{
	return !g->quantum || g->check || g->icount % g->quantum == 0;
}

/* Everything between two slices. False: return from run() with x->why. */
static bool between_slices(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_BUDGET;
	smc_follow(g);
	if (atomic_load(&g->attention) && !take_requests(g))
		return false;
	if (g->halted) {
		if (!g->isa->wakes(g)) {
			x->why = EXIT_HALT;
			return false;
		}
		g->halted = false;
	}
	if (may_interrupt(g)) {
		g->check = false;
		g->isa->interrupt(g);
	}
	code_stamp(g);
	return g->budget > 0;
}

/*
 * Fewer instructions are left than the block at pc has: run just those. They are translated as
 * they are now, so what is kept from before a change without a fence must not be seen after them.
 */
static enum slice_why run_tail(struct gcpu *g, u32 left)
{
	struct block *b;

	smc_fence(g);
	b = code_find_short(g, gcpu_pc(g), left);
	if (b)
		return interp_block(g, b);
	g->isa->raise(g);
	return g->leave ? SLICE_LEAVE : SLICE_BUDGET;
}

void slices_run(struct gcpu *g, struct exit *x, s64 length,
		enum slice_why (*go)(struct gcpu *g, s64 slice))
{
	g->exit = x;
	g->leave = false;
	code_follow_space(g);
	atomic_store(&g->in_guest, true);
	while (between_slices(g, x)) {
		u64 before = g->icount;
		s64 most = engine_tuning.slice ? engine_tuning.slice(g, length) : length;
		s64 slice = MIN(g->budget, most);
		enum slice_why why = go(g, slice);

		if (why == SLICE_BUDGET && g->icount == before && slice < IR_INSNS_MAX)
			why = run_tail(g, (u32)slice);
		g->insns_left = 0;
		g->check |= why == SLICE_CHECK || why == SLICE_LEAVE;
		g->budget -= (s64)(g->icount - before);
		if (why == SLICE_LEAVE)
			break;
	}
	atomic_store(&g->in_guest, false);
	g->exit = NULL;
}
