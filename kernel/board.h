/*
 * Boards: const tables that say which models sit where. The kernel declares what it needs;
 * guests/boards.c defines it.
 */
#pragma once

#include "kernel/vm.h"

struct board {
	const char *name;		/* "virt-rv64" */
	const char *arch;		/* "riscv64": the key of the configuration */
	const struct isa *isa;
	u32 cpus_max;
	u64 memory_min, memory_max;	/* bytes */
	/*
	 * Furnish @vm: RAM, devices, images loaded, guest CPUs' start registers. vm->vcpu[] are
	 * initialised and off, config is checked, blk[] are open. On failure the caller tears down.
	 */
	err_t (*build)(struct vm *vm);
	/* EXIT_HYPERCALL of @v: SBI, PSCI. */
	void (*hypercall)(struct vcpu *v);
	/* Press the power key of @vm, which is running; NULL: there is none. */
	void (*press)(struct vm *vm);
};

extern const struct board *const boards[];	/* NULL ends */
const struct board *board_find(const char *arch);
