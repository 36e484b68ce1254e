/*
 * What arch/bare needs of a host's page tables, besides arch/mem.h: mapping of any virtual
 * page. RAM is mapped at virtual = physical by the host itself; guest RAM gets a second
 * mapping at MAP_WINDOW, where pieces of any size and place look contiguous.
 */
#pragma once

#include "arch/mem.h"

/* Guest RAM lives from here on: above any physical memory, inside a 47-bit space. */
#define MAP_WINDOW	0x400000000000ull	/* 64 TiB */
#define MAP_WINDOW_END	0x700000000000ull

/*
 * Map [@va, @va + @len) to @pa with the largest pages that fit. E_NOMEM: out of tables, part may
 * be mapped.
 */
err_t map_pages(u64 va, hpa_t pa, u64 len, u32 prot);

/* Unmap, and forget it on every CPU before return. Holes are fine. */
void unmap_pages(u64 va, u64 len);

/*
 * Physical address behind @va and the bytes from there to the end of its leaf; false: not mapped.
 */
bool map_lookup(u64 va, hpa_t *pa, u64 *left);
