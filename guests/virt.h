/*
 * What the `virt` boards of all guest architectures share. A board is a const struct virt_map: a
 * table of places, from which both the devices (virt.c) and the device tree (virt_fdt.c) are made,
 * and a few functions for what is the architecture's own. What belongs to one VM is struct virt.
 * Addresses and interrupt numbers are those of QEMU's `virt`.
 */
#pragma once

#include "arch/io.h"
#include "guests/dt.h"
#include "guests/image.h"
#include "kernel/vm.h"

#define VIRT_CPUS	64
#define VIRT_SLOTS	8		/* virtio-mmio transports */
#define VIRT_FDT_CAP	KIB(64)

struct virt {			/* vm->board_data */
	const struct virt_map *map;
	struct irq_line out[2][2 * VIRT_CPUS];	/* of the interrupt controllers, in their order */
	u32 controllers;
	struct chr *console;
	u32 slots;		/* virtio transports in use */
	struct rng fixed_rng;	/* for a guest whose clock counts: the same numbers in every run */
	u64 fixed_rng_state;
	/* around starting a CPU: seen to be off, registers set, on; taken before the sched lock */
	struct lock power;
};

/* A place on the board. */
struct virt_row {
	const struct model *model;
	const char *name, *node;	/* for people; in the device tree */
	gpa_t base;
	u64 len;
	u32 irq;			/* input of the interrupt controller, 0: none */
	const char *also[2];		/* compatible strings after the model's own */
	void (*describe)(struct dt *f, const struct vm *vm);	/* more properties, or NULL */
	/* interrupt controllers have two outputs for each CPU; its lines that they drive */
	u8 line[2];
	u64 reg[4];			/* two ranges to show in the tree instead of the one */
};

struct virt_images {
	gpa_t initrd, initrd_end;	/* 0: none */
};

/* What the board starts; see virt_start.c. */
struct virt_start {
	struct vm *vm;
	struct guest_ram ram;
	struct file firmware, kernel, initrd;
	struct image firmware_image, kernel_image;
	gpa_t firmware_at, kernel_at;	/* where they lie ... */
	gpa_t firmware_entry, next;	/* ... and are entered; next: 0 = no kernel */
	gpa_t fdt;
	struct virt_images images;
};

struct virt_map {
	const char *arch;
	gpa_t ram;
	gpa_t kernel;			/* where one goes that has no wish of its own */
	bool firmware;			/* there may be one, at the start of RAM */
	const struct virt_row *rows;	/* the interrupt controller first; NULL model ends */
	const struct virt_row *slot;	/* virtio transport 0; the others follow in steps of len */
	const struct model *uart;
	const char *stdout_path;
	/* of the first row: drive an input; and what a runner needs of it */
	void (*input)(void *ctl, u32 input, bool level);
	const void *intc;
	void (*write_irq)(struct dt *f, u32 irq);	/* properties of a node that has one */
	/* write the device tree into @buf */
	err_t (*write_fdt)(const struct vm *vm, const struct virt_images *images, void *buf,
			   u32 cap, u32 *len);
	/* all is in RAM: set start registers, switch CPUs on */
	err_t (*start)(struct virt_start *s);
};

static inline struct virt *virt_of(const struct vm *vm)
{
	return vm->board_data;
}

/* virt.c: furnish @vm. */
must_check err_t virt_build(struct vm *vm, const struct virt_map *map);
/* What the guest's randomness comes from; NULL: it gets none. */
struct rng *virt_rng(const struct vm *vm);

/* virt_start.c: load what configuration names and start. */
must_check err_t virt_load(struct vm *vm);

/* virt_fdt.c: the parts of the tree that all boards have. */
void virt_write_reg(struct dt *f, u64 base, u64 len);
void virt_write_chosen(struct dt *f, const struct vm *vm, const struct virt_images *images);
void virt_write_memory(struct dt *f, const struct vm *vm);
void virt_write_devices(struct dt *f, const struct vm *vm);
