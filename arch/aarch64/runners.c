/* What runs guests on an AArch64 host, best first. */
#include "engine/runner.h"

const struct runner *const runners[] = { &interp_runner, NULL };
