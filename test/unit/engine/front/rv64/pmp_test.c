/* PMP against a byte-by-byte reading of the specification; fill() against both. */
#include "rig.h"

#define LOW 0x80000000ull
#define SPAN 256u

/* Does entry @i match the byte at @gpa? Written from the specification's table, not from pmp.c. */
static bool matches(const struct rv64_state *st, u32 i, u64 gpa)
{
	u64 a = st->pmpaddr[i], size = 8;

	switch (st->pmpcfg[i] >> 3 & 3) {
	case 0: return false;
	case 1: return gpa >= (i ? st->pmpaddr[i - 1] << 2 : 0) && gpa < a << 2;
	case 2: return gpa >> 2 == a;
	}
	for (; a & 1; a >>= 1)
		size *= 2;
	return gpa / size == (st->pmpaddr[i] << 2) / size;
}

static u32 naive(const struct rv64_state *st, enum rv64_priv priv, u64 gpa, u64 len)
{
	for (u32 i = 0; i < RV64_PMP_COUNT; i++) {
		u32 hits = 0;

		for (u64 k = 0; k < len; k++)
			hits += matches(st, i, gpa + k);
		if (!hits)
			continue;
		if (hits < len)
			return PMP_SPLIT;
		if (priv == PRIV_M && !(st->pmpcfg[i] & PMP_L))
			return 7;
		return st->pmpcfg[i] & 7;
	}
	return priv == PRIV_M ? 7 : 0;
}

static void random_entries(struct rv64_state *st)
{
	for (u32 i = 0; i < RV64_PMP_COUNT; i++) {
		st->pmpcfg[i] = rnd() % 3 ? 0 : (u8)(rnd() & 0x9f);
		st->pmpaddr[i] = (LOW >> 2) + rnd() % (SPAN / 4);
	}
}

static void agrees(void **unused)
{
	static const enum rv64_priv privs[] = { PRIV_U, PRIV_S, PRIV_M };

	(void)unused;
	rig_start(PRIV_M);
	for (u32 k = 0; k < 3000; k++) {
		random_entries(state());
		for (u32 n = 0; n < 20; n++) {
			u64 gpa = LOW + rnd() % SPAN, len = 1 + rnd() % 16;
			enum rv64_priv priv = privs[rnd() % 3];

			assert_int_equal(rv64_pmp(state(), priv, gpa, len),
					 naive(state(), priv, gpa, len));
		}
	}
}

/* fill(): the same verdict as the naive reading, and the TLB never knows more than that. */
static void fills(void **unused)
{
	static const u8 need[] = { [ACCESS_READ] = 1, [ACCESS_WRITE] = 2, [ACCESS_FETCH] = 4 };

	(void)unused;
	for (u32 k = 0; k < 3000; k++) {
		rig_start(PRIV_S);
		random_entries(state());
		if (rnd() % 2)
			state()->pmpaddr[15] = MASK(54), state()->pmpcfg[15] = 0x1f;
		for (u32 n = 0; n < 20; n++) {
			u64 va = LOW + (rnd() % SPAN & ~1ull), len = 2;
			enum access access = rnd() % 3;
			bool ok = rv64_fill(&g, va, (u32)len, access);
			u8 *cached =
				access == ACCESS_WRITE ?
					tlb_write(g.tlb, va) :
					tlb_read(g.tlb,
						 access == ACCESS_FETCH ? &g.tlb->i : &g.tlb->d,
						 va);

			assert_int_equal(ok, (naive(state(), PRIV_S, va, len) & need[access]) != 0);
			if (ok) {
				assert_ptr_equal(g.fill_host, ram + (va - RAM_BASE));
				assert_int_equal(g.fill_gpa, va);
				assert_in_range(g.fill_len, 2, PAGE_SIZE);
				assert_int_equal(naive(state(), PRIV_S, va + g.fill_len - 2, 2) &
							 need[access] & need[access],
						 need[access]);
			} else {
				assert_int_equal(rig_cause(),
						 access == ACCESS_READ  ? CAUSE_LOAD_ACCESS :
						 access == ACCESS_WRITE ? CAUSE_STORE_ACCESS :
									  CAUSE_FETCH_ACCESS);
			}
			if (cached)
				assert_true(ok &&
					    naive(state(), PRIV_S, va & PAGE_MASK, PAGE_SIZE) &
						    need[access]);
		}
	}
}

