/*
 * Split virtqueues, the device's side: see queue.h. Section numbers are those of VIRTIO 1.2.
 *
 * Rings live in memory that guest CPUs write at any time. Indices and flags are read and
 * written once each, atomically and with the barriers the specification asks for.
 */
#include "drivers/model/virtio/queue.h"

#include "drivers/model/virtio/virtio.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };	/* 2.7.5 */
enum { AVAIL_NO_INTERRUPT = 1 };				/* 2.7.6 */

_Static_assert(sizeof(struct vq_desc) == 16, "virtio 1.2, 2.7.5");

static u16 ring_load(const u8 *at)
{
	return __atomic_load_n((const u16 *)at, __ATOMIC_ACQUIRE);
}

static void ring_store(u8 *at, u16 val)
{
	__atomic_store_n((u16 *)at, val, __ATOMIC_RELEASE);
}

/* Offsets in the rings, 2.7.6 and 2.7.8. */
static u8 *avail_flags(const struct vq *q) { return q->driver_at; }
static u8 *avail_idx(const struct vq *q) { return q->driver_at + 2; }
static u8 *avail_ring(const struct vq *q, u16 i) { return q->driver_at + 4 + 2 * (i % q->size); }
static u8 *used_event(const struct vq *q) { return q->driver_at + 4 + 2 * q->size; }
static u8 *used_idx(const struct vq *q) { return q->device_at + 2; }
static u8 *used_ring(const struct vq *q, u16 i) { return q->device_at + 4 + 8 * (i % q->size); }
static u8 *avail_event(const struct vq *q) { return q->device_at + 4 + 8 * q->size; }

bool vq_open(struct vq *q, struct space *s, u64 features)
{
	u64 event = features & VIRTIO_F_EVENT_IDX ? 2 : 0;

	if (!q->size || q->size > VQ_SIZE_MAX || q->size & (q->size - 1))
		return false;
	if (q->desc % 16 || q->driver % 2 || q->device % 4)
		return false;
	q->space = s;
	q->event_idx = event;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->desc_at = space_ptr(s, q->desc, 16ull * q->size, false);
	q->driver_at = space_ptr(s, q->driver, 4 + 2ull * q->size + event, false);
	q->device_at = space_ptr(s, q->device, 4 + 8ull * q->size + event, true);
	return q->desc_at && q->driver_at && q->device_at;
}

/* Add [gpa, gpa + len) to the chain, one segment per RAM range. */
static const char *chain_add(struct chain *c, struct space *s, gpa_t gpa, u64 len, bool write)
{
	while (len) {
		const struct range *r = space_find(s, gpa);
		u64 part = r ? MIN(len, r->base + r->len - gpa) : 0;
		u8 *host = r ? space_ptr(s, gpa, part, write) : NULL;

		if (!host)
			return "buffer is not in RAM";
		if (c->count == VQ_SEGMENTS)
			return "too many segments";
		c->seg[c->count] = (struct iovec_host){ host, part };
		c->gpa[c->count++] = gpa;
		gpa += part;
		len -= part;
	}
	return NULL;
}

static const char *chain_add_desc(struct chain *c, struct space *s, const struct vq_desc *e)
{
	bool write = e->flags & DESC_WRITE;
	const char *why;

	if (!write && c->count > c->outs)
		return "readable buffer after a writable one";
	if (c->out_len + c->in_len + e->len > UINT32_MAX)
		return "chain of 4 GiB or more";
	why = chain_add(c, s, e->addr, e->len, write);
	if (why)
		return why;
	if (write) {
		c->in_len += e->len;
	} else {
		c->out_len += e->len;
		c->outs = c->count;
	}
	return NULL;
}

/*
 * An indirect table, 2.7.5.3: copied whole, then read. @budget: descriptors the chain may have
 * yet.
 */
