/*
 * The code cache: which block an address of host code is in, whatever was evicted meanwhile; and
 * blocks that give up their view of memory. The guest is RISC-V, its code random.
 */
#include "test/unit/engine/front/rv64/rig.h"

#include "engine/code.h"
#include "kernel/base/heap.h"

static void open_jit(void)
{
	gcpu_fini(&g);
	for (u32 i = 0; i < RAM_SIZE; i += 8) {
		u64 w = rnd();

		memcpy(ram + i, &w, sizeof(w));
	}
	g.runner = &jit_runner;
	assert_int_equal(gcpu_init(&g), OK);
	rig_start(PRIV_M);
}

#define KEPT	4096

static struct kept {
	struct block *b;
	const u8 *entry;
	u32 sector;
} kept[KEPT];
static u32 kept_count;

static void kept_drop(u32 sector)
{
	u32 n = 0;

	for (u32 i = 0; i < kept_count; i++)
		if (kept[i].sector != sector)
			kept[n++] = kept[i];
	kept_count = n;
}

/* The last block of @at's sector that begins there or before. */
static struct block *kept_at(const u8 *at)
{
	const struct code_cache *c = g.code;
	size_t off = (size_t)(at - c->rx);
	const struct kept *best = NULL;

	for (u32 i = 0; off >= c->host_first && i < kept_count; i++)
		if (kept[i].sector == (off - c->host_first) / c->host_sector &&
		    kept[i].entry <= at && (!best || kept[i].entry > best->entry))
			best = &kept[i];
	return best ? best->b : NULL;
}

/* With memory for @sectors. */
static void check_by_address(u32 sectors)
{
	struct code_cache *c;

	open_jit();
	code_fini(&g);
	assert_int_equal(code_init(&g, 8 * 49152, 8 * 65536, 2), OK);
	c = g.code;
	heap_fail_after(sectors < CODE_SECTORS ? sectors : 0);	/* the first is there */
	kept_count = 0;
	for (u32 n = 0; n < 3000; n++) {
		u32 before = c->sector;
		u64 evicted = c->stats.evicted;
		struct block *b;

		g.ctx = 2 * (n / 500);
		b = n % 3 ? code_compile(&g, RAM_BASE + 2 * (rnd() % (RAM_SIZE / 2 - 64))) :
			    code_find(&g, RAM_BASE + 2 * (rnd() % (RAM_SIZE / 2 - 64)));
		assert_non_null(b);
		while (evicted != c->stats.evicted) {
			before = (before + 1) % sectors;
			kept_drop(before);
			evicted = before == c->sector ? c->stats.evicted : evicted;
		}
		if (b->entry && kept_at(b->entry) != b) {
			assert_true(kept_count < KEPT);
			kept[kept_count++] = (struct kept){ b, b->entry, c->sector };
		}
		for (u32 k = 0; b->entry && k < 4; k++)
			assert_ptr_equal(code_block_at(c, b->entry + k), b);
		for (u32 k = 0; k < 8; k++) {
			const u8 *at = c->rx + rnd() % c->host_size;

			at = k % 2 ? at : (const u8 *)ALIGN_DOWN((uptr)at, PAGE_SIZE) - k % 4 / 2;
			assert_ptr_equal(code_block_at(c, at), kept_at(at));
		}
	}
	assert_true(c->stats.evicted > 500);
	assert_int_equal(c->sectors, sectors);
	assert_null(code_block_at(c, c->rx));
	assert_null(code_block_at(c, c->rx - 1));
	assert_null(code_block_at(c, c->rx + c->host_size));
	assert_null(code_block_at(c, (const u8 *)&g));
	code_drop(&g);
	for (u32 i = 0; i < kept_count; i++)
		assert_null(code_block_at(c, kept[i].entry));
}

static void blocks_by_address(void **unused)
{
	(void)unused;
	check_by_address(CODE_SECTORS);
}

static void blocks_in_little_memory(void **unused)
{
	(void)unused;
	for (u32 sectors = 1; sectors < CODE_SECTORS; sectors += 2)
		check_by_address(sectors);
}

/* Given up while it runs, twice even: nothing leads to it any more, and its code is still found. */
static void a_block_that_gives_up_its_view(void **unused)
{
	struct block *b;
	const u8 *entry;
	u8 byte = ram[1] ^ 0x10;

	(void)unused;
	open_jit();
	b = code_find(&g, RAM_BASE);
	entry = b->entry;
	code_stamp(&g);
	code_use_tables(&g, b);
	code_use_tables(&g, b);
	assert_true(code_uses_tables(g.code, RAM_BASE));
	assert_null(code_lookup(g.code, RAM_BASE));
	assert_ptr_equal(code_block_at(g.code, entry), b);
	assert_ptr_not_equal(code_find(&g, RAM_BASE), b);
	assert_int_equal(space_write(&space, RAM_BASE + 1, &byte, 1), OK);
	smc_fence(&g);
	assert_non_null(code_find(&g, RAM_BASE));
	code_drop(&g);
	assert_false(code_uses_tables(g.code, RAM_BASE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_by_address),
		cmocka_unit_test(blocks_in_little_memory),
		cmocka_unit_test(a_block_that_gives_up_its_view),
	};

	return cmocka_run_group_tests_name("engine/code", tests, rig_open, rig_close);
}
