/* What can run a guest CPU on x86-64, best first. */
#include "engine/runner.h"

extern const struct runner svm_runner, vmx_runner;

const struct runner *const runners[] = {
	&svm_runner, &vmx_runner, &hybrid_runner, &jit_runner, &interp_runner, &audit_runner, NULL
};
