/*
 * Random accesses of all widths, aligned or not, to every register of every model, with time,
 * input and interrupts in between. Nothing may crash, hang, leak, or touch what is not RAM.
 */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/arm/gpio.h"
#include "drivers/model/arm/irq.h"
#include "drivers/model/rv/irq.h"

static struct bench_chr uart_port, console_port;
static const u8 *input, *input_end;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void disk_submit(struct blk *b, struct blk_req *r)
{
	r->done(r, OK);
}

static err_t entropy(struct rng *r, void *buf, size_t len)
{
	memset(buf, 0x5a, len);
	return OK;
}

static void shutdown_ignore(void *vm, u32 how, u32 code)
{
}

static const struct blk_ops disk_ops = { .submit = disk_submit };
static const struct rng_ops rng_ops = { .read = entropy };
static struct blk blk = { .ops = &disk_ops, .name = "disk", .sectors = 32, .discard = true };
static struct rng rng = { .ops = &rng_ops, .name = "rng" };

static const struct {
	const struct model *model;
	u64 len;
	void *port;
} rows[] = {
	{ &vplic_model, 0x600000, NULL },
	{ &vclint_model, 0x10000, NULL },
	{ &vuart16550_model, 0x1000, &uart_port },
	{ &vsifive_test_model, 0x1000, NULL },
	{ &vgoldfish_rtc_model, 0x1000, NULL },
	{ &vblk_model, 0x1000, &blk },
	{ &vconsole_model, 0x1000, &console_port },
	{ &vrng_model, 0x1000, &rng },
	{ &vgic3_model, 0x1000000, NULL },
	{ &vpl011_model, 0x1000, &uart_port },
	{ &vpl031_model, 0x1000, NULL },
	{ &vpl061_model, 0x1000, NULL },
};

static struct dev devs[ARRAY_LEN(rows)];

static u64 take(u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes && input < input_end; i++)
		v |= (u64)*input++ << 8 * i;
	return v;
}

static void create_all(void)
{
	gpa_t at = 0x2000000;

	for (u32 i = 0; i < ARRAY_LEN(rows); i++, at += 0x1000000) {
		struct dev *d = &devs[i];

		*d = bench_dev(rows[i].model, rows[i].len);
		d->base = at;
		d->irq = (struct irq_line){ .set = vplic_input, .ctl = &devs[0], .input = i };
		d->out = bench_out;
		d->outs = BENCH_OUTS;
		d->shutdown = shutdown_ignore;
		d->port.any = rows[i].port;
		assert(dev_create(d) == OK);
	}
}

/* Offsets cluster where registers are: the start, and the few far ones of interrupt controllers. */
static u64 take_offset(const struct dev *d, u32 len)
{
	static const u64 bases[] = {
		0, 0, 0, 0x100, 0x1000, 0x2000, 0x200000, 0x4000, 0xbff8, 0xff0,
		0x200, 0x300, 0x400, 0xc00, 0x6100, 0xa0000, 0xb0000, 0xb0200, 0xb0300, 0xd0100
	};
	u64 off = bases[take(1) % ARRAY_LEN(bases)] + take(1);

	return off % (d->len - len + 1);
}

/* What a CPU, or a runner out of its mind, does to the GIC. */
static void step_gic(struct dev *d)
{
	u64 lr[GIC_LR_MAX], val;
	u32 ich[GIC_ICH_COUNT], cpu = (u32)take(1) % (BENCH_OUTS / 2), count = (u32)take(1) % 20;

	memset(lr, (int)take(1), sizeof(lr));
	memset(ich, (int)take(1), sizeof(ich));
	switch (take(1) % 6) {
	case 0: vgic3_load(d, cpu, lr, MIN(count, GIC_LR_MAX), ich); break;
	case 1: vgic3_store(d, cpu, lr, MIN(count, GIC_LR_MAX), ich); break;
	case 2: vgic3_ppi(d, cpu, count + 12, take(1) & 1); break;
	case 3: vgic3_sgi(d, cpu, take(8), count & 1); break;
	case 4:
		val = take(2);
		vgic3_sysreg(d, cpu, 0xc600 | (u32)take(1), count & 1, &val);
		break;
	case 5: vgic3_reset_cpu(d, cpu); break;
	}
}

static void step(void)
{
	u32 op = (u32)take(1), len = 1u << (op >> 2 & 3);
	struct dev *d = &devs[(op >> 4) % ARRAY_LEN(devs)];
	u64 off = take_offset(d, len);

	switch (op & 3) {
	case 0: bench_read(d, off, len); break;
	case 1: bench_write(d, off, len, take(len)); break;
	case 2:
		if (d->model == &vgic3_model)
			step_gic(d);
		else
			bench_write(d, off, len, BENCH_RAM + (take(1) << 12));
		break;
	case 3:
		bench_pass(take(2) * NS_PER_US);
		bench_chr_type(op & 4 ? &uart_port : &console_port, "input");
		uart_port.out_len = console_port.out_len = 0;
		uart_port.room = console_port.room = op;
		if (d->model == &vpl061_model)
			vpl061_press(d, op);
		if (op == 0xff)
			dev_reset(d);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 objects;

	input = data;
	input_end = data + size;
	bench_open();
	bench_chr_open(&uart_port);
	bench_chr_open(&console_port);
	objects = heap_stats().count;
	create_all();
	while (input < input_end)
		step();
	for (u32 i = ARRAY_LEN(devs); i--;)
		dev_destroy(&devs[i]);
	assert(heap_stats().count == objects);
	assert(timer_next() == NS_NEVER);
	bench_close();
	return 0;
}
