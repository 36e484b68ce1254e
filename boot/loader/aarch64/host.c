/*
 * Host part of the loader on AArch64: the core's bytes, and the cache maintenance after
 * writing instructions (Arm ARM B2.4.4). CTR_EL0 gives the smallest line of each cache.
 */
#include "boot/loader/loader.h"

__asm__(
	".section .rdata,\"dr\"\n"
	".balign 16\n"
	".globl core_file\ncore_file:\n"
	".incbin \"build/aarch64/core.bin\"\n"
	".globl core_file_end\ncore_file_end:\n"
	".byte 0\n"
	".text\n");

void code_sync(const void *base, u64 len)
{
	u64 ctr, d, i, at, end = (u64)base + len;

	__asm__ volatile("mrs %0, ctr_el0" : "=r"(ctr));
	d = 4ull << BITS(ctr, 19, 16);
	i = 4ull << BITS(ctr, 3, 0);
	for (at = ALIGN_DOWN((u64)base, d); at < end; at += d)
		__asm__ volatile("dc cvau, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	for (at = ALIGN_DOWN((u64)base, i); at < end; at += i)
		__asm__ volatile("ic ivau, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish; isb" ::: "memory");
}
