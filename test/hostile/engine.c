/*
 * The hostile build: the same objects with tiny caches, and an engine that is made to forget at
 * random whatever it may forget. Guests must not notice.
 *
 * HOSTILE_SEED in the environment is another course of events; with one guest CPU and a guest that
 * reads no clock it repeats exactly.
 */
#include "engine/tuning.h"

#include <stdlib.h>

#include "engine/code.h"
#include "engine/gcpu.h"
#include "kernel/base/str.h"

/* Guest CPUs that draw at once may get the same number: what of it. */
static u64 next_random(void)
{
	static _Atomic u64 state;
	u64 x = atomic_load_explicit(&state, memory_order_relaxed);

	if (!x) {
		const char *seed = getenv("HOSTILE_SEED");

		x = (seed ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
	}
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	atomic_store_explicit(&state, x, memory_order_relaxed);
	return x * 0x2545f4914f6cdd1dull >> 32;
}

static bool one_in(u32 n)
{
	return next_random() % n == 0;
}

static bool is_late(const struct gcpu *g)
{
	return g->icount > 5000000;
}

/*
 * Almost nothing else is known when something is looked up; but later on the engine is left to make
 * headway, so that guests that boot for long get there.
 */
static void miss(struct gcpu *g)
{
	if (one_in(is_late(g) ? 1000 : 3))
		tlb_flush_all(g->tlb);
}

static bool refuse(void)
{
	return one_in(8);
}

static void jumps_forget(struct code_cache *c)
{
	for (u64 i = next_random() % 8; i < CODE_JUMPS; i += 1 + i % 7)
		c->jump[i] = (struct code_jump){ 0 };
}

static s64 slice(struct gcpu *g, s64 length)
{
	s64 most;

	switch (next_random() % 64) {
	case 0:	case 1:	case 2:
		tlb_flush_all(g->tlb);
		break;
	case 3:
		tlb_flush_page(g->tlb, gcpu_pc(g));
		break;
	case 4:
		if (g->tlb->lpt)
			lpt_flush_all(g->tlb->lpt);
		break;
	case 5:
		if (one_in(32))
			code_drop(g);
		break;
	case 6:
		if (one_in(4))
			jumps_forget(g->code);
		break;
	case 7:
		smc_unlink_all(g->code);
		break;
	case 8: case 9:
		smc_fence(g);
		break;
	default:
		break;
	}
	code_stamp(g);
	most = 1 + (s64)(next_random() % (one_in(16) ? 4 : is_late(g) ? 20000 : 300));
	return MIN(length, most);
}

/* The interpreter alone has nothing to be hot for. */
static u32 heat(u32 hot)
{
	return hot == UINT32_MAX ? hot : (u32)(next_random() % 4);
}

const struct engine_tuning engine_tuning = {
	.interp_cache = KIB(384),
	.block_cache = MIB(1),
	.host_cache = MIB(2),
	.smc_pages = 120,
	.smc_links = 300,
	.code_links = 200,
	.first_stamp = UINT32_MAX - 500,
	.miss = miss,
	.refuse = refuse,
	.slice = slice,
	.heat = heat,
};
