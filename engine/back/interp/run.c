/* The interpreter as a runner: no block ever gets hot. */
#include "engine/back/interp/interp.h"
#include "engine/runner.h"
#include "engine/tuning.h"

static bool interp_probe(const struct isa *isa, const char **why)
{
	*why = "there is no translation of that instruction set yet";
	return isa->translate != NULL;
}

static err_t interp_init(struct gcpu *g)
{
	return code_init(g, engine_tuning.interp_cache, 0, UINT32_MAX);
}

/* Hot is what ran 2^32 times here: it may do so again. */
static enum slice_why interp_slice(struct gcpu *g, s64 slice)
{
	enum slice_why why = interp_go(g, slice);
	struct block *b = why == SLICE_HOT ? code_find(g, gcpu_pc(g)) : NULL;

	if (b)
		b->heat = UINT32_MAX;
	return why;
}

static void interp_run(struct gcpu *g, struct exit *x)
{
	slices_run(g, x, ENGINE_SLICE, interp_slice);
}

const struct runner interp_runner = {
	.name = "interp",
	.probe = interp_probe,
	.init = interp_init,
	.run = interp_run,
	.fini = code_fini,
};
