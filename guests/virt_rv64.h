/*
 * The RISC-V board: QEMU's `virt` as far as a guest can tell (its memory map, interrupt numbers
 * and device tree), with up to 64 harts.
 */
#pragma once

#include "guests/virt.h"

#define VIRT_HARTS	VIRT_CPUS
#define VIRT_ROM	0x1000ull	/* reset vector */
#define VIRT_ROM_LEN	0xf000ull
#define VIRT_RAM	0x80000000ull
#define VIRT_KERNEL	0x80200000ull

enum {	/* PLIC sources */
	VIRT_IRQ_VIRTIO = 1,		/* + slot */
	VIRT_IRQ_UART = 10,
	VIRT_IRQ_RTC = 11,
};

/* virt_rv64_fdt.c */
extern const struct virt_row virt_rows[];
extern const struct virt_row virt_virtio;
void virt_rv64_write_irq(struct dt *f, u32 irq);
must_check err_t virt_rv64_write_fdt(const struct vm *vm, const struct virt_images *images,
				     void *buf, u32 cap, u32 *len);
/* virt_rv64_start.c: set the harts' start registers. */
must_check err_t virt_rv64_start(struct virt_start *s);
/* sbi_rv64.c */
void sbi_rv64(struct vcpu *v);
