/* The runners of the process: no hardware virtualisation, so translation only. */
#include "engine/runner.h"

const struct runner *const runners[] = {
	&hybrid_runner,
	&jit_runner,
	&interp_runner,
	&audit_runner,
	NULL,
};
