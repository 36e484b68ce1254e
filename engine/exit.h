/*
 * Why a runner returned. Architecture-neutral: kernel/exit.c has one table over these, whatever
 * ran the guest.
 */
#pragma once

#include "kernel/base/types.h"

#define EXIT_REASONS(X) \
	X(BUDGET,    "time slice or attention: nothing to do for the guest") \
	X(HALT,      "waits for an interrupt (WFI, HLT)") \
	X(YIELD,     "spins politely (PAUSE, WRS.STO, YIELD)") \
	X(HYPERCALL, "asks the machine's built-in firmware (SBI, PSCI, VMCALL)") \
	X(MMIO,      "counted only: hardware runners' accesses to device registers") \
	X(PIO,       "counted only: their accesses to ports") \
	X(IRQ_WINDOW,"hardware runners: interrupts can be taken now") \
	X(SHUTDOWN,  "the guest crashed beyond its own repair (triple fault)") \
	X(DEBUG,     "breakpoint, single step, watchpoint") \
	X(FAIL,      "the runner cannot go on; ->text says why")

enum exit_why {
#define X(name, text) EXIT_##name,
	EXIT_REASONS(X)
#undef X
	EXIT_COUNT
};

struct exit {
	enum exit_why why;
	char text[120];		/* FAIL, SHUTDOWN */
};

const char *exit_name(enum exit_why why);
