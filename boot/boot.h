/*
 * What the boot code hands to the kernel: one struct, filled by the UEFI loader before it
 * leaves boot services, or by arch/hosted/main.c. Everything but the memory map is optional.
 *
 * The loader (a PE image) carries the core (a static-PIE ELF); it loads the core's
 * segments into RAM, relocates them and calls boot_entry(info) on the boot CPU, after
 * ExitBootServices, still on firmware's identity page tables. The core's own tables also
 * map RAM and itself at virtual = physical, but W^X.
 */
#pragma once

#include "kernel/base/types.h"

#define BOOT_MAGIC	0x32304f4f42505646ull	/* "FVPBOO02" */
#define BOOT_RANGES	256
#define BOOT_FILES	64
#define BOOT_PATH	96

enum boot_memory { BOOT_FREE, BOOT_USED /* loader, core, files: RAM, mapped, not free */, BOOT_FIRMWARE, BOOT_DEVICE };

struct boot_range {
	hpa_t base;
	u64 len;
	enum boot_memory kind;
};

struct boot_file {
	char path[BOOT_PATH];	/* relative to the ESP's root, '/' between parts: "guests/riscv64/Image" */
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
	u32 prot;		/* enum prot */
};

struct boot_info {
	u64 magic;
	struct boot_range range[BOOT_RANGES];	/* sorted, not overlapping */
	u32 ranges;
	struct boot_file file[BOOT_FILES];
	u32 files;
	struct boot_segment segment[8];
	u32 segments;
	hpa_t rsdp;		/* ACPI 2.0 root pointer, 0: no ACPI */
	hpa_t fdt;		/* flattened device tree, 0: none */
	struct boot_fb fb;
	u64 wall_seconds;	/* UEFI GetTime as Unix time, 0: unknown */
	ns_t firmware_ns;	/* time spent before us, if known */
};

extern struct boot_info *boot;	/* the core's; NULL in the hosted process */
