/*
 * Linux kernels for x86 (Documentation/arch/x86/boot.rst): the bzImage and its 64-bit entry.
 * bzimage_parse() only reads and may fail; bzimage_start() writes what the kernel finds at its
 * entry: boot parameters, page tables, descriptors.
 */
#pragma once

#include "engine/gcpu.h"
#include "guests/image.h"

struct bzimage {
	const char *file;
	const u8 *header;		/* the setup header, at 1f1h */
	u32 header_len;
	const u8 *code;			/* the 64-bit part */
	u64 code_len;
	u64 wish;			/* where it wants to lie */
	u64 size;			/* memory that it needs there until it knows better */
	u64 initrd_end;			/* the initrd may reach up to here */
	u32 cmdline_max;		/* without the final 0 */
};

/* E_FORMAT, with the file's name: no kernel, truncated, or too old to have a 64-bit entry. */
must_check err_t bzimage_parse(const char *file, const u8 *data, u64 len, struct bzimage *out);

#define E820_MAX 16
enum e820_kind { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3 };

struct bzimage_boot {
	struct bzimage kernel;
	const u8 *initrd;
	u64 initrd_len;
	const char *cmdline;
	gpa_t rsdp;
	struct { gpa_t base; u64 len; u32 kind; } e820[E820_MAX];
	u32 e820_count;
	u8 *ram;			/* guest address 0; low memory up to @low_end */
	gpa_t low_end;
};

/* Below this the kernel's first structures lie; nothing else may. */
#define BZIMAGE_LOW	0x30000ull

/* Copy and set @g's start registers. E_RANGE: it does not fit; the message says what would. */
must_check err_t bzimage_start(const struct bzimage_boot *b, struct gcpu *g);
