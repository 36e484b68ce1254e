/* The local APICs: modes, priorities, IPIs of every kind, messages, timer; Intel SDM 3A, 11. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/irq.h"

enum { ID = 0x20, VER = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0,
       SVR = 0xf0, ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR2 = 0x310,
       LVTT = 0x320, LVT0 = 0x350, LVTERR = 0x370, TMICT = 0x380, TMCCT = 0x390, DCR = 0x3e0 };
enum { MSR_BASE = 0x1b, MSR_DEADLINE = 0x6e0, X2 = 0x800, EN = 0x800, EXTD = 0x400 };
enum { FIXED = 0x000, LOWEST = 0x100, NMI = 0x400, INIT = 0x500, SIPI = 0x600, LOGICAL = 0x800,
       SELF = 1 << 18, ALL = 2 << 18, OTHERS = 3 << 18 };

#define CPUS	20
#define VECTOR	0x51

static struct dev d, io, pic;
static bool level[CPUS * LAPIC_LINES];
static struct irq_line outs[CPUS * LAPIC_LINES];
static u32 here;			/* the CPU that accesses */
static bool rests;			/* a CPU can be started */
static struct { u32 cpu, page, count; } started;

static void out_set(void *ctl, u32 input, bool l) { level[input] = l; }
static u32 cpu_here(void *vm) { return here; }

static bool start(void *ctx, u32 cpu, u8 page)
{
	started.cpu = cpu;
	started.page = page;
	started.count++;
	return rests;
}

static struct lapic_board board = { .ioapic = &io, .pic = &pic, .start = start };

static bool wrmsr(u32 cpu, u32 msr, u64 val) { return vlapic_msr(&d, cpu, msr, true, &val); }
static bool rdmsr(u32 cpu, u32 msr, u64 *val) { return vlapic_msr(&d, cpu, msr, false, val); }

static u32 rd(u32 cpu, u32 off)
{
	here = cpu;
	return (u32)bench_read(&d, off, 4);
}

static void wr(u32 cpu, u32 off, u32 val)
{
	here = cpu;
	bench_write(&d, off, 4, val);
}

static bool intr(u32 cpu) { return level[LAPIC_LINES * cpu + LAPIC_INTR]; }
static bool nmi(u32 cpu) { return level[LAPIC_LINES * cpu + LAPIC_NMI]; }
static bool init(u32 cpu) { return level[LAPIC_LINES * cpu + LAPIC_INIT]; }

static void ipi(u32 cpu, u32 dest, u32 icr)
{
	wr(cpu, ICR2, dest << 24);
	wr(cpu, ICR, icr);
}

static void msi(u64 addr, u32 data)
{
	lock_take(&bench_lock);
	vlapic_msi(&d, addr, data);
	lock_drop(&bench_lock);
}

/* Exactly the CPUs in @set have @vector; it is accepted and ended. */
static void expect_at(u32 set, u8 vector)
{
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(intr(cpu), set >> cpu & 1);
		if (!(set >> cpu & 1))
			continue;
		assert_int_equal(vlapic_accept(&d, cpu), vector);
		assert_false(intr(cpu));
		if (!wrmsr(cpu, X2 + 0xb, 0))
			wr(cpu, EOI, 0);
	}
}

static void to_x2(void)
{
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		assert_true(wrmsr(cpu, MSR_BASE, LAPIC_BASE | EN | EXTD | (cpu ? 0 : 0x100)));
}

static void create(struct dev *dev, struct dev init_dev)
{
	*dev = init_dev;
	assert_int_equal(dev_create(dev), OK);
}

