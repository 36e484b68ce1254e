/*
 * Buddy allocator. The memory of a range is described by one byte per page, carved from the
 * range's own start; free blocks are linked through their first bytes. Blocks are aligned
 * to their size by address, so a block's buddy is its address with one bit flipped.
 *
 * A page is zeroed when it is freed; only memory that came dirty (from firmware) is zeroed
 * when it is allocated, so adding hundreds of gigabytes at boot costs nothing.
 */
#include "kernel/base/page.h"

#include "arch/mem.h"
#include "kernel/base/cpu.h"
#include "kernel/base/list.h"
#include "kernel/base/lock.h"
#include "kernel/base/log.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define RANGE_MAX	768

/* A page's byte: zero inside a block; else the block's order and what it is. */
#define STATE_ORDER	0x1f
#define STATE_DIRTY	0x20		/* free, not known to be zero */
#define STATE_USED	0x40
#define STATE_FREE	0x80

struct page_range {
	uptr base;			/* of the first page that can be allocated */
	u64 pages;
	u8 *state;			/* one byte per page */
	u32 node;
};

struct page_node {
	struct lock lock;
	u32 orders;			/* bit n: free[n] is not empty */
	struct list free[PAGE_ORDER_MAX + 1];
	u64 bytes_total, bytes_free;
};

static struct lock ranges_lock;		/* held to add a range; readers need none, see range_find */
static struct page_range ranges[RANGE_MAX];
static _Atomic u32 range_count;
static struct page_node nodes[NODE_MAX];

static inline u64 order_bytes(u32 order)
{
	return PAGE_SIZE << order;
}

/* Ranges are added in any order and never move, so a pointer to one stays good: linear search. */
static struct page_range *range_find(const void *page)
{
	u32 count = atomic_load_explicit(&range_count, memory_order_acquire);

	for (u32 i = 0; i < count; i++)
		if ((uptr)page - ranges[i].base < ranges[i].pages << PAGE_SHIFT)
			return &ranges[i];
	return NULL;
}

static inline u8 *state_of(const struct page_range *r, uptr page)
{
	return &r->state[(page - r->base) >> PAGE_SHIFT];
}

static void block_link(struct page_node *n, struct page_range *r, uptr page, u32 order, u8 dirty)
{
	*state_of(r, page) = (u8)(STATE_FREE | dirty | order);
	list_insert(n->free[order].next, (struct list *)page);	/* in front: warm memory first */
	n->orders |= 1u << order;
}

static void block_unlink(struct page_node *n, struct page_range *r, uptr page, u32 order)
{
	struct list *link = (struct list *)page;

	list_remove(link);
	link->next = link->prev = NULL;		/* zero again */
	*state_of(r, page) = 0;
	if (list_empty(&n->free[order]))
		n->orders &= ~(1u << order);
}

/* Put a block back, joined with its free buddies. Node lock held. */
static void block_insert(struct page_node *n, struct page_range *r, uptr page, u32 order, u8 dirty)
{
	n->bytes_free += order_bytes(order);
	for (; order < PAGE_ORDER_MAX; order++) {
		uptr buddy = page ^ order_bytes(order);
		u8 state;

		if (buddy - r->base >= r->pages << PAGE_SHIFT)
			break;
		state = *state_of(r, buddy);
		if ((state & ~STATE_DIRTY) != (STATE_FREE | order))
			break;
		block_unlink(n, r, buddy, order);
		dirty |= state & STATE_DIRTY;
		page = MIN(page, buddy);
	}
	block_link(n, r, page, order, dirty);
}

/* The largest order whose block can start at @page and fits in @len bytes. */
static u32 order_fitting(uptr page, u64 len)
{
	u32 order = PAGE_ORDER_MAX;

	while (order && (page % order_bytes(order) || len < order_bytes(order)))
		order--;
	return order;
}

static struct page_range *range_new(uptr base, u64 len, u32 node)
{
	u32 count = atomic_load(&range_count);
	u64 pages = len >> PAGE_SHIFT, own = ALIGN_UP(pages, PAGE_SIZE) >> PAGE_SHIFT;
	struct page_range *r = &ranges[count];

	if (count == RANGE_MAX || pages <= own) {
		log_warn("memory at %#lx (%llu KiB) is not used: %s", base,
			 (unsigned long long)len >> 10,
			 count == RANGE_MAX ? "too many ranges" : "too small");
		return NULL;
	}
	r->state = (u8 *)base;
	r->base = base + (own << PAGE_SHIFT);
	r->pages = pages - own;
	r->node = node < NODE_MAX ? node : 0;
	return r;
}

