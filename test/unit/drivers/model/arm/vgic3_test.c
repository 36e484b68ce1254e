/*
 * The GICv3: registers as IHI 0069 has them, then CPUs that take interrupts through ICC_*. List
 * registers and random behaviour are in vgic3_lr_test.c.
 */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/arm/irq.h"

#define CPUS	4
#define ICC(crn, crm, op2)	(3 << 14 | (crn) << 7 | (crm) << 3 | (op2))

enum { PMR = ICC(4, 6, 0), IAR0 = ICC(12, 8, 0), EOIR0 = ICC(12, 8, 1), HPPIR0 = ICC(12, 8, 2),
       BPR0 = ICC(12, 8, 3), AP0R0 = ICC(12, 8, 4), AP1R0 = ICC(12, 9, 0), DIR = ICC(12, 11, 1),
       RPR = ICC(12, 11, 3), SGI1R = ICC(12, 11, 5), ASGI1R = ICC(12, 11, 6),
       SGI0R = ICC(12, 11, 7), IAR1 = ICC(12, 12, 0), EOIR1 = ICC(12, 12, 1),
       HPPIR1 = ICC(12, 12, 2), BPR1 = ICC(12, 12, 3), CTLR = ICC(12, 12, 4),
       SRE = ICC(12, 12, 5), IGRPEN0 = ICC(12, 12, 6), IGRPEN1 = ICC(12, 12, 7) };
enum { GROUP = 0x80, SET_ENABLE = 0x100, CLEAR_ENABLE = 0x180, SET_PENDING = 0x200,
       CLEAR_PENDING = 0x280, SET_ACTIVE = 0x300, CLEAR_ACTIVE = 0x380, PRIORITY = 0x400,
       CONFIG = 0xc00, ROUTER = 0x6000, WAKER = 0x14 };

static struct dev d;

static u32 rd(u64 off) { return (u32)bench_read(&d, off, 4); }
static void wr(u64 off, u32 val) { bench_write(&d, off, 4, val); }
static u64 redist(u32 cpu) { return GIC_REDIST + cpu * GIC_REDIST_LEN; }
static u64 sgi(u32 cpu) { return redist(cpu) + 0x10000; }
static bool irq(u32 cpu) { return bench_level[1 + 2 * cpu]; }
static bool fiq(u32 cpu) { return bench_level[2 + 2 * cpu]; }

static u64 icc(u32 cpu, u32 reg)
{
	u64 val = 0x5555;

	assert_true(vgic3_sysreg(&d, cpu, reg, false, &val));
	return val;
}

static void set_icc(u32 cpu, u32 reg, u64 val)
{
	assert_true(vgic3_sysreg(&d, cpu, reg, true, &val));
}

static void input(u32 intid, bool level)
{
	lock_take(&bench_lock);
	vgic3_input(&d, intid, level);
	lock_drop(&bench_lock);
}

static int setup_plain(void **state)
{
	bench_open();
	d = bench_dev(&vgic3_model, 0x1000000);
	d.out = bench_out;
	d.outs = 2 * CPUS;
	return dev_create(&d);
}

/* As Linux leaves it: group 1, everything enabled, priority 0xa0. */
static int setup(void **state)
{
	setup_plain(state);
	wr(0, 3);
	for (u32 off = 0; off < GIC_SPIS; off += 4)
		wr(PRIORITY + 32 + off, 0xa0a0a0a0);
	for (u32 n = 1; n <= GIC_SPIS / 32; n++) {
		wr(GROUP + 4 * n, ~0u);
		wr(SET_ENABLE + 4 * n, ~0u);
	}
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		wr(redist(cpu) + WAKER, 0);
		wr(sgi(cpu) + GROUP, ~0u);
		wr(sgi(cpu) + SET_ENABLE, ~0u);
		for (u32 off = 0; off < 32; off += 4)
			wr(sgi(cpu) + PRIORITY + off, 0xa0a0a0a0);
		set_icc(cpu, PMR, 0xf0);
		set_icc(cpu, IGRPEN1, 1);
	}
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

/* ---- registers ---- */

