/*
 * CSRs: for every one of the 4096 numbers who may read and write, what sticks, and that nothing
 * else changes.
 */
#include "rig.h"

#include <pthread.h>

struct expect {
	u32 first, last;
	u64 writable;		/* bits that take both values when written in M-mode */
	u64 fixed;		/* read-only bits that are one */
};

static const struct expect table[] = {
	{ 0x001, 0x001, 0x1f, 0 },
	{ 0x002, 0x002, 7, 0 },
	{ 0x003, 0x003, 0xff, 0 },
	{ 0x100, 0x100, 0xc6122, 2ull << 32 },
	{ 0x104, 0x104, 0, 0 },
	{ 0x105, 0x105, ~2ull, 0 },
	{ 0x106, 0x106, 7, 0 },
	{ 0x10a, 0x10a, 0xf1, 0 },
	{ 0x140, 0x140, ~0ull, 0 },
	{ 0x141, 0x141, ~1ull, 0 },
	{ 0x142, 0x142, ~0ull, 0 },
	{ 0x143, 0x143, ~0ull, 0 },
	{ 0x144, 0x144, 0, 0 },
	{ 0x14d, 0x14d, ~0ull, 0 },
	{ 0x300, 0x300, 0x7e79aa, 0xaull << 32 },
	{ 0x301, 0x301, 0, 2ull << 62 | 0x14112d },
	{ 0x302, 0x302, 0xb3ff, 0 },
	{ 0x303, 0x303, 0x222, 0 },
	{ 0x304, 0x304, 0xaaa, 0 },
	{ 0x305, 0x305, ~2ull, 0 },
	{ 0x306, 0x306, 7, 0 },
	{ 0x30a, 0x30a, 5ull << 61 | 0xf1, 0 },
	{ 0x320, 0x320, 5, 0 },
	{ 0x323, 0x33f, 0, 0 },
	{ 0x340, 0x340, ~0ull, 0 },
	{ 0x341, 0x341, ~1ull, 0 },
	{ 0x342, 0x342, ~0ull, 0 },
	{ 0x343, 0x343, ~0ull, 0 },
	{ 0x344, 0x344, 0x222, 0 },
	{ 0x3a0, 0x3a0, 0x1f1f1f1f1f1f1f1f, 0 },
	{ 0x3a2, 0x3a2, 0x1f1f1f1f1f1f1f1f, 0 },
	{ 0x3a4, 0x3a4, 0, 0 },
	{ 0x3a6, 0x3a6, 0, 0 },
	{ 0x3a8, 0x3a8, 0, 0 },
	{ 0x3aa, 0x3aa, 0, 0 },
	{ 0x3ac, 0x3ac, 0, 0 },
	{ 0x3ae, 0x3ae, 0, 0 },
	{ 0x3b0, 0x3bf, MASK(54), 0 },
	{ 0x3c0, 0x3ef, 0, 0 },
	{ 0xb03, 0xb1f, 0, 0 },
	{ 0xf11, 0xf15, 0, 0 },
	{ 0xc03, 0xc1f, 0, 0 },
	/* tested apart: their value moves or depends */
	{ 0x180, 0x180, ~0ull, 0 },
	{ 0xb00, 0xb00, ~0ull, 0 },
	{ 0xb02, 0xb02, ~0ull, 0 },
	{ 0xc00, 0xc02, ~0ull, 0 },
};

static const struct expect *expected(u32 n)
{
	for (u32 i = 0; i < ARRAY_LEN(table); i++)
		if (n >= table[i].first && n <= table[i].last)
			return &table[i];
	return NULL;
}

static bool apart(const struct expect *e)
{
	return e->first == 0x180 || e->first == 0xb00 || e->first == 0xb02 || e->first == 0xc00;
}

static void start_fp(enum rv64_priv priv)
{
	rig_start(priv);
	state()->mstatus |= MSTATUS_FS;
	state()->menvcfg = 0;
	rv64_ctx_update(&g);
}

static void who(void **unused)
{
	static const enum rv64_priv privs[] = { PRIV_U, PRIV_S, PRIV_M };

	(void)unused;
	for (u32 n = 0; n < 4096; n++)
		for (u32 p = 0; p < 3; p++) {
			const struct expect *e = expected(n);
			bool counter = n >= 0xc00 && n <= 0xc1f, sstc = n == 0x14d;
			bool see = e && privs[p] >= BITS(n, 9, 8) &&
				   !((counter || sstc) && privs[p] != PRIV_M);

			start_fp(privs[p]);
			csr_read(n);
			if ((rig_cause() == -1) != see)
				fail_msg("CSR %#x: read at %u", n, privs[p]);
			start_fp(privs[p]);
			csr_op(n, 2, 0);			/* a write, though of nothing */
			if ((rig_cause() == -1) != (see && n < 0xc00))
				fail_msg("CSR %#x: write at %u", n, privs[p]);
		}
}

