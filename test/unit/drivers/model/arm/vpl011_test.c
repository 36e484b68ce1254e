/* The PL011: registers, FIFOs, interrupts, modem lines, flow control; DDI 0183. */
#include "test/unit/drivers/model/bench.h"

enum { DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c,
       CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48 };
enum { RXFE = 0x10, TXFF = 0x20, RXFF = 0x40, TXFE = 0x80, BUSY = 8 };
enum { RX = 0x10, TX = 0x20, RT = 0x40, OE = 0x400 };

static struct dev d;
static struct bench_chr port;

static u32 rd(u64 reg) { return (u32)bench_read(&d, reg, 4); }
static void wr(u64 reg, u32 val) { bench_write(&d, reg, 4, val); }
static bool irq(void) { return bench_level[0]; }

static int setup_plain(void **state)
{
	bench_open();
	bench_chr_open(&port);
	d = bench_dev(&vpl011_model, 0x1000);
	d.port.chr = &port.chr;
	return dev_create(&d);
}

/* As Linux sets it up: 115200 baud, FIFOs, half-full triggers. */
static int setup(void **state)
{
	setup_plain(state);
	wr(IBRD, 13);
	wr(FBRD, 1);
	wr(LCR_H, 0x70);
	wr(IFLS, 0x12);
	wr(CR, 0x301);
	return 0;
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_null(port.chr.ready);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static void put(const char *text)
{
	while (*text)
		wr(DR, (u8)*text++);
}

static void expect_out(const char *text)
{
	assert_int_equal(port.out_len, strlen(text));
	assert_memory_equal(port.out, text, strlen(text));
}

static void after_reset(void **state)
{
	static const u8 id[] = { 0x11, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1 };

	assert_int_equal(rd(FR), 0x97);
	assert_int_equal(rd(CR), 0x300);
	assert_int_equal(rd(IFLS), 0x12);
	assert_int_equal(rd(DR) | rd(RSR) | rd(IMSC) | rd(RIS) | rd(MIS) | rd(LCR_H), 0);
	for (u32 i = 0; i < ARRAY_LEN(id); i++)
		assert_int_equal(rd(0xfe0 + 4 * i), id[i]);
	assert_false(irq());
}

static void plain_registers(void **state)
{
	static const struct { u32 reg, mask; } regs[] = {
		{ ILPR, 0xff }, { IBRD, 0xffff }, { FBRD, 0x3f }, { LCR_H, 0xff },
		{ IFLS, 0x3f }, { IMSC, 0x7ff }, { DMACR, 7 },
	};

	for (u32 i = 0; i < ARRAY_LEN(regs); i++) {
		wr(regs[i].reg, ~0u);
		assert_int_equal(rd(regs[i].reg), regs[i].mask);
		wr(regs[i].reg, 0);
		assert_int_equal(rd(regs[i].reg), 0);
	}
	wr(FR, ~0u);			/* read-only */
	wr(RIS, ~0u);
	assert_int_equal(rd(FR), 0x97);
	assert_int_equal(rd(RIS), 0);
}

static void other_accesses_do_nothing(void **state)
{
	bench_write(&d, IBRD, 2, 0x1234);
	assert_int_equal(bench_read(&d, IBRD, 2), 0x1234);
	assert_int_equal(bench_read(&d, IBRD, 1), 0x34);
	bench_write(&d, IBRD, 8, 0x5678);
	bench_write(&d, IBRD + 1, 1, 0x99);
	assert_int_equal(rd(IBRD), 0x1234);
	assert_int_equal(bench_read(&d, IBRD, 8), 0);
	assert_int_equal(bench_read(&d, 0xffd, 1), 0);
	wr(0x4c, ~0u);
	assert_int_equal(rd(0x4c), 0);
	assert_int_equal(rd(0xfdc), 0);
}

static void output_leaves_in_lines(void **state)
{
	put("hello\n");			/* an early console has not enabled anything */
	expect_out("hello\n");
	assert_int_equal(port.writes, 1);
	put("no newline");
	assert_int_equal(rd(FR) & (TXFE | TXFF | BUSY), TXFE);
	expect_out("hello\n");
	bench_pass(NS_PER_MS);
	expect_out("hello\nno newline");
	assert_int_equal(port.writes, 2);
}

static void output_waits_for_a_busy_port(void **state)
{
	u32 sent = 0;

	port.room = 3;
	while (!(rd(FR) & TXFF)) {
		wr(DR, (u8)('a' + sent++ % 26));
		assert_in_range(sent, 1, 300);
	}
	assert_int_equal(rd(FR) & (TXFE | BUSY), BUSY);
	wr(ICR, TX);
	wr(IMSC, TX);
	assert_false(irq());
	port.room = SIZE_MAX;
	bench_pass(NS_PER_MS);
	assert_true(irq());
	assert_int_equal(rd(MIS), TX);
	assert_int_equal(port.out_len, sent);
	for (u32 i = 0; i < sent; i++)
		assert_int_equal(port.out[i], 'a' + i % 26);
}

static void output_of_a_deaf_guest(void **state)
{
	port.room = 0;
	for (u32 i = 0; i < 1000; i++)
		wr(DR, i);
	assert_int_equal(port.out_len, 0);
	port.room = SIZE_MAX;
	assert_int_equal(rd(FR) & TXFF, 0);	/* looking asks the port again */
	assert_int_equal(port.out_len, 256);
	assert_int_equal(port.out[255], 255);
}

static void transmit_interrupt(void **state)
{
	wr(IMSC, TX);
	assert_false(irq());		/* nothing passed the trigger level yet */
	put("x");
	assert_true(irq());
	wr(ICR, TX);
	assert_false(irq());
	put("y");
	assert_true(irq());
	wr(IMSC, 0);
	assert_false(irq());
	assert_int_equal(rd(RIS), TX);
	assert_int_equal(rd(MIS), 0);
}

static void input_waits_until_enabled(void **state)
{
	bench_chr_type(&port, "abc");
	assert_int_equal(rd(FR) & RXFE, RXFE);
	wr(CR, 0x301);
	assert_int_equal(port.in_at, 1);	/* no FIFO yet */
	assert_int_equal(rd(FR) & (RXFE | RXFF), RXFF);
	assert_int_equal(rd(RIS), RX);
	assert_int_equal(rd(DR), 'a');
	assert_int_equal(rd(DR), 'b');
	assert_int_equal(rd(DR), 'c');
	assert_int_equal(rd(FR) & RXFE, RXFE);
	assert_int_equal(rd(RIS), 0);
}

static void input_flow_control(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789";

	bench_chr_type(&port, text);
	assert_int_equal(port.in_at, 16);
	for (u32 i = 0; text[i]; i++)
		assert_int_equal(rd(DR), text[i]);
	assert_int_equal(rd(FR) & RXFE, RXFE);
	assert_int_equal(rd(RSR), 0);		/* nothing overran */
}

static void trigger_levels(void **state)
{
	static const u8 level[] = { 2, 4, 8, 12, 14 };

	wr(IMSC, RX);
	for (u32 i = 0; i < ARRAY_LEN(level); i++) {
		wr(IFLS, i << 3);
		for (u32 n = 1; n <= level[i]; n++) {
			assert_false(irq());
			bench_chr_type(&port, "x");
		}
		assert_true(irq());
		rd(DR);
		assert_false(irq());
		while (!(rd(FR) & RXFE))
			rd(DR);
	}
}

static void receive_timeout(void **state)
{
	wr(IMSC, RX | RT);
	bench_chr_type(&port, "xy");
	bench_pass(270 * NS_PER_US);		/* 32 bits take 278 us */
	assert_false(irq());
	bench_pass(10 * NS_PER_US);
	assert_int_equal(rd(MIS), RT);
	assert_int_equal(rd(DR), 'x');
	assert_true(irq());			/* until the FIFO is empty */
	assert_int_equal(rd(DR), 'y');
	assert_false(irq());
	bench_pass(NS_PER_SEC);
	assert_false(irq());
	bench_chr_type(&port, "z");
	bench_pass(NS_PER_MS);
	assert_true(irq());
	wr(ICR, RT);				/* or cleared */
	assert_false(irq());
}

static void absurd_rates(void **state)
{
	wr(IBRD, 0);
	wr(FBRD, 0);
	bench_chr_type(&port, "x");
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(RIS), RT);
	rd(DR);
	wr(IBRD, 0xffff);
	wr(FBRD, 0x3f);
	bench_chr_type(&port, "x");
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(RIS), 0);		/* eleven baud */
	bench_pass(NS_PER_SEC);
	assert_int_equal(rd(RIS), RT);
}

