/*
 * The hypervisor's page tables on x86-64, see paging.c; what others use is arch/mem.h and
 * arch/bare/map.h.
 */
#pragma once

#include "kernel/base/types.h"

/* Build the tables, switch to them, give all free RAM to the page allocator. Boot CPU, once. */
void paging_init(void);

/* Another CPU: control registers and memory types as paging_init() set them. */
void paging_load(void);

/* The root, for the trampoline's copy. */
const u64 *paging_root(void);

/* The flush interrupt: this CPU forgets what it translated. */
void paging_flush(u32 vector);

/* Try what W^X forbids; false if something was possible. */
bool paging_selftest(void);
