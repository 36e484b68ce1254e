/*
 * The linear page table against a map that keeps every page: whatever address translated code asks
 * for, the sum and one comparison must say the page's place or that there is none. All indices and
 * all kinds of upper bits, canonical or not; RAM of odd sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "mmu/lpt.h"
#include "mmu/tuning.h"

#define PAGES	48			/* of RAM that pages are entered for, at its ends */
#define VAS	64			/* addresses in play */
#define KEYS	6			/* more than slots */

static u8 heap_memory[MIB(8)] aligned_to(4096);
static struct lpt l;
/* Nothing is read through it, so no memory need be there. */
static u8 *const ram = (u8 *)0x7e0000000000;

static u64 seed;
static u64 rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

/* What translated code computes: the offset in RAM, or -1 for the slow path. */
static s64 look_up(gva_t va, bool write)
{
	const u64 *table = l.now->table + (write ? lpt_write_offset(&l) / 8 : 0);
	u64 offset = va + table[va >> PAGE_SHIFT & MASK(l.bits)];

	return offset < l.ram_size ? (s64)offset : -1;
}

/* ---- the model: per key and address the page, or -1; the LPT may forget any of it ---- */

static struct { s64 read, write; } known[KEYS + 1][VAS];
static gva_t va_of[VAS];

static void vas_choose(void)
{
	static const u64 upper[] = { 0, 1, 2, 0x3ffffff, UINT64_MAX, 1ull << 40, 0xff00 };

	/* a few indices, each under many tags: they differ above the window only */
	for (u32 i = 0; i < VAS; i++) {
		u64 index = i % 4 == 0 ? 0 : i % 4 == 1 ? BIT(l.bits) - 1 :
			    i % 4 == 2 ? BIT(l.bits - 1) - (i >> 2 & 1) : rnd() & MASK(l.bits);
		u64 tag = i % 3 ? upper[rnd() % ARRAY_LEN(upper)] : rnd();

		va_of[i] = (tag << l.bits | index) << PAGE_SHIFT;
	}
}

static u64 page_choose(void)
{
	u64 n = l.ram_size >> PAGE_SHIFT, k = rnd() % PAGES;

	return (rnd() % 2 ? k % n : n - 1 - k % n) << PAGE_SHIFT;
}

static u32 key;

static void forget(u32 k, u32 i)
{
	known[k][i].read = known[k][i].write = -1;
}

static void forget_all(void)
{
	for (u32 k = 0; k <= KEYS; k++)
		for (u32 i = 0; i < VAS; i++)
			forget(k, i);
}

static bool same_page(gva_t a, gva_t b) { return a >> PAGE_SHIFT == b >> PAGE_SHIFT; }

static void step_fill(void)
{
	u32 at = (u32)(rnd() % VAS), within = (u32)(rnd() % PAGE_SIZE);
	u64 page = page_choose();
	bool write = rnd() % 2;

	/* one address leads to one page in a context; the TLB sees to that */
	if (!write && known[key][at].write >= 0)
		page = (u64)known[key][at].write;
	if (write && known[key][at].read >= 0)
		page = (u64)known[key][at].read;
	lpt_fill(&l, va_of[at] + within, ram + page + within, write);
	for (u32 i = 0; i < VAS; i++)
		if (same_page(va_of[i], va_of[at])) {
			s64 *p = write ? &known[key][i].write : &known[key][i].read;

			*p = (s64)page;
		}
}

static void step_forget(void)
{
	u32 at = (u32)(rnd() % VAS), what = (u32)(rnd() % 16), k = 1 + (u32)(rnd() % KEYS);
	u64 page = page_choose();

	for (u32 i = 0; i < VAS; i++) {
		for (u32 q = 1; q <= KEYS; q++) {
			bool va = same_page(va_of[i], va_of[at]);

			if ((what < 5 && va) || (what == 5 && q == k) || what == 6)
				forget(q, i);
			else if ((what > 6 && what < 11 && va) ||
				 (what >= 11 && known[q][i].write == (s64)page))
				known[q][i].write = -1;
		}
	}
	if (what < 5) {
		lpt_flush_page(&l, va_of[at] + rnd() % PAGE_SIZE);
	} else if (what == 5) {
		lpt_flush_key(&l, k);
	} else if (what == 6) {
		lpt_flush_all(&l);
	} else if (what < 11) {
		lpt_protect_va(&l, va_of[at]);
	} else {
		lpt_protect(&l, ram + page + rnd() % PAGE_SIZE);
	}
	lpt_select(&l, key);
}