static void identity(void **s)
{
	assert_int_equal(rd(0), 0x50);			/* ARE, DS */
	assert_int_equal(rd(4) & 0x1f, 8);		/* 288 INTIDs */
	assert_int_equal(rd(4) & (1 << 10 | 1 << 17 | 1 << 25), 1 << 25);
	assert_int_equal(rd(0xffe8) & 0xf0, 0x30);
	assert_int_equal(rd(redist(0) + 0xffe8) & 0xf0, 0x30);
	assert_int_equal(rd(8), 0x43b);
	assert_int_equal(bench_read(&d, redist(2) + 8, 8), 0x0000000200000200);
	assert_int_equal(rd(redist(3) + 8), 0x310);	/* Last */
	assert_int_equal(rd(redist(3) + 12), 3);
	assert_int_equal(rd(redist(4) + 8), 0);		/* no such CPU */
	assert_int_equal(rd(0x20000), 0);		/* no such frame */
}

static void banks(void **s)
{
	wr(SET_ENABLE + 4, 0xf0);
	wr(CLEAR_ENABLE + 4, 0x30);
	assert_int_equal(rd(SET_ENABLE + 4), 0xc0);
	assert_int_equal(rd(CLEAR_ENABLE + 4), 0xc0);
	wr(SET_PENDING + 8, 3);
	wr(CLEAR_PENDING + 8, 1);
	assert_int_equal(rd(SET_PENDING + 8), 2);
	wr(SET_ACTIVE + 32, BIT(31));
	assert_int_equal(rd(CLEAR_ACTIVE + 32), BIT(31));
	wr(GROUP + 4, 0x12345678);
	assert_int_equal(rd(GROUP + 4), 0x12345678);
	wr(SET_ENABLE, ~0u);				/* 0 to 31 are the redistributors' */
	assert_int_equal(rd(SET_ENABLE), 0);
	wr(SET_ENABLE + 36, ~0u);			/* and 288 is one too many */
	assert_int_equal(rd(SET_ENABLE + 36), 0);
	wr(sgi(1) + SET_ENABLE, 0xff);
	assert_int_equal(rd(sgi(1) + SET_ENABLE), 0xff);
	assert_int_equal(rd(sgi(0) + SET_ENABLE), 0);
	wr(sgi(1) + SET_ENABLE + 4, 0xff);		/* SPIs are the distributor's */
	assert_int_equal(rd(sgi(1) + SET_ENABLE + 4), 0);
	assert_int_equal(rd(redist(1) + SET_ENABLE), 0);	/* the other frame */
}

static void priorities(void **s)
{
	wr(PRIORITY + 40, 0xa1b2c3ff);
	assert_int_equal(rd(PRIORITY + 40), 0xa0b0c0f8);
	bench_write(&d, PRIORITY + 41, 1, 0x18);
	assert_int_equal(bench_read(&d, PRIORITY + 41, 1), 0x18);
	assert_int_equal(rd(PRIORITY + 40), 0xa0b018f8);
	bench_write(&d, sgi(2) + PRIORITY + 27, 1, 0x80);
	assert_int_equal(rd(sgi(2) + PRIORITY + 24), 0x80000000);
	wr(PRIORITY + 0, ~0u);
	assert_int_equal(rd(PRIORITY + 0), 0);
	wr(PRIORITY + 284, ~0u);
	assert_int_equal(rd(PRIORITY + 284), 0xf8f8f8f8);
	wr(PRIORITY + 288, ~0u);
	assert_int_equal(rd(PRIORITY + 288), 0);
}

static void configuration(void **s)
{
	assert_int_equal(rd(sgi(0) + CONFIG), 0xaaaaaaaa);
	wr(sgi(0) + CONFIG, 0);
	assert_int_equal(rd(sgi(0) + CONFIG), 0xaaaaaaaa);
	wr(sgi(0) + CONFIG + 4, 0x80000002);
	assert_int_equal(rd(sgi(0) + CONFIG + 4), 0x80000002);
	wr(CONFIG + 12, 0xffffffff);			/* 48 to 63 */
	assert_int_equal(rd(CONFIG + 12), 0xaaaaaaaa);
	assert_int_equal(rd(CONFIG + 8), 0);
	assert_int_equal(rd(CONFIG), 0);
}

