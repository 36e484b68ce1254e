/*
 * What is a matter of speed only, like mmu/tuning.h: sizes of caches and pools, and places where a
 * test may make the engine forget what it knows. All are looked at on slow paths only.
 */
#pragma once

#include "kernel/base/types.h"

struct gcpu;

struct engine_tuning {
	/* bytes per guest CPU */
	size_t interp_cache;		/* the interpreter's blocks, if there is no translator */
	size_t block_cache, host_cache;	/* blocks and host code, if there is one */
	u32 smc_pages;			/* with code, of which book is kept */
	u32 smc_links, code_links;	/* between blocks of host code; of the interpreter */
	u64 first_stamp;		/* of a code cache */
	/* the rest is NULL outside tests */
	void (*miss)(struct gcpu *g);			/* the TLB is about to be filled */
	bool (*refuse)(void);				/* no memory for an entry of the LPT */
	s64 (*slice)(struct gcpu *g, s64 length);	/* how long is the next slice? */
	u32 (*heat)(u32 hot);	/* runs until the block being made is hot, instead of @hot */
};

extern const struct engine_tuning engine_tuning;
