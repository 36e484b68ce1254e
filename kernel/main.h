/*
 * The two entries of the kernel. Both find CPU 0 set up (cpu_self, its interrupts on), the
 * clock running and memory in the page allocator; both end in sched_loop() on CPU 0, which
 * only arch_poweroff() and arch_reboot() leave.
 */
#pragma once

#include "kernel/base/types.h"

#define FVP_VERSION "0.1.0"

/* Bare metal: read fvp.toml, bring up the other CPUs, start the VMs, never return. */
_Noreturn void kernel_main(void);

/* The process: run a command of build/fvp. `run` does not return; the others yield the exit status. */
int cli_main(int argc, char **argv);
