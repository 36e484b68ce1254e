/*
 * TLB: every way in which an entry must be found, and above all must not be found any more.
 * The last test runs random operations against a model that forgets nothing by accident: a
 * TLB may lose any entry, but what it still finds must be in the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "mmu/tlb.h"

#define VA	0x0000003f12345000ull
#define HALF	0xffffffc000000000ull
#define STRIDE	(TLB_SETS * TLB_SETS * PAGE_SIZE)	/* the same set */

static struct mmu_tlb t;
static u8 memory[16 * PAGE_SIZE] aligned_to(4096);

static u8 *page(u32 n)
{
	return memory + n * PAGE_SIZE;
}

static void fill(gva_t va, u32 n)
{
	tlb_fill(&t, &t.d, va, n * PAGE_SIZE, page(n), true, true, PAGE_SIZE);
}

static u8 *read(gva_t va)
{
	return tlb_read(&t, &t.d, va);
}

static int fresh(void **state)
{
	memset(&t, 0, sizeof(t));
	tlb_context(&t, 1, 0, 0);
	return 0;
}

static void empty_misses(void **state)
{
	static const gva_t va[] = { 0, PAGE_SIZE, VA, HALF, UINT64_MAX & PAGE_MASK };

	for (u32 i = 0; i < ARRAY_LEN(va); i++) {
		assert_null(tlb_read(&t, &t.d, va[i]));
		assert_null(tlb_read(&t, &t.i, va[i]));
		assert_null(tlb_write(&t, va[i]));
	}
}

static void rights_and_sides_are_separate(void **state)
{
	tlb_fill(&t, &t.d, VA, 0, page(1), true, false, PAGE_SIZE);
	assert_ptr_equal(read(VA + 0xabc), page(1) + 0xabc);
	assert_null(tlb_write(&t, VA));
	assert_null(tlb_read(&t, &t.i, VA));
	tlb_fill(&t, &t.i, VA, 0, page(2), true, false, PAGE_SIZE);
	assert_ptr_equal(tlb_read(&t, &t.i, VA), page(2));
	assert_ptr_equal(read(VA), page(1));
	tlb_fill(&t, &t.d, VA + PAGE_SIZE, 0, page(3), false, true, PAGE_SIZE);
	assert_null(read(VA + PAGE_SIZE));
	assert_ptr_equal(tlb_write(&t, VA + PAGE_SIZE), page(3));
}

static void any_byte_names_the_page(void **state)
{
	tlb_fill(&t, &t.d, VA + 0x123, 0x80000123, page(1) + 0x123, true, true, PAGE_SIZE);
	assert_ptr_equal(read(VA), page(1));
	assert_ptr_equal(tlb_write(&t, VA + 0xfff), page(1) + 0xfff);
	assert_int_equal(t.d.set[tlb_index(VA)][0].gpa, 0x80000000);
}

/* A non-canonical address must not find the entry of the page it would alias. */
static void the_whole_address_counts(void **state)
{
	fill(VA, 1);
	for (u32 bit = PAGE_SHIFT; bit < 64; bit++) {
		assert_null(read(VA ^ BIT(bit)));
		assert_null(tlb_write(&t, VA ^ BIT(bit)));
	}
}

static void two_ways_oldest_leaves(void **state)
{
	assert_int_equal(tlb_index(VA), tlb_index(VA + STRIDE));
	fill(VA, 1);
	fill(VA + STRIDE, 2);
	assert_ptr_equal(read(VA), page(1));
	assert_ptr_equal(read(VA + STRIDE), page(2));
	fill(VA + 2 * STRIDE, 3);
	assert_null(read(VA));
	assert_ptr_equal(read(VA + STRIDE), page(2));
	assert_ptr_equal(read(VA + 2 * STRIDE), page(3));
}

/* Arrays a power of two apart do not fight for one set. */
static void strides_spread(void **state)
{
	for (u64 stride = MIB(4); stride <= MIB(64); stride *= 2)
		assert_int_not_equal(tlb_index(VA), tlb_index(VA + stride));
}

