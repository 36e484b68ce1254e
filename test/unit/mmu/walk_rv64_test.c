/*
 * RISC-V walker: a table of entries against what each mode must say, the race of Svadu
 * played out step by step, and random tables against a second walker that follows the
 * wording of the privileged specification, 4.3.2, as naively as possible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/str.h"
#include "mmu/walk.h"

#define RAM	0x80000000ull
#define PAGES	16

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };
#define N	BIT(63)

static u8 memory[PAGES * PAGE_SIZE] aligned_to(4096);
static struct space space;

static int setup(void **state)
{
	memset(memory, 0, sizeof(memory));
	return space_init(&space) != OK ||
	       space_map_ram(&space, RAM, sizeof(memory), memory, "ram") != OK;
}

static int teardown(void **state)
{
	space_fini(&space);
	return 0;
}

static u64 *slot(gpa_t gpa)
{
	return (u64 *)(memory + (gpa - RAM));
}

static u64 pte_of(gpa_t gpa, u64 bits)
{
	return gpa >> PAGE_SHIFT << 10 | bits;
}

static const struct mode { u32 number, levels; gva_t va; } modes[] = {
	{ 8, 3, 0xffffffd123456789 & ~BIT(0) }, { 8, 3, 0x0000003123456788 },
	{ 9, 4, 0xffff900123456788 }, { 9, 4, 0x0000700123456788 },
	{ 10, 5, 0xff80700123456788 }, { 10, 5, 0x0080700123456788 },
};

static u64 satp_of(const struct mode *m)
{
	return (u64)m->number << 60 | 5ull << 44 | RAM >> PAGE_SHIFT;
}

static gpa_t slot_of(const struct mode *m, u32 level)
{
	return RAM + (m->levels - 1 - level) * PAGE_SIZE +
	       BITS(m->va, 20 + 9 * level, 12 + 9 * level) * 8;
}

/*
 * Pointers from the root (page 0 of RAM) down to @level, each table on the next page; @pte there.
 */
static gpa_t place(const struct mode *m, u32 level, u64 pte)
{
	memset(memory, 0, sizeof(memory));
	for (u32 l = m->levels - 1; l > level; l--)
		*slot(slot_of(m, l)) = pte_of(RAM + (m->levels - l) * PAGE_SIZE, V);
	*slot(slot_of(m, level)) = pte;
	return slot_of(m, level);
}

struct row {
	const char *what;
	u64 bits;		/* of the leaf; PPN comes from the test */
	bool user, sum, mxr;
	char may[4];		/* "rwx" with '-' for a page fault, Svade */
	char adue[4];		/* the same under Svadu */
};

static const struct row leaf_rows[] = {
	{ "kernel data",		V | R | W | A | D,	0, 0, 0, "rw-", "rw-" },
	{ "kernel text",		V | R | X | A,		0, 0, 0, "r-x", "r-x" },
	{ "kernel everything",		V | R | W | X | A | D,	0, 0, 0, "rwx", "rwx" },
	{ "kernel page for user",	V | R | W | X | A | D,	1, 0, 0, "---", "---" },
	{ "kernel page for user, SUM",	V | R | W | X | A | D,	1, 1, 1, "---", "---" },
	{ "user page",			V | R | W | X | U | A | D, 1, 0, 0, "rwx", "rwx" },
	{ "user page in S",		V | R | W | X | U | A | D, 0, 0, 0, "---", "---" },
	{ "user page in S, SUM",	V | R | W | X | U | A | D, 0, 1, 0, "rw-", "rw-" },
	{ "user page in S, MXR",	V | R | W | X | U | A | D, 0, 0, 1, "---", "---" },
	{ "execute only",		V | X | A,		0, 0, 0, "--x", "--x" },
	{ "execute only, MXR",		V | X | A,		0, 0, 1, "r-x", "r-x" },
	{ "user execute only, MXR, S",	V | X | U | A,		0, 1, 1, "r--", "r--" },
	{ "read only, D set",		V | R | A | D,		0, 0, 0, "r--", "r--" },
	{ "not valid",			R | W | X | A | D,	0, 0, 0, "---", "---" },
	{ "W without R",		V | W | A | D,		0, 0, 0, "---", "---" },
	{ "W and X without R",		V | W | X | A | D,	0, 0, 0, "---", "---" },
	{ "clean",			V | R | W | A,		0, 0, 0, "r--", "rw-" },
	{ "never used",			V | R | W | X,		0, 0, 0, "---", "rwx" },
	{ "D without A",		V | R | W | D,		0, 0, 0, "---", "rw-" },
	{ "bit 54",			V | R | A | BIT(54),	0, 0, 0, "---", "---" },
	{ "bit 60",			V | R | A | BIT(60),	0, 0, 0, "---", "---" },
	{ "PBMT 1",			V | R | A | BIT(61),	0, 0, 0, "---", "---" },
	{ "PBMT 2",			V | R | A | BIT(62),	0, 0, 0, "---", "---" },
	{ "NAPOT size reserved",	V | R | A | N,		0, 0, 0, "---", "---" },
	{ "software bits",		V | R | A | 3 << 8,	0, 0, 0, "r--", "r--" },
};