static int setup(void **state)
{
	struct dev l;

	bench_open();
	memset(level, 0, sizeof(level));
	for (u32 i = 0; i < ARRAY_LEN(outs); i++)
		outs[i] = (struct irq_line){ out_set, NULL, i };
	started.count = 0;
	rests = true;
	l = bench_dev(&vlapic_model, PAGE_SIZE);
	l.base = LAPIC_BASE;
	l.out = outs;
	l.outs = ARRAY_LEN(outs);
	l.cpu = cpu_here;
	l.port.any = &board;
	create(&d, l);
	l = bench_dev(&vioapic_model, PAGE_SIZE);
	l.port.any = &d;
	create(&io, l);
	l = bench_port_dev(&vpic_model, NULL);
	l.irq = (struct irq_line){ vlapic_lint0, &d, 0 };
	create(&pic, l);
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		wr(cpu, SVR, 0x1ff);
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&pic);
	dev_destroy(&io);
	dev_destroy(&d);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void after_reset(void **state)
{
	u64 base;

	dev_reset(&d);
	for (u32 cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(rd(cpu, ID), cpu << 24);
		assert_int_equal(rd(cpu, VER), 0x50014);
		assert_int_equal(rd(cpu, SVR), 0xff);
		assert_int_equal(rd(cpu, DFR), 0xffffffff);
		for (u32 lvt = LVTT; lvt <= LVTERR; lvt += 0x10)
			assert_int_equal(rd(cpu, lvt), 0x10000);
		assert_true(rdmsr(cpu, MSR_BASE, &base));
		assert_int_equal(base, cpu ? 0xfee00800 : 0xfee00900);
	}
	wr(0, LVTT, 0x31);			/* stays masked while the APIC is off by software */
	assert_int_equal(rd(0, LVTT), 0x10031);
	ipi(1, 0, VECTOR);
	expect_at(0, 0);
}

static void switching_by_software_masks(void **state)
{
	wr(0, LVTT, 0x31);
	assert_int_equal(rd(0, LVTT), 0x31);
	ipi(1, 0, VECTOR);
	wr(0, SVR, 0xff);
	assert_int_equal(rd(0, LVTT), 0x10031);
	expect_at(1, VECTOR);			/* what was pending is still delivered */
}

static void priorities(void **state)
{
	ipi(0, 0, SELF | 0x41);
	ipi(0, 0, SELF | 0x62);
	ipi(0, 0, SELF | 0x65);
	assert_int_equal(rd(0, IRR + 0x20), 1 << 1);
	assert_int_equal(rd(0, IRR + 0x30), 1 << 2 | 1 << 5);
	assert_int_equal(vlapic_accept(&d, 0), 0x65);
	assert_int_equal(rd(0, ISR + 0x30), 1 << 5);
	assert_int_equal(rd(0, PPR), 0x60);
	assert_false(intr(0));			/* 0x62: the same class */
	ipi(0, 0, SELF | 0x70);
	assert_int_equal(vlapic_accept(&d, 0), 0x70);
	assert_int_equal(vlapic_accept(&d, 0), -1);
	wr(0, EOI, 0);
	assert_int_equal(rd(0, PPR), 0x60);
	wr(0, EOI, 0);
	assert_int_equal(vlapic_accept(&d, 0), 0x62);
	wr(0, EOI, 0);
	vlapic_set_tpr(&d, 0, 4);
	assert_int_equal(rd(0, TPR), 0x40);
	assert_int_equal(vlapic_tpr(&d, 0), 4);
	assert_false(intr(0));
	wr(0, TPR, 0x3f);
	assert_int_equal(rd(0, PPR), 0x3f);
	assert_int_equal(vlapic_accept(&d, 0), 0x41);
	wr(0, EOI, 0);
	wr(0, EOI, 0);				/* nothing to end */
}

static void destinations(void **state)
{
	ipi(3, 5, VECTOR);
	expect_at(1 << 5, VECTOR);
	ipi(3, 99, VECTOR);
	expect_at(0, 0);
	ipi(3, 0xff, VECTOR);
	expect_at(MASK(CPUS), VECTOR);
	ipi(3, 1, SELF | VECTOR);
	expect_at(1 << 3, VECTOR);
	ipi(3, 1, ALL | VECTOR);
	expect_at(MASK(CPUS), VECTOR);
	ipi(3, 1, OTHERS | VECTOR);
	expect_at(MASK(CPUS) & ~(1u << 3), VECTOR);
	for (u32 cpu = 0; cpu < 8; cpu++)
		wr(cpu, LDR, 1u << (24 + cpu));
	ipi(3, 0x82, LOGICAL | VECTOR);
	expect_at(0x82, VECTOR);
	for (u32 cpu = 0; cpu < 8; cpu++) {
		wr(cpu, DFR, 0x0fffffff);
		wr(cpu, LDR, (cpu / 4) << 28 | 1u << (24 + cpu % 4));
	}
	ipi(3, 0x15, LOGICAL | VECTOR);
	expect_at(1 << 4 | 1 << 6, VECTOR);
	ipi(3, 0x0f, LOGICAL | VECTOR);
	expect_at(0x0f, VECTOR);
}

