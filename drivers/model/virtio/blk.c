/*
 * Virtio block device: read, write, flush, get-id, discard, write-zeroes. VIRTIO 1.2,
 * section 5.2. The image's format is raw, always; nothing is guessed from its contents.
 *
 * Requests are asynchronous. The port may call done() from inside blk_submit(), where our
 * lock is held, or from another CPU, where it is not. So done() only puts the request on a
 * lock-free stack; whoever holds the lock and has `reaping` set empties the stack before it
 * lets go, otherwise done() gets the lock and does. Reset, a stopped queue and detach wait
 * until nothing is in flight: no byte reaches guest memory afterwards.
 */
#include "drivers/model/virtio/virtio.h"

#include "kernel/base/heap.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"

enum {	/* 5.2.3 */
	F_SEG_MAX = 1 << 2, F_RO = 1 << 5, F_BLK_SIZE = 1 << 6, F_FLUSH = 1 << 9,
	F_DISCARD = 1 << 13, F_WRITE_ZEROES = 1 << 14,
};
enum {	/* 5.2.4: offsets in the configuration space */
	CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12, CONFIG_BLK_SIZE = 20,
	CONFIG_MAX_DISCARD_SECTORS = 36, CONFIG_MAX_DISCARD_SEG = 40, CONFIG_DISCARD_ALIGNMENT = 44,
	CONFIG_MAX_ZEROES_SECTORS = 48, CONFIG_MAX_ZEROES_SEG = 52, CONFIG_ZEROES_MAY_UNMAP = 56,
};
enum {	/* 5.2.6 */
	T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13,
	S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_LATER = 255 /* ours: the port will tell */,
};
enum { ZEROES_UNMAP = 1 };

#define ID_BYTES	20
#define RANGE_SECTORS	(1u << 22)	/* most that one discard or write-zeroes may cover: 2 GiB */

struct header {
	u32 type, reserved;
	u64 sector;
};

struct zone {		/* what a discard or write-zeroes is about */
	u64 sector;
	u32 sectors, flags;
};

_Static_assert(sizeof(struct header) == 16 && sizeof(struct zone) == 16, "virtio 1.2, 5.2.6");

struct request {
	struct blk_req r;
	struct dev *dev;
	struct request *next;	/* in vblk.finished */
	err_t result;
	u16 head;
	u32 in_len;		/* data bytes for the driver, without the status */
	u8 *status;
	gpa_t *gpa;		/* of each part of iov; of the status: the one after them */
	struct iovec_host iov[];
};

struct vblk {
	struct virtio v;	/* first */
	/* not saved: nothing is in flight while state is taken */
	u32 in_flight;
	_Atomic(struct request *) finished;
	_Atomic bool reaping;
	_Atomic u32 callers;	/* CPUs inside vblk_done(): detach waits for them */
};

static const struct field vblk_fields[] = {
	VIRTIO_FIELDS(struct vblk),
	{ NULL },
};

/* vq_pop() marked the pages before the DMA: a log or watch begun meanwhile must see them again. */
static void request_mark_dirty(const struct request *q)
{
	struct space *s = q->dev->space;

	for (u32 i = 0; q->in_len && i < q->r.iov_count; i++)
		space_ptr(s, q->gpa[i], q->iov[i].len, true);
	space_ptr(s, q->gpa[q->r.iov_count], 1, true);
}

static void request_publish(struct request *q)
{
	struct vblk *b = q->dev->state;
	u8 status = q->result == OK ? S_OK : q->result == E_UNSUPPORTED ? S_UNSUPP : S_IOERR;

	*q->status = status;
	request_mark_dirty(q);
	vq_push(&b->v.queue[0], q->head, status == S_OK ? q->in_len + 1 : 1);
}

/* Publish everything that finished; if the queue broke meanwhile, only forget it. */
static void vblk_reap(struct dev *d)
{
	struct vblk *b = d->state;
	struct request *q = atomic_exchange(&b->finished, NULL), *next;
	bool open = q && virtio_queue_open(d, 0);

	for (; q; q = next) {
		next = q->next;
		b->in_flight--;
		if (open)
			request_publish(q);
		heap_free(q);
	}
}

