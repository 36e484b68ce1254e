/*
 * MPIDR_EL1 has Aff3 apart from the other three fields (bits 39:32); the GIC packs the four
 * differently each time.
 */
#include "arch/aarch64/sys/affinity.h"

u32 affinity_packed(u64 mpidr)
{
	return (u32)(BITS(mpidr, 39, 32) << 24 | BITS(mpidr, 23, 0));
}

bool affinity_sgi(u64 mpidr, u32 intid, bool range_selector, u64 *out)
{
	u64 aff0 = BITS(mpidr, 7, 0);

	if (aff0 > 15 && !range_selector)
		return false;
	*out = BITS(mpidr, 39, 32) << 48 | (aff0 >> 4) << 44 | BITS(mpidr, 23, 16) << 32 |
	       (u64)(intid & 15) << 24 | BITS(mpidr, 15, 8) << 16 | BIT(aff0 & 15);
	return true;
}

u64 affinity_route(u64 mpidr)
{
	return mpidr & 0xff00ffffffull;
}