/* Whatever came before, a refill with fewer rights is the only truth. */
static void refill_replaces(void **state)
{
	for (u32 between = 0; between < 3; between++) {
		fresh(NULL);
		fill(VA, 1);
		for (u32 i = 0; i < between; i++)
			fill(VA + (i + 1) * STRIDE, 4 + i);
		tlb_fill(&t, &t.d, VA, 0, page(2), true, false, PAGE_SIZE);
		assert_null(tlb_write(&t, VA));
		assert_ptr_equal(read(VA), page(2));
		tlb_fill(&t, &t.d, VA, 0, page(2), false, false, PAGE_SIZE);
		assert_null(read(VA));
	}
}

static void contexts_are_separate(void **state)
{
	tlb_context(&t, 1, 0, 0);
	fill(VA, 1);
	tlb_context(&t, 2, 0, 0);
	assert_null(read(VA));
	fill(VA, 2);
	tlb_context(&t, 1, 1, 1);
	assert_null(read(VA));
	tlb_context(&t, 2, 0, 0);
	assert_ptr_equal(read(VA), page(2));
	tlb_context(&t, 1, 0, 0);
	assert_ptr_equal(read(VA), page(1));
}

static void forgotten_contexts_stay_forgotten(void **state)
{
	fill(VA, 1);
	for (u32 asid = 2; asid < 2 + TLB_KEYS; asid++)
		tlb_context(&t, asid, 0, 0);
	tlb_context(&t, 1, 0, 0);
	assert_null(read(VA));
}

static void flush_all_and_asid(void **state)
{
	u32 key;

	fill(VA, 1);
	tlb_context(&t, 2, 0, 0);
	fill(VA + PAGE_SIZE, 2);
	tlb_context(&t, 2, 1, 1);
	fill(VA + 2 * PAGE_SIZE, 3);
	key = t.fetch_key[0];
	tlb_flush_asid(&t, 2);
	assert_int_not_equal(t.fetch_key[0], key);	/* what was fetched counts no more */
	u64 generation = t.generation[0];

	assert_null(read(VA + 2 * PAGE_SIZE));
	fill(VA + 2 * PAGE_SIZE, 3);
	assert_ptr_equal(read(VA + 2 * PAGE_SIZE), page(3));	/* the context goes on */
	tlb_context(&t, 2, 0, 0);
	assert_null(read(VA + PAGE_SIZE));
	tlb_context(&t, 1, 0, 0);
	assert_ptr_equal(read(VA), page(1));
	tlb_flush_asid(&t, 7);
	assert_ptr_equal(read(VA), page(1));
	tlb_flush_all(&t);
	assert_int_not_equal(t.generation[0], generation);
	assert_null(read(VA));
	tlb_context(&t, 2, 1, 1);
	assert_null(read(VA + 2 * PAGE_SIZE));
}

static void flush_page_reaches_every_context_and_side(void **state)
{
	for (u32 asid = 1; asid <= 2; asid++) {
		tlb_context(&t, asid, 0, 0);
		fill(VA, asid);
		fill(VA + PAGE_SIZE, 4);
	}
	tlb_fill(&t, &t.i, VA, 0, page(5), true, false, PAGE_SIZE);
	tlb_fill(&t, &t.d, VA + 2 * PAGE_SIZE, 0, page(6), false, true, PAGE_SIZE);
	tlb_flush_page(&t, VA + 0x777);
	tlb_flush_page(&t, VA + 2 * PAGE_SIZE);
	for (u32 asid = 1; asid <= 2; asid++) {
		tlb_context(&t, asid, 0, 0);
		assert_null(read(VA));
		assert_null(tlb_write(&t, VA));
		assert_null(tlb_read(&t, &t.i, VA));
		assert_ptr_equal(read(VA + PAGE_SIZE), page(4));
	}
	assert_null(tlb_write(&t, VA + 2 * PAGE_SIZE));
}

static void superpages_flush_as_a_whole(void **state)
{
	const gva_t big = ALIGN_DOWN(VA, MIB(2));

	for (u32 bytes = 0; bytes < 2; bytes++) {
		fresh(NULL);
		tlb_fill(&t, &t.d, big + 5 * PAGE_SIZE, 0, page(1), true, true, MIB(2));
		tlb_fill(&t, &t.d, big + 9 * PAGE_SIZE, 0, page(2), true, true, MIB(2));
		fill(big + MIB(8), 3);
		tlb_flush_page(&t, big - 1);
		tlb_flush_page(&t, big + MIB(2));
		assert_ptr_equal(read(big + 5 * PAGE_SIZE), page(1));
		tlb_flush_page(&t, bytes ? big + MIB(2) - 1 : big);
		assert_null(read(big + 5 * PAGE_SIZE));
		assert_null(read(big + 9 * PAGE_SIZE));
		fill(big, 4);		/* the full flush forgot the superpage */
		fill(big + PAGE_SIZE, 5);
		tlb_flush_page(&t, big);
		assert_ptr_equal(read(big + PAGE_SIZE), page(5));
	}
}

