/* CPU affinity (MPIDR_EL1) in the three shapes the GIC uses it. */
#pragma once

#include "kernel/base/types.h"

/* GICR_TYPER[63:32]: Aff3.Aff2.Aff1.Aff0 packed. */
u32 affinity_packed(u64 mpidr);
/* ICC_SGI1R_EL1 for one target; false if its Aff0 cannot be expressed (needs range selectors). */
bool affinity_sgi(u64 mpidr, u32 intid, bool range_selector, u64 *out);
/* GICD_IROUTER. */
u64 affinity_route(u64 mpidr);
