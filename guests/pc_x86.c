/*
 * The PC's table and how a VM is furnished from it. Ports are the models' own; what sits in memory,
 * and which interrupt it has, is here. Interrupts of ISA devices go to both controllers.
 *
 * Virtio slots are dealt out from the first: disks in the order of the configuration, then the
 * console if it is wanted there, then the entropy source.
 */
#include "guests/pc_x86.h"

#include "arch/io.h"
#include "arch/mem.h"
#include "drivers/model/x86/irq.h"
#include "drivers/model/x86/pc.h"
#include "engine/front/x86/state.h"
#include "guests/bzimage.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"

_Static_assert(PC_CPUS <= LAPIC_CPUS, "local APICs are too few");

#define DEVS_MAX	(12 + PC_SLOTS)

extern const struct isa x86_isa;

struct pc {			/* vm->board_data */
	struct irq_line line[LAPIC_LINES * PC_CPUS];
	struct lapic_board lapic;
	struct cmos_board cmos;
	struct isa_irqs isa;
	struct chr *console;
	u32 slots;
	/* around starting a CPU: seen to be off, registers set, on; taken before the sched lock */
	struct lock power;
};

/* In this order: later rows use earlier ones. */
enum { DEV_LAPIC, DEV_IOAPIC, DEV_PIC, DEV_FIRST };

#define NO_IRQ UINT32_MAX

static const struct pc_row {
	const struct model *model;
	const char *name;
	gpa_t base;
	u64 len;
	u32 irq;			/* ISA's number, or NO_IRQ */
} rows[] = {
	[DEV_LAPIC] = { &vlapic_model, "lapic", LAPIC_BASE, PAGE_SIZE, NO_IRQ },
	[DEV_IOAPIC] = { &vioapic_model, "ioapic", IOAPIC_BASE, PAGE_SIZE, NO_IRQ },
	[DEV_PIC] = { &vpic_model, "pic", 0, 0, NO_IRQ },
	[DEV_FIRST] = { &vpit_model, "pit", 0, 0, PC_IRQ_PIT },
	{ &vcmos_model, "cmos", 0, 0, PC_IRQ_RTC },
	{ &vpm_model, "pm", 0, 0, PM_SCI },
	{ &vps2_model, "ps2", 0, 0, NO_IRQ },
	{ &vdebugexit_model, "debugexit", 0, 0, NO_IRQ },
	{ &vuart16550_model, "com1", 0, 0, PC_IRQ_COM1 },
	{ NULL }
};
static const struct dev_pio com1_pio[] = { { PC_COM1, 8, 0 }, { 0 } };

static const char *const disk_names[] = {
	"disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7",
};

/* ---- CPUs ------------------------------------------------------------------------------- */

static void cpu_line(void *ctl, u32 bit, bool level)
{
	gcpu_line(ctl, bit, level);
}

static bool cpu_start(void *ctx, u32 cpu, u8 page)
{
	struct vm *vm = ctx;
	struct pc *b = vm->board_data;
	struct vcpu *v = &vm->vcpu[cpu];
	bool off;

	lock_take(&b->power);
	off = vcpu_is_off(v);
	if (off) {
		x86_start_ap(&v->g, page);
		off = vcpu_power_on(v) == OK;
	}
	lock_drop(&b->power);
	return off;
}

static ns_t cpu_tsc_time(void *ctx, u32 cpu, u64 tsc)
{
	const struct vm *vm = ctx;

	return x86_tsc_time(&vm->vcpu[cpu].g, tsc);
}

static const struct x86_intc intc = {
	.accept = vlapic_accept, .msr = vlapic_msr, .tpr = vlapic_tpr, .set_tpr = vlapic_set_tpr,
};

static void wire_cpus(struct vm *vm)
{
	struct pc *b = vm->board_data;
	static const u32 line[LAPIC_LINES] = { [LAPIC_INTR] = X86_LINE_INTR,
					       [LAPIC_NMI] = X86_LINE_NMI,
					       [LAPIC_INIT] = X86_LINE_INIT };

	for (u32 i = 0; i < vm->vcpus; i++) {
		struct gcpu *g = &vm->vcpu[i].g;

		for (u32 k = 0; k < LAPIC_LINES; k++)
			b->line[LAPIC_LINES * i + k] = (struct irq_line){ cpu_line, g, line[k] };
		g->intc = &intc;
		g->intc_ctl = &vm->dev[DEV_LAPIC];
	}
}