static void routes(void **s)
{
	bench_write(&d, ROUTER + 8 * 33, 8, 0xffffffffffffffff);
	assert_int_equal(bench_read(&d, ROUTER + 8 * 33, 8), 0xff00ffffff);
	wr(ROUTER + 8 * 34, 2);
	wr(ROUTER + 8 * 34 + 4, 0x101);
	assert_int_equal(bench_read(&d, ROUTER + 8 * 34, 8), 0x0000000100000002);
	bench_write(&d, ROUTER + 8 * 31, 8, 3);
	assert_int_equal(bench_read(&d, ROUTER + 8 * 31, 8), 0);
	bench_write(&d, ROUTER + 8 * 288, 8, 3);
	assert_int_equal(bench_read(&d, ROUTER + 8 * 288, 8), 0);
}

static void other_accesses_do_nothing(void **s)
{
	bench_write(&d, SET_ENABLE + 4, 1, 0xff);
	bench_write(&d, SET_ENABLE + 4, 2, 0xff);
	bench_write(&d, SET_ENABLE + 5, 4, 0xff);
	bench_write(&d, redist(0) + PRIORITY, 1, 0xff);
	assert_int_equal(rd(SET_ENABLE + 4), 0);
	assert_int_equal(bench_read(&d, 4, 2), 0);
	for (u64 off = 0; off < 0x1000000; off += 0xff4) {
		bench_write(&d, off, 8, ~0ull);
		bench_read(&d, off, 4);
	}
}

/* ---- CPUs ---- */

static void a_level(void **s)
{
	input(33, true);
	assert_true(irq(0));
	assert_false(irq(1) || fiq(0));
	assert_int_equal(icc(0, HPPIR1), 33);
	assert_int_equal(icc(0, IAR1), 33);
	assert_false(irq(0));
	assert_int_equal(rd(SET_ACTIVE + 4), 2);
	assert_int_equal(rd(SET_PENDING + 4), 2);	/* its input is still high */
	assert_int_equal(icc(0, RPR), 0xa0);
	assert_int_equal(icc(0, IAR1), 1023);
	set_icc(0, EOIR1, 33);
	assert_true(irq(0));				/* resampled */
	assert_int_equal(icc(0, IAR1), 33);
	input(33, false);
	set_icc(0, EOIR1, 33);
	assert_false(irq(0));
	assert_int_equal(rd(SET_ACTIVE + 4) | rd(SET_PENDING + 4), 0);
	assert_int_equal(icc(0, RPR), 0xff);
	input(33, true);
	input(33, false);				/* gone before it was taken */
	assert_false(irq(0));
	input(31, true);				/* not an SPI */
	input(288, true);
	assert_false(irq(0));
}

static void an_edge(void **s)
{
	wr(CONFIG + 8, 2 << 2);				/* 33 */
	input(33, true);
	input(33, false);
	assert_int_equal(icc(0, IAR1), 33);
	assert_int_equal(rd(SET_PENDING + 4), 0);
	input(33, true);				/* again while it is served */
	assert_false(irq(0));
	set_icc(0, EOIR1, 33);
	assert_true(irq(0));
	assert_int_equal(icc(0, IAR1), 33);
	set_icc(0, EOIR1, 33);
	assert_false(irq(0));
	wr(SET_PENDING + 4, 2);
	assert_true(irq(0));
	wr(CLEAR_PENDING + 4, 2);
	assert_false(irq(0));
}

static void masks(void **s)
{
	input(40, true);
	assert_true(irq(0));
	wr(CLEAR_ENABLE + 4, 1 << 8);
	assert_false(irq(0));
	wr(SET_ENABLE + 4, 1 << 8);
	set_icc(0, PMR, 0xa0);				/* must be below */
	assert_false(irq(0));
	set_icc(0, PMR, 0xa8);
	assert_true(irq(0));
	set_icc(0, IGRPEN1, 0);
	assert_false(irq(0));
	set_icc(0, IGRPEN1, 1);
	wr(0, 1);
	assert_false(irq(0));
	wr(0, 3);
	assert_true(irq(0));
	wr(redist(0) + WAKER, 2);
	assert_int_equal(rd(redist(0) + WAKER), 6);
	assert_false(irq(0));
	wr(redist(0) + WAKER, 0);
	wr(ROUTER + 8 * 40, 2);
	assert_true(irq(2) && !irq(0));
	wr(ROUTER + 8 * 40, 0x102);			/* no such CPU */
	assert_false(irq(2) || irq(0));
	wr(ROUTER + 8 * 40, 16);
	assert_false(irq(2) || irq(0));
}