static bool check_access(const struct mode *m, u32 level, const struct row *row, enum access access,
			 bool adue)
{
	static const gpa_t target = 0x12345ull << 40 & MASK(56) & ~MASK(48);
	u64 size = PAGE_SIZE << 9 * level, pte = pte_of(target, row->bits);
	bool granted = (adue ? row->adue : row->may)[access] != '-';
	u64 after = granted && adue ? pte | A | (access == ACCESS_WRITE ? D : 0) : pte;
	gpa_t at = place(m, level, pte);
	struct walk_rv64 w = {
		.satp = satp_of(m),
		.user = row->user,
		.sum = row->sum,
		.mxr = row->mxr,
		.adue = adue,
	};
	struct walk out;
	enum walk_status status = walk_rv64(&space, &w, m->va, access, &out);
	bool good = status == (granted ? WALK_OK : WALK_PAGE_FAULT) && *slot(at) == after;

	if (good && granted)
		good = out.gpa == (target | (m->va & (size - 1))) && out.size == size &&
		       out.read == (row->adue[0] != '-') && out.exec == (row->adue[2] != '-') &&
		       out.write == (row->adue[1] != '-' && after & D) && !out.global;
	if (!good)
		fprintf(stderr, "%s: mode %u level %u access %d adue %d: status %d pte %llx\n",
			row->what, m->number, level, access, adue, status,
			(unsigned long long)*slot(at));
	return good;
}

static void leaves(void **state)
{
	bool good = true;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++)
		for (u32 level = 0; level < modes[m].levels; level++)
			for (u32 r = 0; r < ARRAY_LEN(leaf_rows); r++)
				for (u32 i = 0; i < 6; i++)
					good &= check_access(&modes[m], level, &leaf_rows[r], i / 2,
							     i % 2);
	assert_true(good);
}

static enum walk_status walk(const struct mode *m, enum access access, struct walk *out)
{
	struct walk_rv64 w = { .satp = satp_of(m) };

	return walk_rv64(&space, &w, m->va, access, out);
}

static void misaligned_superpages_fault(void **state)
{
	struct walk out;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		for (u32 level = 1; level < modes[m].levels; level++) {
			for (u32 bit = 12; bit < 12 + 9 * level; bit++) {
				place(&modes[m], level, pte_of(BIT(bit), V | R | A));
				assert_int_equal(walk(&modes[m], ACCESS_READ, &out),
						 WALK_PAGE_FAULT);
			}
			place(&modes[m], level, pte_of(BIT(12 + 9 * level), V | R | A));
			assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
		}
	}
}

static void pointers_have_no_attributes(void **state)
{
	static const u64 bad[] = { A, D, U, N, BIT(54), BIT(57), BIT(61), BIT(62) };
	struct walk out;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		for (u32 level = 1; level < modes[m].levels; level++) {
			for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
				place(&modes[m], 0, pte_of(0, V | R | A));
				assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
				*slot(slot_of(&modes[m], level)) |= bad[i];
				assert_int_equal(walk(&modes[m], ACCESS_READ, &out),
						 WALK_PAGE_FAULT);
			}
			place(&modes[m], 0, pte_of(0, V | R | A));
			*slot(slot_of(&modes[m], level)) |= G | 3 << 8;
			assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
			assert_true(out.global);
		}
		place(&modes[m], 0, pte_of(RAM, V));		/* no level below */
		assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_PAGE_FAULT);
		place(&modes[m], 0, pte_of(0, V | R | A | G));
		assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
		assert_true(out.global);
	}
}

static void napot(void **state)
{
	struct walk out;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		for (u32 low = 0; low < 16; low++) {
			place(&modes[m], 0, pte_of(0x40000000 + low * PAGE_SIZE, V | R | A | N));
			assert_int_equal(walk(&modes[m], ACCESS_READ, &out),
					 low == 8 ? WALK_OK : WALK_PAGE_FAULT);
		}
		place(&modes[m], 0, pte_of(0x40008000, V | R | A | N));
		assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
		assert_int_equal(out.size, KIB(64));
		assert_int_equal(out.gpa, 0x40000000 | (modes[m].va & MASK(16)));
		place(&modes[m], 1, pte_of(MIB(2) + 0x8000, V | R | A | N));
		assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_PAGE_FAULT);
	}
}

