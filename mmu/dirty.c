/*
 * Dirty log: one bit per page of every RAM range, set by whoever writes (CPUs through
 * range_mark_dirty() when a page becomes writable in their TLB, devices through
 * space_write() and space_ptr()), read and cleared by snapshot and migration.
 *
 * A CPU marks a page once and then writes through its TLB unseen. Whoever starts the log
 * or takes bits must therefore flush the TLBs of the space's CPUs afterwards.
 */
#include "kernel/base/heap.h"
#include "mmu/space.h"

err_t space_log_start(struct space *s)
{
	space_log_stop(s);
	for (u32 i = 0; i < s->count; i++) {
		struct range *r = &s->range[i];

		if (r->kind != RANGE_RAM)
			continue;
		r->dirty = heap_alloc(range_dirty_words(r) * sizeof(u64));
		if (r->dirty == NULL) {
			space_log_stop(s);
			return ERR(E_NOMEM);
		}
	}
	s->logging = true;
	return OK;
}

void space_log_stop(struct space *s)
{
	for (u32 i = 0; i < s->count; i++) {
		heap_free((void *)s->range[i].dirty);
		s->range[i].dirty = NULL;
	}
	s->logging = false;
}

err_t space_log_take(struct space *s, gpa_t base, u64 *bitmap, u64 words)
{
	const struct range *r = space_find(s, base);
	u64 have;

	if (!s->logging)
		return ERRF(E_STATE, "the dirty log is off");
	if (r == NULL || r->base != base || r->kind != RANGE_RAM)
		return ERRF(E_NOENT, "no RAM begins at 0x%llx", (unsigned long long)base);
	have = range_dirty_words(r);
	if (words < have)
		return ERRF(E_RANGE, "%s: dirty bitmap needs %llu words", r->name,
			    (unsigned long long)have);
	for (u64 i = 0; i < words; i++)
		bitmap[i] = i < have ? atomic_exchange_explicit(&r->dirty[i], 0,
								 memory_order_relaxed) : 0;
	return OK;
}
