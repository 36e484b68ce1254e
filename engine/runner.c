/*
 * Which runner executes a guest: the first of the host's list (best first) whose probe says
 * yes, or the one that configuration names. Nothing is measured or guessed here.
 */
#include "engine/runner.h"
#include "kernel/base/str.h"

/* If none can: what the hardware lacks says more than that nothing else is there. */
static const struct runner *runner_pick_best(const struct isa *isa, const char **why)
{
	bool lacks = false;

	*why = "this build has no runner for it";
	for (const struct runner *const *r = runners; *r; r++) {
		const char *reason = NULL;

		if ((*r)->probe(isa, &reason)) {
			*why = "the best there is";
			return *r;
		}
		if (!reason || (lacks && !(*r)->accelerated))
			continue;
		*why = reason;
		lacks |= (*r)->accelerated;
	}
	return NULL;
}

const struct runner *runner_pick(const struct isa *isa, const char *want, const char **why)
{
	if (str_eq(want, "auto"))
		return runner_pick_best(isa, why);
	for (const struct runner *const *r = runners; *r; r++) {
		const char *reason = NULL;

		if (!str_eq((*r)->name, want))
			continue;
		*why = "asked for";
		if ((*r)->probe(isa, &reason))
			return *r;
		*why = reason ? reason : "this host cannot run that instruction set this way";
		return NULL;
	}
	*why = "this build has no such runner";
	return NULL;
}
