/*
 * Intel EPT, 4 levels. Intel SDM volume 3C, 29.3 (tables 29-1 to 29-7), 25.6.11 (the EPTP).
 *
 * Guests' devices are emulated, so nothing but CPUs sees memory and "forced" is safe here: the
 * guest's PAT is ignored. Present is what can be read: an entry that can be written but not read
 * is a misconfiguration, which some hypervisors use as a cheaper exit for MMIO; whoever wants that
 * can put such entries (R clear, W set) where there are none: for nested.c they still are none.
 */
#include "mmu/nested.h"

enum {
	EPT_R = 1 << 0, EPT_W = 1 << 1, EPT_X = 1 << 2,
	EPT_MEMORY_WB = 6 << 3,		/* bits 5:3 */
	EPT_IGNORE_PAT = 1 << 6,
	EPT_LARGE = 1 << 7,		/* reserved in level 3, ignored in level 0 */
	EPT_A = 1 << 8, EPT_D = 1 << 9,
};
#define EPT_ADDRESS	(MASK(52) & ~MASK(12))

enum {
	EPTP_WB = 6 << 0, EPTP_WALK_4 = 3 << 3, EPTP_AD = 1 << 6,
};

_Static_assert(((EPT_R | EPT_W | EPT_X) & 0xf8) == 0, "bits 7:3 of a table entry are reserved");
_Static_assert((EPTP_WB | EPTP_WALK_4 | EPTP_AD) == 0x5e, "what everybody's EPTP ends in");
_Static_assert((EPT_D & EPT_ADDRESS) == 0, "flags lie below the address");

const struct nested_format ept_format = {
	.name = "EPT",
	.address = EPT_ADDRESS,
	.present = EPT_R,
	.table = EPT_R | EPT_W | EPT_X | EPT_A,
	.page = EPT_R | EPT_X | EPT_A,
	.block = EPT_R | EPT_X | EPT_A | EPT_LARGE,
	.kind = EPT_LARGE,
	.kind_block = EPT_LARGE,
	.memory = EPT_MEMORY_WB,
	.memory_forced = EPT_MEMORY_WB | EPT_IGNORE_PAT,
	.write = EPT_W,
	.dirty = EPT_D,
	.root = EPTP_WB | EPTP_WALK_4,
	.root_tracked = EPTP_AD,
	.levels = 4,
};
