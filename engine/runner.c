/*
 * Which runner executes a guest: the first of the host's list (best first) whose probe says
 * yes, or the one that configuration names. Nothing is measured or guessed here.
 */
#include "engine/runner.h"
#include "kernel/base/str.h"

static const struct runner *runner_pick_best(const struct isa *isa, const char **why)
{
	*why = "this build has no runner";
	for (const struct runner *const *r = runners; *r; r++) {
		if ((*r)->probe(isa, why)) {
			*why = "the best there is";
			return *r;
		}
	}
	return NULL;
}

const struct runner *runner_pick(const struct isa *isa, const char *want, const char **why)
{
	if (str_eq(want, "auto"))
		return runner_pick_best(isa, why);
	for (const struct runner *const *r = runners; *r; r++) {
		if (!str_eq((*r)->name, want))
			continue;
		*why = "this host cannot run that instruction set this way";
		if (!(*r)->probe(isa, why))
			return NULL;
		*why = "asked for";
		return *r;
	}
	*why = "this build has no such runner";
	return NULL;
}
