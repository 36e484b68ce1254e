/* What runners that let the hardware execute the guest have in common. */
#pragma once

#include "engine/isa.h"
#include "kernel/base/cpu.h"

/* Serve requests of other CPUs; false: one asked to leave. */
bool native_serve(struct gcpu *g, u32 *host);

/*
 * Before the guest goes on: serve requests of other CPUs, see whether a halted CPU wakes. False:
 * run() is to return, @x says why. *@host, the host CPU whose translations of the guest are known
 * to be good, becomes CPU_MAX if they must be forgotten. Inline: every exit comes here.
 */
static inline bool native_may_enter(struct gcpu *g, struct exit *x, u32 *host)
{
	x->why = EXIT_BUDGET;
	if (unlikely(atomic_load(&g->attention)) && !native_serve(g, host))
		return false;
	if (atomic_load(&cpu_self->pending))
		return false;
	if (likely(!g->halted))
		return true;
	x->why = EXIT_HALT;
	if (!g->isa->wakes(g))
		return false;
	g->halted = false;
	return true;
}
