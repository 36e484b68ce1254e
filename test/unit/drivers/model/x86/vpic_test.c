/* The two 8259As: initialisation, priorities, cascade, modes; the data sheet. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/irq.h"

enum { CMD1 = 0x20, DATA1 = 0x21, CMD2 = 0xa0, DATA2 = 0xa1, ELCR1 = 0x4d0, ELCR2 = 0x4d1 };
enum { EOI = 0x20, READ_IRR = 0x0a, READ_ISR = 0x0b };

static struct dev d;

static u8 in(u32 port) { return (u8)bench_in(port, 1); }
static void out(u32 port, u8 val) { bench_out_to(port, 1, val); }
static bool intr(void) { return bench_level[0]; }
static void line(u32 irq, bool level) { vpic_input(&d, irq, level); }

static void pulse(u32 irq)
{
	line(irq, true);
	line(irq, false);
}

static u8 isr(u32 cmd)
{
	out(cmd, READ_ISR);
	return in(cmd);
}

static u8 irr(u32 cmd)
{
	out(cmd, READ_IRR);
	return in(cmd);
}

/* As Linux does: vectors 0x30 and 0x38, nothing masked. */
static void initialise(u8 icw4)
{
	out(CMD1, 0x11);
	out(DATA1, 0x30);
	out(DATA1, 0x04);
	out(DATA1, icw4);
	out(CMD2, 0x11);
	out(DATA2, 0x38);
	out(DATA2, 0x02);
	out(DATA2, icw4 & ~0x10);
	out(DATA1, 0);
	out(DATA2, 0);
}

