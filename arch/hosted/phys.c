/*
 * Physical memory of a process: there is none, so virtual addresses stand for it. In a file of its
 * own because tests that need another memory map (test/unit/mmu/nested_test.c) link theirs instead.
 */
#include "arch/mem.h"

hpa_t arch_virt_to_phys(const void *p)
{
	return (uptr)p;
}

u64 arch_phys_span(const void *p, u64 len)
{
	return len;
}

void *arch_phys_to_virt(hpa_t pa)
{
	return (void *)pa;
}