static void vblk_done(struct blk_req *r, err_t e)
{
	struct request *q = container_of(r, struct request, r);
	struct dev *d = q->dev;
	struct vblk *b = d->state;
	bool locked = false;

	atomic_fetch_add(&b->callers, 1);
	q->result = e;
	q->next = atomic_load(&b->finished);
	while (!atomic_compare_exchange_weak(&b->finished, &q->next, q))
		;
	/* Never sleep on the lock of one that waits for the caller's next completion. */
	while (!atomic_load(&b->reaping) && !(locked = lock_try(d->lock)))
		host_relax();
	if (locked) {
		vblk_reap(d);
		if (virtio_queue_open(d, 0))
			virtio_queue_interrupt(d, 0);
		lock_drop(d->lock);
	}
	atomic_fetch_sub(&b->callers, 1);
}

static void vblk_drain(struct dev *d)
{
	struct vblk *b = d->state;
	struct blk *port = d->port.blk;

	atomic_store(&b->reaping, true);
	while (vblk_reap(d), b->in_flight) {
		if (port->ops->poll)
			port->ops->poll(port);
		host_relax();
	}
	atomic_store(&b->reaping, false);
}

/* The segments [first, last) less @skip bytes at the start, @len bytes of them. */
static void request_add_data(struct request *q, const struct chain *c, u32 first, u32 last,
			     u64 skip, u64 len)
{
	for (u32 i = first; i < last && len; i++) {
		u64 from = MIN(skip, c->seg[i].len), part = MIN(c->seg[i].len - from, len);

		skip -= from;
		if (!part)
			continue;
		q->gpa[q->r.iov_count] = c->gpa[i] + from;
		q->iov[q->r.iov_count++] = (struct iovec_host){ c->seg[i].base + from, part };
		len -= part;
	}
}

static struct request *request_create(struct dev *d, const struct chain *c, enum blk_op op,
				      u64 sector, u64 sectors)
{
	u32 last = c->count - 1;
	struct request *q = heap_alloc(sizeof(*q) + c->count * sizeof(q->iov[0]) +
				       (c->count + 1) * sizeof(gpa_t));

	if (!q)
		return NULL;
	q->r = (struct blk_req){
		.op = op, .sector = sector, .sectors = sectors, .iov = q->iov, .done = vblk_done,
	};
	q->dev = d;
	q->head = c->head;
	q->status = c->seg[last].base + c->seg[last].len - 1;
	q->gpa = (gpa_t *)&q->iov[c->count];
	if (op == BLK_WRITE)
		request_add_data(q, c, 0, c->outs, sizeof(struct header),
				 c->out_len - sizeof(struct header));
	if (op == BLK_READ) {
		q->in_len = (u32)(c->in_len - 1);
		request_add_data(q, c, c->outs, c->count, 0, q->in_len);
	}
	q->gpa[q->r.iov_count] = c->gpa[last] + c->seg[last].len - 1;
	return q;
}

static u8 vblk_submit(struct dev *d, const struct chain *c, enum blk_op op, u64 sector, u64 sectors)
{
	struct vblk *b = d->state;
	struct blk *port = d->port.blk;
	struct request *q;

	if (sector > port->sectors || sectors > port->sectors - sector) {
		log_limited(LOG_WARN, "%s: access past the end (sector %lu+%lu > %lu)", d->name,
			    sector, sectors, port->sectors);
		return S_IOERR;
	}
	if (port->readonly && op != BLK_READ && op != BLK_FLUSH)
		return S_IOERR;
	q = request_create(d, c, op, sector, sectors);
	if (!q)
		return S_IOERR;
	b->in_flight++;
	atomic_store(&b->reaping, true);
	blk_submit(port, &q->r);
	atomic_store(&b->reaping, false);
	if (gclock_counts(d->clock))
		vblk_drain(d);		/* no matter how long the host takes */
	else
		vblk_reap(d);
	return S_LATER;
}

static u8 vblk_transfer(struct dev *d, const struct chain *c, enum blk_op op, u64 sector, u64 len)
{
	if (!len || len % BLK_SECTOR)
		return S_IOERR;
	return vblk_submit(d, c, op, sector, len / BLK_SECTOR);
}

/* Discard and write-zeroes: we allow one zone a request, and say so in the configuration space. */
static u8 vblk_zone(struct dev *d, struct chain *c, enum blk_op op, u32 flags)
{
	struct vblk *b = d->state;
	struct { struct header header; struct zone zone; } in;

	if (!(b->v.features & (op == BLK_ZERO ? F_WRITE_ZEROES : F_DISCARD)))
		return S_UNSUPP;
	if (c->out_len != sizeof(in) || chain_take(c, &in, sizeof(in)) != sizeof(in))
		return S_IOERR;
	if (in.zone.flags & ~flags)
		return S_UNSUPP;
	if (!in.zone.sectors || in.zone.sectors > RANGE_SECTORS)
		return S_IOERR;
	return vblk_submit(d, c, op, in.zone.sector, in.zone.sectors);
}

