/*
 * Host contract: memory. The hypervisor's own page tables are W^X from the first one on:
 * text RX, rodata R, data and all RAM RW, nothing writable and executable.
 */
#pragma once

#include "kernel/base/err.h"

enum prot {
	PROT_R = 1 << 0,
	PROT_W = 1 << 1,
	PROT_X = 1 << 2,	/* never together with PROT_W */
	PROT_DEVICE = 1 << 3,	/* strongly ordered, uncached */
	PROT_WC = 1 << 4,	/* write combining (frame buffers) */
};

/* Map device registers; the mapping stays until the machine stops. NULL when out of page tables. */
void *arch_mmio_map(hpa_t base, u64 len, u32 prot);

/* Change the protection of pages of the hypervisor's own address space on every CPU. */
err_t arch_mem_protect(void *base, u64 len, u32 prot);

/*
 * Guest RAM: zeroed, page aligned (2 MiB aligned where possible), on @node if possible.
 * The bytes are contiguous in host virtual memory. Scrubbed again when freed.
 */
void *arch_ram_alloc(u64 len, u32 node);
void arch_ram_free(void *base, u64 len);

/*
 * The page allocator has no block of @len bytes: give it more memory with page_add_range().
 * False if there is none (bare metal: it had everything from the start).
 */
bool arch_ram_grow(u64 len);

/* Host virtual to physical address of memory from the page allocator. */
hpa_t arch_virt_to_phys(const void *p);
