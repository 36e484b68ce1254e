/*
 * Virtio console with one port: queue 0 carries input to the driver, queue 1 its output.
 * VIRTIO 1.2, section 5.3; no multiport, no size, no emergency write.
 *
 * Input is read straight into the driver's buffers, so what does not fit stays in the port.
 * A chain that a busy port took only in part stays in the queue; `sent` says how far it got.
 */
#include "drivers/model/virtio/virtio.h"

enum { CONSOLE_RX = 0, CONSOLE_TX = 1 };

struct vconsole {
	struct virtio v;	/* first */
	u64 sent;	/* bytes of the first available TX chain that the port already took */
};

static const struct field vconsole_fields[] = {
	VIRTIO_FIELDS(struct vconsole),
	FIELD(struct vconsole, sent),
	{ NULL },
};

static bool vconsole_receive(struct dev *d, struct chain *c)
{
	struct vconsole *s = d->state;
	u64 got = 0;

	for (u32 i = c->outs; i < c->count; i++) {
		u64 part = chr_read(d->port.chr, c->seg[i].base, c->seg[i].len);

		got += part;
		if (part < c->seg[i].len)
			break;
	}
	if (!got && c->in_len)
		return false;
	chain_written(c, d->space);
	vq_push(&s->v.queue[CONSOLE_RX], c->head, (u32)got);
	return true;
}

static bool vconsole_send(struct dev *d, struct chain *c)
{
	struct vconsole *s = d->state;
	u64 skip = MIN(s->sent, c->out_len);

	for (u32 i = 0; i < c->outs; i++) {
		u64 from = MIN(skip, c->seg[i].len), len = c->seg[i].len - from;
		u64 part = len ? chr_write(d->port.chr, c->seg[i].base + from, len) : 0;

		skip -= from;
		if (len)
			s->sent += part;
		if (part < len) {
			virtio_retry(d, NS_PER_MS);
			return false;
		}
	}
	s->sent = 0;
	vq_push(&s->v.queue[CONSOLE_TX], c->head, 0);
	return true;
}

static bool vconsole_serve(struct dev *d, u32 queue, struct chain *c)
{
	return queue == CONSOLE_RX ? vconsole_receive(d, c) : vconsole_send(d, c);
}

static const struct virtio_class vconsole_class = {
	.id = VIRTIO_CONSOLE,
	.queues = 2,
	.serve = vconsole_serve,
};

static void vconsole_ready(void *user)
{
	struct dev *d = user;

	lock_take(d->lock);
	virtio_queue_serve(d, CONSOLE_RX);
	lock_drop(d->lock);
}

static void vconsole_reset(struct dev *d)
{
	struct vconsole *s = d->state;

	virtio_reset(d);
	s->sent = 0;
}

static err_t vconsole_attach(struct dev *d)
{
	virtio_attach(d, &vconsole_class, 0);
	if (d->port.chr) {
		d->port.chr->ready = vconsole_ready;
		d->port.chr->user = d;
	}
	return OK;
}

static void vconsole_detach(struct dev *d)
{
	if (d->port.chr)
		d->port.chr->ready = NULL;
	virtio_detach(d);
}

const struct model vconsole_model = {
	.name = "vconsole",
	.compatible = "virtio,mmio",
	.state_size = sizeof(struct vconsole),
	.fields = vconsole_fields,
	.attach = vconsole_attach,
	.detach = vconsole_detach,
	.reset = vconsole_reset,
	.read = virtio_read,
	.write = virtio_write,
};
