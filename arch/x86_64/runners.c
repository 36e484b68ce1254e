/* What can run a guest CPU on x86-64, best first. */
#include "engine/runner.h"

const struct runner *const runners[] = { &interp_runner, NULL };