/* ---- devices ---------------------------------------------------------------------------- */

static struct dev *next_dev(struct vm *vm, const struct pc_row *row, const char *name, void *port)
{
	struct pc *b = vm->board_data;
	struct dev *d = &vm->dev[vm->devs];

	assert(vm->devs < DEVS_MAX);
	*d = (struct dev){
		.model = row->model,
		.name = name,
		.base = row->base,
		.len = row->len,
		.space = &vm->space,
		.ports = &vm->ports,
		.lock = &vm->bus_lock,
		.clock = &vm->clock,
		.port.any = port,
		.shutdown = vm_shutdown,
		.vm = vm,
		.cpu = vm_cpu,
		.out = b->line,
		.outs = LAPIC_LINES * vm->vcpus,
	};
	if (row->irq != NO_IRQ)
		d->irq = (struct irq_line){ isa_irq, &b->isa, row->irq };
	return d;
}

static err_t add(struct vm *vm, struct dev *d)
{
	err_t e = dev_create(d);

	if (e == OK)
		vm->devs++;
	return e;
}

static void *port_of(const struct vm *vm, const struct model *m)
{
	struct pc *b = vm->board_data;

	if (m == &vlapic_model)
		return &b->lapic;
	if (m == &vioapic_model)
		return &vm->dev[DEV_LAPIC];
	if (m == &vcmos_model)
		return &b->cmos;
	if (m == &vuart16550_model && !str_eq(vm->config.tty, "virtio"))
		return b->console;
	return NULL;
}

static err_t add_rows(struct vm *vm)
{
	err_t e = OK;

	for (const struct pc_row *r = rows; e == OK && r->model; r++) {
		struct dev *d = next_dev(vm, r, r->name, port_of(vm, r->model));

		if (r->model == &vpic_model)
			d->irq = (struct irq_line){ vlapic_lint0, &vm->dev[DEV_LAPIC], 0 };
		if (r->model == &vuart16550_model)
			d->pio = com1_pio;
		e = add(vm, d);
	}
	return e;
}

static err_t add_virtio(struct vm *vm, const struct model *model, const char *name, void *port)
{
	struct pc *b = vm->board_data;
	struct pc_row row = { model, name, PC_VIRTIO + b->slots * PC_VIRTIO_STEP, PC_VIRTIO_STEP,
			      PC_VIRTIO_GSI + b->slots };

	if (b->slots == PC_SLOTS)
		return ERRF(E_CONFIG, "vm %s: more than %u virtio devices; use fewer disks",
			    vm->config.name, PC_SLOTS);
	b->slots++;
	return add(vm, next_dev(vm, &row, name, port));
}

static err_t add_devices(struct vm *vm)
{
	struct pc *b = vm->board_data;
	err_t e = add_rows(vm);

	for (u32 i = 0; e == OK && i < vm->config.disk.count; i++)
		e = add_virtio(vm, &vblk_model, disk_names[MIN(i, PC_SLOTS - 1)], vm->blk[i]);
	if (e == OK && str_eq(vm->config.tty, "virtio"))
		e = add_virtio(vm, &vconsole_model, "hvc0", b->console);
	if (e == OK && arch_rng() && b->slots < PC_SLOTS)
		e = add_virtio(vm, &vrng_model, "rng0", arch_rng());
	return e;
}

/* ---- memory and start --------------------------------------------------------------------- */

static u64 low_len(const struct vm *vm)
{
	return MIN(vm->ram_len, PC_LOW_END);
}

/* What is host memory behind the hole for VGA is never seen; ACPI's tables are written there. */
static err_t add_ram(struct vm *vm)
{
	struct space *s = &vm->space;
	err_t e;

	vm->ram = vm_alloc_ram(vm);
	if (!vm->ram)
		return ERRF(E_NOMEM, "vm %s: no %llu MiB of memory for it here", vm->config.name,
			    (unsigned long long)(vm->config.memory >> 20));
	vm->ram_len = vm->config.memory;
	e = space_map_ram(s, 0, PC_VGA, vm->ram, "RAM");
	if (e == OK)
		e = space_map_rom(s, PC_TABLES, PC_TABLES_LEN, vm->ram + PC_TABLES, "tables");
	if (e == OK)
		e = space_map_ram(s, PC_HIGH, low_len(vm) - PC_HIGH, vm->ram + PC_HIGH, "RAM");
	if (e == OK && vm->ram_len > PC_LOW_END)
		e = space_map_ram(s, GIB(4), vm->ram_len - PC_LOW_END, vm->ram + PC_LOW_END, "RAM");
	return e;
}