static int setup(void **state)
{
	bench_open();
	d = bench_port_dev(&vpic_model, NULL);
	if (dev_create(&d))
		return 1;
	initialise(1);
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

static void edge_ack_end(void **state)
{
	pulse(4);
	assert_true(intr());
	assert_int_equal(irr(CMD1), 0x10);
	assert_int_equal(vpic_ack(&d), 0x34);
	assert_false(intr());
	assert_int_equal(irr(CMD1), 0);
	assert_int_equal(isr(CMD1), 0x10);
	pulse(4);				/* again, while it is served */
	assert_false(intr());
	out(CMD1, EOI);
	assert_int_equal(isr(CMD1), 0);
	assert_int_equal(vpic_ack(&d), 0x34);
	out(CMD1, 0x60 | 3);			/* the wrong one */
	assert_int_equal(isr(CMD1), 0x10);
	out(CMD1, 0x60 | 4);
	assert_int_equal(isr(CMD1), 0);
}

static void priorities(void **state)
{
	pulse(5);
	assert_int_equal(vpic_ack(&d), 0x35);
	pulse(6);
	assert_false(intr());
	pulse(1);
	assert_true(intr());
	assert_int_equal(vpic_ack(&d), 0x31);
	out(CMD1, EOI);
	assert_int_equal(isr(CMD1), 0x20);
	out(CMD1, EOI);
	assert_int_equal(vpic_ack(&d), 0x36);
}

static void cascade(void **state)
{
	pulse(12);
	assert_true(intr());
	assert_int_equal(irr(CMD1), 4);
	assert_int_equal(vpic_ack(&d), 0x3c);
	assert_int_equal(isr(CMD1), 4);
	assert_int_equal(isr(CMD2), 0x10);
	pulse(9);				/* waits for the first chip's EOI */
	assert_false(intr());
	out(CMD2, EOI);
	out(CMD1, EOI);
	assert_true(intr());
	assert_int_equal(vpic_ack(&d), 0x39);
	line(2, true);				/* no such pin */
	assert_int_equal(irr(CMD1), 0);
}

static void special_fully_nested(void **state)
{
	initialise(0x11);
	pulse(12);
	assert_int_equal(vpic_ack(&d), 0x3c);
	pulse(9);
	assert_true(intr());
	assert_int_equal(vpic_ack(&d), 0x39);
}

static void masks(void **state)
{
	out(DATA1, 0x10);
	assert_int_equal(in(DATA1), 0x10);
	pulse(4);
	assert_false(intr());
	out(DATA1, 0);
	assert_true(intr());
	out(DATA1, 4);
	pulse(8);
	assert_int_equal(vpic_ack(&d), 0x34);
	assert_false(intr());
}

static void special_mask_lets_lower_ones_through(void **state)
{
	pulse(3);
	assert_int_equal(vpic_ack(&d), 0x33);
	pulse(6);
	assert_false(intr());
	out(DATA1, 0x08);
	out(CMD1, 0x68);
	assert_true(intr());
	assert_int_equal(vpic_ack(&d), 0x36);
	out(CMD1, EOI);
	assert_int_equal(isr(CMD1), 0x08);	/* the masked one is not meant */
	out(CMD1, 0x48);
	pulse(7);
	assert_false(intr());
}

static void spurious(void **state)
{
	line(4, true);
	line(4, false);
	out(DATA1, 0xff);
	assert_int_equal(vpic_ack(&d), 0x37);
	assert_int_equal(isr(CMD1), 0);
	out(DATA1, 0xfb);
	out(ELCR2, 0x02);			/* a level that is gone before it is taken */
	line(9, true);
	assert_true(intr());
	line(9, false);
	assert_false(intr());
	assert_int_equal(vpic_ack(&d), 0x37);
}

static void levels(void **state)
{
	out(ELCR1, 0xff);
	out(ELCR2, 0xff);
	assert_int_equal(in(ELCR1), 0xf8);
	assert_int_equal(in(ELCR2), 0xde);
	line(11, true);
	assert_int_equal(vpic_ack(&d), 0x3b);
	out(CMD2, EOI);
	out(CMD1, EOI);
	assert_true(intr());
	assert_int_equal(vpic_ack(&d), 0x3b);
	line(11, false);
	out(CMD2, EOI);
	out(CMD1, EOI);
	assert_false(intr());
	line(11, true);
	line(6, true);
	initialise(1);				/* survives initialisation */
	assert_int_equal(irr(CMD1), 0x44);
}

static void rotation(void **state)
{
	pulse(3);
	assert_int_equal(vpic_ack(&d), 0x33);
	out(CMD1, 0xa0);			/* EOI, and 3 is the last now */
	pulse(3);
	pulse(4);
	assert_int_equal(vpic_ack(&d), 0x34);
	out(CMD1, 0xe0 | 4);
	assert_int_equal(vpic_ack(&d), 0x33);
	out(CMD1, EOI);
	out(CMD1, 0xc0 | 5);			/* 6 is the first */
	pulse(5);
	pulse(6);
	assert_int_equal(vpic_ack(&d), 0x36);
}

static void automatic_end(void **state)
{
	initialise(3);
	pulse(3);
	assert_int_equal(vpic_ack(&d), 0x33);
	assert_int_equal(isr(CMD1), 0);
	out(CMD1, 0x80);			/* and rotate */
	pulse(3);
	assert_int_equal(vpic_ack(&d), 0x33);
	pulse(3);
	pulse(4);
	assert_int_equal(vpic_ack(&d), 0x34);
}

static void polling(void **state)
{
	pulse(5);
	out(CMD1, 0x0c);
	assert_int_equal(in(CMD1), 0x85);
	assert_int_equal(isr(CMD1), 0x20);
	out(CMD1, 0x0c);
	assert_int_equal(in(CMD1), 0);
	assert_false(intr());
}

static void initialisation(void **state)
{
	out(DATA1, 0x55);
	pulse(1);
	out(CMD1, 0x12);			/* single, no ICW4 */
	assert_int_equal(in(DATA1), 0);
	assert_int_equal(irr(CMD1), 0);
	out(DATA1, 0x47);
	out(DATA1, 0xaa);			/* the mask already */
	assert_int_equal(in(DATA1), 0xaa);
	pulse(0);
	assert_int_equal(vpic_ack(&d), 0x40);
}

static void random_accesses(void **state)
{
	static const u16 ports[] = { CMD1, DATA1, CMD2, DATA2, ELCR1, ELCR2 };
	u64 r = 3;

	for (u32 i = 0; i < 100000; i++) {
		r = r * 6364136223846793005ull + 1442695040888963407ull;
		if (r >> 60 & 1)
			bench_out_to(ports[(r >> 40) % 6], 1u << (r >> 50) % 3, (u32)(r >> 16));
		else
			bench_in(ports[(r >> 40) % 6], 1u << (r >> 50) % 3);
		line((u32)(r >> 20) & 31, r >> 61 & 1);
		if (intr() && i % 3)
			vpic_ack(&d);
	}
	dev_reset(&d);
	assert_false(intr());
	assert_int_equal(in(DATA1), 0xff);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(edge_ack_end),
		T(priorities),
		T(cascade),
		T(special_fully_nested),
		T(masks),
		T(special_mask_lets_lower_ones_through),
		T(spurious),
		T(levels),
		T(rotation),
		T(automatic_end),
		T(polling),
		T(initialisation),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
