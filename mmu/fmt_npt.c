/*
 * AMD nested paging: the long-mode tables of the host, 4 levels. AMD64 APM volume 2, 15.25 (nested
 * paging) and 5.3 (the entries). To be used while the host itself has CR4.LA57 clear.
 *
 * Every access of a guest counts as a user access, table walks included (15.25.5), so U is set
 * throughout. Memory types combine the host's PAT entry 0, write-back, with the guest's; there is
 * no bit to ignore the latter. A and D are always kept by the CPU.
 */
#include "mmu/nested.h"

enum {
	NPT_P = 1 << 0, NPT_W = 1 << 1, NPT_U = 1 << 2,
	NPT_A = 1 << 5, NPT_D = 1 << 6,
	NPT_LARGE = 1 << 7,		/* must be zero in level 3; PAT in level 0 */
};
#define NPT_ADDRESS	(MASK(52) & ~MASK(12))

_Static_assert((NPT_P | NPT_W | NPT_U | NPT_A) == 0x27, "a table's entry");
_Static_assert((NPT_LARGE & NPT_ADDRESS) == 0, "flags lie below the address");

const struct nested_format npt_format = {
	.name = "NPT",
	.address = NPT_ADDRESS,
	.present = NPT_P,
	.table = NPT_P | NPT_W | NPT_U | NPT_A,
	.page = NPT_P | NPT_U | NPT_A,
	.block = NPT_P | NPT_U | NPT_A | NPT_LARGE,
	.kind = NPT_LARGE,
	.kind_block = NPT_LARGE,
	.write = NPT_W,
	.dirty = NPT_D,
	.levels = 4,
};
