/* The runners of the process: no hardware virtualisation, so translation only. */
#include "engine/runner.h"

const struct runner *const runners[] = {
	&interp_runner,
	NULL,
};