static void loopback(void **state)
{
	wr(CR, 0x381);
	assert_int_equal(rd(FR) & 0x107, 0);
	bench_chr_type(&port, "z");		/* the line is cut off */
	put("ab");
	assert_int_equal(port.out_len, 0);
	assert_int_equal(rd(DR), 'a');
	assert_int_equal(rd(DR), 'b');
	assert_int_equal(rd(FR) & RXFE, RXFE);
	wr(ICR, ~0u);
	wr(CR, 0xf81);				/* RTS and DTR come back as CTS and DSR */
	assert_int_equal(rd(FR) & 0x107, 3);
	assert_int_equal(rd(RIS) & 0xf, 0xa);
	wr(CR, 0x3381);				/* OUT1 and OUT2 as DCD and RI */
	assert_int_equal(rd(FR) & 0x107, 0x104);
	wr(CR, 0x301);
	assert_int_equal(rd(DR), 'z');
}

static void overrun(void **state)
{
	wr(CR, 0x381);
	wr(IMSC, OE);
	put("0123456789abcdef");
	assert_false(irq());
	put("!");
	assert_true(irq());
	assert_int_equal(rd(RSR), 8);
	assert_int_equal(rd(DR), 0x800 | '0');
	assert_int_equal(rd(DR), '1');
	put("xy!");
	wr(RSR, 0);
	assert_int_equal(rd(RSR), 0);
}

