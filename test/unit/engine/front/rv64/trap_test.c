/*
 * Traps: every cause from every privilege, delegated or not; interrupts likewise; returns; the
 * timer.
 */
#include "rig.h"

#define HERE 0x80001234ull

static const enum rv64_priv privs[] = { PRIV_U, PRIV_S, PRIV_M };

static void start_at(enum rv64_priv priv)
{
	rig_start(priv);
	state()->pc = HERE;
	state()->mtvec = 0x80002001;			/* vectored */
	state()->stvec = 0x80003001;
}

static void exceptions(void **unused)
{
	(void)unused;
	for (u32 cause = 0; cause < 16; cause++)
		for (u32 p = 0; p < 3; p++)
			for (u32 delegated = 0; delegated < 2; delegated++) {
				struct rv64_state *st = state();
				bool to_s = delegated && privs[p] != PRIV_M;

				start_at(privs[p]);
				st->medeleg = delegated ? BIT(cause) : 0;
				st->mstatus = MSTATUS_SIE | MSTATUS_MIE;
				gcpu_raise(&g, cause, 77);
				gcpu_raise(&g, 31, 1);			/* the first one wins */
				g.excl.host = ram;
				rv64_raise(&g);
				assert_int_equal(st->priv, to_s ? PRIV_S : PRIV_M);
				assert_int_equal(st->pc, to_s ? 0x80003000 : 0x80002000);
				assert_int_equal(to_s ? st->scause : st->mcause, cause);
				assert_int_equal(to_s ? st->sepc : st->mepc, HERE);
				assert_int_equal(to_s ? st->stval : st->mtval, 77);
				assert_int_equal(
					st->mstatus,
					to_s ? MSTATUS_MIE | MSTATUS_SPIE |
							(privs[p] == PRIV_S ? MSTATUS_SPP : 0) :
					       MSTATUS_SIE | MSTATUS_MPIE | (u64)privs[p] << 11);
				assert_int_equal(g.ctx & CTX_PRIV, st->priv);
				assert_false(g.xcpt.pending);
				assert_null(g.excl.host);
			}
}

/* Taken iff pending, enabled, and the target's privilege is above or equal with xIE. */
static void interrupts(void **unused)
{
	static const u8 irqs[] = { IRQ_SSI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_MEI };

	(void)unused;
	for (u32 k = 0; k < 5 * 3 * 16; k++) {
		struct rv64_state *st = state();
		u32 irq = irqs[k % 5], p = k / 5 % 3, bits = k / 15;
		bool delegated = bits & 1, enabled = bits & 2, mie = bits & 4, sie = bits & 8, want;

		start_at(privs[p]);
		delegated &= (BIT(irq) & MIP_S) != 0;
		st->mideleg = delegated ? BIT(irq) : 0;
		st->mie = enabled ? BIT(irq) : 0;
		st->mstatus = (mie ? MSTATUS_MIE : 0) | (sie ? MSTATUS_SIE : 0);
		rv64_ctx_update(&g);
		gcpu_line(&g, irq, true);
		want = enabled && (delegated ? privs[p] == PRIV_U || (privs[p] == PRIV_S && sie) :
						privs[p] != PRIV_M || mie);
		assert_int_equal(rv64_wakes(&g), enabled);
		assert_int_equal(rv64_interrupt(&g), want);
		if (want) {
			assert_int_equal(st->priv, delegated ? PRIV_S : PRIV_M);
			assert_int_equal(delegated ? st->scause : st->mcause,
					 CAUSE_INTERRUPT | irq);
			assert_int_equal(st->pc, (delegated ? 0x80003000 : 0x80002000) + 4 * irq);
			assert_int_equal(delegated ? st->stval : st->mtval, 0);
		} else {
			assert_int_equal(st->pc, HERE);
		}
		gcpu_line(&g, irq, false);
	}
}

static void priorities(void **unused)
{
	static const u8 order[] = { IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI };

	(void)unused;
	start_at(PRIV_U);
	state()->mie = MIP_M | MIP_S;
	state()->mideleg = MIP_S;
	for (u32 i = 0; i < 5; i++)
		gcpu_line(&g, order[i], true);
	for (u32 i = 0; i < 5; i++) {
		state()->priv = PRIV_U;
		assert_true(rv64_interrupt(&g));
		assert_int_equal(i < 3 ? state()->mcause : state()->scause,
				 CAUSE_INTERRUPT | order[i]);
		gcpu_line(&g, order[i], false);
	}
	state()->priv = PRIV_U;
	assert_false(rv64_interrupt(&g));
}