static u64 device_read(void *ctx, u64 off, u32 len) { (void)ctx; (void)len; return off; }
static void device_write(void *ctx, u64 off, u32 len, u64 v)
{
	(void)ctx;
	(void)off;
	(void)len;
	(void)v;
}

/* Devices and holes are never cached; ROM not for writing; pages being logged first for reading. */
static void kinds(void **unused)
{
	static const struct mmio_ops ops = { device_read, device_write };
	static u8 rom[PAGE_SIZE] aligned_to(4096);

	(void)unused;
	assert_int_equal(space_map_mmio(&space, 0x10000000, PAGE_SIZE, &ops, NULL, NULL, "device"),
			 OK);
	assert_int_equal(space_map_rom(&space, 0x20000000, PAGE_SIZE, rom, "rom"), OK);
	rig_start(PRIV_S);
	assert_true(rv64_fill(&g, 0x10000008, 4, ACCESS_WRITE));
	assert_null(g.fill_host);
	assert_int_equal(g.fill_gpa, 0x10000008);
	assert_null(tlb_write(g.tlb, 0x10000008));
	assert_true(rv64_fill(&g, 0x20000004, 4, ACCESS_READ));
	assert_ptr_equal(g.fill_host, rom + 4);
	assert_null(tlb_write(g.tlb, 0x20000004));
	assert_true(rv64_fill(&g, 0x20000004, 4, ACCESS_WRITE));
	assert_null(g.fill_host);
	assert_true(rv64_fill(&g, 0x5000, 4, ACCESS_READ));	/* a hole: memory's path raises */
	assert_null(g.fill_host);
	assert_false(rv64_fill(&g, 1ull << 56, 4, ACCESS_READ)); /* beyond physical addresses */
	assert_int_equal(rig_cause(), CAUSE_LOAD_ACCESS);
	assert_true(rv64_fill(&g, RAM_BASE, 4, ACCESS_READ));
	assert_non_null(tlb_write(g.tlb, RAM_BASE));			/* not logged: at once */
	assert_int_equal(space_log_start(&space), OK);
	tlb_flush_all(g.tlb);
	assert_true(rv64_fill(&g, RAM_BASE, 4, ACCESS_READ));
	assert_null(tlb_write(g.tlb, RAM_BASE));
	assert_true(rv64_fill(&g, RAM_BASE, 4, ACCESS_WRITE));
	assert_non_null(tlb_write(g.tlb, RAM_BASE));
	u64 dirty[1];
	assert_int_equal(space_log_take(&space, RAM_BASE, dirty, 1), OK);
	assert_int_equal(dirty[0], 1);
	space_log_stop(&space);
}

static void locks(void **unused)
{
	(void)unused;
	rig_start(PRIV_M);
	csr_op(0x3b2, 1, 0x100);
	csr_op(0x3b3, 1, 0x200);
	csr_op(0x3a0, 1, 0x89000000);				/* entry 3: locked TOR, R */
	csr_op(0x3b3, 1, 1);
	csr_op(0x3b2, 1, 1);
	csr_op(0x3a0, 1, 0);
	assert_int_equal(csr_read(0x3b2), 0x100);
	assert_int_equal(csr_read(0x3b3), 0x200);
	assert_int_equal(csr_read(0x3a0), 0x89000000);
	csr_op(0x3b1, 1, 5);
	assert_int_equal(csr_read(0x3b1), 5);
	assert_int_equal(rv64_pmp(state(), PRIV_M, 0x400, 8), PMP_R);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees), cmocka_unit_test(fills), cmocka_unit_test(kinds),
		cmocka_unit_test(locks),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
