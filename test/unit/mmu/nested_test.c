/*
 * Second-level tables of all three formats: single rules first, then random operations against a
 * flat array of what each page is. The hardware that uses the tables is nested_hw.h; its CPUs
 * remember what they may, so a flush that is missing fails here even if no emulator would show it.
 */
#include "test/unit/mmu/nested_hw.h"

#include <pthread.h>


static struct space space;
static struct nested n;
static struct hw hw;

static u64 no_read(void *ctx, u64 off, u32 len) { return 0; }
static void no_write(void *ctx, u64 off, u32 len, u64 val) { }
static const struct mmio_ops no_ops = { no_read, no_write };

static const struct nested_setup plain = { .ipa_bits = 48, .leaf_level = 2, .tables = 1000 };

static void ram(gpa_t base, u64 len, u64 host)
{
	assert_int_equal(space_map_ram(&space, base, len, (u8 *)(HOST + host), "ram"), OK);
}

static void start(enum format f, struct nested_setup setup)
{
	assert_int_equal(space_init(&space), OK);
	assert_int_equal(hw_start(&hw, f, &n, &space, setup), OK);
}

static void stop(void)
{
	meanwhile = NULL;
	nested_fini(&n);
	space_fini(&space);
}

/* One access of CPU 0, with the fault if it takes one. */
static enum nested_result touch(gpa_t gpa, enum access access)
{
	enum nested_result result;
	hpa_t hpa;

	if (cpu_access(&hw, &cpus[0], gpa, access == ACCESS_WRITE, &hpa))
		return NESTED_MAPPED;
	result = nested_fault(&n, gpa, access);
	cpus_check(&hw);
	if (result == NESTED_MAPPED)
		assert_true(cpu_access(&hw, &cpus[0], gpa, access == ACCESS_WRITE, &hpa));
	return result;
}

static u64 leaf_size(gpa_t gpa)
{
	struct result r = walk(&hw, gpa);

	return r.present ? r.size : 0;
}

#define EACH_FORMAT(f)	for (enum format f = 0; f < FORMATS; f++)

/* ---- single rules ---- */

static void widths(void **state)
{
	static const struct { enum format format; u32 bits; u32 root_pages; } row[] = {
		{ EPT, 48, 1 }, { EPT, 39, 1 }, { EPT, 32, 1 }, { NPT, 48, 1 }, { NPT, 40, 1 },
		{ S2, 32, 4 }, { S2, 34, 16 }, { S2, 35, 1 }, { S2, 39, 1 }, { S2, 40, 2 },
		{ S2, 42, 8 }, { S2, 43, 16 }, { S2, 44, 1 }, { S2, 48, 1 },
	};

	for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		struct nested_setup setup = plain;
		gpa_t last = BIT(row[i].bits) - PAGE_SIZE;

		setup.ipa_bits = row[i].bits;
		start(row[i].format, setup);
		assert_int_equal(n.tables, row[i].root_pages);
		ram(last - GIB(1), GIB(1) + PAGE_SIZE, 0);
		ram(0, MIB(2), GIB(1));
		ram(last + PAGE_SIZE, MIB(2), 0);		/* out of reach */
		assert_int_equal(touch(last, ACCESS_WRITE), NESTED_MAPPED);
		assert_int_equal(touch(last - GIB(1), ACCESS_WRITE), NESTED_MAPPED);
		assert_int_equal(touch(0, ACCESS_FETCH), NESTED_MAPPED);
		assert_int_equal(nested_fault(&n, last + PAGE_SIZE, ACCESS_READ), NESTED_MMIO);
		assert_int_equal(nested_fault(&n, UINT64_MAX, ACCESS_READ), NESTED_MMIO);
		stop();
	}
}

static void init_refuses(void **state)
{
	u64 free = page_stats(NODE_ANY).free;
	struct nested_setup setup = plain;

	setup.ipa_bits = 49;
	assert_int_equal(hw_start(&hw, S2, &n, &space, setup), E_RANGE);
	setup.ipa_bits = 31;
	assert_int_equal(hw_start(&hw, EPT, &n, &space, setup), E_RANGE);
	setup.ipa_bits = 43;
	setup.tables = 15;
	assert_int_equal(hw_start(&hw, S2, &n, &space, setup), E_NOMEM);
	setup.tracked = true;
	assert_int_equal(hw_start(&hw, S2, &n, &space, setup), E_UNSUPPORTED);
	assert_int_equal(page_stats(NODE_ANY).free, free);
}