static void returns(void **unused)
{
	(void)unused;
	for (u32 p = 0; p < 3; p++) {
		struct rv64_state *st = state();

		start_at(PRIV_M);
		st->mepc = 0x1000;
		st->mstatus = MSTATUS_MPIE | MSTATUS_MPRV | (u64)privs[p] << 11;
		g.excl.host = ram;
		assert_int_equal(rv64_mret.fn(&g, 0, 0, 0), 0x1000);
		assert_int_equal(st->priv, privs[p]);
		assert_int_equal(st->mstatus, MSTATUS_MIE | MSTATUS_MPIE |
						      (privs[p] == PRIV_M ? MSTATUS_MPRV : 0));
		assert_null(g.excl.host);

		start_at(privs[p]);
		st->sepc = 0x2000;
		st->mstatus = MSTATUS_SPP | MSTATUS_MPRV;
		rv64_sret.fn(&g, 5, 0, 0);
		assert_int_equal(rig_cause(), privs[p] == PRIV_U ? CAUSE_ILLEGAL : -1);
		if (privs[p] != PRIV_U)
			assert_int_equal(st->mstatus, MSTATUS_SPIE);
	}
	start_at(PRIV_S);
	state()->mstatus = MSTATUS_TSR | MSTATUS_TW | MSTATUS_TVM;
	rv64_sret.fn(&g, 0, 0, 0);
	assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
	rv64_wfi.fn(&g, 0, 0, 0);
	assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
	rv64_sfence_vma.fn(&g, 0, 0, 0);
	assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
	rv64_mret.fn(&g, 0, 0, 0);
	assert_int_equal(rig_cause(), CAUSE_ILLEGAL);
}

/* A hart whose trap handler cannot be fetched is given up, not left spinning. */
static void hopeless(void **unused)
{
	struct exit x = { 0 };

	(void)unused;
	start_at(PRIV_M);
	state()->pc = state()->mtvec = 0x1000;
	g.exit = &x;
	gcpu_raise(&g, CAUSE_FETCH_ACCESS, 0x1000);
	rv64_raise(&g);
	assert_true(g.leave);
	assert_int_equal(x.why, EXIT_SHUTDOWN);
	g.exit = NULL;
	g.leave = false;
}

static void timer(void **unused)
{
	struct rv64_state *st = state();
	u64 now;

	(void)unused;
	start_at(PRIV_M);
	gclock_freeze(&guest_clock);
	now = rv64_time(&g);
	st->menvcfg = ENVCFG_STCE;
	st->mie = BIT(IRQ_STI);
	rv64_set_stimecmp(&g, now + 1);
	assert_int_equal(rv64_mip(&g), 0);
	assert_false(rv64_wakes(&g));
	rv64_set_stimecmp(&g, now);
	assert_int_equal(rv64_mip(&g), BIT(IRQ_STI));
	assert_true(rv64_wakes(&g));
	rv64_set_stimecmp(&g, ~0ull);
	assert_false(rv64_wakes(&g));
	g.timer.fire(&g.timer);				/* too early: nothing happens */
	assert_int_equal(rv64_mip(&g), 0);
	atomic_fetch_or(&g.lines, BIT(IRQ_STI));	/* a line that lies */
	assert_false(rv64_wakes(&g));
	st->menvcfg = 0;				/* then STIP is software's */
	rv64_set_stimecmp(&g, 0);
	assert_int_equal(rv64_mip(&g), 0);
	st->mip = BIT(IRQ_STI);
	assert_true(rv64_wakes(&g));
	gclock_thaw(&guest_clock);
	rv64_set_stimecmp(&g, ~0ull);
}

/* Direct start: S-mode as SBI firmware leaves it, calls leave for the hypervisor. */
static void direct_start(void **unused)
{
	struct rv64_state *st = state();

	(void)unused;
	g.firmware = false;
	rv64_start(&g, 0x80200000, 3, 0x82000000, false);
	assert_int_equal(st->priv, PRIV_S);
	assert_int_equal(st->pc, 0x80200000);
	assert_int_equal(st->x[10], 3);
	assert_int_equal(st->x[11], 0x82000000);
	assert_int_equal(st->satp, 0);
	assert_int_equal(st->mideleg, MIP_S);
	assert_true(g.ctx & CTX_SBI);
	assert_int_equal(rv64_pmp(st, PRIV_U, 0, 1ull << 56), PMP_R | PMP_W | PMP_X);
	g.firmware = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exceptions),   cmocka_unit_test(interrupts),
		cmocka_unit_test(priorities),   cmocka_unit_test(returns),
		cmocka_unit_test(hopeless),     cmocka_unit_test(timer),
		cmocka_unit_test(direct_start),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