static void x2apic_destinations(void **state)
{
	u64 val;

	to_x2();
	assert_true(rdmsr(17, X2 + 2, &val));
	assert_int_equal(val, 17);
	assert_true(rdmsr(17, X2 + 0xd, &val));
	assert_int_equal(val, 1 << 16 | 2);
	assert_true(wrmsr(0, X2 + 0x30, 17ull << 32 | VECTOR));
	expect_at(1 << 17, VECTOR);
	assert_true(rdmsr(0, X2 + 0x30, &val));
	assert_int_equal(val, 17ull << 32 | VECTOR);
	assert_true(wrmsr(0, X2 + 0x30, (1ull << 16 | 0x5) << 32 | LOGICAL | VECTOR));
	expect_at(1 << 16 | 1 << 18, VECTOR);
	assert_true(wrmsr(0, X2 + 0x30, 0x0201ull << 32 | LOGICAL | VECTOR));
	expect_at(1 | 1 << 9, VECTOR);
	assert_true(wrmsr(0, X2 + 0x30, 0xffffffffull << 32 | VECTOR));
	expect_at(MASK(CPUS), VECTOR);
	assert_true(wrmsr(0, X2 + 0x30, 0xffull << 32 | VECTOR));
	expect_at(0, 0);			/* CPU 255 */
	assert_true(wrmsr(4, X2 + 0x3f, VECTOR));
	expect_at(1 << 4, VECTOR);
	msi(LAPIC_BASE | 19 << 12, VECTOR);
	expect_at(1 << 19, VECTOR);
	msi(LAPIC_BASE | 0xff << 12, VECTOR);
	expect_at(MASK(CPUS), VECTOR);
}

static void lowest_priority_takes_turns(void **state)
{
	u32 set = 0;

	for (u32 i = 0; i < CPUS; i++) {
		msi(LAPIC_BASE | 0xff << 12, LOWEST | VECTOR);
		for (u32 cpu = 0; cpu < CPUS; cpu++)
			if (intr(cpu)) {
				assert_int_equal(vlapic_accept(&d, cpu), VECTOR);
				wr(cpu, EOI, 0);
				set |= 1u << cpu;
			}
	}
	assert_int_equal(set, MASK(CPUS));
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		wr(cpu, TPR, cpu == 7 ? 0 : 0x20);
	msi(LAPIC_BASE | 0xff << 12, LOWEST | VECTOR);
	msi(LAPIC_BASE | 0xff << 12, LOWEST | VECTOR);
	expect_at(1 << 7, VECTOR);
}

static void nmi_init_and_start(void **state)
{
	ipi(1, 0xff, NMI);
	assert_true(nmi(0) && !nmi(1));		/* the others wait to be started */
	ipi(0, 1, SIPI | 0x9a);			/* CPU 1 waits since power-on */
	assert_int_equal(started.count, 1);
	assert_int_equal(started.cpu, 1);
	assert_int_equal(started.page, 0x9a);
	ipi(0, 1, SIPI | 0x9b);			/* not any more */
	assert_int_equal(started.count, 1);
	wr(1, TPR, 0x50);
	ipi(0, 1, 0x8000 | INIT);		/* level de-assert: nothing */
	assert_false(init(1));
	ipi(0, 1, 0x4000 | INIT);
	assert_true(init(1));
	assert_int_equal(rd(1, TPR), 0);
	assert_int_equal(rd(1, SVR), 0xff);
	rests = false;
	ipi(0, 1, SIPI | 0x9c);			/* too early */
	rests = true;
	ipi(0, 1, SIPI | 0x9d);
	assert_int_equal(started.page, 0x9d);
	assert_int_equal(started.count, 3);
	ipi(0, 0, 0x4000 | ALL | INIT);
	assert_true(init(0));
	assert_false(init(2));			/* it waits already */
	ipi(0, 0, SIPI | 1);
	assert_int_equal(started.count, 3);
}

