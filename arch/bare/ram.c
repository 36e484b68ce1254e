/*
 * Guest RAM on bare metal: blocks of the page allocator, largest first, mapped next to each
 * other in the window of arch/bare/map.h. So a guest needs no contiguous physical memory and
 * no power of two, and still gets 2 MiB and 1 GiB pages. Unmapped addresses lie around every
 * piece; blocks go back scrubbed.
 */
#include "arch/bare/map.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"
#include "kernel/base/panic.h"
#include "kernel/base/page.h"

#define RAM_PIECES 128		/* guest RAMs that can exist at a time */

struct block {
	struct block *next;
	void *page;
	u32 order;
};

struct piece {
	u64 va, len;		/* len is 0 while it is being made or unmade */
	u64 span;		/* addresses taken, guard included */
	struct block *blocks;
};

static struct lock ram_lock;
static struct piece pieces[RAM_PIECES];	/* sorted by va */
static u32 piece_count;

/* Take addresses for @len bytes; NULL when the table or the window is full. */
static struct piece *piece_insert(u64 len)
{
	u64 align = len >= GIB(1) ? GIB(1) : MIB(2), va = MAP_WINDOW;
	u64 span = ALIGN_UP(len, MIB(2)) + MIB(2);
	u32 i;

	if (piece_count == RAM_PIECES || len > MAP_WINDOW_END - MAP_WINDOW - GIB(2))
		return NULL;
	for (i = 0; i < piece_count && pieces[i].va - va < span; i++)
		va = ALIGN_UP(pieces[i].va + pieces[i].span, align);
	if (va + span > MAP_WINDOW_END)
		return NULL;
	for (u32 k = piece_count++; k > i; k--)
		pieces[k] = pieces[k - 1];
	pieces[i] = (struct piece){ .va = va, .span = span };
	return &pieces[i];
}

/* Blocks for [@va, @va + @len), mapped; what there is, is in *@list also on failure. */
static err_t blocks_map(u64 va, u64 len, u32 node, struct block **list)
{
	u32 order = PAGE_ORDER_MAX;

	while (len) {
		struct block *b;
		void *page;
		err_t e;

		while (order && (PAGE_SIZE << order) > len)
			order--;
		page = page_alloc(order, node);
		if (!page && !order)
			return ERR(E_NOMEM);
		if (!page) {
			order--;
			continue;
		}
		b = heap_alloc(sizeof(*b));
		if (!b) {
			page_free(page, order);
			return ERR(E_NOMEM);
		}
		*b = (struct block){ .next = *list, .page = page, .order = order };
		*list = b;
		e = map_pages(va, (hpa_t)page, PAGE_SIZE << order, PROT_R | PROT_W);
		if (e != OK)
			return e;
		va += PAGE_SIZE << order;
		len -= PAGE_SIZE << order;
	}
	return OK;
}

static void blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		page_free(b->page, b->order);
		heap_free(b);
		b = next;
	}
}

static struct piece *piece_find(u64 va)
{
	for (u32 i = 0; i < piece_count; i++)
		if (pieces[i].va == va)
			return &pieces[i];
	return NULL;
}

static void piece_remove(u64 va)
{
	lock_take(&ram_lock);
	for (struct piece *p = piece_find(va); p < &pieces[piece_count - 1]; p++)
		p[0] = p[1];
	piece_count--;
	lock_drop(&ram_lock);
}

void *arch_ram_alloc(u64 len, u32 node)
{
	struct block *blocks = NULL;
	struct piece *p;
	u64 va;
	err_t e;

	len = ALIGN_UP(len, PAGE_SIZE);
	lock_take(&ram_lock);
	p = len ? piece_insert(len) : NULL;
	va = p ? p->va : 0;
	lock_drop(&ram_lock);
	if (!p)
		return NULL;
	e = blocks_map(va, len, node, &blocks);
	if (e != OK) {
		unmap_pages(va, len);
		blocks_free(blocks);
		piece_remove(va);
		return NULL;
	}
	lock_take(&ram_lock);
	p = piece_find(va);
	p->len = len;
	p->blocks = blocks;
	lock_drop(&ram_lock);
	return (void *)va;
}

void arch_ram_free(void *base, u64 len)
{
	struct block *blocks;
	struct piece *p;

	if (!base)
		return;
	lock_take(&ram_lock);
	p = piece_find((u64)base);
	assert(p && p->len == ALIGN_UP(len, PAGE_SIZE));
	blocks = p->blocks;
	p->len = 0;
	lock_drop(&ram_lock);
	unmap_pages((u64)base, ALIGN_UP(len, PAGE_SIZE));
	blocks_free(blocks);
	piece_remove((u64)base);
}

hpa_t arch_virt_to_phys(const void *p)
{
	hpa_t pa;
	u64 left;

	if ((u64)p < MAP_WINDOW)
		return (hpa_t)p;
	assert(map_lookup((u64)p, &pa, &left));
	return pa;
}