/* What kind of leaf each place gets, and that filling needs no flush. */
static void largest_leaves(void **state)
{
	static const struct { gpa_t base; u64 len, host; gpa_t at; u64 size; } row[] = {
		{ GIB(4), GIB(2), GIB(1), GIB(5) + 5 * PAGE_SIZE, GIB(1) },
		{ GIB(4), GIB(2), MIB(2), GIB(5), MIB(2) },		/* host 2 MiB off */
		{ GIB(4), GIB(2), PAGE_SIZE, GIB(5), PAGE_SIZE },
		{ GIB(4) + MIB(2), GIB(2), MIB(2), GIB(5), GIB(1) },
		{ GIB(4) + MIB(2), GIB(2), MIB(2), GIB(4) + MIB(2), MIB(2) },	/* the front */
		{ GIB(4) + MIB(2), GIB(2), MIB(2), GIB(6), MIB(2) },		/* the end */
		{ MIB(1), MIB(4), MIB(1), MIB(1), PAGE_SIZE },
		{ MIB(1), MIB(4), MIB(1), MIB(2), MIB(2) },
		{ MIB(1), MIB(4), MIB(1), MIB(5) - 1, PAGE_SIZE },
		{ TIB(1), GIB(1), GIB(2), TIB(1), GIB(1) },
		{ 0, MIB(64), GIB(3), MIB(62), MIB(2) },
		{ 0, MIB(64), GIB(3) + MIB(64), MIB(62), MIB(2) },
		{ 0, MIB(16), GIB(3) + MIB(128), MIB(8), PAGE_SIZE },	/* physically misaligned */
		{ 0, MIB(4), GIB(3) + MIB(158), 0, PAGE_SIZE },		/* two pieces */
		{ 0, MIB(4), GIB(3) + MIB(158), MIB(2), MIB(2) },
		{ 0, MIB(4), GIB(3) + MIB(192), MIB(1), PAGE_SIZE },	/* likewise, the first */
		{ 0, GIB(1), GIB(2) + MIB(512), MIB(512), MIB(2) },	/* 1 GiB that is cut */
	};

	EACH_FORMAT(f) for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		for (u32 level = 0; level < 3; level++) {
			struct nested_setup setup = plain;

			setup.leaf_level = level;
			setup.forced = i & 1;
			start(f, setup);
			ram(row[i].base, row[i].len, row[i].host);
			assert_int_equal(touch(row[i].at, ACCESS_READ), NESTED_MAPPED);
			assert_int_equal(leaf_size(row[i].at),
					 MIN(row[i].size, PAGE_SIZE << 9 * level));
			assert_true(walk(&hw, row[i].at).write);
			assert_int_equal(flushes, 0);
			stop();
		}
	}
}

/* What is no memory, or none that can be mapped. */
static void results(void **state)
{
	EACH_FORMAT(f) {
		start(f, plain);
		ram(0, MIB(4), 0);
		ram(MIB(8), MIB(1), 64);		/* not even page aligned */
		assert_int_equal(space_map_rom(&space, MIB(4), MIB(4), (u8 *)HOST + MIB(4), "rom"),
				 OK);
		assert_int_equal(space_map_mmio(&space, TIB(1), PAGE_SIZE, &no_ops, NULL, NULL, ""),
				 OK);
		assert_int_equal(touch(TIB(1), ACCESS_READ), NESTED_MMIO);
		assert_int_equal(touch(TIB(1) + PAGE_SIZE, ACCESS_WRITE), NESTED_MMIO);
		assert_int_equal(touch(MIB(8), ACCESS_READ), NESTED_MMIO);
		assert_int_equal(touch(MIB(4), ACCESS_WRITE), NESTED_READONLY);
		assert_int_equal(touch(MIB(4), ACCESS_READ), NESTED_MAPPED);
		assert_int_equal(leaf_size(MIB(4)), MIB(2));
		assert_int_equal(touch(MIB(4), ACCESS_WRITE), NESTED_READONLY);
		assert_int_equal(touch(MIB(4) - 1, ACCESS_WRITE), NESTED_MAPPED);
		assert_int_equal(nested_fault(&n, MIB(4) - 1, ACCESS_WRITE), NESTED_MAPPED);
		assert_int_equal(flushes, 0);
		stop();
	}
}