static void e820_add(struct bzimage_boot *b, gpa_t base, u64 len, u32 kind)
{
	b->e820[b->e820_count].base = base;
	b->e820[b->e820_count].len = len;
	b->e820[b->e820_count++].kind = kind;
}

static err_t start_kernel(struct vm *vm, struct bzimage_boot *b)
{
	struct pc *pc = vm->board_data;
	err_t e = pc_write_acpi(vm->vcpus, pc->slots, vm->ram + PC_TABLES, PC_TABLES_LEN, PC_TABLES,
				&b->rsdp);

	if (e != OK)
		return e;
	b->cmdline = vm->config.cmdline;
	b->ram = vm->ram;
	b->low_end = low_len(vm);
	e820_add(b, 0, PC_VGA, E820_RAM);
	e820_add(b, PC_TABLES, PC_TABLES_LEN, E820_RESERVED);
	e820_add(b, PC_HIGH, b->low_end - PC_HIGH, E820_RAM);
	if (vm->ram_len > PC_LOW_END)
		e820_add(b, GIB(4), vm->ram_len - PC_LOW_END, E820_RAM);
	e = bzimage_start(b, &vm->vcpu[0].g);
	return e == OK ? vcpu_power_on(&vm->vcpu[0]) : e;
}

static err_t load(struct vm *vm)
{
	const struct vm_config *c = &vm->config;
	struct bzimage_boot b = { 0 };
	struct file kernel = { 0 }, initrd = { 0 };
	err_t e;

	if (!c->kernel[0] || c->firmware[0])
		return ERRF(E_CONFIG, "vm %s: an x86_64 machine needs a kernel and has no firmware",
			    c->name);
	e = arch_file_open(c->kernel, &kernel);
	if (e == OK)
		e = bzimage_parse(c->kernel, kernel.data, kernel.len, &b.kernel);
	if (e == OK && c->initrd[0])
		e = arch_file_open(c->initrd, &initrd);
	if (e == OK) {
		b.initrd = initrd.data;
		b.initrd_len = initrd.len;
		e = start_kernel(vm, &b);
	}
	if (kernel.data)
		arch_file_close(&kernel);
	if (initrd.data)
		arch_file_close(&initrd);
	return e;
}

static err_t pc_build(struct vm *vm)
{
	struct pc *b = heap_alloc(sizeof(*b));
	err_t e;

	vm->board_data = b;
	vm->dev = heap_alloc(DEVS_MAX * sizeof(*vm->dev));
	if (!b || !vm->dev)
		return ERRF(E_NOMEM, "vm %s: no memory for its board", vm->config.name);
	b->console = console_chan_port(vm->console);
	b->lapic = (struct lapic_board){ .ioapic = &vm->dev[DEV_IOAPIC], .pic = &vm->dev[DEV_PIC],
					 .start = cpu_start, .tsc_time = cpu_tsc_time,
					 .ctx = vm };
	b->isa = (struct isa_irqs){ .pic = &vm->dev[DEV_PIC], .ioapic = &vm->dev[DEV_IOAPIC] };
	b->cmos = (struct cmos_board){ .below_4g = MIN(vm->config.memory, PC_LOW_END),
				       .above_4g = vm->config.memory > PC_LOW_END ?
							   vm->config.memory - PC_LOW_END : 0,
				       .cpus = vm->vcpus };
	wire_cpus(vm);
	e = add_ram(vm);
	if (e == OK)
		e = add_devices(vm);
	if (e == OK)
		e = load(vm);
	return e;
}

/* There is no firmware that a guest could call. */
static void pc_hypercall(struct vcpu *v)
{
}

const struct board pc_x86_board = {
	.name = "pc-x86",
	.arch = "x86_64",
	.isa = &x86_isa,
	.cpus_max = PC_CPUS,
	.memory_min = MIB(32),
	.memory_max = GIB(1024),
	.build = pc_build,
	.hypercall = pc_hypercall,
};