static u8 vblk_get_id(struct dev *d, struct chain *c)
{
	char id[ID_BYTES] = "";

	if (c->in_len < ID_BYTES + 1)
		return S_IOERR;
	memcpy(id, d->name, MIN(str_len(d->name), sizeof(id)));
	chain_put(c, id, sizeof(id));
	return S_OK;
}

static u8 vblk_request(struct dev *d, struct chain *c, const struct header *h)
{
	switch (h->type) {
	case T_IN: return vblk_transfer(d, c, BLK_READ, h->sector, c->in_len - 1);
	case T_OUT: return vblk_transfer(d, c, BLK_WRITE, h->sector, c->out_len - sizeof(*h));
	case T_FLUSH: return vblk_submit(d, c, BLK_FLUSH, 0, 0);
	case T_GET_ID: return vblk_get_id(d, c);
	case T_DISCARD: return vblk_zone(d, c, BLK_DISCARD, 0);
	case T_WRITE_ZEROES: return vblk_zone(d, c, BLK_ZERO, ZEROES_UNMAP);
	}
	return S_UNSUPP;
}

static bool vblk_serve(struct dev *d, u32 queue, struct chain *c)
{
	struct vblk *b = d->state;
	struct header h;
	u8 status;

	if (chain_take(c, &h, sizeof(h)) != sizeof(h) || !c->in_len ||
	    b->in_flight >= b->v.queue[queue].size) {
		log_limited(LOG_WARN, "%s: no header, no status or too many requests", d->name);
		virtio_break(d);
		return false;
	}
	status = vblk_request(d, c, &h);
	if (status != S_LATER) {
		struct iovec_host *last = &c->seg[c->count - 1];

		last->base[last->len - 1] = status;
		chain_written(c, d->space);
		vq_push(&b->v.queue[queue], c->head, status == S_OK ? (u32)c->in_len : 1);
	}
	return true;
}

static const struct virtio_class vblk_class = {
	.id = VIRTIO_BLK,
	.queues = 1,
	.serve = vblk_serve,
	.drain = vblk_drain,
};

static void vblk_fill_config(u8 *config, const struct blk *port)
{
	store_le64(config + CONFIG_CAPACITY, port->sectors);
	store_le32(config + CONFIG_SEG_MAX, VQ_SIZE_MAX - 2);	/* the others: header, status */
	store_le32(config + CONFIG_BLK_SIZE, BLK_SECTOR);
	if (!port->discard)
		return;
	store_le32(config + CONFIG_MAX_DISCARD_SECTORS, RANGE_SECTORS);
	store_le32(config + CONFIG_MAX_DISCARD_SEG, 1);
	store_le32(config + CONFIG_DISCARD_ALIGNMENT, 1);
	store_le32(config + CONFIG_MAX_ZEROES_SECTORS, RANGE_SECTORS);
	store_le32(config + CONFIG_MAX_ZEROES_SEG, 1);
	config[CONFIG_ZEROES_MAY_UNMAP] = 1;
}

static err_t vblk_attach(struct dev *d)
{
	struct vblk *b = d->state;
	const struct blk *port = d->port.blk;

	if (!port)
		return ERRF(E_INVAL, "%s: a block device needs a disk", d->name);
	virtio_attach(d, &vblk_class,
		      F_SEG_MAX | F_BLK_SIZE | F_FLUSH | (port->readonly ? F_RO : 0) |
		      (port->discard ? F_DISCARD | F_WRITE_ZEROES : 0));
	vblk_fill_config(b->v.config, port);
	return OK;
}

static void vblk_detach(struct dev *d)
{
	struct vblk *b = d->state;

	virtio_detach(d);		/* first: a retry would submit more */
	lock_take(d->lock);
	vblk_drain(d);
	lock_drop(d->lock);
	while (atomic_load(&b->callers))
		host_relax();
}

const struct model vblk_model = {
	.name = "vblk",
	.compatible = "virtio,mmio",
	.state_size = sizeof(struct vblk),
	.fields = vblk_fields,
	.attach = vblk_attach,
	.detach = vblk_detach,
	.reset = virtio_reset,
	.read = virtio_read,
	.write = virtio_write,
};
