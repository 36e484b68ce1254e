/*
 * The core as the loader sees it: a static-PIE ELF64 whose only relocations are the
 * machine's R_*_RELATIVE (ELF gABI chapter 5, psABI of each machine). Parsing reads only
 * and may refuse; loading cannot fail. The image is our own, so a refusal means a broken
 * build: it is said before firmware is left, not after.
 */
#pragma once

#include "kernel/base/types.h"

#define ELF_MACHINE_X86_64	62
#define ELF_MACHINE_AARCH64	183
#define PIE_SEGMENTS		8

struct pie_segment {
	u64 vaddr, memsz, offset, filesz;
	u32 flags;		/* ELF_R, ELF_W, ELF_X */
};
enum { ELF_X = 1, ELF_W = 2, ELF_R = 4 };

struct pie {
	const u8 *file;
	u64 size;		/* bytes from virtual address 0 to the end, in whole pages */
	u64 entry;
	struct pie_segment segment[PIE_SEGMENTS];
	u32 segments;
	u64 rela, relas;	/* file offset and count of the relocations */
};

/* NULL when fine, else what is wrong with the @len bytes at @file. */
const char *pie_parse(struct pie *e, const u8 *file, u64 len);

/* Copy the segments to @base, e->size zeroed bytes of RAM, and relocate them to it. */
void pie_load(const struct pie *e, u8 *base);
