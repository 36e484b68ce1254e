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
/* The same such that views may map it. A process gets no huge pages for it. */
void *arch_ram_alloc_viewed(u64 len, u32 node);
void arch_ram_free(void *base, u64 len);

/*
 * Memory for translated code, mapped twice: it is written at @rw and runs at @rx; neither mapping
 * does what the other is for. Each is contiguous, page aligned and zeroed. What was written runs
 * after host_code_sync() ("host/cpu.h"). E_NOMEM.
 */
err_t arch_code_alloc(u64 len, u8 **rw, u8 **rx);
/* Scrubbed. All CPUs have left the code; NULL is fine. */
void arch_code_free(u8 *rw, u8 *rx, u64 len);

/*
 * A sparse array: @len bytes of addresses in equal @pieces; every u64 of piece i reads as fill[i]
 * until it is written, and only what was written costs memory. Pieces are multiples of
 * SPARSE_ALIGN; where they are multiples of 2 MiB the untouched costs no page tables either.
 * Page aligned. NULL: no memory, no addresses, or pieces of another size.
 *
 * One CPU uses an array at a time. On bare metal the others may still know a page as it was before
 * it was touched, so whoever takes an array over from another CPU (or from its maker) adopts it.
 */
#define SPARSE_ALIGN	KIB(64)
u64 *arch_sparse_alloc(u64 len, const u64 *fill, u32 pieces);
/* From now on this CPU uses the array, and nobody else. Cheap if it did before. */
void arch_sparse_adopt(u64 *base);
/*
 * Before the first write to the page (4 KiB) of @at since the array was made or reset. Cheap if
 * that was done before. False: no memory, and the page still is not writable.
 */
bool arch_sparse_touch(u64 *base, u64 *at);
/* Everything reads as the fill again and gives its memory back. */
void arch_sparse_reset(u64 *base, u64 len);
void arch_sparse_free(u64 *base, u64 len);

/*
 * Views (mmu/view.h): host addresses at which pages of guest RAM appear where the guest wants them.
 * A CPU uses a view at a time and adopts it first, like a sparse array. Within VIEW_GUARD bytes on
 * both sides nothing is ever mapped.
 */
#define VIEW_SIZE	GIB(512)
#define VIEW_GUARD	GIB(4)
bool arch_views_are_cheap(void);	/* or does each page cost a system call? */
u8 *arch_view_alloc(void);		/* NULL: no addresses left */
void arch_view_free(u8 *view);		/* NULL is fine */
void arch_view_adopt(u8 *view);
/*
 * Let the page at @at, inside a view, be that at @host, which is in RAM from
 * arch_ram_alloc_viewed(); @anew: nothing is mapped there yet. False: no memory, and nothing is.
 */
bool arch_view_map(u8 *at, u8 *host, bool write, bool anew);
void arch_view_unmap(u8 *at);
void arch_view_protect(u8 *at);		/* what is mapped there may only be read from now on */
void arch_view_empty(u8 *view);

/*
 * The page allocator has no block of @len bytes: give it more memory with page_add_range().
 * False if there is none (bare metal: it had everything from the start).
 */
bool arch_ram_grow(u64 len);

/* Host virtual to physical address of memory from the page allocator, guest RAM included. */
hpa_t arch_virt_to_phys(const void *p);
/* The bytes from @p on, at most @len, that are contiguous in physical memory too. */
u64 arch_phys_span(const void *p, u64 len);
/* Back again, but only to what came from page_alloc(). */
void *arch_phys_to_virt(hpa_t pa);