static void range_add(uptr base, u64 len, u32 node, u8 dirty)
{
	struct page_range *r;
	struct page_node *n;
	uptr page, end = base + len;

	assert(base % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 && end >= base);
	lock_take(&ranges_lock);
	r = range_new(base, len, node);
	if (r) {
		if (dirty)
			memset(r->state, 0, r->pages);
		n = &nodes[r->node];
		if (!n->free[0].next)
			for (u32 i = 0; i <= PAGE_ORDER_MAX; i++)
				list_init(&n->free[i]);
		atomic_fetch_add_explicit(&range_count, 1, memory_order_release);
		lock_take(&n->lock);
		n->bytes_total += r->pages << PAGE_SHIFT;
		for (page = r->base; page < end; ) {
			u32 order = order_fitting(page, end - page);

			block_insert(n, r, page, order, dirty);
			page += order_bytes(order);
		}
		lock_drop(&n->lock);
	}
	lock_drop(&ranges_lock);
}

void page_add_range(void *base, u64 len, u32 node)
{
	range_add((uptr)base, len, node, STATE_DIRTY);
}

void page_add_zeroed(void *base, u64 len, u32 node)
{
	range_add((uptr)base, len, node, 0);
}

/* Take a block of @order, splitting a larger one; its upper halves go back. */
static void *node_alloc(struct page_node *n, u32 order)
{
	struct page_range *r;
	u32 fit, have;
	uptr page;
	u8 dirty;

	lock_take(&n->lock);
	fit = n->orders >> order << order;
	if (!fit) {
		lock_drop(&n->lock);
		return NULL;
	}
	have = (u32)__builtin_ctz(fit);
	page = (uptr)n->free[have].next;
	r = range_find((void *)page);
	dirty = *state_of(r, page) & STATE_DIRTY;
	block_unlink(n, r, page, have);
	while (have > order) {
		have--;
		block_link(n, r, page + order_bytes(have), have, dirty);
	}
	*state_of(r, page) = (u8)(STATE_USED | order);
	n->bytes_free -= order_bytes(order);
	lock_drop(&n->lock);
	if (dirty)
		memset((void *)page, 0, order_bytes(order));
	return (void *)page;
}

static void *any_alloc(u32 order, u32 node)
{
	void *page = node_alloc(&nodes[node], order);

	for (u32 i = 0; !page && i < NODE_MAX; i++)
		if (i != node)
			page = node_alloc(&nodes[i], order);
	return page;
}

void *page_alloc(u32 order, u32 node)
{
	void *page;

	if (order > PAGE_ORDER_MAX)
		return NULL;
	if (node >= NODE_MAX)
		node = cpu_self ? cpu_self->node : 0;
	page = any_alloc(order, node);
	if (!page && arch_ram_grow(order_bytes(order)))
		page = any_alloc(order, node);
	return page;
}

void page_free(void *page, u32 order)
{
	struct page_range *r = range_find(page);
	struct page_node *n;

	if (!r || (uptr)page % PAGE_SIZE)
		panic("page_free(%p): not from the page allocator", page);
	n = &nodes[r->node];
	lock_take(&n->lock);
	if (*state_of(r, (uptr)page) != (STATE_USED | order))
		panic("page_free(%p, %u): not an allocated block of this order (state %02x)",
		      page, order, *state_of(r, (uptr)page));
	*state_of(r, (uptr)page) = 0;	/* nobody's, while it is scrubbed without the lock */
	lock_drop(&n->lock);
	memset(page, 0, order_bytes(order));
	lock_take(&n->lock);
	block_insert(n, r, (uptr)page, order, 0);
	lock_drop(&n->lock);
}

u32 page_order(const void *page)
{
	struct page_range *r = range_find(page);
	u8 state;

	if (!r || (uptr)page % PAGE_SIZE)
		return PAGE_NO_BLOCK;
	state = *state_of(r, (uptr)page);
	return state & STATE_USED ? state & STATE_ORDER : PAGE_NO_BLOCK;
}

struct page_stats page_stats(u32 node)
{
	struct page_stats s = { 0 };

	for (u32 i = 0; i < NODE_MAX; i++) {
		struct page_node *n = &nodes[i];

		if (node != NODE_ANY && node != i)
			continue;
		lock_take(&n->lock);
		s.total += n->bytes_total;
		s.free += n->bytes_free;
		if (n->orders)
			s.largest = MAX(s.largest, order_bytes(31 - (u32)__builtin_clz(n->orders)));
		lock_drop(&n->lock);
	}
	return s;
}
