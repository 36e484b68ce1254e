/*
 * Guest physical address space: the range array, lookup, and copies in and out.
 *
 * Mapping builds a new array and frees the old one, so a failed allocation leaves the
 * space as it was; unmapping needs no memory, as taking a machine apart must not fail.
 * Ranges may touch the end of the address space: sums are therefore written as differences
 * (gpa - base < len), which cannot wrap.
 */
#include "mmu/space.h"

#include "kernel/base/heap.h"
#include "kernel/base/str.h"

#define MMIO_ALIGN 16ull	/* no access of a guest is wider, and naturally aligned ones fit */

err_t space_init(struct space *s)
{
	*s = (struct space){ 0 };
	return OK;
}

void space_fini(struct space *s)
{
	space_log_stop(s);
	for (u32 i = 0; i < s->count; i++)
		heap_free((void *)s->range[i].watch_state);
	heap_free(s->range);
	*s = (struct space){ 0 };
}

/* Index of the first range that ends behind @gpa; s->count if there is none. */
static u32 range_index(const struct space *s, gpa_t gpa)
{
	u32 low = 0, high = s->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		const struct range *r = &s->range[mid];

		if (r->base <= gpa && gpa - r->base >= r->len)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct range *space_find(struct space *s, gpa_t gpa)
{
	u32 i = atomic_load_explicit(&s->last, memory_order_relaxed);

	if (likely(i < s->count && gpa - s->range[i].base < s->range[i].len))
		return &s->range[i];
	i = range_index(s, gpa);
	if (i == s->count || s->range[i].base > gpa)
		return NULL;
	atomic_store_explicit(&s->last, i, memory_order_relaxed);
	return &s->range[i];
}

/* Devices may share a page, as small ones do on many boards. */
static err_t range_check(const struct space *s, u32 at, const struct range *new)
{
	u64 align = new->kind == RANGE_MMIO ? MMIO_ALIGN : PAGE_SIZE;

	if (new->len == 0 || (new->base | new->len) % align != 0)
		return ERRF(E_INVAL, "%s: range is empty or not aligned to %llu", new->name,
			    (unsigned long long)align);
	if (new->base + new->len - 1 < new->base)
		return ERRF(E_RANGE, "%s: range wraps around the address space", new->name);
	if (at < s->count && s->range[at].base <= new->base + new->len - 1)
		return ERRF(E_EXIST, "%s overlaps %s", new->name, s->range[at].name);
	return OK;
}

static err_t range_insert(struct space *s, struct range new)
{
	u32 at = range_index(s, new.base);
	struct range *list;
	err_t err = range_check(s, at, &new);

	if (err != OK)
		return err;
	list = heap_alloc((s->count + 1) * sizeof(*list));
	if (list == NULL)
		return ERR(E_NOMEM);
	if (s->count != 0) {
		memcpy(list, s->range, at * sizeof(*list));
		memcpy(list + at + 1, s->range + at, (s->count - at) * sizeof(*list));
	}
	list[at] = new;
	heap_free(s->range);
	s->range = list;
	s->count++;
	s->generation++;
	return OK;
}

err_t space_map_ram(struct space *s, gpa_t base, u64 len, u8 *host, const char *name)
{
	struct range new = {
		.base = base, .len = len, .kind = RANGE_RAM, .name = name, .host = host
	};
	err_t err = range_check(s, range_index(s, base), &new);

	if (err != OK)
		return err;
	new.watch = &s->watch;
	new.watch_state = heap_alloc(len / PAGE_SIZE);
	if (new.watch_state == NULL)
		return ERR(E_NOMEM);
	if (s->logging) {
		new.dirty = heap_alloc(range_dirty_words(&new) * sizeof(u64));
		if (new.dirty == NULL) {
			heap_free((void *)new.watch_state);
			return ERR(E_NOMEM);
		}
	}
	err = range_insert(s, new);
	if (err != OK) {
		heap_free((void *)new.dirty);
		heap_free((void *)new.watch_state);
	}
	return err;
}

err_t space_map_rom(struct space *s, gpa_t base, u64 len, u8 *host, const char *name)
{
	return range_insert(s, (struct range){
		.base = base, .len = len, .kind = RANGE_ROM, .name = name, .host = host });
}

err_t space_map_mmio(struct space *s, gpa_t base, u64 len, const struct mmio_ops *ops, void *ctx,
		     struct lock *lock, const char *name)
{
	return range_insert(s, (struct range){
		.base = base, .len = len, .kind = RANGE_MMIO, .name = name,
		.ops = ops, .ctx = ctx, .lock = lock });
}

err_t space_unmap(struct space *s, gpa_t base)
{
	u32 at = range_index(s, base);

	if (at == s->count || s->range[at].base != base)
		return ERRF(E_NOENT, "no range begins at 0x%llx", (unsigned long long)base);
	heap_free((void *)s->range[at].dirty);
	heap_free((void *)s->range[at].watch_state);
	s->count--;
	memmove(s->range + at, s->range + at + 1, (s->count - at) * sizeof(*s->range));
	s->generation++;
	return OK;
}

static bool range_is_memory(const struct range *r, bool write)
{
	return r->kind == RANGE_RAM || (r->kind == RANGE_ROM && !write);
}

/* Mark the pages of [gpa, gpa + len), which lies in @r and is not empty. */
static void range_mark_span(const struct range *r, gpa_t gpa, u64 len)
{
	gpa_t last = gpa + len - 1;

	for (gpa_t page = gpa & PAGE_MASK; page <= last && page >= r->base; page += PAGE_SIZE)
		range_mark_dirty(r, page);
}

u8 *space_ptr(struct space *s, gpa_t gpa, u64 len, bool write)
{
	const struct range *r = space_find(s, gpa);

	if (r == NULL || !range_is_memory(r, write) || len > r->len - (gpa - r->base))
		return NULL;
	if (write && len != 0)
		range_mark_span(r, gpa, len);
	return r->host + (gpa - r->base);
}

/* Is every byte of [gpa, gpa + len) memory? The ranges that hold it begin at index *@first. */
static bool span_is_memory(const struct space *s, gpa_t gpa, u64 len, bool write, u32 *first)
{
	u32 i = *first = range_index(s, gpa);

	if (len != 0 && gpa + len - 1 < gpa)
		return false;
	while (len != 0) {
		const struct range *r = &s->range[i++];
		u64 here;

		if (i > s->count || r->base > gpa || !range_is_memory(r, write))
			return false;
		here = MIN(len, r->len - (gpa - r->base));
		gpa += here;
		len -= here;
	}
	return true;
}

err_t space_read(struct space *s, gpa_t gpa, void *buf, u64 len)
{
	u8 *to = buf;
	u32 i;

	if (!span_is_memory(s, gpa, len, false, &i))
		return ERR(E_FAULT);
	for (const struct range *r = &s->range[i]; len != 0; r++) {
		u64 off = gpa - r->base, here = MIN(len, r->len - off);

		memcpy(to, r->host + off, here);
		to += here;
		gpa += here;
		len -= here;
	}
	return OK;
}

err_t space_write(struct space *s, gpa_t gpa, const void *buf, u64 len)
{
	const u8 *from = buf;
	u32 i;

	if (!span_is_memory(s, gpa, len, true, &i))
		return ERR(E_FAULT);
	for (const struct range *r = &s->range[i]; len != 0; r++) {
		u64 off = gpa - r->base, here = MIN(len, r->len - off);

		memcpy(r->host + off, from, here);
		range_mark_span(r, gpa, here);
		from += here;
		gpa += here;
		len -= here;
	}
	return OK;
}
