/* The sizes that FVP is built with: see mmu/tuning.h. */
#include "mmu/tuning.h"

#include "mmu/tlb.h"
#include "mmu/watch.h"

const struct mmu_tuning mmu_tuning = {
	.tlb_keys = BIT(TLB_KEY_BITS),
	.tlb_writers = TLB_WRITERS,
	.lpt_filled = 16384,
	.view_pages = 16384,
	.watch_ring = WATCH_RING,
};