/* A piece that cuts large leaves takes them along, with one flush for all. */
static void unmap_takes_whole_leaves(void **state)
{
	EACH_FORMAT(f) {
		u64 generation;
		u32 tables;

		start(f, plain);
		ram(0, GIB(2), 0);
		ram(TIB(1), MIB(8), MIB(2) + PAGE_SIZE);
		generation = n.generation;
		nested_unmap(&n, 0, GIB(2));		/* there is nothing yet */
		assert_int_equal(n.generation, generation);
		assert_int_equal(touch(0, ACCESS_WRITE), NESTED_MAPPED);
		assert_int_equal(touch(GIB(1), ACCESS_WRITE), NESTED_MAPPED);
		for (u32 i = 0; i < 8; i++)
			touch(TIB(1) + i * MIB(1), ACCESS_WRITE);
		nested_unmap(&n, GIB(1) - PAGE_SIZE, 2 * PAGE_SIZE);
		cpus_check(&hw);
		assert_int_equal(flushes, 1);
		assert_int_equal(last_flush.gpa, 0);
		assert_int_equal(last_flush.len, GIB(2));
		assert_int_equal(last_flush.step, GIB(1));
		assert_int_equal(leaf_size(0) + leaf_size(GIB(1)), 0);
		nested_unmap(&n, TIB(1) + MIB(1), 0);
		assert_int_equal(flushes, 1);
		touch(TIB(1) + MIB(1) + PAGE_SIZE, ACCESS_WRITE);
		nested_unmap(&n, TIB(1) + MIB(1), PAGE_SIZE);
		assert_int_equal(last_flush.len, PAGE_SIZE);
		assert_int_equal(leaf_size(TIB(1)), PAGE_SIZE);
		assert_int_equal(leaf_size(TIB(1) + MIB(1) + PAGE_SIZE), PAGE_SIZE);
		tables = n.tables;
		nested_unmap(&n, TIB(1), MIB(2));		/* all that one table is for */
		cpus_check(&hw);
		assert_int_equal(n.tables, tables - 1);
		nested_unmap(&n, MIB(2), UINT64_MAX);		/* a sum that wraps */
		cpus_check(&hw);
		assert_true(last_flush.all);		/* pages that lie 8 MiB apart */
		assert_int_equal(n.tables, BIT(n.root_order) + 1);	/* that for 0 is cut */
		stop();
	}
}

/* The dirty log: large leaves split at the first write, and are put together afterwards. */
static void splits_and_merges(void **state)
{
	EACH_FORMAT(f) for (u32 tracked = 0; tracked <= (f != S2); tracked++) {
		struct nested_setup setup = plain;
		u64 bits[GIB(1) / PAGE_SIZE / 64];

		setup.tracked = tracked;
		start(f, setup);
		ram(0, GIB(1), 0);
		touch(0, ACCESS_WRITE);
		nested_take_dirty(&n);
		assert_int_equal(space_log_start(&space), OK);
		nested_protect(&n);
		cpus_check(&hw);
		assert_int_equal(flushes, 1 + tracked);
		assert_int_equal(leaf_size(0), GIB(1));
		assert_false(walk(&hw, 0).write);
		touch(MIB(512), ACCESS_READ);
		assert_int_equal(leaf_size(0), GIB(1));
		flushes = 0;
		touch(MIB(512), ACCESS_WRITE);
		assert_int_equal(flushes, f == S2 ? 3 : 0);	/* two splits, one gain */
		assert_int_equal(leaf_size(0), MIB(2));
		assert_int_equal(leaf_size(MIB(513)), PAGE_SIZE);
		assert_false(walk(&hw, MIB(512) + PAGE_SIZE).write);
		nested_unmap(&n, MIB(513), PAGE_SIZE);
		touch(MIB(513), ACCESS_READ);			/* puts nothing together yet */
		assert_int_equal(leaf_size(MIB(513)), PAGE_SIZE);
		assert_int_equal(walk(&hw, MIB(513)).write, tracked);
		nested_take_dirty(&n);
		assert_int_equal(space_log_take(&space, 0, bits, ARRAY_LEN(bits)), OK);
		for (u32 i = 0; i < ARRAY_LEN(bits); i++)
			assert_int_equal(bits[i], i == MIB(512) / PAGE_SIZE / 64);
		nested_protect(&n);
		cpus_check(&hw);
		assert_int_equal(walk(&hw, MIB(512)).write, tracked);
		space_log_stop(&space);
		touch(MIB(513), ACCESS_READ);			/* nothing is in the way */
		assert_int_equal(leaf_size(MIB(513)), PAGE_SIZE);
		touch(MIB(514) - 1, ACCESS_WRITE);
		assert_int_equal(leaf_size(MIB(513)), GIB(1));
		assert_int_equal(last_flush.len, GIB(1));
		stop();
	}
}