static void addresses_are_canonical(void **state)
{
	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		struct mode wrong = modes[m];
		struct walk out;

		for (u32 bit = 12 + 9 * wrong.levels; bit < 64; bit++) {
			place(&modes[m], 0, pte_of(0, V | R | A));
			wrong.va = modes[m].va ^ BIT(bit);
			assert_int_equal(walk(&wrong, ACCESS_READ, &out), WALK_PAGE_FAULT);
		}
		assert_int_equal(walk(&modes[m], ACCESS_READ, &out), WALK_OK);
	}
}

static void bare_and_unknown_modes(void **state)
{
	struct walk_rv64 w = { .satp = RAM >> PAGE_SHIFT };
	struct walk out;

	assert_int_equal(walk_rv64(&space, &w, 0x123456789, ACCESS_WRITE, &out), WALK_OK);
	assert_int_equal(out.gpa, 0x123456789);
	assert_true(out.read && out.write && out.exec);
	for (u64 mode = 1; mode < 16; mode++) {
		if (mode >= 8 && mode <= 10)
			continue;
		w.satp = mode << 60 | RAM >> PAGE_SHIFT;
		assert_int_equal(walk_rv64(&space, &w, 0, ACCESS_READ, &out), WALK_PAGE_FAULT);
	}
}

/* ---- tables that cannot be had ---- */

static struct { gpa_t gpa; bool write; u32 calls; u64 *change; u64 to; } gate;

static bool gate_allows(void *ctx, gpa_t gpa, u32 len, bool write)
{
	assert_ptr_equal(ctx, &gate);
	assert_int_equal(len, 8);
	gate.calls++;
	if (write && gate.change) {		/* another hart, between our look and our update */
		*gate.change = gate.to;
		gate.change = NULL;
	}
	return gpa != gate.gpa || write != gate.write;
}

static void tables_outside_memory(void **state)
{
	static const gpa_t nowhere[] = { 0, RAM + sizeof(memory), MASK(44) << 12, RAM - PAGE_SIZE };
	struct walk_rv64 w = { 0 };
	struct walk out;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		for (u32 i = 0; i < ARRAY_LEN(nowhere); i++) {
			place(&modes[m], 1, pte_of(nowhere[i], V));
			assert_int_equal(walk(&modes[m], ACCESS_FETCH, &out), WALK_ACCESS_FAULT);
			w.satp = (u64)modes[m].number << 60 | nowhere[i] >> PAGE_SHIFT;
			assert_int_equal(walk_rv64(&space, &w, modes[m].va, ACCESS_READ, &out),
					 WALK_ACCESS_FAULT);
		}
	}
}

static void pmp_guards_every_level(void **state)
{
	struct walk out;

	for (u32 m = 0; m < ARRAY_LEN(modes); m++) {
		struct walk_rv64 w = {
			.satp = satp_of(&modes[m]),
			.adue = true,
			.allowed = gate_allows,
			.ctx = &gate,
		};

		for (u32 level = 0; level < modes[m].levels; level++) {
			place(&modes[m], 0, pte_of(0, V | R | W));
			memset(&gate, 0, sizeof(gate));
			gate.gpa = slot_of(&modes[m], level);
			assert_int_equal(walk_rv64(&space, &w, modes[m].va, ACCESS_READ, &out),
					 WALK_ACCESS_FAULT);
			assert_int_equal(gate.calls, modes[m].levels - level);
		}
		/* readable but not writable: the update of A is refused, and only then */
		gate.gpa = place(&modes[m], 0, pte_of(0, V | R | W));
		gate.write = true;
		assert_int_equal(walk_rv64(&space, &w, modes[m].va, ACCESS_READ, &out),
				 WALK_ACCESS_FAULT);
		assert_int_equal(*slot(gate.gpa), pte_of(0, V | R | W));
		*slot(gate.gpa) |= A;
		assert_int_equal(walk_rv64(&space, &w, modes[m].va, ACCESS_READ, &out), WALK_OK);
		assert_int_equal(walk_rv64(&space, &w, modes[m].va, ACCESS_WRITE, &out),
				 WALK_ACCESS_FAULT);
	}
}

