/*
 * Sizes that are a matter of speed only: whatever they are, guests see the same. A build takes them
 * from mmu/tuning; tests link other ones (test/hostile) to the same objects.
 */
#pragma once

#include "kernel/base/types.h"

struct mmu_tuning {
	u32 tlb_keys;		/* handed out before the arrays are swept; <= BIT(TLB_KEY_BITS) */
	u32 tlb_writers;	/* <= TLB_WRITERS */
	u32 lpt_filled;		/* pages entered in a slot of the LPT before it is emptied */
	u32 view_pages;		/* that a view maps; a power of two, less than 65536 */
	u32 watch_ring;		/* <= WATCH_RING */
};

extern const struct mmu_tuning mmu_tuning;