/* Superpages of the kernel's half do not turn page flushes of the user's half into full ones. */
static void halves_are_tracked_apart(void **state)
{
	tlb_fill(&t, &t.d, HALF, 0, page(1), true, true, GIB(1));
	tlb_fill(&t, &t.d, 0 - GIB(1), 0, page(2), true, true, GIB(1));
	tlb_fill(&t, &t.d, MIB(2), 0, page(3), true, true, MIB(2));
	tlb_flush_page(&t, VA);
	assert_ptr_equal(read(HALF), page(1));
	tlb_flush_page(&t, UINT64_MAX);
	assert_null(read(HALF));
	assert_null(read(0 - GIB(1)));
}

/* Entries that lie there untouched until their keys are given out again stay dead. */
static void keys_run_out(void **state)
{
	u64 generation = t.generation[0];

	for (u32 i = 0; i < BIT(TLB_KEY_BITS) + 5; i++)	/* contexts alone, no flush */
		tlb_context(&t, i, 0, 0);
	/* or old numbers would mean new keys */
	assert_true(t.generation[0] > generation);
	for (u32 i = 0; i < 3 * BIT(TLB_KEY_BITS) + 5; i++) {
		tlb_context(&t, i % 5, 0, 0);
		tlb_flush_all(&t);
		for (u32 n = 0; n < 64; n++) {
			assert_null(read(VA + n * PAGE_SIZE));
			assert_null(tlb_read(&t, &t.i, VA + n * PAGE_SIZE));
		}
		if (i % 4999 < 64) {
			fill(VA + i % 4999 * PAGE_SIZE, 1);
			tlb_fill(&t, &t.i, VA + i % 4999 * PAGE_SIZE, 0, page(1), true, false,
				 PAGE_SIZE);
			assert_ptr_equal(read(VA + i % 4999 * PAGE_SIZE), page(1));
		}
	}
}

static void protect_withdraws_writes(void **state)
{
	fill(VA, 1);
	fill(HALF, 1);
	fill(VA + PAGE_SIZE, 2);
	tlb_context(&t, 2, 0, 0);
	fill(VA + STRIDE, 1);
	tlb_protect(&t, page(1) + 0x123);
	assert_null(tlb_write(&t, VA + STRIDE));
	tlb_context(&t, 1, 0, 0);
	assert_null(tlb_write(&t, VA));
	assert_null(tlb_write(&t, HALF));
	assert_ptr_equal(read(VA), page(1));
	assert_ptr_equal(tlb_write(&t, VA + PAGE_SIZE), page(2));
}

/* ---- the model: translations that have not been flushed ---- */

#define SLOTS 48

static struct {
	bool live;
	u32 asid, class, side, host;
	gva_t va;
	u64 size;
	bool write;
} model[SLOTS];
static u64 seed = 1;