static const char *chain_add_indirect(struct chain *c, struct vq *q, const struct vq_desc *e,
				      u32 budget)
{
	struct vq_desc *table = c->table;
	u32 n = e->len / sizeof(struct vq_desc), i = 0;
	const char *why;

	if (e->flags & DESC_NEXT)
		return "indirect descriptor with a next one";
	if (!n || e->len % sizeof(struct vq_desc) || n > VQ_SIZE_MAX)
		return "indirect table of a bad size";
	if (space_read(q->space, e->addr, table, e->len))
		return "indirect table is not in RAM";
	while (budget--) {
		if (table[i].flags & DESC_INDIRECT)
			return "indirect descriptor in an indirect table";
		why = chain_add_desc(c, q->space, &table[i]);
		if (why || !(table[i].flags & DESC_NEXT))
			return why;
		i = table[i].next;
		if (i >= n)
			return "next descriptor outside the indirect table";
	}
	return "loop in an indirect table";
}

/* A chain has at most as many descriptors as the queue has entries (2.7.5.3.1): more is a loop. */
static const char *chain_parse(struct chain *c, struct vq *q)
{
	struct vq_desc e;
	u16 i = c->head;
	const char *why;

	for (u32 budget = q->size; budget; budget--) {
		if (i >= q->size)
			return "descriptor index outside the table";
		memcpy(&e, q->desc_at + 16 * i, sizeof(e));
		__asm__ volatile("" : "+m"(e));		/* the copy is what is checked and used */
		if (e.flags & DESC_INDIRECT)
			return q->indirect ? chain_add_indirect(c, q, &e, budget) :
					     "indirect descriptor without the feature";
		why = chain_add_desc(c, q->space, &e);
		if (why || !(e.flags & DESC_NEXT))
			return why;
		i = e.next;
	}
	return "loop in the descriptor table";
}

enum vq_pop vq_pop(struct vq *q, struct chain *c, const char *name)
{
	u16 waiting = ring_load(avail_idx(q)) - q->next_avail;
	const char *why = "more chains available than the queue has entries";

	if (!waiting)
		return VQ_EMPTY;
	if (waiting <= q->size) {
		c->head = ring_load(avail_ring(q, q->next_avail));
		c->outs = c->count = 0;
		c->out_len = c->in_len = 0;
		why = chain_parse(c, q);
	}
	if (why) {
		log_limited(LOG_WARN, "%s: the guest's queue is broken: %s", name, why);
		return VQ_BROKEN;
	}
	q->next_avail++;
	return VQ_CHAIN;
}

void vq_unpop(struct vq *q)
{
	q->next_avail--;
}

void vq_push(struct vq *q, u16 head, u32 written)
{
	u8 *entry = used_ring(q, q->next_used);

	store_le32(entry, head);
	store_le32(entry + 4, written);
	/* as in chain_written() */
	space_ptr(q->space, q->device + (u64)(entry - q->device_at), 8, true);
	ring_store(used_idx(q), ++q->next_used);	/* release: entry and data first */
}

bool vq_rearm(struct vq *q)
{
	if (q->event_idx) {
		ring_store(avail_event(q), q->next_avail);
		atomic_thread_fence(memory_order_seq_cst); /* 2.7.10: publish, then look again */
	}
	return ring_load(avail_idx(q)) != q->next_avail;
}

/* 2.7.7.1 and 2.7.10: with event index, did next_used pass used_event since the last interrupt? */
bool vq_wants_interrupt(struct vq *q)
{
	u16 now = q->next_used, before = q->told_used;

	q->told_used = now;
	atomic_thread_fence(memory_order_seq_cst);
	if (now == before)
		return false;
	if (!q->event_idx)
		return !(ring_load(avail_flags(q)) & AVAIL_NO_INTERRUPT);
	return (u16)(now - ring_load(used_event(q)) - 1) < (u16)(now - before);
}

u64 chain_take(struct chain *c, void *buf, u64 len)
{
	u64 got = 0;

	for (u32 i = 0; i < c->outs && got < len; i++) {
		u64 part = MIN(len - got, c->seg[i].len);

		memcpy((u8 *)buf + got, c->seg[i].base, part);
		got += part;
	}
	return got;
}

u64 chain_put(struct chain *c, const void *buf, u64 len)
{
	u64 put = 0;

	for (u32 i = c->outs; i < c->count && put < len; i++) {
		u64 part = MIN(len - put, c->seg[i].len);

		memcpy(c->seg[i].base, (const u8 *)buf + put, part);
		put += part;
	}
	return put;
}

void chain_written(const struct chain *c, struct space *s)
{
	for (u32 i = c->outs; i < c->count; i++)
		space_ptr(s, c->gpa[i], c->seg[i].len, true);
}
