/*
 * Host part of the loader on AArch64: the core's bytes, the exception level, and the cache
 * maintenance after writing instructions (Arm ARM B2.4.4). CTR_EL0 gives the smallest line
 * of each cache. The data cache is cleaned to memory, not just to the point of unification:
 * the core fetches while its MMU is off, and so do the other CPUs when they start.
 */
#include "boot/loader/loader.h"

__asm__(
	".section .rdata,\"dr\"\n"
	".balign 16\n"
	".globl core_file\ncore_file:\n"
	".incbin \"core.bin\"\n"
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
		__asm__ volatile("dc cvac, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish" ::: "memory");
	for (at = ALIGN_DOWN((u64)base, i); at < end; at += i)
		__asm__ volatile("ic ivau, %0" :: "r"(at) : "memory");
	__asm__ volatile("dsb ish; isb" ::: "memory");
}

const char *host_refuse(void)
{
	u64 level;

	__asm__ volatile("mrs %0, CurrentEL" : "=r"(level));
	if (level == 2 << 2)
		return NULL;
	return "firmware started it at EL1, but a hypervisor needs EL2: "
	       "switch on virtualization in firmware (QEMU: -M virt,virtualization=on)";
}
