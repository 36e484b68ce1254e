/*
 * The AArch64 board: QEMU's `virt` with a GICv3 as far as a guest can tell (its memory map,
 * interrupt numbers and device tree), with up to 64 CPUs in clusters of 16.
 */
#pragma once

#include "guests/virt.h"

#define VIRT_A64_RAM	0x40000000ull

enum {	/* inputs of the GIC: 32 + SPI */
	VIRT_A64_IRQ_UART = 32 + 1,
	VIRT_A64_IRQ_RTC = 32 + 2,
	VIRT_A64_IRQ_GPIO = 32 + 7,
	VIRT_A64_IRQ_VIRTIO = 32 + 16,	/* + slot */
};
#define VIRT_A64_GPIO		3	/* its row */
#define VIRT_A64_POWER_KEY	3	/* line of the GPIO */

/* virt_a64_fdt.c */
extern const struct virt_row virt_a64_rows[];
extern const struct virt_row virt_a64_virtio;
void virt_a64_write_irq(struct dt *f, u32 irq);
must_check err_t virt_a64_write_fdt(const struct vm *vm, const struct virt_images *images,
				    void *buf, u32 cap, u32 *len);
/* psci.c */
void psci(struct vcpu *v);
