/*
 * What arch/bare needs of a host's page tables, besides arch/mem.h: mapping of any virtual
 * page. RAM is mapped at virtual = physical by the host itself; what needs other addresses gets
 * a second mapping in one of the windows, which lie above any physical memory and inside a
 * 47-bit space.
 */
#pragma once

#include "arch/mem.h"

#define MAP_WINDOW	0x400000000000ull	/* guest RAM, from 64 TiB */
#define MAP_WINDOW_END	0x700000000000ull
#define CODE_WINDOW	0x700000000000ull	/* translated code, to run */
#define CODE_WINDOW_END	0x740000000000ull
#define SPARSE_WINDOW	0x740000000000ull	/* sparse arrays: 4 TiB */
#define SPARSE_WINDOW_END 0x780000000000ull

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

/*
 * Tables of one's own, for sparse.c and view.c. On both hosts a table has 512 entries; an entry of
 * level 0 maps a page, one of level 1 stands for 2 MiB, one of level 2 for 1 GiB. An entry that
 * holds nothing is 0, and the hardware changes none.
 */
#define MAP_ENTRIES	512
#define MAP_ADDR	0x0000fffffffff000ull	/* where an entry points */

u64 map_leaf(hpa_t page, u32 prot);
u64 map_table(const u64 *table);
/* The entry of level 2 for @va; what follows it serves the GiBs after it, up to 512 GiB. */
u64 *map_gib(u64 va);			/* NULL: out of tables */
/*
 * Put @value into an entry on the way to @va, now. Only this CPU uses these addresses, and it
 * forgets what it knew of the page at @va.
 */
void map_set(u64 *entry, u64 value, u64 va);
/* This CPU forgets everything. */
void map_forget_here(void);
/* This CPU takes over addresses that another one has used and map_set(). */
void map_adopt(void);
/* All CPUs forget everything. */
void map_forget(void);
