/* The 16550: registers, FIFOs, interrupts, modem lines, flow control; PC16550D data sheet. */
#include "test/unit/drivers/model/bench.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR = RBR, FCR = IIR, DLL = RBR, DLM = IER };

#define PATIENCE (20 * NS_PER_MS)	/* more than four characters' time at any rate used here */

static struct dev d;
static struct bench_chr port;

static int setup(void **state)
{
	bench_open();
	bench_chr_open(&port);
	d = bench_dev(&vuart16550_model, 0x1000);
	d.port.chr = &port.chr;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	assert_null(port.chr.ready);
	assert_int_equal(timer_next(), NS_NEVER);
	bench_close();
	return 0;
}

static u8 rd(u64 reg) { return (u8)bench_read(&d, reg, 1); }
static void wr(u64 reg, u8 val) { bench_write(&d, reg, 1, val); }
static bool irq(void) { return bench_level[0]; }

static void put(const char *text)
{
	while (*text)
		wr(THR, (u8)*text++);
}

static void expect_out(const char *text)
{
	assert_int_equal(port.out_len, strlen(text));
	assert_memory_equal(port.out, text, strlen(text));
}

static void after_reset(void **state)
{
	assert_int_equal(rd(IER), 0);
	assert_int_equal(rd(IIR), 0x01);
	assert_int_equal(rd(LCR), 0);
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(rd(MSR), 0xb0);
	assert_int_equal(rd(SCR), 0);
	assert_int_equal(rd(RBR), 0);
	assert_false(irq());
}

static void plain_registers(void **state)
{
	wr(SCR, 0x5a);
	assert_int_equal(rd(SCR), 0x5a);
	wr(IER, 0xff);			/* no 16750 or XScale bits */
	assert_int_equal(rd(IER), 0x0f);
	wr(MCR, 0xff);
	assert_int_equal(rd(MCR), 0x1f);
	wr(LCR, 0x83);
	wr(DLL, 0x34);
	wr(DLM, 0x12);
	assert_int_equal(rd(DLL), 0x34);
	assert_int_equal(rd(DLM), 0x12);
	wr(LCR, 0x03);
	assert_int_equal(rd(IER), 0x0f);
	assert_int_equal(rd(LCR), 0x03);
	wr(LSR, 0xff);			/* read-only */
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(port.out_len, 0);
}

static void any_width_reaches_one_register(void **state)
{
	bench_write(&d, SCR, 4, 0x11223344);
	assert_int_equal(bench_read(&d, SCR, 1), 0x44);
	assert_int_equal(bench_read(&d, SCR, 8), 0x44);
	bench_write(&d, LCR, 8, 0xffffffffffffff03);
	assert_int_equal(rd(MCR), 8);	/* not spilt into */
	assert_int_equal(rd(8), 0);
	assert_int_equal(rd(0xfff), 0);
	wr(8, 0xff);
}

static void fifo_detection(void **state)
{
	assert_int_equal(rd(IIR) & 0xc0, 0);
	wr(FCR, 0x01);
	assert_int_equal(rd(IIR), 0xc1);
	wr(FCR, 0xc0);			/* other bits do not count without bit 0 */
	assert_int_equal(rd(IIR), 0x01);
}

static void output_leaves_in_lines(void **state)
{
	put("hello\n");
	expect_out("hello\n");
	assert_int_equal(port.writes, 1);
	put("no newline");
	assert_int_equal(rd(LSR), 0x60);	/* for the guest it is gone */
	expect_out("hello\n");
	bench_pass(NS_PER_MS);
	expect_out("hello\nno newline");
	assert_int_equal(port.writes, 2);
}

static void output_waits_for_a_busy_port(void **state)
{
	u32 sent = 0;

	port.room = 3;
	while (rd(LSR) & 0x20) {
		wr(THR, (u8)('a' + sent++ % 26));
		assert_in_range(sent, 1, 300);
	}
	assert_int_equal(port.out_len, 3);
	assert_int_equal(rd(LSR) & 0x60, 0);
	wr(IER, 2);
	assert_false(irq());
	port.room = SIZE_MAX;
	bench_pass(NS_PER_MS);
	assert_true(irq());
	assert_int_equal(rd(IIR), 0x02);
	assert_int_equal(port.out_len, sent);
	for (u32 i = 0; i < sent; i++)
		assert_int_equal(port.out[i], 'a' + i % 26);
}

