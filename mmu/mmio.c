/*
 * One access of a guest CPU to a device model: find the offset, take the range's lock,
 * call. Size, alignment and unknown registers are the model's business (see mmio_ops);
 * values are cut to @len here so that no model can leak bits the guest did not ask for.
 */
#include "mmu/space.h"

u64 range_mmio_read(const struct range *r, gpa_t gpa, u32 len)
{
	u64 val;

	if (r->lock != NULL)
		lock_take(r->lock);
	val = r->ops->read(r->ctx, gpa - r->base, len);
	if (r->lock != NULL)
		lock_drop(r->lock);
	return val & MASK(8 * len);
}

void range_mmio_write(const struct range *r, gpa_t gpa, u32 len, u64 val)
{
	if (r->lock != NULL)
		lock_take(r->lock);
	r->ops->write(r->ctx, gpa - r->base, len, val & MASK(8 * len));
	if (r->lock != NULL)
		lock_drop(r->lock);
}

u64 range_emulate(const struct range *r, gpa_t gpa, u32 len, bool write, u64 val)
{
	if (!r || r->kind != RANGE_MMIO)
		return MASK(8 * len);
	if (!write)
		return range_mmio_read(r, gpa, len);
	range_mmio_write(r, gpa, len, val);
	return val;
}