static void level_messages_reach_the_ioapic_when_they_end(void **state)
{
	bench_write(&io, 0, 4, 0x10 + 2 * 5 + 1);
	bench_write(&io, 0x10, 4, 3u << 24);
	bench_write(&io, 0, 4, 0x10 + 2 * 5);
	bench_write(&io, 0x10, 4, 0x8000 | VECTOR);
	vioapic_input(&io, 5, true);
	assert_int_equal(bench_read(&io, 0x10, 4), 0xc000 | VECTOR);
	assert_int_equal(vlapic_accept(&d, 3), VECTOR);
	assert_int_equal(rd(3, TMR + 0x20), 1 << (VECTOR % 32));
	assert_false(intr(3));
	wr(3, EOI, 0);				/* still high: again */
	assert_true(intr(3));
	assert_int_equal(vlapic_accept(&d, 3), VECTOR);
	vioapic_input(&io, 5, false);
	wr(3, EOI, 0);
	assert_false(intr(3));
	assert_int_equal(bench_read(&io, 0x10, 4), 0x8000 | VECTOR);
	ipi(0, 3, VECTOR);			/* now an edge */
	assert_int_equal(rd(3, TMR + 0x20), 0);
	expect_at(1 << 3, VECTOR);
}

static void virtual_wire(void **state)
{
	static const u8 init_words[] = { 0x11, 0x20, 0x04, 0x01 };

	bench_out_to(0x20, 1, init_words[0]);
	for (u32 i = 1; i < 4; i++)
		bench_out_to(0x21, 1, init_words[i]);
	wr(0, LVT0, 0x700);
	vpic_input(&pic, 4, true);
	assert_true(intr(0) && !intr(1));
	ipi(0, 0, SELF | 0xf0);
	assert_int_equal(vlapic_accept(&d, 0), 0x24);
	assert_int_equal(vlapic_accept(&d, 0), 0xf0);
	assert_false(intr(0));
	wr(0, LVT0, 0x10700);
	bench_out_to(0x20, 1, 0x20);
	vpic_input(&pic, 4, false);
	vpic_input(&pic, 4, true);
	assert_false(intr(0));
	assert_true(wrmsr(0, MSR_BASE, LAPIC_BASE | 0x100));	/* off: the pin is INTR */
	assert_true(intr(0));
	assert_int_equal(vlapic_accept(&d, 0), 0x24);
	bench_out_to(0x20, 1, 0x20);
	assert_true(wrmsr(0, MSR_BASE, LAPIC_BASE | 0x100 | EN));
	wr(0, SVR, 0x1ff);
	wr(0, LVT0, VECTOR);			/* fixed */
	vpic_input(&pic, 4, false);
	vpic_input(&pic, 4, true);
	expect_at(1, VECTOR);
}

static void base_transitions(void **state)
{
	static const u64 modes[] = { 0, EN, EN | EXTD, EXTD };
	static const bool legal[4][4] = {	/* from, to */
		{ 1, 1, 0, 0 }, { 1, 1, 1, 0 }, { 1, 0, 1, 0 },
	};
	u64 val;

	for (u32 from = 0; from < 3; from++)
		for (u32 to = 0; to < 4; to++) {
			dev_reset(&d);
			if (from == 2)
				assert_true(wrmsr(1, MSR_BASE, LAPIC_BASE | EN | EXTD));
			else
				assert_true(wrmsr(1, MSR_BASE, LAPIC_BASE | modes[from]));
			assert_int_equal(wrmsr(1, MSR_BASE, LAPIC_BASE | modes[to]),
					 legal[from][to]);
			assert_true(rdmsr(1, MSR_BASE, &val));
			assert_int_equal(val, LAPIC_BASE | modes[legal[from][to] ? to : from]);
		}
	dev_reset(&d);
	assert_false(wrmsr(0, MSR_BASE, 0xfed00000 | EN));
	assert_false(wrmsr(0, MSR_BASE, LAPIC_BASE | EN | 1));
	assert_false(wrmsr(0, MSR_BASE, LAPIC_BASE | EN | 1ull << 63));
	assert_true(wrmsr(0, MSR_BASE, LAPIC_BASE | EN));	/* BSP cannot be given up */
	assert_true(rdmsr(0, MSR_BASE, &val));
	assert_int_equal(val, LAPIC_BASE | EN | 0x100);
	assert_true(wrmsr(0, MSR_BASE, LAPIC_BASE));
	assert_int_equal(rd(0, VER), 0xffffffff);
	ipi(1, 0, VECTOR);
	assert_false(intr(0));
	assert_false(rdmsr(0, X2 + 2, &val));
}