static u32 random32(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

static gva_t random_va(void)
{
	static const gva_t base[] = { 0, VA, HALF, 0 - MIB(4), STRIDE };

	return base[random32(ARRAY_LEN(base))] + random32(3) * PAGE_SIZE + random32(2) * MIB(2);
}

static void model_fill(u32 asid, u32 class)
{
	u64 size = random32(6) ? PAGE_SIZE : MIB(2);
	u32 side = random32(2), host = random32(16);
	gva_t va = random_va();
	bool write = side == 0 && random32(2);
	u32 slot = random32(SLOTS);

	/* a slot that is overwritten was live: only a flush makes losing it safe */
	if (model[slot].live) {
		tlb_flush_page(&t, model[slot].va);
		for (u32 i = 0; i < SLOTS; i++)
			model[i].live &= model[i].va != model[slot].va;
	}
	for (u32 i = 0; i < SLOTS; i++)
		if (model[i].va == va && model[i].asid == asid && model[i].class == class &&
		    model[i].side == side)
			model[i].live = false;
	tlb_fill(&t, side ? &t.i : &t.d, va, 0, page(host), true, write, size);
	model[slot].live = true;
	model[slot].asid = asid;
	model[slot].class = class;
	model[slot].side = side;
	model[slot].host = host;
	model[slot].va = va;
	model[slot].size = size;
	model[slot].write = write;
}

static void model_flush(u32 kind, u32 asid, gva_t va)
{
	for (u32 i = 0; i < SLOTS; i++) {
		gva_t base = ALIGN_DOWN(model[i].va, model[i].size);

		if (kind == 0 || (kind == 1 && model[i].asid == asid) ||
		    (kind == 2 && va - base < model[i].size))
			model[i].live = false;
	}
	if (kind == 0)
		tlb_flush_all(&t);
	else if (kind == 1)
		tlb_flush_asid(&t, asid);
	else
		tlb_flush_page(&t, va);
}

static void model_check(u32 asid, u32 class, gva_t va)
{
	for (u32 side = 0; side < 2; side++) {
		u8 *got = tlb_read(&t, side ? &t.i : &t.d, va);
		u8 *write = side ? NULL : tlb_write(&t, va);
		bool found = false;

		for (u32 i = 0; i < SLOTS; i++) {
			if (!model[i].live || model[i].asid != asid || model[i].class != class ||
			    model[i].side != side || model[i].va != va)
				continue;
			found = true;
			if (got)
				assert_ptr_equal(got, page(model[i].host));
			if (write)
				assert_true(model[i].write);
		}
		if (got || write)
			assert_true(found);
	}
}

static void code(gva_t va, u32 n)
{
	tlb_fill(&t, &t.i, va, n * PAGE_SIZE, page(n), true, false, PAGE_SIZE);
}

/* What decides about data alone (SUM, say) leaves code as it was. */
static void fetches_have_a_class_of_their_own(void **state)
{
	tlb_context(&t, 1, 0, 0);
	code(VA, 1);
	code(HALF, 2);
	fill(VA, 3);
	tlb_context(&t, 1, 5, 0);
	assert_null(read(VA));
	assert_ptr_equal(tlb_read(&t, &t.i, VA), page(1));
	assert_ptr_equal(tlb_read(&t, &t.i, HALF), page(2));
	tlb_context(&t, 1, 5, 1);
	assert_null(tlb_read(&t, &t.i, VA));
	assert_null(tlb_read(&t, &t.i, HALF));
	tlb_flush_asid(&t, 1);
	tlb_context(&t, 1, 0, 0);
	assert_null(tlb_read(&t, &t.i, VA));
	assert_ptr_equal(tlb_read(&t, &t.i, HALF), page(2));
}

/* A flush by address changes the generation of its half if code was, or had been, fetched there. */
static void flushed_code_changes_the_generation(void **state)
{
	static const gva_t base[2] = { VA, HALF };

	for (u32 half = 0; half < 2; half++) {
		gva_t va = base[half];
		u64 here = t.generation[half], there = t.generation[!half];

		for (u32 i = 0; i < 4; i++)		/* two of them had to go again */
			code(va + i * STRIDE, i);
		fill(va + PAGE_SIZE, 4);
		tlb_flush_page(&t, va + PAGE_SIZE);
		assert_int_equal(t.generation[half], here);
		for (u32 i = 0; i < 4; i++) {
			code(va, 0);
			code(va + STRIDE, 1);
			code(va + 2 * STRIDE, 2);
			here = t.generation[half];
			tlb_flush_page(&t, va + i % 3 * STRIDE);
			assert_int_not_equal(t.generation[half], here);
		}
		assert_int_equal(t.generation[!half], there);
	}
}

/* Pages of processes that are gone mean nothing. */
static void flushes_of_dead_code_change_nothing(void **state)
{
	code(VA, 1);
	tlb_flush_asid(&t, 1);
	u64 generation = t.generation[0];

	tlb_flush_page(&t, VA);
	code(VA + STRIDE, 1);
	code(VA + PAGE_SIZE, 2);
	tlb_flush_asid(&t, 1);
	code(VA + 2 * STRIDE, 1);
	code(VA + 3 * STRIDE, 1);		/* the dead one goes */
	tlb_flush_page(&t, VA + STRIDE);
	tlb_flush_page(&t, VA + PAGE_SIZE);
	assert_int_equal(t.generation[0], generation);
}

/* The kernel's context is still known after any number of processes. */
static void contexts_in_use_stay(void **state)
{
	for (u32 asid = 1; asid < 5 * TLB_KEYS; asid++) {
		tlb_context(&t, asid, 0, 0);
		tlb_context(&t, 0, 1, 1);
		if (asid == 1)
			fill(HALF, 1);
		assert_ptr_equal(read(HALF), page(1));
	}
}

/* Fetches from the upper half are taken to be global until one is not. */
static void high_code_is_global_at_first(void **state)
{
	const gva_t high = 0 - 8 * PAGE_SIZE;
	u64 generation;

	tlb_context(&t, 1, 0, 0);
	tlb_fill(&t, &t.i, high, 0, page(1), true, false, PAGE_SIZE);
	tlb_fill(&t, &t.i, VA, 0, page(2), true, false, PAGE_SIZE);
	tlb_context(&t, 2, 0, 0);
	assert_ptr_equal(tlb_read(&t, &t.i, high), page(1));
	assert_null(tlb_read(&t, &t.i, VA));
	tlb_flush_asid(&t, 1);
	assert_ptr_equal(tlb_read(&t, &t.i, high), page(1));
	tlb_context(&t, 2, 1, 1);
	assert_null(tlb_read(&t, &t.i, high));		/* another kind of access */
	tlb_context(&t, 2, 0, 0);
	generation = t.generation[1];
	tlb_flush_page(&t, high);
	assert_null(tlb_read(&t, &t.i, high));
	assert_int_not_equal(t.generation[1], generation);
	tlb_fill(&t, &t.i, high, 0, page(1), true, false, PAGE_SIZE);
	generation = t.generation[1];
	tlb_high_is_local(&t);
	assert_null(tlb_read(&t, &t.i, high));
	assert_int_not_equal(t.generation[1], generation);
	tlb_fill(&t, &t.i, high, 0, page(1), true, false, PAGE_SIZE);
	tlb_context(&t, 3, 0, 0);
	assert_null(tlb_read(&t, &t.i, high));
}

static void random_operations(void **state)
{
	t.high_local = true;
	u32 asid = 1, class = 0, hits = 0;

	memset(model, 0, sizeof(model));
	for (u32 i = 0; i < 200000; i++) {
		gva_t va = random_va();

		switch (random32(16)) {
		case 0:
			model_flush(random32(40) ? 2 : random32(2), asid, va);
			break;
		case 1: case 2:
			asid = random32(6);
			class = random32(4);
			tlb_context(&t, asid, class, class);
			break;
		case 3: case 4: case 5: case 6:
			model_fill(asid, class);
			break;
		default:
			hits += read(va) != NULL;
			model_check(asid, class, va);
		}
	}
	assert_true(hits > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_misses, fresh),
		cmocka_unit_test_setup(rights_and_sides_are_separate, fresh),
		cmocka_unit_test_setup(any_byte_names_the_page, fresh),
		cmocka_unit_test_setup(the_whole_address_counts, fresh),
		cmocka_unit_test_setup(two_ways_oldest_leaves, fresh),
		cmocka_unit_test_setup(strides_spread, fresh),
		cmocka_unit_test_setup(refill_replaces, fresh),
		cmocka_unit_test_setup(contexts_are_separate, fresh),
		cmocka_unit_test_setup(forgotten_contexts_stay_forgotten, fresh),
		cmocka_unit_test_setup(flush_all_and_asid, fresh),
		cmocka_unit_test_setup(flush_page_reaches_every_context_and_side, fresh),
		cmocka_unit_test_setup(superpages_flush_as_a_whole, fresh),
		cmocka_unit_test_setup(halves_are_tracked_apart, fresh),
		cmocka_unit_test_setup(keys_run_out, fresh),
		cmocka_unit_test_setup(protect_withdraws_writes, fresh),
		cmocka_unit_test_setup(high_code_is_global_at_first, fresh),
		cmocka_unit_test_setup(fetches_have_a_class_of_their_own, fresh),
		cmocka_unit_test_setup(flushed_code_changes_the_generation, fresh),
		cmocka_unit_test_setup(flushes_of_dead_code_change_nothing, fresh),
		cmocka_unit_test_setup(contexts_in_use_stay, fresh),
		cmocka_unit_test_setup(random_operations, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
