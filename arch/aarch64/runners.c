/* What runs guests on an AArch64 host, best first. */
#include "engine/runner.h"

const struct runner *const runners[] = {
	&hybrid_runner, &jit_runner, &interp_runner, &audit_runner, NULL
};
