/* The I/O APIC: registers, edges, levels and their end; 82093AA. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/irq.h"

enum { SEL = 0, WIN = 0x10, EOI_REG = 0x40 };
enum { LOGICAL = 1 << 11, REMOTE_IRR = 1 << 14, LEVEL = 1 << 15, MASKED = 1 << 16 };

#define CPUS	4
#define VECTOR	0x61

static struct dev lapic, d;
static bool level[CPUS * LAPIC_LINES];
static struct irq_line outs[CPUS * LAPIC_LINES];
static struct lapic_board board = { .ioapic = &d };

static void out_set(void *ctl, u32 input, bool l) { level[input] = l; }

static u32 rd(u32 reg)
{
	bench_write(&d, SEL, 4, reg);
	return (u32)bench_read(&d, WIN, 4);
}

static void wr(u32 reg, u32 val)
{
	bench_write(&d, SEL, 4, reg);
	bench_write(&d, WIN, 4, val);
}

static void route(u32 pin, u32 cpu, u32 low)
{
	wr(0x11 + 2 * pin, cpu << 24);
	wr(0x10 + 2 * pin, low);
}

static bool intr(u32 cpu) { return level[LAPIC_LINES * cpu + LAPIC_INTR]; }

static void eoi(u32 cpu)
{
	vlapic_write_page(&lapic, cpu, 0xb0, 0);
}

static int setup(void **state)
{
	bench_open();
	memset(level, 0, sizeof(level));
	for (u32 i = 0; i < ARRAY_LEN(outs); i++)
		outs[i] = (struct irq_line){ out_set, NULL, i };
	lapic = bench_dev(&vlapic_model, PAGE_SIZE);
	lapic.base = LAPIC_BASE;
	lapic.out = outs;
	lapic.outs = ARRAY_LEN(outs);
	lapic.port.any = &board;
	assert_int_equal(dev_create(&lapic), OK);
	d = bench_dev(&vioapic_model, PAGE_SIZE);
	d.port.any = &lapic;
	assert_int_equal(dev_create(&d), OK);
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		vlapic_write_page(&lapic, cpu, 0xf0, 0x1ff);
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&d);
	dev_destroy(&lapic);
	bench_close();
	return 0;
}

static void registers(void **state)
{
	assert_int_equal(rd(1), 0x00170020);
	wr(0, 0xffffffff);
	assert_int_equal(rd(0), 0x0f000000);
	assert_int_equal(rd(2), 0x0f000000);
	for (u32 pin = 0; pin < IOAPIC_PINS; pin++) {
		assert_int_equal(rd(0x10 + 2 * pin), MASKED);
		assert_int_equal(rd(0x11 + 2 * pin), 0);
		wr(0x11 + 2 * pin, 0xffffffff);
		assert_int_equal(rd(0x11 + 2 * pin), 0xff000000);
		wr(0x10 + 2 * pin, 0xffffffff);
		assert_int_equal(rd(0x10 + 2 * pin), 0x1afff);
	}
	wr(0x40, 1);
	assert_int_equal(rd(0x40) | rd(0xff) | rd(3), 0);
	assert_int_equal(bench_read(&d, SEL, 4), 3);
	assert_int_equal(bench_read(&d, 0x44, 4), 0);
}

static void edges(void **state)
{
	vioapic_input(&d, 4, true);		/* masked: lost */
	vioapic_input(&d, 4, false);
	route(4, 2, VECTOR);
	assert_false(intr(2));
	vioapic_input(&d, 4, true);
	assert_true(intr(2));
	assert_int_equal(vlapic_accept(&lapic, 2), VECTOR);
	vioapic_input(&d, 4, true);		/* no change, no edge */
	eoi(2);
	assert_false(intr(2));
	vioapic_input(&d, 4, false);
	vioapic_input(&d, 4, true);
	assert_int_equal(vlapic_accept(&lapic, 2), VECTOR);
	vioapic_input(&d, 24, true);
	vioapic_input(&d, UINT32_MAX, true);
}

static void levels(void **state)
{
	vioapic_input(&d, 9, true);
	route(9, 1, LEVEL | VECTOR);		/* unmasked while high */
	assert_true(intr(1));
	assert_int_equal(rd(0x10 + 18), REMOTE_IRR | LEVEL | VECTOR);
	assert_int_equal(vlapic_accept(&lapic, 1), VECTOR);
	vioapic_input(&d, 9, false);
	vioapic_input(&d, 9, true);		/* nobody ended it yet */
	assert_false(intr(1));
	eoi(1);
	assert_true(intr(1));
	assert_int_equal(vlapic_accept(&lapic, 1), VECTOR);
	wr(0x10 + 18, MASKED | LEVEL | VECTOR);
	eoi(1);
	assert_false(intr(1));
	assert_int_equal(rd(0x10 + 18), MASKED | LEVEL | VECTOR);
	wr(0x10 + 18, LEVEL | VECTOR);
	assert_true(intr(1));
}

static void remote_irr_can_be_cleared(void **state)
{
	route(9, 1, LEVEL | VECTOR);
	vioapic_input(&d, 9, true);
	assert_int_equal(rd(0x10 + 18), REMOTE_IRR | LEVEL | VECTOR);
	bench_write(&d, EOI_REG, 4, VECTOR + 1);
	assert_int_equal(rd(0x10 + 18), REMOTE_IRR | LEVEL | VECTOR);
	vioapic_input(&d, 9, false);
	bench_write(&d, EOI_REG, 4, VECTOR);
	assert_int_equal(rd(0x10 + 18), LEVEL | VECTOR);
	vioapic_input(&d, 9, true);
	wr(0x10 + 18, MASKED | VECTOR);
	assert_int_equal(rd(0x10 + 18), MASKED | VECTOR);
}

static void logical_destination_and_nmi(void **state)
{
	for (u32 cpu = 0; cpu < CPUS; cpu++)
		vlapic_write_page(&lapic, cpu, 0xd0, 1u << (24 + cpu));
	route(5, 0x0a, LOGICAL | VECTOR);
	vioapic_input(&d, 5, true);
	assert_true(!intr(0) && intr(1) && !intr(2) && intr(3));
	route(6, 0, 0x400 | LEVEL);		/* NMI is never a level */
	vioapic_input(&d, 6, true);
	assert_true(level[LAPIC_NMI]);
	assert_int_equal(rd(0x10 + 12), 0x400 | LEVEL);
}

static void reset(void **state)
{
	route(5, 1, LEVEL | VECTOR);
	vioapic_input(&d, 5, true);
	dev_reset(&d);
	assert_int_equal(rd(0x1a), MASKED);
	wr(0x1a, LEVEL | VECTOR);		/* the level is still there */
	assert_int_equal(rd(0x1a), LEVEL | REMOTE_IRR | VECTOR);
}

static void random_accesses(void **state)
{
	u64 r = 7;

	for (u32 i = 0; i < 100000; i++) {
		u32 len, off;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		len = 1u << (r >> 60 & 3);
		off = i % 4 ? (u32)(r >> 30 & 0x50) : (u32)(r >> 30) % (0x1000 - 7);
		if (r >> 59 & 1)
			bench_write(&d, off, len, r >> 8);
		else
			bench_read(&d, off, len);
		vioapic_input(&d, (u32)(r >> 50 & 31), r >> 58 & 1);
		if (i % 8 == 0)
			vlapic_accept(&lapic, i / 8 % CPUS);
		if (i % 8 == 4)
			eoi(i / 8 % CPUS);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(registers),
		T(edges),
		T(levels),
		T(remote_irr_can_be_cleared),
		T(logical_destination_and_nmi),
		T(reset),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
