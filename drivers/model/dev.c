/*
 * The life of a device: allocate the model's private state, let the model attach, map its
 * registers, and the way back. Also the glue between the bus (struct mmio_ops, which knows
 * ranges) and a model (which knows a struct dev), and the printer of `struct field` tables.
 *
 * Registers are in memory, in x86's I/O space, or in both; there the model gives each list of
 * ports an offset, so that it has one space of offsets for all it has.
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

static const struct dev_pio *dev_pio(const struct dev *d)
{
	static const struct dev_pio none;

	if (!d->ports)
		return &none;
	return d->pio ? d->pio : d->model->pio ? d->model->pio : &none;
}

/* Take back the registers in memory, if they are @mapped, and the ports before @end. */
static void dev_unmap(struct dev *d, bool mapped, const struct dev_pio *end)
{
	err_t e = OK;

	for (const struct dev_pio *p = dev_pio(d); p != end && e == OK; p++)
		e = ports_unmap(d->ports, p->base);
	if (mapped && e == OK)
		e = space_unmap(d->space, d->base);
	if (e)
		panic("%s: registers at 0x%lx are not mapped", d->name, d->base);
}

static err_t dev_map(struct dev *d)
{
	const struct dev_pio *p = dev_pio(d);
	err_t e = OK;

	if (d->len)
		e = space_map_mmio(d->space, d->base, d->len, &dev_mmio_ops, d, d->lock, d->name);
	if (e)
		return e;
	for (; p->len && e == OK; p += e == OK) {
		struct port_range r = { p->base, p->len, p->off, d->name, &dev_mmio_ops, d,
					d->lock };

		e = ports_map(d->ports, &r);
	}
	if (e)
		dev_unmap(d, d->len != 0, p);
	return e;
}

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
	e = dev_map(d);
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
	const struct dev_pio *end;

	if (!d->state)
		return;
	if (d->model->detach)
		d->model->detach(d);
	for (end = dev_pio(d); end->len; end++)
		;
	lock_take(d->lock);
	dev_unmap(d, d->len != 0, end);
	lock_drop(d->lock);
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
	sink_printf(to, "%s %s", d->name, d->model->name);
	if (d->len)
		sink_printf(to, " at 0x%lx", d->base);
	for (const struct dev_pio *p = dev_pio(d); p->len; p++)
		sink_printf(to, " port 0x%x", p->base);
	sink_puts(to, "\n");
	if (!d->state)
		return;
	for (const struct field *f = d->model->fields; f->name; f++)
		field_print(f, d->state, to);
}
