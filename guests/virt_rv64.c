/*
 * The RISC-V board's table and how a VM is furnished from it. Addresses and interrupt numbers are
 * those of QEMU's `virt`; only transports in use exist, where QEMU shows eight.
 *
 * Virtio slots are dealt out from the first: disks in the order of the configuration, so that
 * the first is vda, then the console if it is wanted there, then the entropy source.
 */
#include "guests/virt_rv64.h"

#include "arch/io.h"
#include "arch/mem.h"
#include "drivers/model/rv/irq.h"
#include "engine/front/rv64/state.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"

_Static_assert(VIRT_HARTS <= CLINT_HARTS && 2 * VIRT_HARTS <= PLIC_CONTEXTS,
	       "interrupt controllers are too small");

#define DEVS_MAX	(5 + VIRT_SLOTS)

extern const struct isa rv64_isa;

static const char *const disk_names[] = {
	"disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7",
};

static void hart_line(void *ctl, u32 bit, bool level)
{
	gcpu_line(ctl, bit, level);
}

/* Two outputs per hart, wired to the lines @even and @odd of its CPU. */
static void wire_harts(const struct vm *vm, struct irq_line *out, u32 even, u32 odd)
{
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct gcpu *g = &vm->vcpu[i].g;

		out[2 * i] = (struct irq_line){ hart_line, g, even };
		out[2 * i + 1] = (struct irq_line){ hart_line, g, odd };
	}
}

/* ---- randomness ------------------------------------------------------------------------- */

/* Steele et al., "Fast splittable pseudorandom number generators", 2014; from seed 0. */
static err_t fixed_rng_read(struct rng *r, void *buf, size_t len)
{
	struct virt *b = container_of(r, struct virt, fixed_rng);
	u8 *p = buf;

	for (u64 v = 0, i = 0; i < len; i++, v >>= 8) {
		if (i % 8 == 0) {
			v = b->fixed_rng_state += 0x9e3779b97f4a7c15ull;
			v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
			v = (v ^ v >> 27) * 0x94d049bb133111ebull;
			v ^= v >> 31;
		}
		p[i] = (u8)v;
	}
	return OK;
}

static const struct rng_ops fixed_rng_ops = { fixed_rng_read };

struct rng *virt_rng(const struct vm *vm)
{
	struct virt *b = vm->board_data;

	return gclock_counts(&vm->clock) ? &b->fixed_rng : arch_rng();
}

/* ---- devices ---------------------------------------------------------------------------- */

static struct dev *virt_plic(const struct vm *vm)
{
	return &vm->dev[0];
}

/* The next device of @vm, made from @row and @port. */
static err_t virt_add(struct vm *vm, const struct virt_row *row, const char *name, void *port)
{
	struct virt *b = vm->board_data;
	struct dev *d = &vm->dev[vm->devs];
	err_t e;

	assert(vm->devs < DEVS_MAX);
	*d = (struct dev){
		.model = row->model,
		.name = name,
		.base = row->base,
		.len = ALIGN_UP(row->len, PAGE_SIZE),
		.space = &vm->space,
		.lock = &vm->bus_lock,
		.clock = &vm->clock,
		.port.any = port,
		.shutdown = vm_shutdown,
		.vm = vm,
		.outs = 2 * vm->vcpus,
	};
	if (row->irq)
		d->irq = (struct irq_line){ vplic_input, virt_plic(vm), row->irq };
	d->out = row->model == &vclint_model ? b->clint_out : b->plic_out;
	e = dev_create(d);
	if (e == OK)
		vm->devs++;
	return e;
}

static err_t virt_add_virtio(struct vm *vm, const struct model *model, const char *name, void *port)
{
	struct virt *b = vm->board_data;
	struct virt_row row = virt_virtio;

	if (b->slots == VIRT_SLOTS)
		return ERRF(E_CONFIG, "vm %s: more than %u virtio devices; use fewer disks",
			    vm->config.name, VIRT_SLOTS);
	row.model = model;
	row.base += b->slots * row.len;
	row.irq += b->slots;
	b->slots++;
	return virt_add(vm, &row, name, port);
}

static err_t virt_add_devices(struct vm *vm)
{
	struct virt *b = vm->board_data;
	bool virtio_console = str_eq(vm->config.tty, "virtio");
	err_t e = OK;

	for (const struct virt_row *r = virt_rows; e == OK && r->model; r++)
		e = virt_add(vm, r, r->name,
			     r->model == &vuart16550_model && !virtio_console ? b->console : NULL);
	for (u32 i = 0; e == OK && i < vm->config.disk.count; i++)
		e = virt_add_virtio(vm, &vblk_model, disk_names[MIN(i, VIRT_SLOTS - 1)],
				    vm->blk[i]);
	if (e == OK && virtio_console)
		e = virt_add_virtio(vm, &vconsole_model, "hvc0", b->console);
	if (e == OK && virt_rng(vm) && b->slots < VIRT_SLOTS)
		e = virt_add_virtio(vm, &vrng_model, "rng0", virt_rng(vm));
	return e;
}

static err_t virt_add_ram(struct vm *vm)
{
	vm->ram = vm_alloc_ram(vm);
	if (!vm->ram)
		return ERRF(E_NOMEM, "vm %s: no %llu MiB of memory for it here", vm->config.name,
			    (unsigned long long)(vm->config.memory >> 20));
	vm->ram_len = vm->config.memory;
	return space_map_ram(&vm->space, VIRT_RAM, vm->ram_len, vm->ram, "RAM");
}

static err_t virt_build(struct vm *vm)
{
	struct virt *b = heap_alloc(sizeof(*b));
	err_t e;

	vm->board_data = b;
	vm->dev = heap_alloc(DEVS_MAX * sizeof(*vm->dev));
	if (!b || !vm->dev)
		return ERRF(E_NOMEM, "vm %s: no memory for its board", vm->config.name);
	b->console = console_chan_port(vm->console);
	console_chan_never_busy(vm->console, gclock_counts(&vm->clock));
	b->fixed_rng = (struct rng){ &fixed_rng_ops, "fixed" };
	wire_harts(vm, b->plic_out, IRQ_MEI, IRQ_SEI);
	wire_harts(vm, b->clint_out, IRQ_MSI, IRQ_MTI);
	e = virt_add_ram(vm);
	if (e == OK)
		e = virt_add_devices(vm);
	if (e == OK)
		e = virt_load(vm);
	return e;
}

const struct board virt_rv64_board = {
	.name = "virt-rv64",
	.arch = "riscv64",
	.isa = &rv64_isa,
	.cpus_max = VIRT_HARTS,
	.memory_min = MIB(16),
	.memory_max = GIB(1024),
	.build = virt_build,
	.hypercall = sbi_rv64,
};
