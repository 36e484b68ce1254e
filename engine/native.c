/* See native.h; the protocol is runner.h's. */
#include "engine/native.h"

bool native_serve(struct gcpu *g, u32 *host)
{
	u32 r;

	atomic_exchange(&g->attention, 0);
	r = atomic_load(&g->requests);
	if (r & REQ_TLB)
		*host = CPU_MAX;
	atomic_fetch_and(&g->requests, ~r);
	return !(r & REQ_LEAVE);
}
