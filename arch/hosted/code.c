/*
 * Memory for translated code in the process: one memfd, two shared mappings of it. Its pages are
 * the kernel's again when the mappings are gone, and the kernel scrubs them.
 */
#include "arch/mem.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"

static u8 *code_map(int fd, u64 len, int prot)
{
	u8 *p = mmap(NULL, len, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, len, MADV_DONTDUMP);
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void code_unmap(u8 *p, u64 len)
{
	if (p)
		munmap(p, len);
}

err_t arch_code_alloc(u64 len, u8 **rw, u8 **rx)
{
	int error, fd = len && len <= BIT(46) ? memfd_create("fvp-code", MFD_CLOEXEC) : -1;

	len = ALIGN_UP(len, PAGE_SIZE);
	*rw = *rx = NULL;
	if (fd >= 0 && ftruncate(fd, (off_t)len) == 0) {
		*rw = code_map(fd, len, PROT_READ | PROT_WRITE);
		*rx = code_map(fd, len, PROT_READ | PROT_EXEC);
	}
	if (fd >= 0)
		close(fd);
	if (*rw && *rx)
		return OK;
	error = errno;
	arch_code_free(*rw, *rx, len);
	return ERRF(E_NOMEM, "no memory for %llu bytes of translated code: %s",
		    (unsigned long long)len, hosted_strerror(error));
}

void arch_code_free(u8 *rw, u8 *rx, u64 len)
{
	code_unmap(rw, ALIGN_UP(len, PAGE_SIZE));
	code_unmap(rx, ALIGN_UP(len, PAGE_SIZE));
}