/* A guest that does not look at THRE fills what there is and loses the rest, without harm. */
static void output_of_a_deaf_guest(void **state)
{
	port.room = 0;
	for (u32 i = 0; i < 1000; i++)
		wr(THR, (u8)i);
	assert_int_equal(port.out_len, 0);
	port.room = SIZE_MAX;
	assert_int_equal(rd(LSR), 0x60);	/* looking asks the port again */
	assert_int_equal(port.out_len, 256);
	assert_int_equal(port.out[255], 255);
}

static void detach_flushes_output(void **state)
{
	put("last words");
	dev_destroy(&d);
	expect_out("last words");
	assert_int_equal(dev_create(&d), OK);
}

static void thre_interrupt(void **state)
{
	wr(IER, 2);			/* enabling it while empty raises it */
	assert_true(irq());
	assert_int_equal(rd(IIR), 0x02);	/* and reading IIR takes it back */
	assert_false(irq());
	assert_int_equal(rd(IIR), 0x01);
	put("x");
	assert_true(irq());
	assert_int_equal(rd(IIR), 0x02);
	wr(IER, 0);
	put("y");
	assert_false(irq());
	wr(IER, 2);
	assert_true(irq());
}

static void input_without_fifo(void **state)
{
	wr(IER, 1);
	bench_chr_type(&port, "ab");
	assert_int_equal(port.in_at, 1);	/* the rest waits in the port */
	assert_true(irq());
	assert_int_equal(rd(IIR), 0x04);
	assert_int_equal(rd(LSR), 0x61);
	assert_int_equal(rd(RBR), 'a');
	assert_true(irq());
	assert_int_equal(rd(RBR), 'b');
	assert_false(irq());
	assert_int_equal(rd(LSR), 0x60);
}

static void input_flow_control(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz0123456789";

	wr(FCR, 0x01);
	bench_chr_type(&port, text);
	assert_int_equal(port.in_at, 16);
	for (u32 i = 0; text[i]; i++)
		assert_int_equal(rd(RBR), text[i]);
	assert_int_equal(rd(LSR), 0x60);	/* nothing overran */
}

static void trigger_levels(void **state)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	for (u32 i = 0; i < 4; i++) {
		wr(FCR, (u8)(i << 6 | 3));
		wr(IER, 1);
		for (u32 n = 1; n <= level[i]; n++) {
			assert_false(irq());
			bench_chr_type(&port, "x");
		}
		assert_true(irq());
		assert_int_equal(rd(IIR), 0xc4);
		rd(RBR);
		assert_false(irq());
	}
}

static void timeout_interrupt(void **state)
{
	wr(LCR, 0x83);
	wr(DLL, 2);			/* 115200 baud: four characters in 347 us */
	wr(LCR, 0x03);
	wr(FCR, 0x81);
	wr(IER, 1);
	bench_chr_type(&port, "xy");
	bench_pass(300 * NS_PER_US);
	assert_false(irq());
	bench_pass(50 * NS_PER_US);
	assert_true(irq());
	assert_int_equal(rd(IIR), 0xcc);
	assert_int_equal(rd(RBR), 'x');	/* reading starts it over */
	assert_false(irq());
	bench_pass(PATIENCE);
	assert_int_equal(rd(IIR), 0xcc);
	assert_int_equal(rd(RBR), 'y');
	bench_pass(PATIENCE);
	assert_false(irq());
}

static void clearing_the_receiver(void **state)
{
	wr(FCR, 0x01);
	bench_chr_type(&port, "abc");
	wr(FCR, 0x03);
	assert_int_equal(rd(LSR), 0x60);
	bench_chr_type(&port, "d");
	wr(FCR, 0x00);			/* so does switching the FIFOs */
	assert_int_equal(rd(LSR), 0x60);
}

static void loopback_data(void **state)
{
	wr(MCR, 0x10);
	wr(FCR, 0x01);
	bench_chr_type(&port, "z");	/* the line is cut off */
	put("ab");
	assert_int_equal(port.out_len, 0);
	assert_int_equal(rd(RBR), 'a');
	assert_int_equal(rd(RBR), 'b');
	assert_int_equal(rd(LSR), 0x60);
	wr(MCR, 0x00);
	assert_int_equal(rd(RBR), 'z');
}

