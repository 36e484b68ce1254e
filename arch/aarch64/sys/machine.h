/*
 * What this machine looks like. boot/aarch64/discover_*.c fill it in from ACPI or a device
 * tree before anything here runs; the rest of arch/aarch64/sys only reads it. Zero means
 * "not there" everywhere: a machine that says nothing about itself still gets as far as it
 * can.
 */
#pragma once

#include "kernel/base/cpu.h"
#include "kernel/base/types.h"

#define MACHINE_REDISTS	16

#define TIMER_INTID	26		/* CNTHP, the non-secure EL2 physical timer (SBSA) */

enum psci_conduit { PSCI_NONE, PSCI_SMC, PSCI_HVC };

struct machine_cpu {
	u64 affinity;			/* MPIDR_EL1 & MPIDR_AFFINITY */
	u32 node;
	u32 uid;			/* ACPI processor UID, the key of SRAT */
	hpa_t redist;			/* GICv3: from its MADT entry, 0: look in the regions */
};

struct machine {
	const char *source;		/* "ACPI", "device tree", "defaults" */
	struct {
		hpa_t base;		/* PL011 or SBSA generic UART */
		u32 irq;		/* INTID, 0: none */
	} uart;
	struct {
		u32 version;		/* 2, 3, 4; 0: none */
		hpa_t dist;
		hpa_t cpu;		/* GICv2 CPU interface */
		struct {
			hpa_t base;
			u64 len;
		} redist[MACHINE_REDISTS];
		u32 redists;
	} gic;
	enum psci_conduit psci;
	u32 timer;			/* INTID */
	struct machine_cpu cpu[CPU_MAX];
	u32 cpus, cpus_left_out;	/* beyond CPU_MAX */
};

extern struct machine machine;
