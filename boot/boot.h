/*
 * What the boot code hands to the kernel: one struct, filled by the UEFI loader before it
 * leaves boot services, or by arch/hosted/main.c. Everything but the memory map is optional.
 *
 * The loader (a PE image) carries the core (a static-PIE ELF); it loads the core's
 * segments into RAM, relocates them and calls boot_entry(info) on the boot CPU, after
 * ExitBootServices, still on firmware's identity page tables and stack, both of which lie in
 * memory that is already BOOT_FREE: the core leaves them before it gives pages away. Its own
 * tables also map RAM and itself at virtual = physical, but W^X. The entry is reached with
 * the PE calling convention (x86-64: @info in RCX; AArch64: in X0), interrupts off.
 */
#pragma once

#include "kernel/base/types.h"

#define BOOT_MAGIC	0x32304f4f42505646ull	/* "FVPBOO02" */
#define BOOT_RANGES	256
#define BOOT_FILES	64
#define BOOT_PATH	96

enum boot_memory {
	BOOT_FREE, /* RAM for the page allocator (firmware's boot services ended with the loader) */
	BOOT_USED,		/* loader, core, this struct, files: RAM, mapped, not free */
	BOOT_FIRMWARE,		/* runtime data, ACPI tables: RAM that stays firmware's */
	BOOT_FIRMWARE_CODE,	/* runtime services' code and their static data */
	BOOT_DEVICE,		/* reserved, device registers */
};

struct boot_range {
	hpa_t base;
	u64 len;
	enum boot_memory kind;
};

struct boot_file {
	/* relative to the ESP's root, '/' between parts: "guests/riscv64/Image" */
	char path[BOOT_PATH];
	const u8 *data;
	u64 len;
};

struct boot_fb {
	hpa_t base;		/* 0: none, or a GOP without a linear frame buffer */
	u64 len;
	u32 width, height, stride;	/* pixels */
	bool bgr;		/* byte order B G R x, else R G B x */
};

struct boot_segment {		/* of the loaded core, for W^X */
	hpa_t base;
	u64 len;
	bool write, execute;	/* never both */
};

struct boot_info {
	u64 magic;
	struct boot_range range[BOOT_RANGES];	/* sorted, not overlapping */
	u32 ranges;
	struct boot_file file[BOOT_FILES];
	u32 files;
	u32 files_skipped;	/* too many, too long a name, no memory, unreadable */
	struct boot_segment segment[8];
	u32 segments;
	hpa_t rsdp;		/* ACPI 2.0 root pointer, 0: no ACPI */
	hpa_t fdt;		/* flattened device tree, 0: none */
	hpa_t runtime;		/* EFI_RUNTIME_SERVICES, called at virtual = physical */
	struct boot_fb fb;
	u64 wall_seconds;	/* UEFI GetTime as Unix time, 0: unknown */
	ns_t firmware_ns;	/* time spent before us, if known */
};

extern struct boot_info *boot;	/* the core's; NULL in the hosted process */