/* The entry changes after it was read and before A or D is set: it must be judged anew. */
static void update_is_checked_again(void **state)
{
	static const struct { u64 to; enum walk_status want; u64 after; } row[] = {
		{ 0, WALK_PAGE_FAULT, 0 },
		{ V | R | A, WALK_PAGE_FAULT, V | R | A },
		{ V | R | W | A, WALK_OK, V | R | W | A | D },
		{ V | R | W | A | D, WALK_OK, V | R | W | A | D },
		{ V | R | W | U, WALK_PAGE_FAULT, V | R | W | U },
		{ V | R | W | G, WALK_OK, V | R | W | G | A | D },
		{ V, WALK_PAGE_FAULT, V },
	};
	struct walk out;

	for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		const struct mode *m = &modes[i % ARRAY_LEN(modes)];
		struct walk_rv64 w = {
			.satp = satp_of(m), .adue = true, .allowed = gate_allows, .ctx = &gate,
		};
		gpa_t at = place(m, 0, pte_of(0x40000000, V | R | W));

		memset(&gate, 0, sizeof(gate));
		gate.change = slot(at);
		gate.to = pte_of(0x50000000, row[i].to);
		assert_int_equal(walk_rv64(&space, &w, m->va, ACCESS_WRITE, &out), row[i].want);
		assert_int_equal(*slot(at), pte_of(0x50000000, row[i].after));
		if (row[i].want == WALK_OK) {
			assert_int_equal(out.gpa, 0x50000000 | (m->va & MASK(12)));
			assert_int_equal(out.global, (row[i].to & G) != 0);
		}
	}
}

/* Tables in ROM can be read, not updated; updates are writes for the dirty log. */
static void updates_are_stores(void **state)
{
	const struct mode *m = &modes[0];
	struct walk_rv64 w = { .satp = satp_of(m), .adue = true };
	struct walk out;
	u64 bits;

	place(m, 0, pte_of(0, V | R | W));
	assert_int_equal(space_log_start(&space), OK);
	assert_int_equal(walk_rv64(&space, &w, m->va, ACCESS_READ, &out), WALK_OK);
	assert_int_equal(space_log_take(&space, RAM, &bits, 1), OK);
	assert_int_equal(bits, BIT(2));
	assert_int_equal(walk_rv64(&space, &w, m->va, ACCESS_READ, &out), WALK_OK);
	assert_int_equal(space_log_take(&space, RAM, &bits, 1), OK);
	assert_int_equal(bits, 0);

	assert_int_equal(space_unmap(&space, RAM), OK);
	assert_int_equal(space_map_rom(&space, RAM, sizeof(memory), memory, "rom"), OK);
	assert_int_equal(walk_rv64(&space, &w, m->va, ACCESS_READ, &out), WALK_OK);
	assert_int_equal(walk_rv64(&space, &w, m->va, ACCESS_WRITE, &out), WALK_ACCESS_FAULT);
}

/* ---- the naive walker ---- */

static u64 seed = 7;

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

/* Step by step after the specification; sets A and D in @ram, a private copy of memory. */
static enum walk_status naive(u8 *ram, const struct walk_rv64 *w, gva_t va, enum access access,
			      gpa_t *gpa, u64 *size)
{
	int levels = (w->satp >> 60) - 5, i = levels - 1;
	u64 a = (w->satp & 0xfffffffffff) * 4096, pte;
	u8 *p;

	for (int bit = 12 + 9 * levels; bit < 64; bit++)			/* step 0 */
		if ((va >> bit & 1) != (va >> (12 + 9 * levels - 1) & 1))
			return WALK_PAGE_FAULT;
	for (;;) {
		u64 where = a + (va >> (12 + 9 * i)) % 512 * 8;			/* step 2 */

		if (where < RAM || where - RAM >= sizeof(memory))
			return WALK_ACCESS_FAULT;
		p = ram + (where - RAM);
		memcpy(&pte, p, 8);
		if (!(pte & V) || (!(pte & R) && pte & W) || (pte >> 54 & 0x1ff))	/* 3 */
			return WALK_PAGE_FAULT;
		if (pte & (R | X))						/* 4 */
			break;
		if (pte & (A | D | U) || pte >> 63)
			return WALK_PAGE_FAULT;
		a = (pte >> 10 & 0xfffffffffff) * 4096;
		if (--i < 0)
			return WALK_PAGE_FAULT;
	}
	if (w->user && !(pte & U))						/* 5 */
		return WALK_PAGE_FAULT;
	if (!w->user && pte & U && (access == ACCESS_FETCH || !w->sum))
		return WALK_PAGE_FAULT;
	if (access == ACCESS_READ && !(pte & R) && !(w->mxr && pte & X))
		return WALK_PAGE_FAULT;
	if (access == ACCESS_WRITE && !(pte & W))
		return WALK_PAGE_FAULT;
	if (access == ACCESS_FETCH && !(pte & X))
		return WALK_PAGE_FAULT;
	*size = 4096ull << (9 * i);						/* 6 */
	*gpa = (pte >> 10 & 0xfffffffffff) * 4096;
	if (pte >> 63) {
		if (i != 0 || (*gpa >> 12) % 16 != 8)
			return WALK_PAGE_FAULT;
		*size = 65536;
		*gpa -= 8 * 4096;
	}
	if (*gpa % *size != 0)
		return WALK_PAGE_FAULT;
	if (!(pte & A) || (access == ACCESS_WRITE && !(pte & D))) {		/* 7 */
		if (!w->adue)
			return WALK_PAGE_FAULT;
		pte |= access == ACCESS_WRITE ? A | D : A;
		memcpy(p, &pte, 8);
	}
	*gpa += va % *size;							/* 8 */
	return WALK_OK;
}

