/*
 * What a board wires to the Arm interrupt controller, and what the board's struct a64_intc
 * (engine/front/a64/state.h, which explains it) is made of. @ctl is the struct dev everywhere.
 */
#pragma once

#include "kernel/base/types.h"

#define GIC_CPUS	64
#define GIC_SPIS	256	/* INTIDs 32 to 287 */
#define GIC_PRIVATE	32	/* INTIDs below are each CPU's own: 16 SGIs, 16 PPIs */
#define GIC_LR_MAX	16
#define GIC_REDIST	0xa0000ull	/* of the redistributors, from the distributor on */
#define GIC_REDIST_LEN	0x20000ull	/* of one */

/* The elements of @ich: ICH_VMCR_EL2, ICH_AP0R0_EL2, ICH_AP1R0_EL2, ICH_HCR_EL2.EOIcount. */
enum gic_ich { GIC_ICH_VMCR, GIC_ICH_AP0R, GIC_ICH_AP1R, GIC_ICH_EOICOUNT, GIC_ICH_COUNT };

/* For irq_line.set: drive the level of INTID @input, 32 or more; locked. */
void vgic3_input(void *ctl, u32 input, bool level);

/* These take the lock. */
bool vgic3_load(void *ctl, u32 cpu, u64 *lr, u32 count, u32 ich[GIC_ICH_COUNT]);
void vgic3_store(void *ctl, u32 cpu, const u64 *lr, u32 count, const u32 ich[GIC_ICH_COUNT]);
void vgic3_ppi(void *ctl, u32 cpu, u32 intid, bool level);
void vgic3_sgi(void *ctl, u32 cpu, u64 value, u32 group);
void vgic3_reset_cpu(void *ctl, u32 cpu);
bool vgic3_sysreg(void *ctl, u32 cpu, u32 reg, bool write, u64 *val);
