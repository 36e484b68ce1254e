/*
 * x86 walker: random tables of all four geometries against the rules of SDM 3A, 4.6 and 4.7,
 * written down once more as sentences, and the bits that a walk leaves in the tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/base/str.h"
#include "mmu/walk.h"

#define RAM	0x100000ull
#define PAGES	8

enum { P = 1, W = 2, U = 4, A = 32, D = 64, PS = 128, G = 256 };
#define NX	BIT(63)

static u8 memory[PAGES * PAGE_SIZE] aligned_to(4096);
static struct space space;
static u64 seed = 1;

static u32 rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33);
}

static int setup(void **state)
{
	return space_init(&space) != OK ||
	       space_map_ram(&space, RAM, sizeof(memory), memory, "ram") != OK;
}

static int teardown(void **state)
{
	space_fini(&space);
	return 0;
}

static const struct mode {
	u32 levels, bits, entry;	/* bits of the index, bytes of an entry */
	u64 cr4, efer;
} modes[] = {
	{ 2, 10, 4, 1 << 4, 0 },
	{ 3, 9, 8, 1 << 5, 0 },
	{ 4, 9, 8, 1 << 5, 1 << 10 },
	{ 5, 9, 8, 1 << 5 | 1 << 12, 1 << 10 },
};

static u64 entry_read(const struct mode *m, const u8 *at)
{
	return m->entry == 8 ? load_le64(at) : load_le32(at);
}

/* One case: the tables on pages 0 .. levels - 1, flags of each level from the root. */
static struct plan {
	const struct mode *m;
	struct walk_x86 w;
	u64 va, flags[5];
	u32 depth;		/* levels until the leaf, or the entry that is not present */
	enum access access;
	u8 *entry[5];
} c;

static u32 shift_of(u32 level)
{
	return 12 + c.m->bits * (c.m->levels - 1 - level);
}

static bool has_rights(u32 level)
{
	return c.m->levels != 3 || level != 0;
}

static void plan_make(void)
{
	memset(&c, 0, sizeof(c));
	c.m = &modes[rnd() % ARRAY_LEN(modes)];
	c.va = (u64)rnd() << 32 | rnd();
	c.va = c.m->efer ? (u64)sext(c.va, shift_of(0) + 9) : (u32)c.va;
	c.access = rnd() % 3;
	c.w.cr0 = 0x80000001 | (rnd() % 2) << 16;
	c.w.cr4 = c.m->cr4 | (rnd() % 2) << 20 | (rnd() % 2) << 21;
	c.w.efer = c.m->efer | (c.m->entry == 8 ? (rnd() % 2) << 11 : 0);
	c.w.cr3 = RAM;
	c.w.user = rnd() % 2;
	c.w.ac = rnd() % 2;
	for (u32 i = 0; i < c.m->levels; i++) {
		bool leaf = i == c.m->levels - 1 ||
			    (rnd() % 4 == 0 && shift_of(i) <= 30 && has_rights(i));

		c.flags[i] = (rnd() % 8 ? P : 0) | (rnd() % 4 ? W : 0) | (rnd() % 4 ? U : 0) |
			     (rnd() % 2 ? A : 0) | (rnd() % 2 ? D : 0);
		if (c.w.efer & 1 << 11 && rnd() % 4 == 0 && has_rights(i))
			c.flags[i] |= NX;
		if (leaf && i != c.m->levels - 1)
			c.flags[i] |= PS;
		c.depth = i;
		if (leaf || !(c.flags[i] & P))
			break;
	}
}

static void plan_write(void)
{
	memset(memory, 0, sizeof(memory));
	for (u32 i = 0; i <= c.depth; i++) {
		u64 next = i == c.depth ? 0x12345000ull & ~MASK(shift_of(i)) :
					  RAM + (i + 1) * PAGE_SIZE;

		c.entry[i] = memory + i * PAGE_SIZE +
			     (c.va >> shift_of(i) & MASK(c.m->bits)) * c.m->entry;
		if (c.m->entry == 8)
			store_le64(c.entry[i], next | c.flags[i]);
		else
			store_le32(c.entry[i], (u32)(next | c.flags[i]));
	}
}