static void check_all(void)
{
	for (u32 i = 0; i < VAS; i++) {
		u64 within = rnd() % PAGE_SIZE;
		s64 r = look_up(va_of[i] + within, false), w = look_up(va_of[i] + within, true);

		if (r != -1)
			assert_int_equal(r, known[key][i].read + (s64)within);
		if (w != -1)
			assert_int_equal(w, known[key][i].write + (s64)within);
	}
	/* addresses that nobody entered */
	for (u32 i = 0; i < 16; i++) {
		gva_t va = va_of[rnd() % VAS] ^ (rnd() % 3 ? BIT(12 + rnd() % 52) : rnd());
		bool entered = false;

		for (u32 k = 0; k < VAS; k++)
			entered |= same_page(va, va_of[k]);
		if (!entered) {
			assert_int_equal(look_up(va, false), -1);
			assert_int_equal(look_up(va, true), -1);
		}
	}
}

static const u64 sizes[] = {
	MIB(64), GIB(2) - PAGE_SIZE, GIB(2), GIB(2) + PAGE_SIZE, GIB(3), GIB(4), PAGE_SIZE, GIB(13),
};

static void open_size(u64 size)
{
	assert_int_equal(lpt_init(&l, ram, size, false), OK);
	assert_true(size <= BIT(l.bits + PAGE_SHIFT - 1));
	lpt_adopt(&l);
	key = 1;
	lpt_select(&l, key);
	forget_all();
}

static void random_operations(void **state)
{
	(void)state;
	for (u32 n = 0; n < ARRAY_LEN(sizes); n++) {
		seed = 0x9e3779b97f4a7c15ull + n;
		open_size(sizes[n]);
		for (u32 step = 0; step < 20000; step++) {
			if (step % 1000 == 0) {
				vas_choose();
				lpt_flush_all(&l);
				forget_all();
				lpt_select(&l, key);
			}
			switch (rnd() % 16) {
			case 0: case 1:
				key = 1 + (u32)(rnd() % KEYS);
				lpt_select(&l, key);
				break;
			case 2: case 3: case 4: case 5:
				step_forget();
				break;
			default:
				step_fill();
				break;
			}
			if (step % 8 == 0)
				check_all();
		}
		lpt_fini(&l);
	}
}

/* What was entered is found, or the table were of no use. */
static void entries_are_found(void **state)
{
	(void)state;
	for (u32 n = 0; n < ARRAY_LEN(sizes); n++) {
		u64 last = sizes[n] - PAGE_SIZE;

		open_size(sizes[n]);
		lpt_fill(&l, UINT64_MAX - 7, ram + last + PAGE_SIZE - 8, false);
		assert_int_equal(look_up(UINT64_MAX & PAGE_MASK, false), last);
		assert_int_equal(look_up(UINT64_MAX & PAGE_MASK, true), -1);
		lpt_fill(&l, 0, ram, true);
		assert_int_equal(look_up(5, true), 5);
		assert_int_equal(look_up(5, false), -1);
		lpt_fini(&l);
	}
}

/* The empty table and every index of it, with upper bits of all kinds. */
static void empty_means_nowhere(void **state)
{
	static const u64 upper[] = { 0, 1, UINT64_MAX, 0x5555555555555555ull };

	(void)state;
	for (u32 n = 0; n < ARRAY_LEN(sizes) - 1; n++) {
		u64 entries;

		open_size(sizes[n]);
		entries = BIT(l.bits);
		for (u64 i = 0; i < entries; i += 1 + (i > 64 && i < entries - 64 ? i % 61 : 0))
			for (u32 k = 0; k < ARRAY_LEN(upper); k++) {
				gva_t va = (upper[k] << l.bits | i) << PAGE_SHIFT;

				assert_true(look_up(va, false) == -1 && look_up(va, true) == -1);
				assert_true(look_up(va + PAGE_SIZE - 1, false) == -1);
			}
		lpt_fini(&l);
	}
}

/* A key that was forgotten while its slot is in use gets no entries: no flush would find them. */
static void a_forgotten_key_is_not_filled(void **state)
{
	(void)state;
	open_size(MIB(64));
	lpt_flush_key(&l, key);
	lpt_fill(&l, 0x1000, ram, false);
	assert_int_equal(look_up(0x1000, false), -1);
	lpt_select(&l, key);
	lpt_fill(&l, 0x1000, ram, false);
	assert_int_equal(look_up(0x1000, false), 0);
	lpt_fini(&l);
}

