/*
 * Guest RAM on bare metal: blocks of the page allocator, largest first, mapped next to each
 * other in the window of arch/bare/map.h. So a guest needs no contiguous physical memory and
 * no power of two, and still gets 2 MiB and 1 GiB pages. Unmapped addresses lie around every
 * piece; blocks go back scrubbed.
 */
#include "arch/bare/map.h"
#include "arch/bare/window.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/page.h"

struct block {
	struct block *next;
	void *page;
	u32 order;
};

static struct window window = { .base = MAP_WINDOW, .end = MAP_WINDOW_END };

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

void *arch_ram_alloc(u64 len, u32 node)
{
	struct block *blocks = NULL;
	u64 va;

	len = ALIGN_UP(len, PAGE_SIZE);
	va = window_take(&window, len, len >= GIB(1) ? GIB(1) : MIB(2));
	if (!va)
		return NULL;
	if (blocks_map(va, len, node, &blocks) != OK) {
		unmap_pages(va, len);
		blocks_free(blocks);
		window_give(&window, va);
		return NULL;
	}
	window_set_owner(&window, va, blocks);
	return (void *)va;
}

void *arch_ram_alloc_viewed(u64 len, u32 node)
{
	return arch_ram_alloc(len, node);
}

void arch_ram_free(void *base, u64 len)
{
	struct block *blocks;

	if (!base)
		return;
	len = ALIGN_UP(len, PAGE_SIZE);
	blocks = window_owner(&window, (u64)base, len);
	unmap_pages((u64)base, len);
	blocks_free(blocks);
	window_give(&window, (u64)base);
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

u64 arch_phys_span(const void *p, u64 len)
{
	hpa_t start = arch_virt_to_phys(p), pa;
	u64 span = 0, left;

	if ((u64)p < MAP_WINDOW)
		return len;
	while (span < len && map_lookup((u64)p + span, &pa, &left) && pa == start + span)
		span += left;
	return MIN(span, len);
}

void *arch_phys_to_virt(hpa_t pa)
{
	return (void *)pa;
}
