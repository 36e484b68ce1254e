/*
 * The I/O space of x86: the range array and the dispatch of one access. Mapping builds a new
 * array and frees the old one, so a failed allocation changes nothing; unmapping needs no memory.
 */
#include "mmu/ports.h"

#include "kernel/base/heap.h"
#include "kernel/base/str.h"

void ports_init(struct ports *p)
{
	*p = (struct ports){ 0 };
}

void ports_fini(struct ports *p)
{
	heap_free(p->range);
	*p = (struct ports){ 0 };
}

/* Index of the first range that ends behind @port; p->count if there is none. */
static u32 ports_index(const struct ports *p, u32 port)
{
	u32 low = 0, high = p->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (p->range[mid].base + p->range[mid].len <= port)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static err_t ports_check(const struct ports *p, u32 at, const struct port_range *new)
{
	if (!new->len || new->base >= PORTS_END || new->len > PORTS_END - new->base)
		return ERRF(E_RANGE, "%s: ports 0x%x and %u bytes", new->name, new->base, new->len);
	if (at < p->count && p->range[at].base < new->base + new->len)
		return ERRF(E_EXIST, "%s overlaps %s", new->name, p->range[at].name);
	return OK;
}

err_t ports_map(struct ports *p, const struct port_range *new)
{
	u32 at = ports_index(p, new->base);
	struct port_range *list;
	err_t e = ports_check(p, at, new);

	if (e != OK)
		return e;
	list = heap_alloc((p->count + 1) * sizeof(*list));
	if (!list)
		return ERR(E_NOMEM);
	if (p->count) {
		memcpy(list, p->range, at * sizeof(*list));
		memcpy(list + at + 1, p->range + at, (p->count - at) * sizeof(*list));
	}
	list[at] = *new;
	heap_free(p->range);
	p->range = list;
	p->count++;
	return OK;
}

err_t ports_unmap(struct ports *p, u32 base)
{
	u32 at = ports_index(p, base);

	if (at == p->count || p->range[at].base != base)
		return ERRF(E_NOENT, "no range begins at port 0x%x", base);
	p->count--;
	memmove(p->range + at, p->range + at + 1, (p->count - at) * sizeof(*p->range));
	return OK;
}

/* The range of @port; NULL: none. *@whole: all of the access lies in it. */
static const struct port_range *ports_find(struct ports *p, u32 port, u32 len, bool *whole)
{
	u32 i = atomic_load_explicit(&p->last, memory_order_relaxed);
	const struct port_range *r = &p->range[i];

	*whole = false;
	if (i >= p->count || port - r->base >= r->len) {
		i = ports_index(p, port);
		r = &p->range[i];
		if (i == p->count || r->base > port)
			return NULL;
		atomic_store_explicit(&p->last, i, memory_order_relaxed);
	}
	*whole = len <= r->len - (port - r->base);
	return r;
}

static u32 port_range_read(const struct port_range *r, u32 port, u32 len)
{
	u64 val;

	if (r->lock)
		lock_take(r->lock);
	val = r->ops->read(r->ctx, port - r->base + r->off, len);
	if (r->lock)
		lock_drop(r->lock);
	return (u32)(val & MASK(8 * len));
}

static void port_range_write(const struct port_range *r, u32 port, u32 len, u32 val)
{
	if (r->lock)
		lock_take(r->lock);
	r->ops->write(r->ctx, port - r->base + r->off, len, val & MASK(8 * len));
	if (r->lock)
		lock_drop(r->lock);
}

u32 ports_read(struct ports *p, u32 port, u32 len)
{
	bool whole;
	const struct port_range *r = ports_find(p, port, len, &whole);
	u32 val = 0;

	if (likely(whole))
		return port_range_read(r, port, len);
	if (len == 1)
		return 0xff;
	for (u32 i = 0; i < len; i++)
		val |= ports_read(p, port + i, 1) << 8 * i;
	return val;
}

void ports_write(struct ports *p, u32 port, u32 len, u32 val)
{
	bool whole;
	const struct port_range *r = ports_find(p, port, len, &whole);

	if (likely(whole))
		port_range_write(r, port, len, val);
	else if (len > 1)
		for (u32 i = 0; i < len; i++)
			ports_write(p, port + i, 1, val >> 8 * i);
}