static void not_in_ram(void **state)
{
	(void)state;
	open_size(MIB(64));
	lpt_fill(&l, 0x1000, ram - 1, false);
	lpt_fill(&l, 0x1000, ram + MIB(64), false);
	assert_int_equal(look_up(0x1000, false), -1);
	assert_int_equal(l.fills, 0);
	lpt_fini(&l);
}

static void too_large(void **state)
{
	u64 live = heap_stats().count;

	(void)state;
	assert_int_equal(lpt_init(&l, ram, GIB(256) + PAGE_SIZE, false), E_RANGE);
	assert_int_equal(lpt_init(&l, ram, 1ull << 63, false), E_RANGE);
	assert_int_equal(lpt_init(&l, ram, (1ull << 63) + PAGE_SIZE, false), E_RANGE);
	for (u64 n = 1; n <= LPT_SLOTS; n++) {
		heap_fail_after(n);
		assert_int_equal(lpt_init(&l, ram, MIB(64), false), E_NOMEM);
		heap_fail_after(0);
	}
	assert_int_equal(heap_stats().count, live);
}

/* ---- views: whatever happens, they allow no more than a model of what was entered ---- */

#define VIEWED	MIB(1)

static u8 *viewed;
static struct { s64 page; bool write; } allowed[KEYS + 1][VAS];

/* The word at @va in slot @s as the host's MMU sees it, -1: it faults. */
static s64 view_load(const struct lpt_slot *s, gva_t va)
{
	s64 v = 0;
	struct iovec to = { &v, 8 }, from = { view_origin(s->view) + va, 8 };

	return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 8 ? v : -1;
}

static bool view_store(const struct lpt_slot *s, gva_t va, s64 v)
{
	struct iovec from = { &v, 8 }, to = { view_origin(s->view) + va, 8 };

	return process_vm_writev(getpid(), &from, 1, &to, 1, 0) == 8;
}

static void view_disallow(u32 k, u32 i, bool all)
{
	allowed[k][i].write = false;
	if (all)
		allowed[k][i].page = -1;
}

static void view_fill(void)
{
	u32 i = (u32)(rnd() % VAS);
	s64 page = allowed[key][i].page;
	bool write = rnd() % 2;

	if (page < 0)
		page = (s64)(rnd() % 32);
	allowed[key][i].page = page;
	allowed[key][i].write |= write;
	lpt_fill_view(&l, va_of[i] + 100, viewed + (page << PAGE_SHIFT) + 100, write);
	if (mmu_tuning.view_pages < 2 * VAS)		/* it may have been given up at once */
		return;
	assert_int_equal(view_load(l.now, va_of[i]), page);
	if (write)
		assert_true(view_store(l.now, va_of[i], page));
}

static void view_forget(void)
{
	u32 at = (u32)(rnd() % VAS), what = (u32)(rnd() % 16), k = 1 + (u32)(rnd() % KEYS);
	s64 page = (s64)(rnd() % 32);

	for (u32 q = 1; q <= KEYS; q++)
		for (u32 i = 0; i < VAS; i++)
			if ((what < 5 && i == at) || (what == 5 && q == k) || what == 6)
				view_disallow(q, i, true);
			else if ((what > 6 && what < 11 && i == at) ||
				 (what >= 11 && allowed[q][i].page == page))
				view_disallow(q, i, false);
	if (what < 5)
		lpt_flush_page(&l, va_of[at] + 200);
	else if (what == 5)
		lpt_flush_key(&l, k);
	else if (what == 6)
		lpt_flush_all(&l);
	else if (what < 11)
		lpt_protect_va(&l, va_of[at] + 200);
	else
		lpt_protect(&l, viewed + (page << PAGE_SHIFT) + 200);
}

static void view_check(const struct lpt_slot *s)
{
	for (u32 i = 0; i < VAS; i++) {
		s64 got = view_load(s, va_of[i]);

		if (got < 0)
			continue;
		assert_int_not_equal(s->key, 0);
		assert_int_equal(got, allowed[s->key][i].page);
		if (view_store(s, va_of[i], got))
			assert_true(allowed[s->key][i].write);
	}
}

