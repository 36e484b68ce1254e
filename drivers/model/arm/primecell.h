/*
 * What Arm's PrimeCell peripherals have in common: the identification registers at the end of their
 * 4 KiB, by which Linux finds drivers.
 */
#pragma once

#include "kernel/base/types.h"

#define PRIMECELL_ID	0xfe0u		/* PeriphID0 to 3, then CellID0 to 3 */

/*
 * The register at @off of the peripheral whose PeriphID0 to 3 are the bytes of @id, lowest first.
 */
static inline u8 primecell_id(u64 off, u32 id)
{
	u64 both = (u64)0xb105f00d << 32 | id;

	return off >= PRIMECELL_ID && off < PRIMECELL_ID + 32 && off % 4 == 0 ?
		       (u8)(both >> 8 * (off - PRIMECELL_ID) / 4) : 0;
}