static void preemption(void **s)
{
	wr(PRIORITY + 60, 0x40508090);			/* 60: 0x90 ... 63: 0x40 */
	wr(SET_PENDING + 4, 3 << 28);
	assert_int_equal(icc(0, IAR1), 61);
	assert_int_equal(icc(0, IAR1), 1023);
	wr(SET_PENDING + 4, 1u << 31);
	assert_int_equal(icc(0, IAR1), 63);
	assert_int_equal(icc(0, AP1R0), BIT(0x80 / 8) | BIT(0x40 / 8));
	assert_int_equal(icc(0, RPR), 0x40);
	set_icc(0, EOIR1, 63);
	assert_int_equal(icc(0, RPR), 0x80);
	set_icc(0, BPR1, 6);				/* only bits 7:6 preempt */
	assert_int_equal(icc(0, BPR1), 6);
	wr(SET_PENDING + 4, 1u << 30);			/* 0x50 is in 0x40's class */
	assert_int_equal(icc(0, IAR1), 62);
	assert_int_equal(icc(0, RPR), 0x40);
	wr(SET_PENDING + 4, 1u << 31);
	assert_int_equal(icc(0, IAR1), 1023);
	set_icc(0, BPR1, 0);
	assert_int_equal(icc(0, BPR1), 3);
	assert_int_equal(icc(0, IAR1), 1023);		/* 0x40 does not preempt 0x40 */
	set_icc(0, CTLR, 1);				/* CBPR */
	assert_int_equal(icc(0, BPR1), 3);
	set_icc(0, BPR0, 7);
	set_icc(0, BPR1, 3);				/* ignored now */
	assert_int_equal(icc(0, BPR1), 7);
}

static void drop_and_deactivate(void **s)
{
	set_icc(0, CTLR, 2);				/* EOImode */
	assert_int_equal(icc(0, CTLR), 0x402);
	wr(SET_PENDING + 4, 3);
	assert_int_equal(icc(0, IAR1), 32);
	set_icc(0, EOIR1, 32);
	assert_int_equal(icc(0, RPR), 0xff);
	assert_int_equal(rd(SET_ACTIVE + 4), 1);
	assert_int_equal(icc(0, IAR1), 33);
	set_icc(0, DIR, 32);
	assert_int_equal(rd(SET_ACTIVE + 4), 2);
	set_icc(1, CTLR, 2);
	set_icc(1, DIR, 33);				/* any CPU may */
	assert_int_equal(rd(SET_ACTIVE + 4), 0);
	set_icc(0, EOIR1, 1023);
	set_icc(0, DIR, 1023);
	set_icc(0, DIR, 0xffffff);
}

static void group_0(void **s)
{
	wr(GROUP + 4, ~1u);
	set_icc(0, IGRPEN0, 1);
	input(32, true);
	assert_true(fiq(0) && !irq(0));
	assert_int_equal(icc(0, IAR1), 1023);
	assert_int_equal(icc(0, HPPIR1), 1023);
	assert_int_equal(icc(0, HPPIR0), 32);
	assert_int_equal(icc(0, IAR0), 32);
	assert_int_equal(icc(0, AP0R0), BIT(0xa0 / 8));
	set_icc(0, EOIR1, 32);				/* the wrong register drops nothing */
	assert_int_equal(icc(0, RPR), 0xa0);
	set_icc(0, EOIR0, 32);
	assert_int_equal(icc(0, RPR), 0xff);
	assert_true(fiq(0));
	wr(0, 2);
	assert_false(fiq(0));
}