/* 4.6.1: which accesses are allowed to a linear address with a translation. */
static bool allowed(void)
{
	bool user_page = true, writable = true, fetchable = true;
	bool smep = c.w.cr4 >> 20 & 1, smap = c.w.cr4 >> 21 & 1, wp = c.w.cr0 >> 16 & 1;

	for (u32 i = 0; i <= c.depth; i++)
		if (has_rights(i)) {
			user_page = user_page && c.flags[i] & U;
			writable = writable && c.flags[i] & W;
			fetchable = fetchable && !(c.flags[i] & NX);
		}
	if (c.w.user)
		return user_page && (c.access != ACCESS_WRITE || writable) &&
		       (c.access != ACCESS_FETCH || fetchable);
	if (c.access == ACCESS_FETCH)
		return fetchable && !(user_page && smep);
	if (user_page && smap && !c.w.ac)
		return false;
	return c.access == ACCESS_READ || writable || !wp;
}

static u32 expected_error(bool present)
{
	bool fetch = c.access == ACCESS_FETCH && (c.w.efer >> 11 & 1 || c.w.cr4 >> 20 & 1);

	return (present ? 1 : 0) | (c.access == ACCESS_WRITE ? 2 : 0) | (c.w.user ? 4 : 0) |
	       (fetch ? 16 : 0);
}

/* 4.8: accessed in all that was used, dirty in the leaf of a write; and nothing else changed. */
static void check_marks(bool used)
{
	for (u32 i = 0; i <= c.depth; i++) {
		u64 now = entry_read(c.m, c.entry[i]) & (NX | 0xfff);
		bool leaf = i == c.depth, marked = has_rights(i) && (used || !leaf);
		u64 want = c.flags[i] | (marked ? A : 0);

		if (leaf && used && c.access == ACCESS_WRITE)
			want |= D;
		assert_int_equal(now, want);
	}
}

static void random_tables(void **state)
{
	u32 granted = 0;

	for (u32 n = 0; n < 200000; n++) {
		struct walk out;
		enum walk_status s;
		u32 error = 0xdead;
		bool present;

		plan_make();
		plan_write();
		present = c.flags[c.depth] & P;
		s = walk_x86(&space, &c.w, c.va, c.access, &out, &error);
		if (!present || !allowed()) {
			assert_int_equal(s, WALK_PAGE_FAULT);
			assert_int_equal(error, expected_error(present));
			check_marks(false);
			continue;
		}
		granted++;
		assert_int_equal(s, WALK_OK);
		assert_int_equal(out.size, BIT(shift_of(c.depth)));
		assert_int_equal(out.gpa, (0x12345000ull & ~MASK(shift_of(c.depth))) |
						  (c.va & MASK(shift_of(c.depth))));
		check_marks(true);
	}
	assert_true(granted > 20000);
}

static void no_paging_and_no_memory(void **state)
{
	struct walk_x86 w = { .cr0 = 1 };
	struct walk out;
	u32 error;

	assert_int_equal(walk_x86(&space, &w, 0x1fffffff0, ACCESS_WRITE, &out, &error), WALK_OK);
	assert_int_equal(out.gpa, 0xfffffff0);
	w = (struct walk_x86){ .cr0 = 0x80000001, .cr4 = 1 << 5, .efer = 1 << 10,
			       .cr3 = 0x7ffffff000 };
	assert_int_equal(walk_x86(&space, &w, 0, ACCESS_READ, &out, &error), WALK_ACCESS_FAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables),
		cmocka_unit_test(no_paging_and_no_memory),
	};

	return cmocka_run_group_tests_name("mmu/walk_x86", tests, setup, teardown);
}
