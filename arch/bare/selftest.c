/*
 * See selftest.h. The sparse array has a page for each CPU. The boot CPU looks at all of them, a
 * CPU that starts writes to its own, and the boot CPU looks again: if adopting did not work, it
 * would find the fill, where it remembers the page to be.
 */
#include "arch/bare/selftest.h"
#include "arch/bare/map.h"
#include "arch/bare/probe.h"
#include "arch/mem.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"
#include "kernel/base/log.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define STRIDE	KIB(68)		/* between CPUs' pages: none share a TLB set */
#define LEN	(CPU_MAX * STRIDE)
#define WORDS	(STRIDE / sizeof(u64))

static const u64 fill[2] = { 0x5eed, ~0ull };	/* a piece each, meeting inside a table */
static u8 *code_rw, *code_rx;
static u64 *array, wrote;	/* whose page is written, a bit for each CPU */

static void code_check(void)
{
	u64 (*add)(u64, u64) = (u64 (*)(u64, u64))(uptr)code_rx;
	u64 a = 0x123456789abcdef0, b = cpu_self->id;

	if (add(a, b) != a + b)
		panic("translated code: wrong sum in vector registers");
}

static void array_check(void)
{
	for (u32 i = 0; i < CPU_MAX; i++) {
		u64 empty = fill[i / (CPU_MAX / 2)], want = wrote & BIT(i) ? i : empty;

		if (array[i * WORDS] != want || array[i * WORDS + 1] != empty)
			panic("sparse array: page %u reads %#llx on CPU %u", i,
			      (unsigned long long)array[i * WORDS], cpu_self->id);
	}
}

static void array_write(void)
{
	u64 *mine = &array[cpu_self->id * WORDS];

	if (probe_store(mine, 0))
		panic("sparse array: written without being touched");
	array_check();		/* what faulted is forgotten: remember it again */
	if (!arch_sparse_touch(array, mine) || !arch_sparse_touch(array, mine))
		panic("sparse array: no memory");
	*mine = cpu_self->id;
	wrote |= BIT(cpu_self->id);
}

/* Does @at lead to @ram, and may it be written? */
static bool view_is(u8 *at, u8 *ram, bool write)
{
	hpa_t pa;
	u64 left;

	return map_lookup((u64)at, &pa, &left) && pa == arch_virt_to_phys(ram) &&
	       left == PAGE_SIZE && probe_store(at, 0) == write;
}

/* Two pages of guest RAM: what is said of where they are physically agrees with itself. */
static bool span_is_right(const u8 *ram)
{
	bool joined = arch_virt_to_phys(ram + PAGE_SIZE) == arch_virt_to_phys(ram) + PAGE_SIZE;

	return arch_phys_span(ram, 2 * PAGE_SIZE) == PAGE_SIZE << joined &&
	       arch_phys_span(ram + 8, 16) == 16;
}

static void view_check(void)
{
	u8 *ram = arch_ram_alloc_viewed(2 * PAGE_SIZE, NODE_ANY), *view = arch_view_alloc();
	u8 *last = view + VIEW_SIZE - PAGE_SIZE;
	bool good;

	if (!ram || !view || !arch_view_map(view, ram, true, true) ||
	    !arch_view_map(last, ram + PAGE_SIZE, false, true))
		panic("no memory for a view");
	good = view_is(view, ram, true) && view_is(last, ram + PAGE_SIZE, false);
	good &= arch_view_map(last, ram, true, false) && view_is(last, ram, true);
	good &= !probe_store(view - 8, 0) && !probe_store(last + PAGE_SIZE, 0);
	arch_view_protect(view);
	good &= view_is(view, ram, false);
	arch_view_unmap(view);
	good &= !probe_store(view, 0) && view_is(last, ram, true);
	arch_view_empty(view);
	good &= !probe_store(last, 0);
	good &= arch_view_map(view, ram, true, true) && view_is(view, ram, true);
	arch_view_free(view);
	good &= !probe_store(view, 0);
	good &= span_is_right(ram);
	if (!good)
		panic("a view maps what it should not, or does not map what it should");
	arch_ram_free(ram, 2 * PAGE_SIZE);
}

void selftest_begin(void)
{
	u64 len;
	const void *code = selftest_code(&len);

	array = arch_sparse_alloc(LEN, fill, ARRAY_LEN(fill));
	if (arch_code_alloc(len, &code_rw, &code_rx) != OK || !array)
		panic("no memory for translated code");
	memcpy(code_rw, code, len);
	host_code_sync(code_rw, code_rx, len);
	if (probe_store(code_rx, 0) || probe_call(code_rw))
		panic("memory protection does not hold: translated code can be changed where it "
		      "runs or run where it is changed");
	view_check();
	selftest_cpu();
}

void selftest_look(void)
{
	arch_sparse_adopt(array);
	array_check();
}

void selftest_cpu(void)
{
	code_check();
	selftest_look();
	array_write();
	array_check();
}

void selftest_end(void)
{
	arch_sparse_reset(array, LEN);
	wrote = 0;
	array_check();
	arch_sparse_free(array, LEN);
	if (!probe_call(code_rx))
		panic("translated code does not run");
	arch_code_free(code_rw, code_rx, PAGE_SIZE);
	if (probe_call(code_rx) || probe_store(array, 0))
		panic("memory is still mapped after it was freed");
	log_info("translated code: memory and vector registers checked on %u CPU%s", cpu_count,
		 cpu_count == 1 ? "" : "s");
}