/* Memory that changed without nested_unmap(), against the rules, is not mixed with the old. */
static void moved_memory(void **state)
{
	EACH_FORMAT(f) {
		start(f, plain);
		assert_int_equal(space_map_rom(&space, 0, MIB(2), (u8 *)HOST + MIB(2), "rom"), OK);
		touch(0, ACCESS_READ);
		assert_int_equal(space_unmap(&space, 0), OK);
		ram(0, MIB(2), MIB(4));
		touch(0, ACCESS_WRITE);
		assert_int_equal(walk(&hw, 0).hpa, arch_virt_to_phys((u8 *)HOST + MIB(4)));
		assert_int_equal(flushes, 1);
		stop();
	}
}

/* A fault that needs tables with every number of them that is too small. */
static void no_tables(void **state)
{
	EACH_FORMAT(f) for (u32 split = 0; split < 2; split++) {
		u32 fails = 0;

		for (u32 more = 0; more < 4; more++) {
			struct nested_setup setup = plain;
			enum nested_result got;

			setup.leaf_level = split ? 2 : 0;
			start(f, setup);
			ram(GIB(1), GIB(1), GIB(1));
			if (split) {
				touch(GIB(1), ACCESS_READ);
				assert_int_equal(space_log_start(&space), OK);
				nested_protect(&n);
			}
			n.setup.tables = n.tables + more;
			got = touch(GIB(1), ACCESS_WRITE);
			if (got == NESTED_NOMEM) {
				fails++;
				assert_int_equal(n.tables, n.setup.tables);
				assert_false(walk(&hw, GIB(1)).write && leaf_size(GIB(1)));
				assert_int_equal(walk(&hw, GIB(1)).present, split);
				n.setup.tables = 100;
				got = touch(GIB(1), ACCESS_WRITE);
			}
			assert_int_equal(got, NESTED_MAPPED);
			assert_int_equal(leaf_size(GIB(1)), PAGE_SIZE);
			stop();
		}
		assert_int_equal(fails, split ? 2 : 3);
	}
}

/* Tables come back when their VM goes, also those that never held a leaf. */
static void fini_frees(void **state)
{
	EACH_FORMAT(f) {
		u64 free, after;

		assert_int_equal(space_init(&space), OK);
		ram(0, MIB(64), PAGE_SIZE);
		ram(TIB(1), GIB(1), PAGE_SIZE);
		ram(GIB(8), PAGE_SIZE, 0);
		free = page_stats(NODE_ANY).free;
		assert_int_equal(hw_start(&hw, f, &n, &space, plain), OK);
		for (u32 i = 0; i < 300; i++)
			touch(rnd() % 2 ? rnd() % MIB(64) : TIB(1) + rnd() % GIB(1), ACCESS_WRITE);
		n.setup.tables = n.tables + 1;
		assert_int_equal(touch(GIB(8), ACCESS_READ), NESTED_NOMEM);
		flushes = 0;
		nested_fini(&n);
		assert_int_equal(flushes, 1);
		after = page_stats(NODE_ANY).free;
		assert_int_equal(free, after);
		nested_fini(&n);
		space_fini(&space);
	}
}

/* ---- several CPUs at once: the lock ---- */

/* Few: where threads outnumber processors, whoever spins may wait for one that does not run. */
#define THREADS		2
#define FAULTS		400

static void *faults(void *arg)
{
	u64 *failed = arg;

	for (u32 i = 0; i < FAULTS; i++) {
		gpa_t gpa = (u64)i * 0x9e3779b97f4a7c15ull % GIB(1);

		*failed += nested_fault(&n, gpa, i % 3) != NESTED_MAPPED;
	}
	return NULL;
}

static void flush_nothing(void *ctx, const struct nested_flush *f) { }

