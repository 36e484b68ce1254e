/*
 * Four levels of page tables (SDM 3A, chapter 4), virtual = physical for RAM and the core,
 * the window of arch/bare/map.h for guest RAM. W^X from the first load of CR3 on: what is
 * not the core's text is NX, and text and read-only data are not writable (CR0.WP).
 *
 * The first tables come from a small pool in .bss, because the page allocator owns no memory
 * before memory is mapped: RAM below 4 GiB is mapped from the pool and given away, and pays
 * for the tables of the rest. One address space, never switched: no global pages, no PCID.
 * A table, once linked, stays.
 */
#include "arch/bare/firmware.h"
#include "arch/bare/map.h"
#include "arch/bare/probe.h"
#include "arch/x86_64/sys/apic.h"
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/sys/paging.h"
#include "arch/x86_64/sys/percpu.h"
#include "arch/x86_64/sys/trap.h"
#include "kernel/base/lock.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"

#include <cpuid.h>

#define PTE_P		BIT(0)
#define PTE_W		BIT(1)
#define PTE_PWT		BIT(3)		/* PAT entry 1: write combining */
#define PTE_PCD		BIT(4)		/* with PWT PAT entry 3: uncached */
#define PTE_AD		(BIT(5) | BIT(6))
#define PTE_PS		BIT(7)
#define PTE_NX		BIT(63)
#define PTE_ADDR	0x000ffffffffff000ull

/* WB, WC, UC-, UC, twice. */
#define PAT_VALUE	0x0007010600070106ull

#define POOL_TABLES	32

static u64 root[512] aligned_to(4096);
/* where firmware runs five levels, which long mode cannot leave */
static u64 root5[512] aligned_to(4096);
static u64 pool[POOL_TABLES][512] aligned_to(4096);
static u32 pool_used;
static bool pool_only = true, leaf_1g;
static struct lock map_lock;
static _Atomic u64 flush_count;

const u64 *paging_root(void)
{
	return root;
}

static u64 *table_take(void)
{
	if (pool_used < POOL_TABLES)
		return pool[pool_used++];
	return pool_only ? NULL : page_alloc(0, NODE_ANY);
}

static u64 level_size(u32 level)
{
	return PAGE_SIZE << (9 * level);
}

static u64 *slot(u64 *table, u64 va, u32 level)
{
	return &table[va >> (PAGE_SHIFT + 9 * level) & 511];
}

static u64 pte_bits(u32 prot)
{
	if (!(prot & (PROT_R | PROT_W | PROT_X)))
		return 0;
	return PTE_P | PTE_AD | (prot & PROT_W ? PTE_W : 0) | (prot & PROT_X ? 0 : PTE_NX) |
	       (prot & PROT_DEVICE ? PTE_PCD | PTE_PWT : prot & PROT_WC ? PTE_PWT : 0);
}

/* Replace a large leaf by a table of 512 smaller ones that say the same. */
static bool leaf_split(u64 *e, u32 level)
{
	u64 *table = table_take(), bits = *e & ~PTE_ADDR, pa = *e & PTE_ADDR;

	if (!table)
		return false;
	if (level == 1)
		bits &= ~PTE_PS;
	for (u32 i = 0; i < 512; i++)
		table[i] = (pa + i * level_size(level - 1)) | bits;
	*e = map_table(table);
	return true;
}

/*
 * The entry for @va at @level, with tables made and leaves split on the way; NULL: no table to be
 * had.
 */
static u64 *entry_make(u64 va, u32 level)
{
	u64 *table = root, *e, *next;

	for (u32 l = 3; ; l--) {
		e = slot(table, va, l);
		if (l == level)
			return e;
		if (!(*e & PTE_P)) {
			next = table_take();
			if (!next)
				return NULL;
			*e = map_table(next);
		} else if ((*e & PTE_PS) && !leaf_split(e, l)) {
			return NULL;
		}
		table = (u64 *)(*e & PTE_ADDR);
	}
}

