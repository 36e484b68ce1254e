/*
 * The interpreter as a runner: slices of translated blocks, and between them everything that
 * can change from outside: requests, interrupts, halting, the budget.
 *
 * The budget is exact: when fewer instructions are left than the next block has, a short
 * block is translated for just the rest, so events land on exact instruction numbers.
 */
#include "engine/back/interp/interp.h"
#include "engine/runner.h"
#include "kernel/base/cpu.h"

#define INTERP_CACHE (MIB(5) / 2)	/* per guest CPU */

static bool interp_probe(const struct isa *isa, const char **why)
{
	*why = NULL;
	return isa->translate != NULL;
}

static err_t interp_init(struct gcpu *g)
{
	return code_init(g, INTERP_CACHE);
}

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
	if (r & REQ_FENCE_I)
		code_fence(g->code);
	atomic_fetch_and(&g->requests, ~r);
	return !(r & REQ_LEAVE) && !atomic_load(&cpu_self->pending);
}

/* Everything between two slices. False: return from run() with x->why. */
static bool between_slices(struct gcpu *g, struct exit *x)
{
	x->why = EXIT_BUDGET;
	if (atomic_load(&g->attention) && !take_requests(g))
		return false;
	if (g->halted) {
		if (!g->isa->wakes(g)) {
			x->why = EXIT_HALT;
			return false;
		}
		g->halted = false;
	}
	g->isa->interrupt(g);
	code_stamp(g);
	return g->budget > 0;
}

/* Fewer instructions are left than the block at pc has: run just those. */
static enum interp_why run_tail(struct gcpu *g, u32 left)
{
	struct block *b = code_find_short(g, gcpu_pc(g), left);

	if (b)
		return interp_block(g, b);
	g->isa->raise(g);
	return g->leave ? INTERP_LEAVE : INTERP_BUDGET;
}

static void interp_run(struct gcpu *g, struct exit *x)
{
	g->exit = x;
	g->leave = false;
	atomic_store(&g->in_guest, true);
	while (between_slices(g, x)) {
		u64 before = g->icount;
		s64 slice = MIN(g->budget, ENGINE_SLICE);
		enum interp_why why = interp_go(g, slice);

		if (why == INTERP_BUDGET && g->icount == before && slice < IR_INSNS_MAX)
			why = run_tail(g, (u32)slice);
		g->budget -= (s64)(g->icount - before);
		if (why == INTERP_LEAVE)
			break;
	}
	atomic_store(&g->in_guest, false);
	g->exit = NULL;
}

const struct runner interp_runner = {
	.name = "interp",
	.probe = interp_probe,
	.init = interp_init,
	.run = interp_run,
	.fini = code_fini,
};
