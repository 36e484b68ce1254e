/* Block port: the checks that every provider may rely on. A guest may ask for anything. */
#include "drivers/port/blk.h"

static err_t req_check(const struct blk *b, const struct blk_req *r)
{
	u64 bytes = 0;

	if (r->op == BLK_FLUSH)
		return OK;
	if (r->sector > b->sectors || r->sectors > b->sectors - r->sector)
		return ERRF(E_RANGE, "%s: request past the end (sector %llu+%llu > %llu)", b->name,
			    (unsigned long long)r->sector, (unsigned long long)r->sectors,
			    (unsigned long long)b->sectors);
	if (r->op != BLK_READ && b->readonly)
		return ERRF(E_ACCESS, "%s: write to a read-only disk", b->name);
	if (r->op == BLK_DISCARD || r->op == BLK_ZERO)
		return b->discard ? OK : ERRF(E_UNSUPPORTED, "%s: cannot discard", b->name);
	if (r->op != BLK_READ && r->op != BLK_WRITE)
		return ERRF(E_INVAL, "%s: unknown operation %u", b->name, r->op);
	for (u32 i = 0; i < r->iov_count; i++)
		if (__builtin_add_overflow(bytes, r->iov[i].len, &bytes))
			return ERRF(E_INVAL, "%s: buffers overflow", b->name);
	if (bytes != r->sectors * BLK_SECTOR)
		return ERRF(E_INVAL, "%s: %llu bytes of buffers for %llu sectors", b->name,
			    (unsigned long long)bytes, (unsigned long long)r->sectors);
	return OK;
}

void blk_submit(struct blk *b, struct blk_req *r)
{
	err_t e = req_check(b, r);

	if (e != OK)
		r->done(r, e);
	else
		b->ops->submit(b, r);
}
