/*
 * The hypervisor's own address space at EL2: RAM at virtual = physical, read-write and never
 * executable; the core's text read-execute and its constants read-only; device registers as
 * they are asked for; guest RAM once more in the window of arch/bare/map.h. SCTLR_EL2.WXN
 * makes a writable page that is executable impossible.
 *
 * The surprise is break-before-make (Arm ARM D8.16.1): to split a block it must be unmapped
 * for a moment, and another CPU may be using it. So the core, with its tables and all static
 * data, is mapped by pages from the start; so is the surrounding of every stack (host.h);
 * the swap itself touches no other memory; and a CPU that faults meanwhile tries again.
 */
#include "arch/aarch64/sys/esr.h"
#include "arch/aarch64/sys/host.h"
#include "arch/aarch64/sys/stage1.h"
#include "arch/aarch64/sys/sysreg.h"
#include "arch/bare/map.h"
#include "boot/boot.h"
#include "kernel/base/lock.h"
#include "kernel/base/panic.h"

#define TABLE_PAGES	512		/* 2 MiB of tables; mapping 64 GiB takes about 30 pages */

/* TCR_EL2 with E2H = 0: 48 bits, 4 KiB granule, inner-shareable write-back walks. */
#define TCR_EL2_RES1	(BIT(31) | BIT(23))
#define TCR_EL2_SETUP	(TCR_EL2_RES1 | 16 | 1 << 8 | 1 << 10 | 3 << 12)
#define TCR_EL2_PS_SHIFT 16

static struct stage1 tables;
static u64 pool[TABLE_PAGES][STAGE1_ENTRIES] aligned_to(PAGE_SIZE);
static struct lock tables_lock;
static _Atomic bool splitting;

/*
 * Take @entry away, forget it everywhere, put @value in its place. One piece of assembly: in
 * between there is no access to memory but the entry, which lies in the core's own pages.
 */
static void entry_swap(u64 *entry, u64 value)
{
	u64 daif = sysreg_read(daif);

	__asm__ volatile("msr daifset, #0xf" ::: "memory");
	atomic_store(&splitting, true);
	__asm__ volatile("dsb	ish\n\t"
			 "str	xzr, [%0]\n\t"
			 "dsb	ish\n\t"
			 "tlbi	alle2is\n\t"
			 "dsb	ish\n\t"
			 "isb\n\t"
			 "str	%1, [%0]\n\t"
			 "dsb	ish\n\t"
			 "isb"
			 :: "r"(entry), "r"(value) : "memory");
	atomic_store(&splitting, false);
	sysreg_write(daif, daif);
}

static void entry_store(u64 *entry, u64 value, bool change)
{
	if (change) {
		entry_swap(entry, value);
		return;
	}
	__asm__ volatile("dsb ishst" ::: "memory");	/* a table's contents before its entry */
	*(volatile u64 *)entry = value;
}

static void tlb_flush(void)
{
	__asm__ volatile("dsb ishst; tlbi alle2is; dsb ish; isb" ::: "memory");
}

bool mem_fault_is_transient(u64 esr, u64 far)
{
	static _Thread_local u64 last;
	static _Thread_local u32 tries;
	u32 class = ESR_CLASS(esr), level;

	if (class != ESR_DABORT && class != ESR_IABORT)
		return false;
	if (atomic_load(&splitting))
		return true;
	/*
	 * The split may have ended since. If the tables are fine and the fault stays, it is no
	 * such fault.
	 */
	tries = far == last ? tries + 1 : 0;
	last = far;
	return ESR_FAULT(esr) >> 2 == 1 && tries < 8 && stage1_lookup(&tables, far, &level);
}

static void map_or_die(u64 base, u64 len, u32 prot, bool pages)
{
	err_t e = stage1_map(&tables, base, base, len, prot, pages);

	if (e)
		panic("cannot map %#llx + %#llx: %s", (unsigned long long)base,
		      (unsigned long long)len, err_text(e));
}

static void map_memory(const struct boot_info *info)
{
	for (u32 i = 0; i < info->ranges; i++) {
		const struct boot_range *r = &info->range[i];
		u64 base = ALIGN_UP(r->base, PAGE_SIZE);
		u64 end = ALIGN_DOWN(r->base + r->len, PAGE_SIZE);
		bool ours = r->kind == BOOT_FREE || r->kind == BOOT_USED;

		if (r->kind == BOOT_DEVICE || base >= end || end > MAP_WINDOW)
			continue;
		map_or_die(base, end - base, ours ? PROT_R | PROT_W : PROT_R, false);
	}
	for (u32 i = 0; i < info->segments; i++) {
		const struct boot_segment *s = &info->segment[i];

		u32 prot = PROT_R | (s->write ? PROT_W : 0) | (s->execute ? PROT_X : 0);

		map_or_die(s->base, s->len, prot, true);
	}
}

