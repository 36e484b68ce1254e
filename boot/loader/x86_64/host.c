/*
 * Host part of the loader on x86-64: the core's bytes; instruction fetches see stores by
 * themselves.
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
}

/* Whether VT-x or SVM is there decides how guests run, not whether. */
const char *host_refuse(void)
{
	return NULL;
}
