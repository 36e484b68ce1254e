/*
 * Memory in the process. Guest RAM comes straight from mmap, with huge pages asked for;
 * the page allocator grows by reservations that cost nothing until touched, with huge
 * pages refused, so the hypervisor's own footprint stays what it uses.
 */
#include "arch/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "kernel/base/page.h"

#define HUGE_SIZE	MIB(2)
#define GROW_SIZE	MIB(256)
/* Guests' secrets stay out of core files. */
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)

void *arch_ram_alloc(u64 len, u32 node)
{
	u64 align = len >= HUGE_SIZE ? HUGE_SIZE : PAGE_SIZE;
	u8 *p;

	if (len == 0 || len > BIT(46))
		return NULL;
	len = ALIGN_UP(len, PAGE_SIZE);
	/* Reserved: too much is refused now, not when it is touched. */
	p = hosted_map_aligned(len, align, ANON, -1);
	if (p) {
		madvise(p, len, MADV_HUGEPAGE);
		madvise(p, len, MADV_DONTDUMP);
	}
	return p;
}

void arch_ram_free(void *base, u64 len)
{
	if (!base)
		return;
	hosted_ram_forget(base);
	munmap(base, ALIGN_UP(len, PAGE_SIZE));
}

bool arch_ram_grow(u64 len)
{
	u64 size = MAX(GROW_SIZE, 2 * len);	/* the range keeps its own book at its start */
	u8 *p = hosted_map_aligned(size, MIN(len, GROW_SIZE), ANON | MAP_NORESERVE, -1);

	if (!p)
		return false;
	madvise(p, size, MADV_NOHUGEPAGE);
	page_add_zeroed(p, size, 0);
	return true;
}

void *arch_mmio_map(hpa_t base, u64 len, u32 prot)
{
	return NULL;		/* a process has no device registers */
}

err_t arch_mem_protect(void *base, u64 len, u32 prot)
{
	int p = (prot & PROT_R ? PROT_READ : 0) | (prot & PROT_W ? PROT_WRITE : 0) |
		(prot & PROT_X ? PROT_EXEC : 0);

	if ((prot & PROT_W) && (prot & PROT_X))
		return ERRF(E_INVAL, "memory may not be writable and executable");
	if (mprotect(base, len, p) != 0)
		return ERRF(E_INVAL, "mprotect %p, %llu bytes: %s", base, (unsigned long long)len,
			    hosted_strerror(errno));
	return OK;
}