static void threads(void **state)
{
	EACH_FORMAT(f) {
		pthread_t thread[THREADS];
		u64 failed[THREADS] = { 0 };

		start(f, plain);
		n.setup.flush = flush_nothing;
		ram(0, GIB(1), MIB(2));
		for (u32 i = 0; i < THREADS; i++)
			pthread_create(&thread[i], NULL, faults, &failed[i]);
		for (u32 i = 0; i < 50; i++)
			nested_unmap(&n, i * MIB(20), MIB(1) << i % 10);
		for (u32 i = 0; i < THREADS; i++) {
			pthread_join(thread[i], NULL);
			assert_int_equal(failed[i], 0);
		}
		assert_int_equal(n.faults, THREADS * FAULTS);
		for (gpa_t gpa = 0; gpa < GIB(1); gpa += MIB(1))
			if (leaf_size(gpa))
				assert_int_equal(leaf_size(gpa), MIB(2));
		stop();
	}
}

/* ---- random operations against a flat array ---- */

enum kind { NOTHING, RAM, ROM, MMIO };

struct cell {
	u64 host;
	u8 kind;
	bool written;		/* since the last round of the log; must be in the next */
	u16 range;		/* number of its range */
	u32 touched;		/* round in which it was last asked for writing */
};

static struct cell low[MIB(16) / PAGE_SIZE], mid[GIB(3) / PAGE_SIZE], high[MIB(16) / PAGE_SIZE];
static const struct zone { gpa_t base; u64 pages; struct cell *cell; } zones[] = {
	{ 0, ARRAY_LEN(low), low },
	{ GIB(4), ARRAY_LEN(mid), mid },
	{ TIB(1) - MIB(8), ARRAY_LEN(high), high },
};

static struct { gpa_t base; u64 len; } ranges[16];
static u32 range_count, range_number, round_number;
static bool logging;

static struct cell *cell_of(gpa_t gpa)
{
	for (u32 i = 0; i < ARRAY_LEN(zones); i++)
		if (gpa - zones[i].base < zones[i].pages * PAGE_SIZE)
			return &zones[i].cell[(gpa - zones[i].base) / PAGE_SIZE];
	return NULL;
}

static hpa_t cell_hpa(gpa_t gpa)
{
	return arch_virt_to_phys((void *)cell_of(gpa)->host) + gpa % PAGE_SIZE;
}

/* Some address: a page at the edge of a range, or any. */
static gpa_t somewhere(void)
{
	const struct zone *z = &zones[rnd() % ARRAY_LEN(zones)];
	u32 i = (u32)(rnd() % ARRAY_LEN(ranges));
	gpa_t gpa = z->base + rnd() % (z->pages * PAGE_SIZE);

	if (i < range_count && rnd() % 2)
		gpa = ranges[i].base + rnd() % MIN(ranges[i].len, MIB(3));
	if (i < range_count && rnd() % 4 == 0)
		gpa = ranges[i].base + (rnd() % 2 ? ranges[i].len : 0) + rnd() % PAGE_SIZE;
	if (cell_of(gpa - PAGE_SIZE) && rnd() % 8 == 0)
		gpa -= PAGE_SIZE;
	return cell_of(gpa) ? gpa : z->base;
}

static void wrote(gpa_t gpa)
{
	struct cell *c = cell_of(gpa);

	c->written = true;
	c->touched = round_number;
}

/* What CPUs do while a flush is on its way to them: what they knew still counts. */
static void run_meanwhile(const struct hw *h)
{
	for (u32 i = 0; i < 6; i++) {
		gpa_t gpa = rnd() % 2 ? hot[rnd() % ARRAY_LEN(hot)] : somewhere();
		bool write = rnd() % 2;
		hpa_t hpa;

		if (cpu_access(h, &cpus[rnd() % CPUS], gpa, write, &hpa) && write && cell_of(gpa))
			wrote(gpa);
	}
}

static u64 size_expected(gpa_t gpa)
{
	for (u32 level = n.setup.leaf_level; level > 0; level--) {
		u64 size = PAGE_SIZE << 9 * level;
		gpa_t first = ALIGN_DOWN(gpa, size), last = first + size - PAGE_SIZE;
		const struct cell *a = cell_of(first), *b = cell_of(last);

		if (a && b && a->range == b->range && a->kind && cell_hpa(first) % size == 0 &&
		    piece_of(a->host) == piece_of(b->host))
			return size;
	}
	return PAGE_SIZE;
}