/* The entry where the walk for @va ends, a leaf or nothing, and its level. */
static u64 *entry_find(u64 va, u32 *level)
{
	u64 *table = root, *e;

	for (u32 l = 3; ; l--) {
		e = slot(table, va, l);
		*level = l;
		if (!l || !(*e & PTE_P) || (*e & PTE_PS))
			return e;
		table = (u64 *)(*e & PTE_ADDR);
	}
}

static u32 level_for(u64 va, hpa_t pa, u64 len)
{
	u32 level = leaf_1g ? 2 : 1;
	u32 end;

	entry_find(va, &end);		/* where smaller pages are already, more of them join */
	level = MIN(level, end);
	while (level && (((va | pa) & (level_size(level) - 1)) || len < level_size(level)))
		level--;
	return level;
}

static err_t map_locked(u64 va, hpa_t pa, u64 len, u32 prot)
{
	u64 bits = pte_bits(prot);

	while (len) {
		u32 level = level_for(va, pa, len);
		u64 *e = entry_make(va, level);

		if (!e)
			return ERR(E_NOMEM);
		*e = pa | bits | (level ? PTE_PS : 0);
		va += level_size(level);
		pa += level_size(level);
		len -= level_size(level);
	}
	return OK;
}

err_t map_pages(u64 va, hpa_t pa, u64 len, u32 prot)
{
	err_t e;

	lock_take(&map_lock);
	e = map_locked(va, pa, len, prot);
	lock_drop(&map_lock);
	return e;
}

/* In the leaves of [@va, @va + @len) keep the bits of @keep and set @bits; holes stay holes. */
static err_t leaves_change(u64 va, u64 len, u64 keep, u64 bits)
{
	u64 end = va + len;

	while (va < end) {
		u32 level;
		u64 *e = entry_find(va, &level);
		u64 size = level_size(level), left = size - (va & (size - 1));

		if (!*e) {
			va += left;
			continue;
		}
		if (left != size || end - va < size) {
			if (!leaf_split(e, level))
				return ERR(E_NOMEM);
			continue;
		}
		*e = (*e & keep) | bits;
		va += size;
	}
	return OK;
}

void paging_flush(u32 vector)
{
	u64 seen = atomic_load(&flush_count);

	cr3_write(cr3_read());
	atomic_store(&percpu_of(cpu_self)->tlb_seen, seen);
}

/* Every CPU forgets what it translated before we return. */
static void flush_everywhere(void)
{
	u64 mine = atomic_fetch_add(&flush_count, 1) + 1;

	cr3_write(cr3_read());
	for (u32 i = 0; i < cpu_count; i++)
		if (&cpus[i] != cpu_self && atomic_load(&cpus[i].online))
			apic_send(&cpus[i], VECTOR_FLUSH);
	for (u32 i = 0; i < cpu_count; i++)
		while (&cpus[i] != cpu_self && atomic_load(&cpus[i].online) &&
		       atomic_load(&percpu_of(&cpus[i])->tlb_seen) < mine)
			host_relax();
}

void unmap_pages(u64 va, u64 len)
{
	err_t e;

	lock_take(&map_lock);
	e = leaves_change(va, len, 0, 0);
	lock_drop(&map_lock);
	if (e != OK)
		panic("unmap_pages: %s", err_text(e));
	flush_everywhere();
}

err_t arch_mem_protect(void *base, u64 len, u32 prot)
{
	err_t e;

	lock_take(&map_lock);
	e = leaves_change((u64)base, len, PTE_ADDR | PTE_PS, pte_bits(prot));
	lock_drop(&map_lock);
	flush_everywhere();
	return e;
}

