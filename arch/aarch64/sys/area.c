/*
 * A CPU's memory of its own, see host.h: the thread-local block is a copy of the template
 * that the linker collected, followed by zeroes (linker/core.ld; AArch64 ELF TLS ABI,
 * variant I: the thread pointer lies 16 bytes below the block).
 */
#include "arch/aarch64/sys/host.h"
#include "arch/mem.h"
#include "kernel/base/str.h"

/* Called by start.S before there is a thread pointer: nothing here or below may use one. */
u64 area_init(u8 *area)
{
	size_t data = (size_t)(tls_data_end - tls_start), all = (size_t)(tls_end - tls_start);

	memcpy(area, tls_start, data);
	memset(area + data, 0, all - data);
	return (u64)(uptr)area - 16;
}

err_t area_guard(u8 *area)
{
	err_t e = arch_mem_protect(area + AREA_GUARD_TRAP, AREA_GUARD_LEN, 0);

	return e ? e : arch_mem_protect(area + AREA_GUARD, AREA_GUARD_LEN, 0);
}
