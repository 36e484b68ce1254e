/*
 * Views in the process. Guest RAM that views may map is a memfd, and a view a reservation of
 * addresses into which pages of it are mapped once more. Each such page is a mapping of its own to
 * the kernel, of which a process has 65530: all views together get most of them, the rest is for
 * everybody else.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/hosted/hosted.h"
#include "arch/mem.h"
#include "kernel/base/lock.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"

#define RAMS		64
#define VIEWS		128
#define PAGES_MAX	24000		/* each may split a free range in two */
#define RESERVED	(MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

/* Read without the lock: a machine's RAM is there before it runs and after. */
static struct ram {
	u8 *base;
	u64 len;
	int fd;
} rams[RAMS];

static struct {
	u8 *base;
	u32 pages;		/* that are mapped */
} views[VIEWS];
static _Atomic u32 pages;
static struct lock view_lock;

/* ---- RAM ---- */

static bool ram_note(u8 *base, u64 len, int fd)
{
	u32 i;

	lock_take(&view_lock);
	for (i = 0; i < RAMS && rams[i].base; i++)
		;
	if (i < RAMS)
		rams[i] = (struct ram){ base, len, fd };
	lock_drop(&view_lock);
	return i < RAMS;
}

/*
 * Guests' secrets stay out of core files, also where views map them: MADV_DONTDUMP would cost a
 * system call for each page, so no shared memory is dumped. See core(5).
 */
static void shared_is_not_dumped(void)
{
	static const char filter[] = "0x31";
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, filter, sizeof(filter) - 1) < 0)
		log_warn("guest memory may get into core files");
	close(fd);
}

void *arch_ram_alloc_viewed(u64 len, u32 node)
{
	int fd = len && len <= BIT(46) ? memfd_create("fvp-ram", MFD_CLOEXEC) : -1;
	u8 *p = NULL;

	len = ALIGN_UP(len, PAGE_SIZE);
	if (fd >= 0 && ftruncate(fd, (off_t)len) == 0)
		p = hosted_map_aligned(len, len >= MIB(2) ? MIB(2) : PAGE_SIZE, MAP_SHARED, fd);
	if (p && ram_note(p, len, fd)) {
		madvise(p, len, MADV_HUGEPAGE);
		madvise(p, len, MADV_DONTDUMP);
		shared_is_not_dumped();
		return p;
	}
	if (p)
		munmap(p, len);
	if (fd >= 0)
		close(fd);
	return NULL;
}

void hosted_ram_forget(u8 *base)
{
	lock_take(&view_lock);
	for (u32 i = 0; i < RAMS; i++)
		if (rams[i].base == base) {
			close(rams[i].fd);
			rams[i] = (struct ram){ 0 };
		}
	lock_drop(&view_lock);
}

/* ---- views ---- */

bool arch_views_are_cheap(void)
{
	return false;
}

u8 *arch_view_alloc(void)
{
	u64 len = VIEW_SIZE + 2 * VIEW_GUARD;
	u8 *p = mmap(NULL, len, PROT_NONE, RESERVED, -1, 0);
	u32 i;

	if (p == MAP_FAILED)
		return NULL;
	lock_take(&view_lock);
	for (i = 0; i < VIEWS && views[i].base; i++)
		;
	if (i < VIEWS) {
		views[i].base = p + VIEW_GUARD;
		views[i].pages = 0;
	}
	lock_drop(&view_lock);
	if (i < VIEWS)
		return p + VIEW_GUARD;
	munmap(p, len);
	return NULL;
}

/* The view that has @at; its users need no lock. */
static u32 view_of(const u8 *at)
{
	u32 i = 0;

	while (i < VIEWS && !(views[i].base && (u64)(at - views[i].base) < VIEW_SIZE))
		i++;
	assert(i < VIEWS);
	return i;
}

void arch_view_free(u8 *view)
{
	u32 i;

	if (!view)
		return;
	i = view_of(view);
	atomic_fetch_sub(&pages, views[i].pages);
	lock_take(&view_lock);
	views[i].base = NULL;		/* before the next view can have these addresses */
	lock_drop(&view_lock);
	munmap(view - VIEW_GUARD, VIEW_SIZE + 2 * VIEW_GUARD);
}

void arch_view_adopt(u8 *view)
{
	/* The kernel tells all threads. */
}

static const struct ram *ram_of(const u8 *host)
{
	for (u32 i = 0; i < RAMS; i++)
		if (rams[i].base && (u64)(host - rams[i].base) < rams[i].len)
			return &rams[i];
	return NULL;
}

/* Views have @count pages more, or (negative) less. False: too many. */
static bool pages_count(u32 view, s32 count)
{
	if ((s32)atomic_fetch_add(&pages, (u32)count) + count > PAGES_MAX && count > 0) {
		atomic_fetch_sub(&pages, (u32)count);
		return false;
	}
	views[view].pages += (u32)count;
	return true;
}

/* There may be no memory to split a mapping; but what is there must be gone. */
static void nothing_at(u8 *at, u64 len)
{
	assert(mmap(at, len, PROT_NONE, RESERVED | MAP_FIXED, -1, 0) != MAP_FAILED);
}

bool arch_view_map(u8 *at, u8 *host, bool write, bool anew)
{
	const struct ram *r = ram_of(host);
	int prot = PROT_READ | (write ? PROT_WRITE : 0);
	u32 view = view_of(at);

	if (anew && !pages_count(view, 1))
		return false;
	if (r && mmap(at, PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE, r->fd,
		      host - r->base) != MAP_FAILED)
		return true;
	arch_view_unmap(at);		/* what failed may have left a hole */
	return false;
}

void arch_view_unmap(u8 *at)
{
	nothing_at(at, PAGE_SIZE);
	pages_count(view_of(at), -1);
}

void arch_view_protect(u8 *at)
{
	assert(mprotect(at, PAGE_SIZE, PROT_READ) == 0);
}

void arch_view_empty(u8 *view)
{
	u32 i = view_of(view);

	nothing_at(view, VIEW_SIZE);
	pages_count(i, -(s32)views[i].pages);
}
