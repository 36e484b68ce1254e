/* The sizes that FVP is built with: see engine/tuning.h. */
#include "engine/tuning.h"

/* Memory is taken where it is used. */
const struct engine_tuning engine_tuning = {
	.interp_cache = MIB(5) / 2,
	.block_cache = MIB(32),
	.host_cache = MIB(16),
	.smc_pages = 8192,
	.smc_links = 65536,
	.code_links = 65536,
};
