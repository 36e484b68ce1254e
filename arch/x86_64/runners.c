/* What can run a guest CPU on x86-64, best first. */
#include "engine/runner.h"

const struct runner *const runners[] = {
	&hybrid_runner, &jit_runner, &interp_runner, &audit_runner, NULL
};
