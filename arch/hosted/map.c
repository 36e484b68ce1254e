/*
 * Addresses at a multiple of a size. Apart from mem.c: views need this alone, and a test
 * that brings its own arch_ram_grow() must be able to link without the other one.
 */
#include <sys/mman.h>

#include "arch/hosted/hosted.h"

u8 *hosted_map_aligned(u64 len, u64 align, int flags, int fd)
{
	u64 total = len + align;
	u8 *base, *start;

	if (total < len)
		return NULL;
	base = mmap(NULL, total, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	start = (u8 *)ALIGN_UP((uptr)base, align);
	if (start > base)
		munmap(base, (size_t)(start - base));
	munmap(start + len, (size_t)(base + total - (start + len)));
	if (mmap(start, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) != MAP_FAILED)
		return start;
	munmap(start, len);
	return NULL;
}
