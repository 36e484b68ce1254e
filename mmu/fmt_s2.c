/*
 * Arm VMSAv8-64 stage 2, 4 KiB granule, without 52-bit addresses. Arm ARM (DDI 0487) D8.2 (walks,
 * concatenated tables), D8.3 (descriptors), D8.6 (memory types), D8.16 (break-before-make).
 *
 * The root is as low as joining up to 16 tables allows, so 40-bit addresses take three levels;
 * 4 are taken only above 43 bits, where CPUs must have them. Levels count from the leaves here:
 * the architecture's level is 3 minus ours.
 *
 * Forced means HCR_EL2.FWB: MemAttr then is 0b0110, write-back whatever stage 1 says. Hardware
 * dirty state (VTCR_EL2.HD) is not used, so there is no dirty bit.
 */
#include "mmu/nested.h"

#define S2_VALID	BIT(0)
#define S2_TABLE	BIT(1)		/* or a page, in level 0; clear in a block */
#define S2_MEMORY(attr)	((u64)(attr) << 2)
#define S2AP_R		BIT(6)
#define S2AP_W		BIT(7)
#define S2_INNER	(3ull << 8)	/* inner shareable */
#define S2_AF		BIT(10)
#define S2_ADDRESS	(MASK(48) & ~MASK(12))

#define MEMORY_WB	15		/* outer and inner write-back */
#define MEMORY_FWB_WB	6

_Static_assert((S2_AF | S2_INNER | S2AP_R | S2_MEMORY(MEMORY_WB) | S2_VALID) == 0x77d,
	       "a read-only block");
_Static_assert((S2_AF & S2_ADDRESS) == 0, "flags lie below the address");

const struct nested_format s2_format = {
	.name = "stage 2",
	.address = S2_ADDRESS,
	.present = S2_VALID,
	.table = S2_VALID | S2_TABLE,
	.page = S2_VALID | S2_TABLE | S2AP_R | S2_INNER | S2_AF,
	.block = S2_VALID | S2AP_R | S2_INNER | S2_AF,
	.kind = S2_TABLE,
	.kind_block = 0,
	.memory = S2_MEMORY(MEMORY_WB),
	.memory_forced = S2_MEMORY(MEMORY_FWB_WB),
	.write = S2AP_W,
	.levels = 2,
	.joined = 4,
	.break_first = true,
	.flush_gains = true,
};
