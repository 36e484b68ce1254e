/*
 * The two entries of the kernel and what they share. Both find CPU 0 set up (cpu_self, its
 * interrupts on), the clock running and memory in the page allocator; both end in
 * sched_loop() on CPU 0, which only arch_poweroff() and arch_reboot() leave.
 */
#pragma once

#include "kernel/config.h"

#define FVP_VERSION "0.1.0"

/* Bare metal: read fvp.toml, bring up the other CPUs, start the VMs, never return. */
_Noreturn void kernel_main(void);

/*
 * The process: run a command of build/fvp. `run` does not return; the others yield the exit
 * status.
 */
int cli_main(int argc, char **argv);

/* How the kernel is to run. */
struct launch {
	struct config *config;		/* parsed; stays alive */
	const char *only;		/* start this VM alone; NULL: those with autostart */
	bool process;		/* hosted: the program ends, with a status, when nothing can run */
	bool monitor;			/* attach the monitor, and stay when no VM runs */
	bool stats;			/* print stats at the end */
	ns_t timeout;			/* end with status 5 after so long; 0: never */
};
_Noreturn void kernel_launch(const struct launch *l);

/* Stop every VM and leave, with the hosted program's exit @status. CPU 0's loop. */
_Noreturn void machine_end(int status, bool reboot);

enum { STATUS_HYPERVISOR = 4, STATUS_TIMEOUT = 5 };	/* see err.def and vm.h for the others */
