/*
 * Translation tables of EL2 stage 1, 4 KiB granule, 48 bits (Arm ARM D8.3). Only arithmetic
 * on tables in memory: whoever owns the live tables says in ->store how an entry that the
 * hardware may be looking at is changed. Tables are addressed at virtual = physical.
 */
#pragma once

#include "kernel/base/err.h"

#define STAGE1_ENTRIES	512

/* Memory types by index into MAIR_EL2. */
enum { MAIR_DEVICE_NGNRE, MAIR_NORMAL, MAIR_NORMAL_NC };
#define STAGE1_MAIR	(0x04ull << 8 * MAIR_DEVICE_NGNRE | 0xffull << 8 * MAIR_NORMAL | \
			 0x44ull << 8 * MAIR_NORMAL_NC)

struct stage1 {
	u64 *root;			/* level 0 */
	u64 (*pool)[STAGE1_ENTRIES];	/* zeroed pages for tables */
	u32 pool_len, pool_used;
	/*
	 * NULL while nothing walks the tables. @change: the entry is valid and becomes something
	 * that must not be seen together with the old value: break before make.
	 */
	void (*store)(u64 *entry, u64 value, bool change);
};

err_t stage1_init(struct stage1 *s, void *pool, u32 pages);	/* @pool zeroed */

/*
 * Map @len bytes at @va to @pa with @prot (enum prot; 0 unmaps), all page aligned. Blocks of
 * 1 GiB and 2 MiB where they fit and no table is there yet, only pages if @pages. E_NOMEM
 * when the pool is empty, E_RANGE beyond 48 bits; then a part may be mapped.
 */
err_t stage1_map(struct stage1 *s, u64 va, u64 pa, u64 len, u32 prot, bool pages);

/* Entries for tables of others: a page at @pa (level 3), a table (levels 0 to 2). */
u64 stage1_page(u64 pa, u32 prot);
u64 stage1_table(const u64 *table);
/* The entry of level 1 for @va, with a table for it if need be; NULL when the pool is empty. */
u64 *stage1_gib(struct stage1 *s, u64 va);

/* The entry that translates @va and its level, or 0. */
u64 stage1_lookup(const struct stage1 *s, u64 va, u32 *level);