static void views_allow_no_more(void **state)
{
	(void)state;
	viewed = arch_ram_alloc_viewed(VIEWED, NODE_ANY);
	assert_non_null(viewed);
	assert_int_equal(lpt_init(&l, viewed, VIEWED, true), OK);
	lpt_adopt(&l);
	seed = 4711;
	for (u32 i = 0; i < 32; i++)
		*(s64 *)(viewed + i * PAGE_SIZE) = i;
	for (u32 i = 0; i < VAS; i++) {
		va_of[i] = ((i * 0x123457ull << PAGE_SHIFT) & MASK(38)) - (i % 2 ? BIT(38) : 0);
		for (u32 k = 0; k <= KEYS; k++)
			view_disallow(k, i, true);
	}
	for (u32 step = 0; step < 12000; step++) {
		if (step % 4 == 0)
			key = 1 + (u32)(rnd() % KEYS);
		lpt_select(&l, key);
		if (rnd() % 4)
			view_fill();
		else
			view_forget();
		for (u32 i = 0; step % 64 == 0 && i < LPT_SLOTS; i++)
			view_check(&l.slot[i]);
	}
	/* no key, no page; not RAM, no page */
	lpt_select(&l, 1);
	lpt_flush_all(&l);
	lpt_fill_view(&l, va_of[0], viewed, false);
	lpt_select(&l, 1);
	lpt_fill_view(&l, va_of[0], viewed + VIEWED, false);
	lpt_fill_view(&l, va_of[0], viewed - 1, false);
	assert_int_equal(view_load(l.now, va_of[0]), -1);
	lpt_fini(&l);
	arch_ram_free(viewed, VIEWED);
}

/* A view with more pages than it has room for gives them up, and goes on. */
static void full_views_are_emptied(void **state)
{
	u32 n = mmu_tuning.view_pages;

	(void)state;
	if (mmu_tuning.lpt_filled < n)
		skip();
	viewed = arch_ram_alloc_viewed(VIEWED, NODE_ANY);
	assert_int_equal(lpt_init(&l, viewed, VIEWED, true), OK);
	lpt_adopt(&l);
	for (u32 i = 0; i < 2 * n; i++) {		/* all views together have fewer */
		lpt_select(&l, 1 + i % 3);
		lpt_fill_view(&l, (u64)i << PAGE_SHIFT, viewed, true);
	}
	assert_in_range(l.slot[0].view->count + l.slot[1].view->count + l.slot[2].view->count, 1,
			2 * n - 1);
	lpt_flush_all(&l);
	lpt_select(&l, 1);
	for (u32 i = 0; i < n; i++)
		lpt_fill_view(&l, (u64)i << PAGE_SHIFT, viewed, true);
	assert_int_equal(l.now->view->count, n);
	lpt_fill_view(&l, (u64)n << PAGE_SHIFT, viewed, true);
	assert_in_range(l.now->view->count, 0, 1);
	assert_int_equal(view_load(l.now, 0), -1);
	lpt_fill_view(&l, 0, viewed, true);
	assert_int_equal(view_load(l.now, 0), 0);
	lpt_fini(&l);
	arch_ram_free(viewed, VIEWED);
}

static void no_memory_for_views(void **state)
{
	u64 live = heap_stats().count;
	err_t e = E_NOMEM;

	(void)state;
	for (u64 n = 1; n < 100 && e; n++) {
		heap_fail_after(n);
		e = lpt_init(&l, ram, MIB(64), true);
		heap_fail_after(0);
		assert_true(e == OK || e == E_NOMEM);
	}
	assert_int_equal(e, OK);
	lpt_fini(&l);
	assert_int_equal(heap_stats().count, live);
}

static int setup(void **state)
{
	(void)state;
	page_add_range(heap_memory, sizeof(heap_memory), 0);
	return 0;
}

/* Each entry is flushed by its address alone, also where the slot had to be emptied for room. */
static void full_slots(void **state)
{
	(void)state;
	open_size(GIB(1));
	for (u64 i = 0; i < 2 * mmu_tuning.lpt_filled + 2; i++) {
		gva_t va = i << PAGE_SHIFT;

		lpt_fill(&l, va, ram + va % GIB(1), i % 2);
		assert_int_equal(look_up(va, i % 2), va % GIB(1));
		if (i % mmu_tuning.lpt_filled > 1)
			continue;
		lpt_flush_page(&l, va);
		assert_int_equal(look_up(va, i % 2), -1);
	}
	lpt_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations), cmocka_unit_test(entries_are_found),
		cmocka_unit_test(empty_means_nowhere),
		cmocka_unit_test(a_forgotten_key_is_not_filled),
		cmocka_unit_test(full_slots),
		cmocka_unit_test(not_in_ram), cmocka_unit_test(too_large),
		cmocka_unit_test(views_allow_no_more), cmocka_unit_test(full_views_are_emptied),
		cmocka_unit_test(no_memory_for_views),
	};

	return cmocka_run_group_tests_name("mmu/lpt", tests, setup, NULL);
}