static void overrun(void **state)
{
	wr(MCR, 0x10);
	wr(FCR, 0x01);
	wr(IER, 4);
	put("0123456789abcdef");
	assert_false(irq());
	put("!");
	assert_true(irq());
	assert_int_equal(rd(IIR), 0xc6);
	assert_int_equal(rd(LSR), 0x63);
	assert_false(irq());
	assert_int_equal(rd(LSR), 0x61);
	for (u32 i = 0; i < 16; i++)
		assert_int_equal(rd(RBR), "0123456789abcdef"[i]);
	assert_int_equal(rd(LSR), 0x60);
	wr(FCR, 0x00);
	put("xy");			/* without FIFO the new character wins */
	assert_int_equal(rd(LSR), 0x63);
	assert_int_equal(rd(RBR), 'y');
}

static void break_in_loopback(void **state)
{
	wr(MCR, 0x10);
	wr(LCR, 0x43);
	assert_int_equal(rd(LSR), 0x71);
	assert_int_equal(rd(RBR), 0);
	assert_int_equal(rd(LSR), 0x60);
}

static void modem_lines(void **state)
{
	wr(IER, 8);
	wr(MCR, 0x10);			/* all outputs low: CTS, DSR, DCD fall */
	assert_true(irq());
	assert_int_equal(rd(IIR), 0x00);
	assert_int_equal(rd(MSR), 0x0b);
	assert_false(irq());
	wr(MCR, 0x11);			/* DTR -> DSR */
	assert_int_equal(rd(MSR), 0x22);
	wr(MCR, 0x12);			/* RTS -> CTS */
	assert_int_equal(rd(MSR), 0x13);
	wr(MCR, 0x14);			/* OUT1 -> RI: no delta on the rising edge */
	assert_int_equal(rd(MSR), 0x41);
	wr(MCR, 0x18);			/* OUT2 -> DCD; RI fell */
	assert_int_equal(rd(MSR), 0x8c);
	assert_int_equal(rd(MSR), 0x80);
}

static void interrupt_priorities(void **state)
{
	wr(FCR, 0x01);
	wr(MCR, 0x10);
	wr(IER, 0x0f);
	put("0123456789abcdefg");
	assert_int_equal(rd(IIR), 0xc6);
	rd(LSR);
	assert_int_equal(rd(IIR), 0xc4);
	while (rd(LSR) & 1)
		rd(RBR);
	assert_int_equal(rd(IIR), 0xc2);
	assert_int_equal(rd(IIR), 0xc0);
	rd(MSR);
	assert_int_equal(rd(IIR), 0xc1);
	assert_false(irq());
}

static void reset(void **state)
{
	wr(FCR, 0x01);
	wr(IER, 0x0f);
	wr(SCR, 1);
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
	assert_int_equal(rd(LSR), 0x60);
	assert_int_equal(rd(RBR), 0);
}

static void over_ports(void **state)
{
	static const struct dev_pio com1[] = { { 0x3f8, 8, 0 }, { 0 } };

	dev_destroy(&d);
	d = bench_port_dev(&vuart16550_model, com1);
	d.port.chr = &port.chr;
	assert_int_equal(dev_create(&d), OK);
	bench_out_to(0x3f8 + SCR, 1, 0x5a);
	assert_int_equal(bench_in(0x3f8 + SCR, 1), 0x5a);
	assert_int_equal(bench_in(0x3f8 + LSR, 1), 0x60);
	bench_out_to(0x3f8 + THR, 1, '\n');
	expect_out("\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(after_reset),
		T(plain_registers),
		T(any_width_reaches_one_register),
		T(fifo_detection),
		T(output_leaves_in_lines),
		T(output_waits_for_a_busy_port),
		T(output_of_a_deaf_guest),
		T(detach_flushes_output),
		T(thre_interrupt),
		T(input_without_fifo),
		T(input_flow_control),
		T(trigger_levels),
		T(timeout_interrupt),
		T(clearing_the_receiver),
		T(loopback_data),
		T(overrun),
		T(break_in_loopback),
		T(modem_lines),
		T(interrupt_priorities),
		T(reset),
		T(without_a_port),
		T(over_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
