/* The translator's host: AArch64, as a process. */
#include "engine/back/aarch64/aarch64.h"
#include "engine/back/jit/host.h"
#include "host/features.h"

const struct jit_target *const jit_host = &aarch64_target;

u32 jit_host_features(void)
{
	return host_features().lse ? A64_LSE : 0;
}

void jit_host_ram(const u8 *ram)
{
	/* The target keeps it in a register. */
}
