/*
 * On bare metal the page allocator has all the machine's memory from the start: when it
 * has run dry there is no more. (The hosted process asks its kernel, arch/hosted/mem.c.)
 */
#include "arch/mem.h"

bool arch_ram_grow(u64 len)
{
	return false;
}