bool map_lookup(u64 va, hpa_t *pa, u64 *left)
{
	u32 level;
	u64 e = *entry_find(va, &level), in_page = va & (level_size(level) - 1);

	if ((u64)sext(va, 48) != va || !(e & PTE_P))
		return false;
	*pa = (e & PTE_ADDR & ~(level_size(level) - 1)) + in_page;
	*left = level_size(level) - in_page;
	return true;
}

u64 map_leaf(hpa_t page, u32 prot)
{
	return page | pte_bits(prot);
}

u64 map_table(const u64 *table)
{
	return (u64)table | PTE_P | PTE_W | PTE_AD;
}

u64 *map_gib(u64 va)
{
	u64 *e;

	lock_take(&map_lock);
	e = entry_make(va, 2);
	lock_drop(&map_lock);
	return e;
}

void map_set(u64 *entry, u64 value, u64 va)
{
	__asm__ volatile("" ::: "memory");	/* a table's contents before its entry */
	*(volatile u64 *)entry = value;
	invlpg(va);				/* and the tables on the way to it */
}

void map_forget_here(void)
{
	cr3_write(cr3_read());
}

void map_adopt(void)
{
	map_forget_here();
}

void map_forget(void)
{
	flush_everywhere();
}

void *arch_mmio_map(hpa_t base, u64 len, u32 prot)
{
	hpa_t low = ALIGN_DOWN(base, PAGE_SIZE);
	err_t e = map_pages(low, low, ALIGN_UP(base + len, PAGE_SIZE) - low, prot);

	return e == OK ? (void *)base : NULL;
}

static void map_or_die(hpa_t base, u64 len, u32 prot)
{
	if (map_locked(base, base, len, prot) != OK)
		panic("no memory for page tables");
}

static void ram_map(hpa_t low, hpa_t high)
{
	for (u32 i = 0; i < boot->ranges; i++) {
		const struct boot_range *r = &boot->range[i];
		hpa_t from = MAX(low, r->base), to = MIN(high, r->base + r->len);

		if (r->kind != BOOT_DEVICE && from < to)
			map_or_die(from, to - from,
				   PROT_R | (r->kind == BOOT_FIRMWARE_CODE ? PROT_X : PROT_W));
	}
}

static void core_map(void)
{
	for (u32 i = 0; i < boot->segments; i++) {
		const struct boot_segment *s = &boot->segment[i];
		u32 prot = PROT_R | (s->write ? PROT_W : 0) | (s->execute ? PROT_X : 0);

		map_or_die(s->base, s->len, prot);
	}
}

void paging_load(void)
{
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_NXE);
	msr_write(MSR_PAT, PAT_VALUE);
	cr0_write(cr0_read() | CR0_WP);
	cr4_write((cr4_read() & CR4_LA57) | CR4_PAE | CR4_DE | CR4_MCE | CR4_OSFXSR |
		  CR4_OSXMMEXCPT);
	cr3_write((u64)(cr4_read() & CR4_LA57 ? root5 : root));
}

void paging_init(void)
{
	u32 a, b, c, d;

	leaf_1g = __get_cpuid(0x80000001, &a, &b, &c, &d) && (d & (1 << 26));
	root5[0] = root5[MAP_ENTRIES - 1] = map_table(root);
	ram_map(PAGE_SIZE, GIB(4));
	core_map();
	paging_load();
	/* Below 1 MiB lie the trampoline and what old firmware still uses. */
	firmware_add_memory(MIB(1), GIB(4));
	pool_only = false;
	ram_map(GIB(4), MAP_WINDOW);
	firmware_add_memory(GIB(4), MAP_WINDOW);
}

bool paging_selftest(void)
{
	extern u8 text_start[], rodata_start[];
	static u8 data = 0xc3;		/* RET */
	bool ok = true;

	ok &= !probe_store(text_start, *text_start);
	ok &= !probe_store(rodata_start, *rodata_start);
	ok &= !probe_store(percpu_boot.guard0, 0);
	ok &= probe_store(&data, 0xc3);
	ok &= !probe_call(&data);
	return ok;
}