static void switching_fifos_empties_them(void **state)
{
	bench_chr_type(&port, "abc");
	wr(LCR_H, 0x60);
	assert_int_equal(rd(FR) & RXFE, RXFE);
	assert_int_equal(rd(RIS), 0);
}

static void reset(void **state)
{
	wr(IMSC, ~0u);
	bench_chr_type(&port, "abc");
	put("pending");
	dev_reset(&d);
	expect_out("pending");
	after_reset(state);
}

static void without_a_port(void **state)
{
	dev_destroy(&d);
	d.port.chr = NULL;
	assert_int_equal(dev_create(&d), OK);
	put("into the void\n");
	assert_int_equal(rd(FR) & (TXFE | RXFE), TXFE | RXFE);
	assert_int_equal(rd(DR), 0);
}

static void detach_flushes_output(void **state)
{
	put("last words");
	dev_destroy(&d);
	expect_out("last words");
	assert_int_equal(dev_create(&d), OK);
}

int main(void)
{
#define P(f) cmocka_unit_test_setup_teardown(f, setup_plain, teardown)
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		P(after_reset), P(plain_registers), P(other_accesses_do_nothing),
		P(output_leaves_in_lines), P(input_waits_until_enabled),
		T(output_waits_for_a_busy_port), T(output_of_a_deaf_guest), T(transmit_interrupt),
		T(input_flow_control), T(trigger_levels), T(receive_timeout), T(absurd_rates),
		T(loopback), T(overrun), T(switching_fifos_empties_them), T(reset),
		T(without_a_port), T(detach_flushes_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
