/*
 * Heap. Small objects live in slabs of 16 KiB, one size class each, with a bitmap of the
 * used slots in front; larger ones are blocks of the page allocator. Free memory is all
 * zero: objects are scrubbed when freed, and nothing is stored in free slots.
 *
 * How heap_free() tells them apart: a slab object never is the start of a page block (the
 * slab's header is there), a large object always is.
 *
 * One lock: the hypervisor allocates when VMs are made, not while they run.
 */
#include "kernel/base/heap.h"

#include "host/cpu.h"
#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define SLAB_ORDER	2u
#define SLAB_SIZE	(PAGE_SIZE << SLAB_ORDER)
#define SLAB_WORDS	16u			/* 64 * 16 >= slots of the smallest class */
#define OBJECT_MAX	(PAGE_SIZE << PAGE_ORDER_MAX)

static const u16 class_size[] = {
	16, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768,
	1024, 1344, 1792, 2048, 2688, 3232, 4048, 5392, 8096,
};
#define CLASSES ARRAY_LEN(class_size)

struct slab {
	struct list link;		/* in partial[class], or self-linked when full */
	uptr cookie;			/* address and a secret: no guest data can pose as a slab */
	u32 class;
	u32 used, slots, first;		/* first: offset of slot 0 */
	u64 map[SLAB_WORDS];		/* used slots */
};
_Static_assert(sizeof(struct slab) <= 192, "slab header");
_Static_assert((SLAB_SIZE - sizeof(struct slab)) / 16 <= 64 * SLAB_WORDS, "slab bitmap");

static struct lock heap_lock;
static struct list partial[CLASSES];
static uptr secret;			/* 0 until the first slab is made */
static struct heap_stats stats;
static _Atomic u64 fail_countdown;

/* What a class's slots are aligned to: the largest power of two in its size. */
static u32 class_align(u32 class)
{
	return class_size[class] & -(u32)class_size[class];
}

static u32 class_find(size_t size, size_t align)
{
	for (u32 i = 0; i < CLASSES; i++)
		if (class_size[i] >= size && class_align(i) >= align)
			return i;
	return CLASSES;
}

static u32 order_find(size_t size)
{
	u32 order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/* Lock held. */
static void stats_add(u64 bytes)
{
	stats.count++;
	stats.used += bytes;
	stats.peak = MAX(stats.peak, stats.used);
}

static void stats_sub(u64 bytes)
{
	stats.count--;
	stats.used -= bytes;
}

/* Lock held; @s is a fresh page block. */
static void slab_add(struct slab *s, u32 class)
{
	if (!secret) {
		secret = host_cycles() * 0x9e3779b97f4a7c15ull | 1;
		for (u32 i = 0; i < CLASSES; i++)
			list_init(&partial[i]);
	}
	s->cookie = (uptr)s ^ secret;
	s->class = class;
	s->first = ALIGN_UP((u32)sizeof(*s), class_align(class));
	s->slots = (u32)(SLAB_SIZE - s->first) / class_size[class];
	list_add_tail(&partial[class], &s->link);
	stats.pages += SLAB_SIZE;
}

/* Lock held. */
static void *slab_take(struct slab *s)
{
	u32 word = 0, slot;

	while (s->map[word] == UINT64_MAX)
		word++;
	slot = word * 64 + (u32)__builtin_ctzll(~s->map[word]);
	s->map[word] |= BIT(slot % 64);
	if (++s->used == s->slots)
		list_remove(&s->link);
	stats_add(class_size[s->class]);
	return (u8 *)s + s->first + slot * class_size[s->class];
}

static void *small_alloc(u32 class)
{
	void *p = NULL;

	lock_take(&heap_lock);
	if (!secret || list_empty(&partial[class])) {
		struct slab *s;

		lock_drop(&heap_lock);		/* the page allocator has a lock of its own */
		s = page_alloc(SLAB_ORDER, NODE_ANY);
		if (!s)
			return NULL;
		lock_take(&heap_lock);
		slab_add(s, class);
	}
	p = slab_take(list_first(&partial[class], struct slab, link));
	lock_drop(&heap_lock);
	return p;
}

static void *large_alloc(size_t size)
{
	u32 order = order_find(size);
	void *p = page_alloc(order, NODE_ANY);

	if (p) {
		lock_take(&heap_lock);
		stats_add(PAGE_SIZE << order);
		stats.pages += PAGE_SIZE << order;
		lock_drop(&heap_lock);
	}
	return p;
}

static bool fault_injected(void)
{
	u64 left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);

	while (left && !atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
		;
	return left == 1;
}

void *heap_alloc_aligned(size_t size, size_t align)
{
	u32 class;

	assert(align && (align & (align - 1)) == 0 && align <= PAGE_SIZE);
	if (size > OBJECT_MAX || fault_injected())
		return NULL;
	class = class_find(size, align);
	return class < CLASSES ? small_alloc(class) : large_alloc(size);
}

void *heap_alloc(size_t size)
{
	return heap_alloc_aligned(size, 16);
}

static void large_free(void *p, u32 order)
{
	lock_take(&heap_lock);
	stats_sub(PAGE_SIZE << order);
	stats.pages -= PAGE_SIZE << order;
	lock_drop(&heap_lock);
	page_free(p, order);
}

/* The slab that @p is a slot of; panics if @p is no used slot. Lock held. */
static struct slab *slab_of(void *p, u32 *slot)
{
	struct slab *s = (struct slab *)((uptr)p & ~(SLAB_SIZE - 1));
	uptr off = (uptr)p - (uptr)s;

	if (page_order(s) != SLAB_ORDER || s->cookie != ((uptr)s ^ secret))
		panic("heap_free(%p): not from the heap", p);
	if (off < s->first || (off - s->first) % class_size[s->class])
		panic("heap_free(%p): not the start of an object", p);
	*slot = (u32)(off - s->first) / class_size[s->class];
	if (*slot >= s->slots || !(s->map[*slot / 64] & BIT(*slot % 64)))
		panic("heap_free(%p): freed twice, or never allocated", p);
	return s;
}

static void small_free(void *p)
{
	struct slab *s;
	u32 slot;
	bool empty;

	lock_take(&heap_lock);
	s = slab_of(p, &slot);
	memset(p, 0, class_size[s->class]);
	s->map[slot / 64] &= ~BIT(slot % 64);
	if (s->used-- == s->slots)
		list_add_tail(&partial[s->class], &s->link);
	stats_sub(class_size[s->class]);
	/* An empty slab goes, unless it is the last with room: that would only come back. */
	empty = s->used == 0 && s->link.next != s->link.prev;
	if (empty) {
		list_remove(&s->link);
		stats.pages -= SLAB_SIZE;
	}
	lock_drop(&heap_lock);
	if (empty)
		page_free(s, SLAB_ORDER);
}

void heap_free(void *p)
{
	u32 order;

	if (!p)
		return;
	order = page_order(p);
	if (order == PAGE_NO_BLOCK)
		small_free(p);
	else if (order == SLAB_ORDER && ((struct slab *)p)->cookie == ((uptr)p ^ secret))
		panic("heap_free(%p): not the start of an object", p);
	else
		large_free(p, order);
}

char *heap_strdup(const char *s)
{
	size_t len = str_len(s) + 1;
	char *copy = heap_alloc(len);

	return copy ? memcpy(copy, s, len) : NULL;
}

struct heap_stats heap_stats(void)
{
	struct heap_stats s;

	lock_take(&heap_lock);
	s = stats;
	lock_drop(&heap_lock);
	return s;
}

void heap_fail_after(u64 nth)
{
	atomic_store(&fail_countdown, nth);
}
