/* What runs guests on an AArch64 host, best first. */
#include "engine/runner.h"

extern const struct runner el2_runner;

const struct runner *const runners[] = {
	&el2_runner, &hybrid_runner, &jit_runner, &interp_runner, &audit_runner, NULL
};
