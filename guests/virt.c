/*
 * How a VM is furnished from the table of its board. Only virtio transports in use exist, where
 * QEMU shows eight or more: they are dealt out from the first, disks in the order of the
 * configuration, so that the first is vda, then the console if it is wanted there, then the entropy
 * source.
 */
#include "guests/virt.h"

#include "arch/mem.h"
#include "kernel/base/heap.h"
#include "kernel/base/page.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"
#include "kernel/board.h"
#include "kernel/console.h"

#define ROWS_MAX	5
#define DEVS_MAX	(ROWS_MAX + VIRT_SLOTS)

static const char *const disk_names[] = {
	"disk0", "disk1", "disk2", "disk3", "disk4", "disk5", "disk6", "disk7",
};

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
	struct virt *b = virt_of(vm);

	return gclock_counts(&vm->clock) ? &b->fixed_rng : arch_rng();
}

/* ---- devices ---------------------------------------------------------------------------- */

static void cpu_line(void *ctl, u32 bit, bool level)
{
	gcpu_line(ctl, bit, level);
}

/* The outputs of the next interrupt controller, two for each CPU. */
static struct irq_line *virt_wire(const struct vm *vm, const struct virt_row *row)
{
	struct virt *b = virt_of(vm);
	struct irq_line *out = b->out[b->controllers++];

	assert(b->controllers <= ARRAY_LEN(b->out));
	for (u32 i = 0; i < vm->vcpus; i++) {
		struct gcpu *g = &vm->vcpu[i].g;

		out[2 * i] = (struct irq_line){ cpu_line, g, row->line[0] };
		out[2 * i + 1] = (struct irq_line){ cpu_line, g, row->line[1] };
	}
	return out;
}

/* The next device of @vm, made from @row and @port. */
static err_t virt_add(struct vm *vm, const struct virt_row *row, const char *name, void *port)
{
	struct dev *d = &vm->dev[vm->devs];
	bool controller = row->line[0] != row->line[1];
	err_t e;

	assert(vm->devs < DEVS_MAX);
	*d = (struct dev){
		.model = row->model,
		.name = name,
		.base = row->base,
		.len = row->len,
		.space = &vm->space,
		.lock = &vm->bus_lock,
		.clock = &vm->clock,
		.port.any = port,
		.shutdown = vm_shutdown,
		.vm = vm,
		.out = controller ? virt_wire(vm, row) : NULL,
		.outs = controller ? 2 * vm->vcpus : 0,
	};
	if (row->irq)
		d->irq = (struct irq_line){ virt_of(vm)->map->input, &vm->dev[0], row->irq };
	e = dev_create(d);
	if (e == OK)
		vm->devs++;
	return e;
}

static err_t virt_add_virtio(struct vm *vm, const struct model *model, const char *name, void *port)
{
	struct virt *b = virt_of(vm);
	struct virt_row row = *b->map->slot;

	if (b->slots == VIRT_SLOTS)
		return ERRF(E_CONFIG, "vm %s: more than %u virtio devices; use fewer disks",
			    vm->config.name, VIRT_SLOTS);
	row.model = model;
	row.base += b->slots * row.len;
	row.irq += b->slots;
	b->slots++;
	return virt_add(vm, &row, name, port);
}

/* Its place, and what is around it in the same page: registers that read as zero. */
static err_t virt_add_row(struct vm *vm, const struct virt_row *row, struct chr *console)
{
	struct virt_row whole = *row;

	whole.len = ALIGN_UP(row->len, PAGE_SIZE);
	return virt_add(vm, &whole, row->name,
			row->model == virt_of(vm)->map->uart ? console : NULL);
}

static err_t virt_add_devices(struct vm *vm)
{
	struct virt *b = virt_of(vm);
	bool virtio_console = str_eq(vm->config.tty, "virtio");
	err_t e = OK;

	for (const struct virt_row *r = b->map->rows; e == OK && r->model; r++)
		e = virt_add_row(vm, r, virtio_console ? NULL : b->console);
	for (u32 i = 0; e == OK && i < vm->config.disk.count; i++)
		e = virt_add_virtio(vm, &vblk_model, disk_names[MIN(i, VIRT_SLOTS - 1)],
				    vm->blk[i]);
	if (e == OK && virtio_console)
		e = virt_add_virtio(vm, &vconsole_model, "hvc0", b->console);
	if (e == OK && virt_rng(vm) && b->slots < VIRT_SLOTS)
		e = virt_add_virtio(vm, &vrng_model, "rng0", virt_rng(vm));
	for (u32 i = 0; i < vm->vcpus && b->map->intc; i++) {
		vm->vcpu[i].g.intc = b->map->intc;
		vm->vcpu[i].g.intc_ctl = &vm->dev[0];
	}
	return e;
}

static err_t virt_add_ram(struct vm *vm)
{
	vm->ram = vm_alloc_ram(vm);
	if (!vm->ram)
		return ERRF(E_NOMEM, "vm %s: no %llu MiB of memory for it here", vm->config.name,
			    (unsigned long long)(vm->config.memory >> 20));
	vm->ram_len = vm->config.memory;
	return space_map_ram(&vm->space, virt_of(vm)->map->ram, vm->ram_len, vm->ram, "RAM");
}

err_t virt_build(struct vm *vm, const struct virt_map *map)
{
	struct virt *b = heap_alloc(sizeof(*b));
	err_t e;

	vm->board_data = b;
	vm->dev = heap_alloc(DEVS_MAX * sizeof(*vm->dev));
	if (!b || !vm->dev)
		return ERRF(E_NOMEM, "vm %s: no memory for its board", vm->config.name);
	b->map = map;
	b->console = console_chan_port(vm->console);
	console_chan_never_busy(vm->console, gclock_counts(&vm->clock));
	b->fixed_rng = (struct rng){ &fixed_rng_ops, "fixed" };
	e = virt_add_ram(vm);
	if (e == OK)
		e = virt_add_devices(vm);
	if (e == OK)
		e = virt_load(vm);
	return e;
}
