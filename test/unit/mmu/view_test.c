/*
 * Views against a model that keeps every page: what may be read and written there, and where it
 * leads. The kernel is asked: process_vm_readv() of ourselves says EFAULT where we would fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "mmu/tuning.h"
#include "mmu/view.h"

#define RAM	MIB(1)
#define PAGES	(RAM >> PAGE_SHIFT)
#define VAS	96
#define NONE	(-1)

static u8 heap_memory[MIB(8)] aligned_to(4096);
static u8 *ram;
static struct view *v;

static u64 seed = 0x9e3779b97f4a7c15ull;
static u64 rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static u8 *at(gva_t va)
{
	return view_origin(v) + va;
}

/* The u64 at @va, or NONE if it faults. */
static s64 load(gva_t va)
{
	s64 value = 0;
	struct iovec to = { &value, sizeof(value) }, from = { at(va), sizeof(value) };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == sizeof(value) ? value : NONE;
}

static bool store(gva_t va, s64 value)
{
	struct iovec from = { &value, sizeof(value) }, to = { at(va), sizeof(value) };

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == sizeof(value);
}

static u64 *word(u64 page)
{
	return (u64 *)(ram + (page << PAGE_SHIFT));
}

static void maps_upgrades_protects(void **state)
{
	gva_t va = 0x12345000;

	*word(3) = 33;
	*word(4) = 44;
	assert_int_equal(load(va), NONE);
	assert_true(view_map(v, va + 0xabc, 3 * PAGE_SIZE + 0xabc, false));
	assert_int_equal(load(va), 33);
	assert_false(store(va, 1));
	assert_true(view_map(v, va, 3 * PAGE_SIZE, true));
	assert_int_equal(v->count, 1);
	assert_true(store(va, 34));
	assert_int_equal(*word(3), 34);
	assert_true(view_map(v, va, 3 * PAGE_SIZE, false));	/* what may be written stays so */
	assert_true(store(va, 35));
	assert_true(view_map(v, va, 4 * PAGE_SIZE, false));	/* another page */
	assert_int_equal(v->count, 1);
	assert_int_equal(load(va), 44);
	assert_false(store(va, 1));
	assert_true(view_map(v, va, 4 * PAGE_SIZE, true));
	view_protect_va(v, va + 8);
	assert_int_equal(load(va), 44);
	assert_false(store(va, 1));
	view_unmap(v, va + 16);
	view_unmap(v, va);
	assert_int_equal(v->count, 0);
	assert_int_equal(load(va), NONE);
}

/* Both ends of the view and of what is around it. */
static void ends(void **state)
{
	gva_t top = VIEW_SIZE / 2 - PAGE_SIZE, bottom = -(VIEW_SIZE / 2);

	*word(0) = 10;
	*word(PAGES - 1) = 11;
	assert_true(view_map(v, top, 0, true));
	assert_true(view_map(v, bottom, RAM - PAGE_SIZE, true));
	assert_int_equal(load(top), 10);
	assert_int_equal(load(bottom), 11);
	assert_int_equal(load(top + PAGE_SIZE - 4), NONE);	/* out of it */
	assert_int_equal(load(bottom - 4), NONE);
	assert_true(view_map(v, top + PAGE_SIZE, 0, true));	/* is not in the view */
	assert_true(view_map(v, bottom - PAGE_SIZE, 0, true));
	assert_true(view_map(v, BIT(63), 0, true));
	assert_int_equal(v->count, 2);
	for (u64 off = 0; off < VIEW_GUARD; off += GIB(1) - PAGE_SIZE) {
		assert_int_equal(load(top + PAGE_SIZE + off), NONE);
		assert_int_equal(load(bottom - 8 - off), NONE);
	}
	view_unmap(v, top + PAGE_SIZE);
	view_protect_va(v, bottom - PAGE_SIZE);
	assert_true(store(bottom, 12));
	assert_true(view_map(v, 0, 0, false));
	assert_true(view_map(v, -PAGE_SIZE, RAM - PAGE_SIZE, false));
	assert_int_equal(load(-(u64)8 & PAGE_MASK), 12);
	assert_int_equal(load(0), 10);
	view_empty(v);
	assert_int_equal(load(top), NONE);
	assert_int_equal(load(bottom), NONE);
	assert_int_equal(load(0), NONE);
}

/* Every page of a view that is full, and none more. */
static void full(void **state)
{
	u32 n = mmu_tuning.view_pages;

	for (u32 i = 0; i < n; i++)
		assert_true(view_map(v, (u64)i * MIB(1), i % PAGES << PAGE_SHIFT, false));
	assert_false(view_map(v, GIB(100), 0, false));
	assert_int_equal(load(GIB(100)), NONE);
	assert_true(view_map(v, 0, PAGE_SIZE, true));		/* one that is there */
	view_unmap(v, MIB(1) * (u64)(n - 1));
	assert_true(view_map(v, GIB(100), 0, false));
	assert_false(view_map(v, GIB(101), 0, false));
	view_empty(v);
	assert_int_equal(v->count, 0);
	for (u32 i = 0; i < n; i += 97)
		assert_int_equal(load((u64)i * MIB(1)), NONE);
}

