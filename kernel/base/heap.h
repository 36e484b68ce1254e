/*
 * Heap for objects of any size: size classes on top of the page allocator, large ones
 * straight from it. Zeroed on allocation, scrubbed on free. Not for guest RAM.
 */
#pragma once

#include "kernel/base/types.h"

void *heap_alloc(size_t size);		/* zeroed, 16-byte aligned; NULL when out of memory */
void *heap_alloc_aligned(size_t size, size_t align);	/* @align a power of two <= 4096 */
void heap_free(void *p);		/* NULL is fine */
char *heap_strdup(const char *s);

struct heap_stats {
	u64 used, peak;		/* bytes in live objects, and their peak */
	u64 pages;		/* bytes taken from the page allocator */
	u64 count;		/* live objects */
};
struct heap_stats heap_stats(void);

/* Fault injection, for tests: fail the @nth allocation from now (1 = next), 0 = off. */
void heap_fail_after(u64 nth);
