/* Sizes that make every limit an everyday event: see mmu/tuning.h. */
#include "mmu/tuning.h"

const struct mmu_tuning mmu_tuning = {
	.tlb_keys = 500,
	.tlb_writers = 2,
	.lpt_filled = 5,
	.view_pages = 8,
	.watch_ring = 3,
};
