/*
 * Memory for translated code on bare metal: one block of the page allocator, written where RAM
 * is mapped anyway and run in the window of arch/bare/map.h. So it takes up the next power of two.
 */
#include "arch/bare/map.h"
#include "arch/bare/window.h"
#include "kernel/base/page.h"

static struct window window = { .base = CODE_WINDOW, .end = CODE_WINDOW_END };

static u32 order_of(u64 len)
{
	u32 order = 0;

	while (order <= PAGE_ORDER_MAX && (PAGE_SIZE << order) < len)
		order++;
	return order;
}

err_t arch_code_alloc(u64 len, u8 **rw, u8 **rx)
{
	u8 *block = len ? page_alloc(order_of(len), NODE_ANY) : NULL;
	err_t e;
	u64 va;

	*rw = *rx = NULL;
	if (!block)
		return ERRF(E_NOMEM, "no block of memory for %llu bytes of translated code",
			    (unsigned long long)len);
	len = ALIGN_UP(len, PAGE_SIZE);
	va = window_take(&window, len, MIB(2));
	e = va ? map_pages(va, (hpa_t)block, len, PROT_R | PROT_X) : ERR(E_NOMEM);
	if (e == OK) {
		*rw = block;
		*rx = (u8 *)va;
		return OK;
	}
	if (va)
		arch_code_free(block, (u8 *)va, len);
	else
		page_free(block, order_of(len));
	return e;
}

void arch_code_free(u8 *rw, u8 *rx, u64 len)
{
	if (!rw)
		return;
	unmap_pages((u64)rx, ALIGN_UP(len, PAGE_SIZE));
	window_give(&window, (u64)rx);
	page_free(rw, order_of(len));
}