static void sgis(void **s)
{
	set_icc(0, SGI1R, (u64)5 << 24 | 0xe);		/* 1, 2, 3 */
	assert_true(!irq(0) && irq(1) && irq(2) && irq(3));
	assert_int_equal(icc(1, IAR1), 5);
	assert_false(irq(1));
	set_icc(1, EOIR1, 5);
	set_icc(2, SGI1R, BIT(40) | 7 << 24);		/* all but myself */
	assert_true(irq(0) && irq(1));
	assert_int_equal(rd(sgi(2) + SET_PENDING), BIT(5));
	assert_int_equal(rd(sgi(3) + SET_PENDING), BIT(5) | BIT(7));
	set_icc(0, SGI1R, 3 << 24 | 1);			/* to oneself */
	assert_int_equal(icc(0, IAR1), 3);
	set_icc(0, SGI1R, 1 << 24 | 1 << 16 | 1);	/* no such cluster */
	set_icc(0, SGI1R, BIT(44) | 1 << 24 | 1);	/* no such range */
	set_icc(0, SGI1R, 1 << 24 | 0xfff0);		/* no such CPUs */
	set_icc(0, SGI0R, 1 << 24 | 1);			/* not of that group */
	set_icc(0, ASGI1R, 1 << 24 | 1);
	assert_int_equal(rd(sgi(0) + SET_PENDING), BIT(7));
	wr(sgi(0) + GROUP, ~2u);
	set_icc(0, SGI0R, 1 << 24 | 1);
	assert_int_equal(rd(sgi(0) + SET_PENDING), BIT(7) | BIT(1));
}

static void ppis(void **s)
{
	vgic3_ppi(&d, 2, 27, true);
	assert_true(irq(2) && !irq(0));
	assert_int_equal(icc(2, IAR1), 27);
	vgic3_ppi(&d, 2, 27, false);
	set_icc(2, EOIR1, 27);
	assert_false(irq(2));
	vgic3_ppi(&d, 2, 15, true);
	vgic3_ppi(&d, 2, 32, true);
	vgic3_ppi(&d, 99, 27, true);
	assert_false(irq(2));
}

static void unknown_registers(void **s)
{
	u64 val = 0;

	assert_false(vgic3_sysreg(&d, 0, ICC(12, 8, 5), false, &val));	/* AP0R1 */
	assert_false(vgic3_sysreg(&d, 0, IAR1, true, &val));
	assert_false(vgic3_sysreg(&d, 0, EOIR1, false, &val));
	assert_false(vgic3_sysreg(&d, 0, 0, false, &val));
	assert_false(vgic3_sysreg(&d, CPUS, IAR1, false, &val));
	assert_int_equal(icc(0, SRE), 7);
	set_icc(0, SRE, 0);
	assert_int_equal(icc(0, SRE), 7);
}

static void resets(void **s)
{
	input(33, true);
	icc(0, IAR1);
	vgic3_reset_cpu(&d, 0);
	assert_int_equal(icc(0, RPR), 0xff);
	assert_int_equal(icc(0, PMR) | icc(0, IGRPEN1), 0);
	assert_int_equal(rd(SET_ACTIVE + 4), 2);	/* that is not the CPU's */
	vgic3_reset_cpu(&d, 99);
	dev_reset(&d);
	assert_int_equal(rd(0), 0x50);
	assert_int_equal(rd(SET_ACTIVE + 4) | rd(SET_ENABLE + 4) | rd(GROUP + 4), 0);
	assert_int_equal(rd(SET_PENDING + 4), 2);	/* the input is high */
	assert_int_equal(rd(redist(3) + WAKER), 6);
	assert_false(irq(0));
}

static void too_many_cpus(void **s)
{
	struct dev bad = d;

	bad.outs = 2 * GIC_CPUS + 2;
	assert_int_equal(bad.model->attach(&bad), E_RANGE);
	bad.outs = 3;
	assert_int_equal(bad.model->attach(&bad), E_RANGE);
}

int main(void)
{
#define P(f) cmocka_unit_test_setup_teardown(f, setup_plain, teardown)
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		P(identity), P(banks), P(priorities), P(configuration), P(routes),
		P(other_accesses_do_nothing),
		T(a_level), T(an_edge), T(masks), T(preemption), T(drop_and_deactivate),
		T(group_0), T(sgis), T(ppis), T(unknown_registers), T(resets), T(too_many_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