/* Entries that mostly are good: pointers into RAM, aligned leaves, and now and then a wild bit. */
static u64 random_pte(void)
{
	u64 r = random64(), pte;

	if (r % 3 == 0) {
		pte = pte_of(RAM + (r >> 8) % PAGES * PAGE_SIZE, V);
	} else {
		u64 target = (r >> 20 & MASK(20)) << 12;

		if (r % 5 == 0)
			target &= ~MASK(30);
		if (r % 5 == 1)
			target &= ~MASK(39);
		pte = pte_of(target, (r >> 3 & 0xff) | V | (r >> 40 & 1 ? R | A | D : 0));
		if (r % 11 == 0)
			pte |= N;
		if (r % 22 == 0)
			pte = (pte & ~pte_of(0xf000, 0)) | pte_of(0x8000, 0);
	}
	return (r >> 50) % 16 ? pte : pte ^ BIT((r >> 54) % 64);
}

static void random_tables_equal_naive_walker(void **state)
{
	static u8 copy[sizeof(memory)];
	u32 ok = 0, page_faults = 0, access_faults = 0;

	for (u32 round = 0; round < 300; round++) {
		for (u32 i = 0; i < sizeof(memory) / 8; i++)
			*slot(RAM + i * 8) = random_pte();
		memcpy(copy, memory, sizeof(memory));
		for (u32 i = 0; i < 400; i++) {
			u64 r = random64();
			struct walk_rv64 w = {
				.satp = (8 + r % 3) << 60 | (RAM >> PAGE_SHIFT) + (r >> 8) % PAGES,
				.user = r >> 20 & 1,
				.sum = r >> 21 & 1,
				.mxr = r >> 22 & 1,
				.adue = r >> 23 & 1,
			};
			u32 bits = 39 + 9 * (r % 3);
			gva_t va = r >> 30 & 15 ? (gva_t)sext(random64(), bits) : random64();
			enum access access = (r >> 40) % 3;
			gpa_t gpa = 0;
			u64 size = 0;
			struct walk out;
			enum walk_status want = naive(copy, &w, va, access, &gpa, &size);

			assert_int_equal(walk_rv64(&space, &w, va, access, &out), want);
			ok += want == WALK_OK;
			page_faults += want == WALK_PAGE_FAULT;
			access_faults += want == WALK_ACCESS_FAULT;
			if (want != WALK_OK)
				continue;
			assert_int_equal(out.gpa, gpa);
			assert_int_equal(out.size, size);
			/*
			 * what the answer promises for other accesses must hold without any change
			 */
			w.adue = false;
			assert_int_equal(out.read,
					 naive(copy, &w, va, ACCESS_READ, &gpa, &size) == WALK_OK);
			assert_int_equal(out.write,
					 naive(copy, &w, va, ACCESS_WRITE, &gpa, &size) == WALK_OK);
			assert_int_equal(out.exec,
					 naive(copy, &w, va, ACCESS_FETCH, &gpa, &size) == WALK_OK);
		}
		assert_memory_equal(copy, memory, sizeof(memory));
	}
	assert_true(ok > 5000 && page_faults > 5000 && access_faults > 500);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(leaves),
		TEST(misaligned_superpages_fault),
		TEST(pointers_have_no_attributes),
		TEST(napot),
		TEST(addresses_are_canonical),
		TEST(bare_and_unknown_modes),
		TEST(tables_outside_memory),
		TEST(pmp_guards_every_level),
		TEST(update_is_checked_again),
		TEST(updates_are_stores),
		TEST(random_tables_equal_naive_walker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
