/*
 * What makes a guest CPU go: interpreter, JIT, vmx, svm, el2. All have the same four functions.
 *
 * The protocol of run(): set g->in_guest (seq_cst); then, before the first instruction and
 * whenever g->attention is found set, clear it, serve g->requests and take an interrupt if one
 * is due; return EXIT_BUDGET if REQ_LEAVE was among the requests or cpu_self->pending is not
 * zero. Clear g->in_guest before returning. A halted CPU returns EXIT_HALT at once unless
 * isa->wakes(). The runner keeps icount and budget; the kernel counts g->exits[].
 */
#pragma once

#include "engine/isa.h"
#include "kernel/base/cpu.h"

struct runner {
	const char *name;				/* "interp" */
	bool accelerated;		/* runs guest instructions on the hardware */
	bool translates;		/* ... or makes host code of them */
	/* can this host run that ISA this way? *why says why not; NULL: nothing of interest */
	bool (*probe)(const struct isa *isa, const char **why);
	err_t (*init)(struct gcpu *g);
	/*
	 * Run until there is a reason to return: x->why is set, always. At most g->budget guest
	 * instructions.
	 */
	void (*run)(struct gcpu *g, struct exit *x);
	/*
	 * The turn is over, perhaps in the middle of an access to a device: bring the state up to
	 * date. NULL: it always is. Until then only RIP, RFLAGS and general registers are.
	 */
	void (*sync)(struct gcpu *g);
	void (*fini)(struct gcpu *g);
};

extern const struct runner *const runners[];	/* best first, NULL ends; arch/<host>/runners.c */
extern const struct runner interp_runner, jit_runner, hybrid_runner, audit_runner;

/*
 * The best runner for @isa; @want is "auto" or a runner's name. *why says why this one or, with
 * NULL, what is missing.
 */
const struct runner *runner_pick(const struct isa *isa, const char *want, const char **why);
