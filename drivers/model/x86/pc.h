/*
 * What a board gives to the small devices of a PC, and what it must tell the guest about them.
 * Their ports are the models' own (model.pio).
 */
#pragma once

#include "drivers/model/model.h"

#define PIT_HZ		1193182u

/* dev.port.any of a vcmos: what firmware reads there. Copied when it is created; or NULL. */
struct cmos_board {
	u64 below_4g, above_4g;		/* bytes of RAM on either side of the hole */
	u32 cpus;
};

/*
 * ACPI's fixed hardware: registers at PM_BASE + offset; the FADT must say the same. The SCI is
 * dev.irq, a level.
 */
#define PM_BASE		0x600u
enum { PM_EVENT = 0x00, PM_CONTROL = 0x04, PM_TIMER = 0x08, PM_GPE0 = 0x20, PM_GPE0_LEN = 0x10 };
#define PM_HZ		3579545u
#define PM_TIMER_BITS	24
#define PM_S5_TYPE	0		/* \_S5: SLP_TYP of power off */
#define PM_SMI_PORT	0xb2u
#define PM_ACPI_ENABLE	0x02
#define PM_ACPI_DISABLE	0x03
#define PM_SCI		9		/* the usual input */

/* Somebody pressed the power button. Takes the lock. */
void vpm_power_button(struct dev *pm);

/* dev.port.any of a vfwcfg; a list ends with data NULL. Everything outlives the device. */
struct fwcfg_item {
	u16 key;			/* 0: a file, the model picks a key from 0x20 on */
	u32 len;
	const char *name;		/* of a file, at most 55 bytes */
	const void *data;
};
