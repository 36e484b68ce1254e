/*
 * What differs between GICv2 and GICv3; gic.c has the rest.
 * INTIDs: SGI 0-15, PPI 16-31, SPI 32-1019.
 */
#pragma once

#include "kernel/base/cpu.h"
#include "kernel/base/types.h"

#define GIC_INTIDS	1020

struct gic {
	const char *name;
	bool (*init)(void);			/* distributor; false: it is not there */
	bool (*init_cpu)(struct cpu *c);	/* on @c itself */
	void (*enable)(u32 intid, bool on);	/* PPIs: the calling CPU's */
	u32 (*ack)(void);			/* for eoi(); low 24 bits: INTID, >= 1020 none */
	void (*eoi)(u32 ack);
	void (*send)(const struct cpu *to, u32 sgi);
};

extern const struct gic gicv2_gic, gicv3_gic;

/* Distributor registers that both have, from GICD_BASE (IHI 0069, 12.9). */
#define GICD_CTLR		0x0000
#define GICD_TYPER		0x0004
#define GICD_IGROUPR(n)		(0x0080 + 4 * (n))	/* 32 INTIDs each */
#define GICD_ISENABLER(n)	(0x0100 + 4 * (n))
#define GICD_ICENABLER(n)	(0x0180 + 4 * (n))
#define GICD_ICPENDR(n)		(0x0280 + 4 * (n))
#define GICD_IPRIORITYR(n)	(0x0400 + 4 * (n))	/* 4 INTIDs each */
#define GICD_ITARGETSR(n)	(0x0800 + 4 * (n))	/* 4 INTIDs each, GICv2 */
#define GICD_SGIR		0x0f00			/* GICv2 */
#define GICD_IROUTER(n)		(0x6000 + 8 * (n))	/* GICv3 */

#define GIC_PRIORITIES		0xa0a0a0a0	/* one for all: nothing preempts a handler */

/* Lines that the distributor implements, a multiple of 32. */
static inline u32 gicd_lines(u32 typer)
{
	u32 n = 32 * ((typer & 31) + 1);

	return MIN(n, (u32)GIC_INTIDS);
}
