/*
 * A PC's devices wired as on a board, under random port, memory and MSR accesses of its CPUs, with
 * time, interrupts taken and resets in between. Nothing may crash, hang, leak, or touch what is
 * not RAM.
 */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/pci/pci.h"
#include "drivers/model/virtio/pci.h"
#include "drivers/model/x86/irq.h"
#include "drivers/model/x86/pc.h"

#define CPUS	3u
#define ECAM	0xe0000000ull
#define WINDOW	0xc0000000ull

enum { LAPIC, IOAPIC, PIC, PIT, CMOS, PM, PS2, FWCFG, EXIT, UART, PCI, RNG, RNG_PCI, DEVS };

static const u8 *input, *input_end;
static struct dev devs[DEVS];
static struct isa_irqs irqs = { &devs[PIC], &devs[IOAPIC] };
static struct irq_line outs[CPUS * LAPIC_LINES];
static bool level[CPUS * LAPIC_LINES];
static struct irq_line pirqs[4];
static u32 here;
static struct bench_chr uart_port;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void out_set(void *ctl, u32 in, bool l) { level[in] = l; }
static bool start(void *ctx, u32 cpu, u8 page) { return page & 1; }
static u32 cpu_here(void *vm) { return here; }
static void shutdown_ignore(void *vm, u32 how, u32 code) { }

static err_t entropy(struct rng *r, void *buf, size_t len)
{
	memset(buf, 0x5a, len);
	return OK;
}

static const struct rng_ops rng_ops = { .read = entropy };
static struct rng rng = { .ops = &rng_ops, .name = "rng" };
static const struct cmos_board cmos = { GIB(1), 0, CPUS };
static const struct lapic_board lapic = { &devs[IOAPIC], &devs[PIC], start };
static const struct pci_board pci = {
	.window = { { WINDOW, MIB(1) } }, .msi = vlapic_msi, .msi_ctl = &devs[LAPIC],
	.pm_base = PM_BASE,
};
static const struct virtio_pci_board rng_pci = { &devs[PCI], &devs[RNG], PCI_DEVFN(2, 0) };
static const struct fwcfg_item items[] = {
	{ .len = 5, .name = "etc/hello", .data = "hello" }, { 0 },
};
static const struct dev_pio com1[] = { { 0x3f8, 8, 0 }, { 0 } };

static const struct {
	const struct model *model;
	const void *port;
	gpa_t base;
	u64 len;
	u32 irq;
} rows[DEVS] = {
	[LAPIC] = { &vlapic_model, &lapic, LAPIC_BASE, PAGE_SIZE },
	[IOAPIC] = { &vioapic_model, &devs[LAPIC], IOAPIC_BASE, PAGE_SIZE },
	[PIC] = { &vpic_model },
	[PIT] = { &vpit_model, NULL, .irq = 0 },
	[CMOS] = { &vcmos_model, &cmos, .irq = 8 },
	[PM] = { &vpm_model, NULL, .irq = PM_SCI },
	[PS2] = { &vps2_model },
	[FWCFG] = { &vfwcfg_model, items },
	[EXIT] = { &vdebugexit_model },
	[UART] = { &vuart16550_model, &uart_port, .irq = 4 },
	[PCI] = { &vpci_model, &pci, ECAM, MIB(1) },
	[RNG] = { &vrng_model, &rng },
	[RNG_PCI] = { &vvirtio_pci_model, &rng_pci },
};

static u64 take(u32 bytes)
{
	u64 v = 0;

	for (u32 i = 0; i < bytes && input < input_end; i++)
		v |= (u64)*input++ << 8 * i;
	return v;
}

static void create_all(void)
{
	for (u32 i = 0; i < DEVS; i++) {
		struct dev *d = &devs[i];

		*d = bench_port_dev(rows[i].model, i == UART ? com1 : NULL);
		d->base = rows[i].base;
		d->len = rows[i].len;
		d->irq = (struct irq_line){ isa_irq, &irqs, rows[i].irq };
		d->port.any = (void *)rows[i].port;
		d->shutdown = shutdown_ignore;
		d->cpu = cpu_here;
		if (i == LAPIC) {
			d->out = outs;
			d->outs = ARRAY_LEN(outs);
		}
	}
	for (u32 i = 0; i < 4; i++)
		pirqs[i] = (struct irq_line){ isa_irq, &irqs, 16 + i };
	devs[PCI].out = pirqs;
	devs[PCI].outs = ARRAY_LEN(pirqs);
	devs[PIC].irq = (struct irq_line){ vlapic_lint0, &devs[LAPIC], 0 };
	devs[LAPIC].irq = devs[IOAPIC].irq = devs[RNG].irq = (struct irq_line){ 0 };
	/* interrupt controllers first: the others' lines end there */
	for (u32 i = 0; i < DEVS; i++)
		assert(dev_create(&devs[i]) == OK);
}

static void port_access(u32 op)
{
	static const u16 bases[] = { 0x20, 0x40, 0x60, 0x70, 0xa0, 0xb2, 0x3f8, 0x4d0, 0x510,
				     0x600, 0xcf8, 0xcfc };
	u32 port = bases[take(1) % ARRAY_LEN(bases)] + (u32)take(1) % 12, len = 1u << op % 3;

	if (op & 0x80)
		bench_out_to(port, len, (u32)take(len));
	else
		bench_in(port, len);
}

static void memory_access(u32 op)
{
	static const gpa_t bases[] = { LAPIC_BASE, IOAPIC_BASE, ECAM, ECAM + 0x10000, WINDOW };
	gpa_t gpa = bases[take(1) % ARRAY_LEN(bases)] + take(2) % (PAGE_SIZE - 8);
	const struct range *r = space_find(&bench_space, gpa);
	u32 len = 1u << op % 4;

	if (op & 0x80)
		range_mmio_write(r, gpa, len, take(len));
	else
		range_mmio_read(r, gpa, len);
}

static void cpu_access(u32 op)
{
	u64 val = take(4);

	if (op & 0x80)
		vlapic_msr(&devs[LAPIC], here, 0x800 + (u32)take(1) % 0x48, op & 0x40, &val);
	else if (op & 0x40)
		vlapic_msr(&devs[LAPIC], here, take(1) & 1 ? 0x1b : 0x6e0, op & 0x20, &val);
	else if (level[LAPIC_LINES * here])
		vlapic_accept(&devs[LAPIC], here);
	else
		vlapic_set_tpr(&devs[LAPIC], here, (u8)val);
}

static void step(void)
{
	u32 op = (u32)take(1);

	here = op / 16 % CPUS;
	switch (op >> 2 & 3) {
	case 0: port_access((u32)take(1)); break;
	case 1: memory_access((u32)take(1)); break;
	case 2: cpu_access((u32)take(1)); break;
	case 3:
		bench_pass(take(2) * NS_PER_US);
		bench_chr_type(&uart_port, "input");
		uart_port.out_len = 0;
		if (op == 0xff)
			dev_reset(&devs[take(1) % DEVS]);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 objects;

	input = data;
	input_end = data + size;
	bench_open();
	bench_chr_open(&uart_port);
	for (u32 i = 0; i < ARRAY_LEN(outs); i++)
		outs[i] = (struct irq_line){ out_set, NULL, i };
	objects = heap_stats().count;
	create_all();
	while (input < input_end)
		step();
	for (u32 i = DEVS; i--;)
		dev_destroy(&devs[i]);
	bench_close();
	assert(heap_stats().count <= objects);
	assert(timer_next() == NS_NEVER);
	return 0;
}
