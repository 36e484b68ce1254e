/*
 * The life of a device: allocate the model's private state, let the model attach, map its
 * registers, and the way back. Also the glue between the bus (struct mmio_ops, which knows
 * ranges) and a model (which knows a struct dev), and the printer of `struct field` tables.
 *
 * The bus holds dev->lock around reads and writes already; dev_reset() takes it itself, so
 * that a model's reset never races with a timer or a port callback. Mapping and unmapping
 * hold it, too: other devices of the machine may be doing DMA through the same space.
 */
#include "drivers/model/model.h"

#include "kernel/base/heap.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

static u64 dev_mmio_read(void *ctx, u64 off, u32 len)
{
	struct dev *d = ctx;

	return d->model->read(d, off, len) & MASK(8 * len);
}

static void dev_mmio_write(void *ctx, u64 off, u32 len, u64 val)
{
	struct dev *d = ctx;

	d->model->write(d, off, len, val & MASK(8 * len));
}

static const struct mmio_ops dev_mmio_ops = { .read = dev_mmio_read, .write = dev_mmio_write };

err_t dev_create(struct dev *d)
{
	err_t e;

	assert(d->model && d->space && d->lock && d->clock);
	d->state = heap_alloc(d->model->state_size);
	if (!d->state)
		return ERRF(E_NOMEM, "%s: no memory for %zu bytes of device state", d->name,
			    d->model->state_size);
	e = d->model->attach(d);
	if (e)
		goto fail_attach;
	dev_reset(d);
	lock_take(d->lock);
	e = space_map_mmio(d->space, d->base, d->len, &dev_mmio_ops, d, d->lock, d->name);
	lock_drop(d->lock);
	if (e)
		goto fail_map;
	return OK;
fail_map:
	if (d->model->detach)
		d->model->detach(d);
fail_attach:
	heap_free(d->state);
	d->state = NULL;
	return e;
}

void dev_destroy(struct dev *d)
{
	err_t e;

	if (!d->state)
		return;
	if (d->model->detach)
		d->model->detach(d);
	lock_take(d->lock);
	e = space_unmap(d->space, d->base);
	lock_drop(d->lock);
	if (e)
		panic("%s: registers at 0x%lx are not mapped", d->name, d->base);
	heap_free(d->state);
	d->state = NULL;
}

void dev_reset(struct dev *d)
{
	lock_take(d->lock);
	d->model->reset(d);
	lock_drop(d->lock);
}

static u64 field_load(const struct field *f, const u8 *at)
{
	switch (f->size) {
	case 1: return *at;
	case 2: return load_le16(at);
	case 4: return load_le32(at);
	case 8: return load_le64(at);
	}
	panic("field %s has %u bytes", f->name, f->size);
}

/* Arrays can be long and are mostly zero: only the elements that are not are printed. */
static void field_print(const struct field *f, const u8 *state, struct sink *to)
{
	u32 shown = 0;

	sink_printf(to, "  %s", f->name);
	for (u32 i = 0; i < f->count; i++) {
		u64 v = field_load(f, state + f->offset + i * f->size);

		if (f->count > 1 && v)
			sink_printf(to, " [%u]=0x%lx", i, v);
		else if (f->count == 1)
			sink_printf(to, " 0x%lx", v);
		shown += v != 0;
	}
	sink_puts(to, f->count > 1 && !shown ? " all 0\n" : "\n");
}

void dev_print(const struct dev *d, struct sink *to)
{
	sink_printf(to, "%s %s at 0x%lx\n", d->name, d->model->name, d->base);
	if (!d->state)
		return;
	for (const struct field *f = d->model->fields; f->name; f++)
		field_print(f, d->state, to);
}