static void x2apic_faults(void **state)
{
	static const u8 readable[] = { 2, 3, 8, 0xa, 0xd, 0xf, 0x28, 0x30, 0x32, 0x33, 0x34, 0x35,
				       0x36, 0x37, 0x38, 0x39, 0x3e };
	static const u8 writable[] = { 8, 0xb, 0xf, 0x28, 0x30, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
				       0x38, 0x3e, 0x3f };
	u64 val;

	assert_false(rdmsr(0, X2 + 2, &val));	/* xAPIC mode */
	to_x2();
	assert_int_equal(rd(0, VER), 0xffffffff);
	for (u32 i = 0; i < 0x100; i++) {
		bool r = memchr(readable, (int)i, sizeof(readable)) != NULL;
		bool w = memchr(writable, (int)i, sizeof(writable)) != NULL;

		assert_int_equal(rdmsr(0, X2 + i, &val), r || (i >= 0x10 && i < 0x28));
		assert_int_equal(wrmsr(0, X2 + i, 0), w);
		if (i != 0x30)
			assert_false(wrmsr(0, X2 + i, 1ull << 32));
	}
	assert_false(wrmsr(0, X2 + 0xb, 1));
	assert_false(wrmsr(0, X2 + 0x28, 1));
	assert_false(wrmsr(0, X2 + 8, 0x100));
	assert_false(wrmsr(0, X2 + 0x32, 1 << 19));
	assert_false(wrmsr(0, X2 + 0x30, 1 << 20));
}

static void errors(void **state)
{
	wr(0, LVTERR, 0xe0);
	ipi(0, 1, 5);				/* illegal vector */
	assert_int_equal(rd(0, ESR), 0);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x20);
	expect_at(1, 0xe0);
	rd(0, 0x40);				/* no such register */
	rd(0, 0x40);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x80);
	expect_at(1, 0xe0);
	wr(0, LVTERR, 3);			/* its own vector is illegal */
	msi(LAPIC_BASE, 7);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x40);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0);
	expect_at(0, 0);
}

static void one_shot(void **state)
{
	wr(0, DCR, 0xb);			/* by 1 */
	wr(0, LVTT, VECTOR);
	wr(0, TMICT, 1000000);
	assert_int_equal(rd(0, TMCCT), 1000000);
	bench_pass(400000);
	assert_int_equal(rd(0, TMCCT), 600000);
	bench_pass(599999);
	assert_false(intr(0));
	bench_pass(1);
	expect_at(1, VECTOR);
	assert_int_equal(rd(0, TMCCT), 0);
	bench_pass(NS_PER_SEC);
	expect_at(0, 0);
	wr(0, DCR, 0x3);			/* by 16 */
	wr(0, TMICT, 1000);
	bench_pass(8000);
	assert_int_equal(rd(0, TMCCT), 500);
	wr(0, DCR, 0x0);			/* by 2: the rest goes faster */
	bench_pass(1000);
	expect_at(1, VECTOR);
	wr(0, TMICT, 1000);
	wr(0, TMICT, 0);
	bench_pass(NS_PER_SEC);
	expect_at(0, 0);
}

