/*
 * Virtio entropy device: fills the driver's buffers from the rng port. VIRTIO 1.2, section 5.4.
 * A buffer gets at most 4 KiB a time; the driver asks again if it wants more.
 */
#include "drivers/model/virtio/virtio.h"

#define RNG_CHUNK	256
#define RNG_REQUEST	4096

struct vrng {
	struct virtio v;	/* first */
};

static const struct field vrng_fields[] = {
	VIRTIO_FIELDS(struct vrng),
	{ NULL },
};

/* Fill the chain's writable part; the bytes written, 0 if the port failed. */
static u32 vrng_fill(struct dev *d, struct chain *c)
{
	u64 done = 0;

	for (u32 i = c->outs; i < c->count && done < RNG_REQUEST; i++) {
		for (u64 at = 0; at < c->seg[i].len && done < RNG_REQUEST;) {
			u64 part = MIN(c->seg[i].len - at, RNG_CHUNK);

			if (rng_read(d->port.rng, c->seg[i].base + at, part))
				return 0;
			at += part;
			done += part;
		}
	}
	return (u32)done;
}

static bool vrng_serve(struct dev *d, u32 queue, struct chain *c)
{
	struct vrng *r = d->state;
	u32 done = vrng_fill(d, c);

	if (!done && c->in_len) {
		virtio_retry(d, 100 * NS_PER_MS);
		return false;
	}
	chain_written(c, d->space);
	vq_push(&r->v.queue[queue], c->head, done);
	return true;
}

static const struct virtio_class vrng_class = {
	.id = VIRTIO_RNG,
	.queues = 1,
	.serve = vrng_serve,
};

static err_t vrng_attach(struct dev *d)
{
	virtio_attach(d, &vrng_class, 0);
	return OK;
}

const struct model vrng_model = {
	.name = "vrng",
	.compatible = "virtio,mmio",
	.state_size = sizeof(struct vrng),
	.fields = vrng_fields,
	.attach = vrng_attach,
	.detach = virtio_detach,
	.reset = virtio_reset,
	.read = virtio_read,
	.write = virtio_write,
};
