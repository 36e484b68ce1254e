/*
 * The RISC-V board: QEMU's `virt` as far as a guest can tell (its memory map, interrupt numbers
 * and device tree), with up to 64 harts. What belongs to one VM is struct virt; where things sit
 * is the const table of virt_rv64.c, from which both the devices and the device tree are made.
 */
#pragma once

#include "guests/dt.h"
#include "guests/image.h"
#include "kernel/vm.h"

#define VIRT_HARTS	64
#define VIRT_ROM	0x1000ull	/* reset vector */
#define VIRT_ROM_LEN	0xf000ull
#define VIRT_RAM	0x80000000ull
#define VIRT_KERNEL	0x80200000ull	/* where a kernel goes that has no wish of its own */
#define VIRT_SLOTS	8		/* virtio-mmio transports */
#define VIRT_FDT_CAP	KIB(64)

enum {	/* PLIC sources */
	VIRT_IRQ_VIRTIO = 1,		/* + slot */
	VIRT_IRQ_UART = 10,
	VIRT_IRQ_RTC = 11,
};

struct virt {			/* vm->board_data */
	struct irq_line plic_out[2 * VIRT_HARTS], clint_out[2 * VIRT_HARTS];
	struct chr *console;
	u32 slots;		/* virtio transports in use */
	struct rng fixed_rng;	/* for a guest whose clock counts: the same numbers in every run */
	u64 fixed_rng_state;
	/* around starting a hart: seen to be off, registers set, on; taken before the sched lock */
	struct lock power;
};

/* A place on the board. */
struct virt_row {
	const struct model *model;
	const char *name, *node;	/* for people; in the device tree */
	gpa_t base;
	u64 len;
	u32 irq;			/* PLIC source, 0: none */
	const char *also[2];		/* compatible strings after the model's own */
	void (*describe)(struct dt *f, const struct vm *vm);	/* more properties, or NULL */
};
extern const struct virt_row virt_rows[];	/* NULL model ends */
extern const struct virt_row virt_virtio;	/* slot 0; the others follow in steps of len */

struct virt_images {
	gpa_t initrd, initrd_end;	/* 0: none */
};

/* What the guest's randomness comes from; NULL: it gets none. */
struct rng *virt_rng(const struct vm *vm);
/* virt_rv64_fdt.c: write the device tree into @buf. */
must_check err_t virt_write_fdt(const struct vm *vm, const struct virt_images *images, void *buf,
				u32 cap, u32 *len);
/* virt_rv64_start.c: load what configuration names and set the harts' start registers. */
must_check err_t virt_load(struct vm *vm);
/* sbi_rv64.c */
void sbi_rv64(struct vcpu *v);