void mem_start_regs(struct start_regs *r)
{
	u64 pa_range = BITS(sysreg_read(id_aa64mmfr0_el1), 3, 0);

	r->mair = STAGE1_MAIR;
	r->tcr = TCR_EL2_SETUP | MIN(pa_range, 5ull) << TCR_EL2_PS_SHIFT;
	r->ttbr = (u64)(uptr)tables.root;
	r->sctlr = SCTLR_EL2_RES1 | SCTLR_EL2_M | SCTLR_EL2_C | SCTLR_EL2_I | SCTLR_EL2_SA |
		   SCTLR_EL2_WXN;
	r->hcr = HCR_EL2_RW | HCR_EL2_IMO | HCR_EL2_FMO | HCR_EL2_AMO;
}

void mem_init(const struct boot_info *info)
{
	struct start_regs r = {0};

	if (stage1_init(&tables, pool, TABLE_PAGES))
		panic("no memory for translation tables");
	map_memory(info);
	if (machine.uart.base)
		map_or_die(ALIGN_DOWN(machine.uart.base, PAGE_SIZE), PAGE_SIZE, PROT_MMIO, true);
	mem_start_regs(&r);
	start_mmu(&r);
	tables.store = entry_store;
}

void mem_clean(const void *p, u64 len)
{
	u64 line = 4ull << BITS(sysreg_read(ctr_el0), 19, 16);

	for (u64 at = ALIGN_DOWN((u64)(uptr)p, line); at < (u64)(uptr)p + len; at += line)
		__asm__ volatile("dc civac, %0" :: "r"(at) : "memory");
	barrier_dsb();
}

static err_t map_locked(u64 va, u64 pa, u64 len, u32 prot)
{
	err_t e;

	lock_take(&tables_lock);
	e = stage1_map(&tables, va, pa, len, prot, false);
	tlb_flush();
	lock_drop(&tables_lock);
	return e;
}

void *arch_mmio_map(hpa_t base, u64 len, u32 prot)
{
	hpa_t first = ALIGN_DOWN(base, PAGE_SIZE), end = ALIGN_UP(base + len, PAGE_SIZE);

	if (!len || end > MAP_WINDOW || map_locked(first, first, end - first, prot))
		return NULL;
	return (void *)(uptr)base;
}

err_t arch_mem_protect(void *base, u64 len, u32 prot)
{
	u64 va = (u64)(uptr)base, end = va + len, left = 0;
	err_t e = OK;

	if ((prot & PROT_W) && (prot & PROT_X))
		return ERRF(E_INVAL, "a page cannot be writable and executable");
	for (; !e && va < end; va += left) {
		hpa_t pa = va;

		left = end - va;
		if (va >= MAP_WINDOW && !map_lookup(va, &pa, &left))
			return ERRF(E_INVAL, "protecting what is not mapped");
		left = MIN(left, end - va);
		e = map_locked(va, pa, left, prot);
	}
	return e;
}

err_t map_pages(u64 va, hpa_t pa, u64 len, u32 prot)
{
	return map_locked(va, pa, len, prot);
}

void unmap_pages(u64 va, u64 len)
{
	if (map_locked(va, va, len, 0))
		panic("cannot unmap %#llx", (unsigned long long)va);
}

u64 map_leaf(hpa_t page, u32 prot)
{
	return stage1_page(page, prot);
}

u64 map_table(const u64 *table)
{
	return stage1_table(table);
}

u64 *map_gib(u64 va)
{
	u64 *e;

	lock_take(&tables_lock);
	e = stage1_gib(&tables, va);
	lock_drop(&tables_lock);
	return e;
}

/*
 * Break before make: nobody else uses these addresses. The TLBI reaches all CPUs, so there is
 * nothing left to forget for one that adopts them. What was nothing is in no TLB.
 */
void map_set(u64 *entry, u64 value, u64 va)
{
	__asm__ volatile("dsb	ishst" ::: "memory");	/* a table's contents before its entry */
	if (*entry)
		__asm__ volatile("str	xzr, [%0]\n\t"
				 "dsb	ishst\n\t"
				 "tlbi	vae2is, %1\n\t"
				 "dsb	ish"
				 :: "r"(entry), "r"(va >> PAGE_SHIFT) : "memory");
	__asm__ volatile("str	%1, [%0]\n\t"
			 "dsb	ishst\n\t"
			 "isb"
			 :: "r"(entry), "r"(value) : "memory");
}

void map_adopt(void)
{
}

void map_forget_here(void)
{
	tlb_flush();
}

void map_forget(void)
{
	tlb_flush();
}

bool map_lookup(u64 va, hpa_t *pa, u64 *left)
{
	u32 level;
	u64 entry = stage1_lookup(&tables, va, &level), size = 1ull << (39 - 9 * level);

	if (!entry)
		return false;
	*pa = (entry & 0x0000fffffffff000ull & ~(size - 1)) | (va & (size - 1));
	*left = size - (va & (size - 1));
	return true;
}
