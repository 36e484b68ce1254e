/*
 * Files that a machine starts from: a Linux Image (also gzip-compressed, also inside
 * an EFI program that would decompress it), ELF64, or raw bytes.
 *
 * image_parse() only reads and finds everything that can be wrong with the file; image_place()
 * fits the result into the guest's memory; image_load() copies.
 */
#pragma once

#include "kernel/base/err.h"

#define IMAGE_SEGMENTS	16

struct guest_ram {
	gpa_t base;
	u64 len;
	u8 *host;
};

enum image_kind { IMAGE_RAW, IMAGE_LINUX, IMAGE_ELF };

struct image {
	const char *file;	/* for messages */
	enum image_kind kind;
	bool gzip;
	const char *arch;	/* "riscv64" ...; NULL: the file does not say */
	const u8 *data;		/* the file, or what of it counts */
	u64 len;
	u64 bytes;		/* LINUX, RAW: how many to copy, after decompression */
	u64 offset;		/* LINUX: wanted distance from the start of RAM; 0: no wish */
	u64 size;		/* memory it occupies, with what it clears itself */
	gpa_t base, entry;	/* ELF: physical */
	u32 segments;
	struct image_segment {	/* ELF */
		gpa_t at;
		u64 from, bytes;
	} segment[IMAGE_SEGMENTS];
};

/* E_FORMAT: empty, truncated, or of a kind that cannot be loaded; the message names @file. */
must_check err_t image_parse(const char *file, const u8 *data, u64 len, struct image *out);
/* E_FORMAT unless @i is for @arch or does not say what it is for. */
must_check err_t image_check_arch(const struct image *i, const char *arch);
/*
 * Where it goes: an ELF where it was linked for, a Linux Image where it wishes, else at @at.
 * E_RANGE: not wholly inside @ram.
 */
must_check err_t image_place(const struct image *i, const struct guest_ram *ram, gpa_t at,
			     gpa_t *base);
/* Copy to @base, which image_place() found. E_NOMEM: nothing left to decompress with. */
must_check err_t image_load(const struct image *i, const struct guest_ram *ram, gpa_t base,
			    gpa_t *entry);

/* ---- the formats, for image.c ---- */

/* An EFI program with a compressed Image in it? Then make that @i's data. */
bool zboot_match(const u8 *data, u64 len);
must_check err_t zboot_open(struct image *i);

/* Do @len bytes begin an uncompressed Image? */
bool linux_match(const u8 *head, u64 len);
must_check err_t linux_parse(const u8 *head, u64 len, struct image *i);

bool elf_match(const u8 *data, u64 len);
must_check err_t elf_parse(struct image *i);

bool gzip_match(const u8 *data, u64 len);
/* Check all of it: i->bytes is the length of its content, @head its first @cap bytes. */
must_check err_t gzip_parse(struct image *i, u8 *head, u64 cap);
/* The content, i->bytes long. Out of memory is what can still go wrong. */
must_check err_t gzip_expand(const struct image *i, u8 *buf);
