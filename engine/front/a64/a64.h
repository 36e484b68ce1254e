/* The A64 front end's own: what its files share. Others include state.h. */
#pragma once

#include "engine/front/a64/state.h"
#include "engine/isa.h"

static inline struct a64_state *a64_st(const struct gcpu *g)
{
	return g->st;
}

/* No comparator is due or armed. */
void a64_timer_init(struct gcpu *g);