static enum nested_result result_expected(const struct cell *c, enum access access)
{
	if (c->kind == ROM && access == ACCESS_WRITE)
		return NESTED_READONLY;
	return c->kind == RAM || c->kind == ROM ? NESTED_MAPPED : NESTED_MMIO;
}

static void access_check(gpa_t gpa, bool write, hpa_t hpa)
{
	const struct cell *c = cell_of(gpa);

	assert_int_equal(hpa, cell_hpa(gpa));
	assert_true(c->kind == RAM || (c->kind == ROM && !write));
	if (write)
		wrote(gpa);
}

static void step_access(void)
{
	gpa_t gpa = hot[0] = somewhere();
	enum access access = rnd() % 3;
	bool write = access == ACCESS_WRITE;
	struct cpu *c = &cpus[rnd() % CPUS];
	enum nested_result got;
	hpa_t hpa;

	if (cpu_access(&hw, c, gpa, write, &hpa)) {
		access_check(gpa, write, hpa);
		return;
	}
	if (write)
		cell_of(gpa)->touched = round_number;
	c->inside = false;
	got = nested_fault(&n, gpa, access);
	if (got == NESTED_NOMEM) {
		assert_int_equal(n.tables, n.setup.tables);
		n.setup.tables += 3;
		return;
	}
	assert_int_equal(got, result_expected(cell_of(gpa), access));
	if (got != NESTED_MAPPED)
		return;
	if (!logging)
		assert_int_equal(leaf_size(gpa), size_expected(gpa));
	assert_true(cpu_access(&hw, c, gpa, write, &hpa));
	access_check(gpa, write, hpa);
}

/* The tables never allow what the array does not. */
static void tables_check(gpa_t gpa)
{
	struct result r = walk(&hw, gpa);
	const struct cell *c = cell_of(gpa);

	if (!r.present || !c)
		return;
	assert_int_equal(r.hpa + (gpa - r.base), cell_hpa(gpa));
	assert_true(c->kind == RAM || (c->kind == ROM && !r.write));
}

static u64 length(const struct zone *z)
{
	u64 len = (rnd() % 2 ? MIB(2) : PAGE_SIZE) * (1 + rnd() % 5);

	return z->cell == mid && rnd() % 2 ? len + GIB(rnd() % 3) : len;
}

static void step_map(void)
{
	const struct zone *z = &zones[rnd() % ARRAY_LEN(zones)];
	u64 align = rnd() % 3 ? MIB(2) : PAGE_SIZE, len = length(z), host;
	gpa_t base = z->base + ALIGN_DOWN(rnd() % (z->pages * PAGE_SIZE), align);
	enum kind kind = rnd() % 6 ? rnd() % 4 ? RAM : ROM : MMIO;
	bool room = true;
	err_t e;

	if (range_count == ARRAY_LEN(ranges))
		return;
	if (len >= GIB(1) && rnd() % 2)
		base = z->base + ALIGN_DOWN(base - z->base, GIB(1));
	len = MIN(len, z->base + z->pages * PAGE_SIZE - base);
	host = ALIGN_DOWN(rnd() % (HOST_LEN - len), PAGE_SIZE);
	if (rnd() % 4)		/* alike in the low bits; GiBs only where there are any */
		align = host < GIB(1) ? GIB(1) : MIB(2);
	host = ALIGN_DOWN(host, align) + (base & (align - 1));
	if (host > HOST_LEN - len)
		return;
	for (u64 i = 0; i < len / PAGE_SIZE && room; i++)
		room = cell_of(base + i * PAGE_SIZE)->kind == NOTHING;
	host += HOST;
	if (kind == MMIO)
		e = space_map_mmio(&space, base, len, &no_ops, NULL, NULL, "mmio");
	else if (kind == ROM)
		e = space_map_rom(&space, base, len, (u8 *)host, "rom");
	else
		e = space_map_ram(&space, base, len, (u8 *)host, "ram");
	assert_int_equal(e, room ? OK : E_EXIST);
	if (!room)
		return;
	range_number++;
	ranges[range_count].base = base;
	ranges[range_count++].len = len;
	for (u64 i = 0; i < len / PAGE_SIZE; i++)
		*cell_of(base + i * PAGE_SIZE) = (struct cell){
			.kind = kind, .host = host + i * PAGE_SIZE, .range = (u16)range_number };
	hot[0] = base;
	hot[1] = base + len - PAGE_SIZE;
}