static void what_sticks(void **unused)
{
	(void)unused;
	for (u32 n = 0; n < 0xc00; n++) {
		const struct expect *e = expected(n);
		u64 ones, zeros;

		if (!e || apart(e))
			continue;
		start_fp(PRIV_M);
		state()->pmpcfg[0] = 0;
		csr_op(n, 1, n == 0x3a0 || n == 0x3a2 ? ~0x8080808080808080 : ~0ull); /* no locks */
		ones = csr_read(n);
		csr_op(n, 1, 0);
		zeros = csr_read(n);
		if (n == 0x100 || n == 0x300)
			zeros &= ~MSTATUS_SD, ones &= ~MSTATUS_SD;
		if ((ones ^ zeros) != e->writable)
			fail_msg("CSR %#x: %#llx writable", n, (unsigned long long)(ones ^ zeros));
		assert_int_equal(zeros, e->fixed);
		assert_int_equal(rig_cause(), -1);
	}
}

/* Writing one CSR leaves all others alone, but for declared views. */
static void nothing_else(void **unused)
{
	static const u16 plain[] = { 0x105, 0x106, 0x140, 0x141, 0x142, 0x143, 0x302, 0x305, 0x306,
				     0x340, 0x341, 0x342, 0x343 };

	(void)unused;
	for (u32 i = 0; i < ARRAY_LEN(plain); i++) {
		struct rv64_state before;
		u32 changed = 0;

		start_fp(PRIV_M);
		before = *state();
		csr_op(plain[i], 1, 0x5a5a5a5a5a5a5a5a);
		for (u32 b = 0; b < sizeof(before) / 8; b++)
			changed += ((u64 *)&before)[b] != ((u64 *)state())[b];
		assert_int_equal(changed, 1);
	}
}

/* satp takes the modes that there are; another one leaves all of it as it was. */
static void translation_modes(void **unused)
{
	u32 before = g.features;

	(void)unused;
	for (u32 k = 0; k < 4; k++) {
		g.features = (k & 1 ? RV64_SV48 : 0) | (k & 2 ? RV64_SV57 : 0);
		for (u64 mode = 0; mode < 16; mode++) {
			bool there = mode == 0 || mode == 8 || (mode == 9 && k & 1) ||
				     (mode == 10 && k & 2);

			start_fp(PRIV_M);
			csr_op(0x180, 1, 8ull << 60 | 5);
			csr_op(0x180, 1, mode << 60 | 7ull << 44 | 6);
			assert_int_equal(csr_read(0x180), there ? mode << 60 | 7ull << 44 | 6 :
								  8ull << 60 | 5);
		}
	}
	g.features = before;
}

static void operations(void **unused)
{
	(void)unused;
	start_fp(PRIV_M);
	assert_int_equal(csr_op(0x340, 1, 0xf0), 0);
	assert_int_equal(csr_op(0x340, 2, 0x0f), 0xf0);
	assert_int_equal(csr_op(0x340, 3, 0x3c), 0xff);
	assert_int_equal(csr_read(0x340), 0xc3);
	assert_int_equal(csr_op(0x003, 1, 0x1ff), 0);		/* fcsr and its views */
	assert_int_equal(csr_read(0x001), 0x1f);
	assert_int_equal(csr_read(0x002), 7);
	assert_false(g.ctx & CTX_FRM);
	csr_op(0x002, 1, 4);
	assert_true(g.ctx & CTX_FRM);
	assert_int_equal(csr_read(0x003), 0x9f);
	assert_int_equal(g.fp_flags, 0x1f);
	assert_int_equal(g.fp_rm, 4);
}

static void floating_off(void **unused)
{
	(void)unused;
	rig_start(PRIV_M);
	for (u32 n = 1; n <= 3; n++) {
		csr_read(n);
		assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
	}
	state()->mstatus |= 1 << 13;
	csr_read(3);
	assert_int_equal(state()->mstatus & MSTATUS_FS, 1 << 13);
	csr_op(1, 1, 0);
	assert_int_equal(state()->mstatus & MSTATUS_FS, MSTATUS_FS);
	assert_true(g.ctx & CTX_FP_DIRTY);
}

