/*
 * What the translating runners share: between slices of translated code comes everything that
 * can change from outside: requests, interrupts, halting, the budget.
 *
 * Where slices end differs between runners, and with what else the host has to do. So with
 * g->quantum an interrupt has to wait for a place that only the guest's instructions decide: a
 * multiple of so many of them, or one that ends a slice in every runner (SLICE_CHECK,
 * SLICE_LEAVE). The budgets given to run() must end at those multiples.
 */
#pragma once

#include "engine/exit.h"

struct gcpu;

/* Why a slice ended. */
enum slice_why {
	SLICE_BUDGET,		/* used up; pc is at a block boundary */
	SLICE_CHECK,	/* an instruction may have changed context, interrupts or translation */
	SLICE_CALLED,		/* ->attention, seen after an exception */
	SLICE_LEAVE,		/* a helper set g->leave and filled *g->exit */
	SLICE_RAISE,		/* one block only: an exception is parked */
	SLICE_HOT,		/* the interpreter is at a block that is to be, or is, host code */
};

/*
 * Be a runner's run(): call @go for slices of at most @length instructions. It returns with pc and
 * icount exact, and does not begin a block that is longer than what is left; the budget is exact
 * all the same, since the rest is then run by the interpreter, translated for just that length.
 */
void slices_run(struct gcpu *g, struct exit *x, s64 length,
		enum slice_why (*go)(struct gcpu *g, s64 slice));