static void step_unmap(void)
{
	u32 i = (u32)(rnd() % ARRAY_LEN(ranges));
	gpa_t base;
	u64 len;

	if (i >= range_count)
		return;
	base = hot[0] = ranges[i].base;
	len = ranges[i].len;
	hot[1] = base + len - PAGE_SIZE;
	assert_int_equal(space_unmap(&space, base), OK);
	memset(cell_of(base), 0, len / PAGE_SIZE * sizeof(struct cell));
	ranges[i] = ranges[--range_count];
	nested_unmap(&n, base, len);
}

static void step_evict(void)
{
	hot[0] = ALIGN_DOWN(somewhere(), PAGE_SIZE);
	nested_unmap(&n, hot[0], rnd() % 8 ? length(&zones[0]) : GIB(rnd() % 2000));
}

/* A round of the log, CPUs writing all the time. What was written before it must be in it. */
static void round_check(u32 number)
{
	static u64 bits[ARRAY_LEN(mid) / 64];

	for (u32 i = 0; i < range_count; i++) {
		struct cell *c = cell_of(ranges[i].base);
		u64 pages = ranges[i].len / PAGE_SIZE, words = (pages + 63) / 64;

		if (c->kind != RAM)
			continue;
		assert_int_equal(space_log_take(&space, ranges[i].base, bits, words), OK);
		for (u64 k = 0; k < pages; k++) {
			bool dirty = bits[k / 64] >> k % 64 & 1;

			assert_true(dirty || !c[k].written || c[k].touched >= number);
			assert_true(!dirty || c[k].touched + 1 >= number);
		}
	}
}

static void written_reset(void)
{
	for (u32 z = 0; z < ARRAY_LEN(zones); z++)
		for (u64 i = 0; i < zones[z].pages; i++)
			zones[z].cell[i].written = false;
}

static void step_log(void)
{
	u32 number = ++round_number;

	if (logging && rnd() % 6 == 0) {
		space_log_stop(&space);
		logging = false;
		return;
	}
	nested_take_dirty(&n);
	cpus_check(&hw);
	run_meanwhile(&hw);
	if (logging)
		round_check(number);
	else
		assert_int_equal(space_log_start(&space), OK);
	logging = true;
	run_meanwhile(&hw);
	nested_protect(&n);
	written_reset();
}

static void random_steps(enum format f, struct nested_setup setup, u32 count)
{
	start(f, setup);
	for (u32 z = 0; z < ARRAY_LEN(zones); z++)
		memset(zones[z].cell, 0, zones[z].pages * sizeof(struct cell));
	range_count = 0;
	logging = false;
	meanwhile = run_meanwhile;
	for (u32 i = 0; i < count; i++) {
		u32 what = (u32)(rnd() % 100);

		if (what < 80)
			step_access();
		else if (what < 88)
			step_map();
		else if (what < 91)
			step_unmap();
		else if (what < 96)
			step_evict();
		else if (what == 96)
			step_log();
		cpus_check(&hw);
		for (u32 k = 0; k < 16; k++)
			tables_check(k < ARRAY_LEN(hot) ? hot[k] : somewhere());
	}
	stop();
}

static void random_operations(void **state)
{
	EACH_FORMAT(f) for (u32 i = 0; i < 12; i++) {
		struct nested_setup setup = {
			.ipa_bits = 41 + (u32)(rnd() % 8), .leaf_level = i % 3,
			.tracked = f != S2 && i & 1, .forced = rnd() % 2,
			.tables = i % 4 ? 100000 : 17,
		};

		random_steps(f, setup, 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths), cmocka_unit_test(init_refuses),
		cmocka_unit_test(largest_leaves), cmocka_unit_test(results),
		cmocka_unit_test(unmap_takes_whole_leaves), cmocka_unit_test(splits_and_merges),
		cmocka_unit_test(no_tables), cmocka_unit_test(fini_frees),
		cmocka_unit_test(moved_memory), cmocka_unit_test(threads),
		cmocka_unit_test(random_operations),
	};

	return cmocka_run_group_tests_name("mmu/nested", tests, NULL, NULL);
}