static void periodic(void **state)
{
	wr(2, DCR, 0xb);
	wr(2, LVTT, 1 << 17 | VECTOR);
	wr(2, TMICT, 1000000);
	for (u32 i = 0; i < 10; i++) {
		bench_pass(NS_PER_MS);
		expect_at(1 << 2, VECTOR);
	}
	wr(2, LVTT, 1 << 16 | 1 << 17 | VECTOR);	/* masked, it goes on */
	bench_pass(10 * NS_PER_MS + 250000);
	expect_at(0, 0);
	assert_int_equal(rd(2, TMCCT), 750000);
	wr(2, LVTT, 1 << 17 | VECTOR);
	wr(2, TMICT, 1);			/* a nanosecond: not that often */
	bench_pass(NS_PER_MS);
	expect_at(1 << 2, VECTOR);
}

static void tsc_deadline(void **state)
{
	u64 val, now = gclock_now(&bench_clock);

	assert_true(wrmsr(1, MSR_DEADLINE, now + 100));
	assert_true(rdmsr(1, MSR_DEADLINE, &val));
	assert_int_equal(val, 0);		/* not in this mode */
	wr(1, LVTT, 2 << 17 | VECTOR);
	assert_true(wrmsr(1, MSR_DEADLINE, now + 100));
	assert_true(rdmsr(1, MSR_DEADLINE, &val));
	assert_int_equal(val, now + 100);
	wr(1, TMICT, 5);
	assert_int_equal(rd(1, TMICT) | rd(1, TMCCT), 0);
	bench_pass(99);
	assert_false(intr(1));
	bench_pass(1);
	expect_at(1 << 1, VECTOR);
	assert_true(rdmsr(1, MSR_DEADLINE, &val));
	assert_int_equal(val, 0);
	assert_true(wrmsr(1, MSR_DEADLINE, 1));	/* in the past */
	expect_at(1 << 1, VECTOR);
	assert_true(wrmsr(1, MSR_DEADLINE, now + 1000));
	assert_true(wrmsr(1, MSR_DEADLINE, 0));
	assert_true(wrmsr(1, MSR_DEADLINE, UINT64_MAX));
	wr(1, LVTT, VECTOR);			/* leaving the mode disarms */
	bench_pass(NS_PER_SEC);
	expect_at(0, 0);
}

static void random_accesses(void **state)
{
	u64 seed = 1, val;

	for (u32 i = 0; i < 200000; i++) {
		u64 r = seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		u32 len = 1u << (r >> 60 & 3), off = (u32)(r >> 20) & 0xfff;

		here = (u32)(r >> 40) % (CPUS + 1);
		off = MIN(off & (i % 4 ? 0x3f0 : 0xfff), 0x1000 - len);
		val = r >> 7 & (i % 8 ? 0xfffff : ~0ull);
		if (r >> 58 & 1)
			bench_write(&d, off, len, val);
		else
			bench_read(&d, off, len);
		if (here < CPUS && !(i % 16))
			vlapic_msr(&d, here, i % 64 ? X2 + off / 16 : MSR_BASE, r >> 57 & 1, &val);
		if (here < CPUS && !(i % 32))
			vlapic_accept(&d, here);
		if (!(i % 64))
			msi(LAPIC_BASE | (r & 0xfffff), (u32)r);
		if (!(i % 256))
			bench_pass(r & 0xfffff);
		if (!(i % 50000))
			dev_reset(&d);
	}
}

static void refuses(void **state)
{
	struct dev bad = d;

	bad.outs = 4;
	assert_int_equal(dev_create(&bad), E_RANGE);
	bad.outs = (LAPIC_CPUS + 1) * LAPIC_LINES;
	assert_int_equal(dev_create(&bad), E_RANGE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(after_reset),
		T(switching_by_software_masks),
		T(priorities),
		T(destinations),
		T(x2apic_destinations),
		T(lowest_priority_takes_turns),
		T(nmi_init_and_start),
		T(level_messages_reach_the_ioapic_when_they_end),
		T(virtual_wire),
		T(base_transitions),
		T(x2apic_faults),
		T(errors),
		T(one_shot),
		T(periodic),
		T(tsc_deadline),
		T(random_accesses),
		T(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