static void legal_values(void **unused)
{
	(void)unused;
	start_fp(PRIV_M);
	csr_op(0x300, 1, 3 << 11);
	csr_op(0x300, 1, 2 << 11);				/* MPP = 2: kept */
	assert_int_equal(BITS(csr_read(0x300), 12, 11), 3);
	csr_op(0x30a, 1, 0x10);
	csr_op(0x30a, 1, 0x20);					/* CBIE = 2: kept */
	assert_int_equal(csr_read(0x30a), 0x10);
	for (u64 mode = 0; mode < 16; mode++) {
		bool legal = mode == 0 || (mode >= 8 && mode <= 10);

		csr_op(0x180, 1, 8ull << 60 | 5);
		csr_op(0x180, 1, mode << 60 | 7);
		assert_int_equal(csr_read(0x180), legal ? mode << 60 | 7 : (8ull << 60 | 5));
	}
	start_fp(PRIV_M);
	g.features = 0;						/* no Sstc, no cache blocks */
	csr_op(0x30a, 1, ~0ull);
	assert_int_equal(csr_read(0x30a), 1);
	csr_read(0x14d);
	assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
	g.features = ~0u;
}

static void counters(void **unused)
{
	(void)unused;
	start_fp(PRIV_M);
	g.icount = 1000;
	g.insns_left = 10;
	csr_op(0xb02, 1, 5);
	g.insns_left = 9;					/* one instruction later */
	assert_int_equal(csr_read(0xb02), 5);
	assert_int_equal(csr_read(0xc02), 5);
	g.insns_left = 2;
	assert_int_equal(csr_read(0xb02), 12);
	csr_op(0x320, 1, 4);					/* stop instret */
	g.insns_left = 0;
	assert_int_equal(csr_read(0xb02), 12);
	csr_op(0xb02, 1, 100);
	assert_int_equal(csr_read(0xb02), 100);
	csr_op(0x320, 1, 0);
	g.icount += 51;
	assert_int_equal(csr_read(0xb02), 150);
	g.icount = 0;
}

static void pending_bits(void **unused)
{
	(void)unused;
	start_fp(PRIV_M);
	gcpu_line(&g, IRQ_SEI, true);
	assert_int_equal(csr_read(0x344), BIT(IRQ_SEI));
	csr_op(0x344, 2, BIT(IRQ_SSI));				/* does not latch the pin */
	gcpu_line(&g, IRQ_SEI, false);
	assert_int_equal(csr_read(0x344), BIT(IRQ_SSI));
	csr_op(0x344, 2, BIT(IRQ_SEI));
	assert_int_equal(csr_read(0x344), BIT(IRQ_SSI) | BIT(IRQ_SEI));
	gcpu_line(&g, IRQ_MEI, true);
	csr_op(0x344, 1, 0);
	assert_int_equal(csr_read(0x344), BIT(IRQ_MEI));
	gcpu_line(&g, IRQ_MEI, false);
	gcpu_line(&g, IRQ_SSI, true);				/* by another hart */
	csr_op(0x303, 1, ~0ull);
	assert_int_equal(csr_read(0x144), BIT(IRQ_SSI));
	csr_op(0x144, 3, BIT(IRQ_SSI));
	assert_int_equal(csr_read(0x344), 0);
}

static _Atomic bool sender_stop;
static u32 lost;

/* Another hart sends IPIs; each must stay until it takes it back. */
static void *send_ipis(void *unused)
{
	while (!atomic_load(&sender_stop)) {
		gcpu_line(&g, IRQ_SSI, true);
		for (u32 k = 0; k < 20; k++)
			host_relax();
		lost += !(atomic_load(&g.lines) & BIT(IRQ_SSI));
		gcpu_line(&g, IRQ_SSI, false);
	}
	return unused;
}

/* csrrs and csrrc of other bits of mip never swallow an SSIP that comes meanwhile. */
static void pending_bits_of_others(void **unused)
{
	pthread_t sender;

	(void)unused;
	start_fp(PRIV_M);
	assert_int_equal(pthread_create(&sender, NULL, send_ipis, NULL), 0);
	for (u32 i = 0; i < 300000; i++) {
		csr_op(0x344, 2, BIT(IRQ_SEI));
		csr_op(0x344, 3, BIT(IRQ_SEI));
	}
	atomic_store(&sender_stop, true);
	pthread_join(sender, NULL);
	assert_int_equal(lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who),          cmocka_unit_test(what_sticks),
		cmocka_unit_test(nothing_else), cmocka_unit_test(operations),
		cmocka_unit_test(floating_off), cmocka_unit_test(legal_values),
		cmocka_unit_test(counters),     cmocka_unit_test(pending_bits),
		cmocka_unit_test(pending_bits_of_others), cmocka_unit_test(translation_modes),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
