/*
 * Page allocator: per-NUMA-node buddy free lists over the ranges that the boot code adds.
 * Pages come zeroed and are scrubbed when freed, before they can change owner.
 */
#pragma once

#include "kernel/base/err.h"

#define NODE_MAX	8
#define NODE_ANY	UINT32_MAX
#define PAGE_ORDER_MAX	18	/* largest block: 1 GiB */

/* Give memory to the allocator, @base and @len in bytes, page aligned, mapped and writable. */
void page_add_range(void *base, u64 len, u32 node);
/* The same for memory that is known to be zero, which is then not touched until it is used. */
void page_add_zeroed(void *base, u64 len, u32 node);

/* 2^@order zeroed pages, naturally aligned, from @node if possible. NULL when there are none. */
void *page_alloc(u32 order, u32 node);
void page_free(void *page, u32 order);
/* The order of the allocated block that starts at @page, or PAGE_NO_BLOCK. */
u32 page_order(const void *page);
#define PAGE_NO_BLOCK	UINT32_MAX

struct page_stats {
	u64 total, free;	/* bytes */
	u64 largest;		/* bytes in the largest free block */
};
struct page_stats page_stats(u32 node);	/* NODE_ANY: all */