/* ---- random operations against a model ---- */

static struct { gva_t va; s64 page; bool write; } model[VAS];

/* Many that begin their search at the same place of the index, and some of all kinds. */
static void vas_choose(void)
{
	u32 mask = 2 * mmu_tuning.view_pages - 1, n = 0;
	u32 home = (u32)rnd() & mask;

	for (u64 page = rnd() % BIT(26); n < VAS / 2; page++)
		if (((((u32)page * 0x9e3779b1u >> 8) - home) & mask) < 4)
			model[n++].va = (page << PAGE_SHIFT) - VIEW_SIZE / 2;
	for (; n < VAS; n++)
		model[n].va = ((u64)(u32)rnd() << PAGE_SHIFT & MASK(39)) - VIEW_SIZE / 2;
	for (u32 i = 0; i < VAS; i++) {
		model[i].page = NONE;
		for (u32 k = 0; k < i; k++)
			if (model[k].va == model[i].va)
				model[i--].va += PAGE_SIZE, k = i;
	}
}

static void step(void)
{
	u32 i = (u32)(rnd() % VAS);
	u64 page = rnd() % 24, within = rnd() % PAGE_SIZE;
	bool write = rnd() % 2, room;

	switch (rnd() % 32) {
	case 0:
		if (rnd() % 16)
			break;
		view_empty(v);
		for (i = 0; i < VAS; i++)
			model[i].page = NONE;
		break;
	case 1: case 2: case 3: case 4: case 5: case 6: case 7: case 8: case 9: case 10:
		view_unmap(v, model[i].va + within);
		model[i].page = NONE;
		break;
	case 11: case 12:
		view_protect_va(v, model[i].va + within);
		model[i].write = false;
		break;
	case 13:
		view_protect(v, page << PAGE_SHIFT);
		for (i = 0; i < VAS; i++)
			model[i].write = model[i].write && model[i].page != (s64)page;
		break;
	default:
		room = model[i].page != NONE || v->count < mmu_tuning.view_pages;
		assert_int_equal(view_map(v, model[i].va + within, (page << PAGE_SHIFT) + within,
					  write), room);
		if (!room)
			break;
		model[i].write = write || (model[i].page == (s64)page && model[i].write);
		model[i].page = (s64)page;
	}
}

static void check_model(void)
{
	u32 mapped = 0;

	for (u32 i = 0; i < VAS; i++) {
		bool there = model[i].page != NONE;

		mapped += there;
		assert_int_equal(load(model[i].va), there ? 1000 + model[i].page : NONE);
		assert_int_equal(store(model[i].va, 1000 + model[i].page),
				 there && model[i].write);
	}
	assert_int_equal(v->count, mapped);
}

static void random_operations(void **state)
{
	for (u32 i = 0; i < PAGES; i++)
		*word(i) = 1000 + i;
	for (u32 n = 0; n < 6; n++) {
		vas_choose();
		for (u32 k = 0; k < 3000; k++) {
			step();
			if (k % 32 == 0)
				check_model();
		}
		check_model();
		view_empty(v);
	}
}

/* A view that could not be made leaves nothing behind. */
static void no_memory(void **state)
{
	u64 live = heap_stats().count;

	for (u64 n = 1; n <= 3; n++) {
		heap_fail_after(n);
		assert_null(view_new(ram));
		heap_fail_after(0);
	}
	view_free(NULL);
	assert_int_equal(heap_stats().count, live);
}

/* RAM that views may not map, or is gone. */
static void not_viewed(void **state)
{
	struct view *other = view_new(heap_memory);

	assert_non_null(other);
	assert_false(view_map(other, 0x1000, 0, true));
	assert_int_equal(other->count, 0);
	view_free(other);
}

static int setup(void **state)
{
	page_add_range(heap_memory, sizeof(heap_memory), 0);
	ram = arch_ram_alloc_viewed(RAM, NODE_ANY);
	v = ram ? view_new(ram) : NULL;
	return v ? 0 : -1;
}

static int teardown(void **state)
{
	view_free(v);
	arch_ram_free(ram, RAM);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_upgrades_protects), cmocka_unit_test(ends),
		cmocka_unit_test(full), cmocka_unit_test(random_operations),
		cmocka_unit_test(no_memory), cmocka_unit_test(not_viewed),
	};

	return cmocka_run_group_tests_name("mmu/view", tests, setup, teardown);
}
