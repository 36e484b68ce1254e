/*
 * The parts of a guest's device tree that do not depend on its architecture. Bindings: Linux
 * Documentation/devicetree/bindings; the shape of nodes follows QEMU's, so that guests find
 * what they know.
 */
#include "guests/virt.h"

static void append_u64(struct dt *f, u64 value)
{
	dt_prop_append_cell(f, (u32)(value >> 32));
	dt_prop_append_cell(f, (u32)value);
}

void virt_write_reg(struct dt *f, u64 base, u64 len)
{
	dt_prop_begin(f, "reg");
	append_u64(f, base);
	append_u64(f, len);
	dt_prop_end(f);
}

static void write_device(struct dt *f, const struct vm *vm, const struct virt_row *r)
{
	dt_node_at(f, r->node, r->base);
	dt_prop_begin(f, "compatible");
	dt_prop_append_text(f, r->model->compatible);
	for (u32 i = 0; i < ARRAY_LEN(r->also) && r->also[i]; i++)
		dt_prop_append_text(f, r->also[i]);
	dt_prop_end(f);
	dt_prop_begin(f, "reg");
	append_u64(f, r->base);
	append_u64(f, r->reg[1] ? r->reg[1] : r->len);
	if (r->reg[3]) {
		append_u64(f, r->reg[2]);
		append_u64(f, r->reg[3]);
	}
	dt_prop_end(f);
	if (r->irq)
		virt_of(vm)->map->write_irq(f, r->irq);
	if (r->describe)
		r->describe(f, vm);
	dt_end(f);
}

void virt_write_devices(struct dt *f, const struct vm *vm)
{
	const struct virt *b = virt_of(vm);
	struct virt_row slot = *b->map->slot;

	for (const struct virt_row *r = b->map->rows; r->model; r++)
		write_device(f, vm, r);
	for (u32 i = 0; i < b->slots; i++, slot.base += slot.len, slot.irq++)
		write_device(f, vm, &slot);
}

void virt_write_chosen(struct dt *f, const struct vm *vm, const struct virt_images *images)
{
	struct rng *rng = virt_rng(vm);
	u8 seed[32];

	dt_node(f, "chosen");
	dt_prop_text(f, "bootargs", vm->config.cmdline);
	dt_prop_text(f, "stdout-path", virt_of(vm)->map->stdout_path);
	if (images->initrd_end > images->initrd) {
		dt_prop_u64(f, "linux,initrd-start", images->initrd);
		dt_prop_u64(f, "linux,initrd-end", images->initrd_end);
	}
	if (rng && rng_read(rng, seed, sizeof(seed)) == OK)
		dt_prop(f, "rng-seed", seed, sizeof(seed));
	dt_end(f);
}

void virt_write_memory(struct dt *f, const struct vm *vm)
{
	gpa_t ram = virt_of(vm)->map->ram;

	dt_node_at(f, "memory", ram);
	dt_prop_text(f, "device_type", "memory");
	virt_write_reg(f, ram, vm->ram_len);
	dt_end(f);
}
