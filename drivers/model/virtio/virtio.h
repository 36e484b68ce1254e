/*
 * What the virtio devices share: the register transport over MMIO (mmio.c), which the one over
 * PCI (pci.c) makes use of, around a few queues. A device model's state begins with a struct
 * virtio; its struct virtio_class says what makes it a block device, a console ... VIRTIO 1.2,
 * sections 2 and 4.2; version 2 registers only, no legacy interface.
 */
#pragma once

#include "drivers/model/model.h"
#include "drivers/model/virtio/queue.h"
#include "kernel/base/timer.h"

#define VIRTIO_QUEUES	2	/* the most that a device here has */
#define VIRTIO_CONFIG	64	/* bytes of device configuration space */

#define VIRTIO_F_INDIRECT_DESC	BIT(28)
#define VIRTIO_F_EVENT_IDX	BIT(29)
#define VIRTIO_F_VERSION_1	BIT(32)

enum virtio_id { VIRTIO_BLK = 2, VIRTIO_CONSOLE = 3, VIRTIO_RNG = 4 };	/* 5 */

struct virtio_class {
	enum virtio_id id;
	u32 queues;
	/*
	 * Serve one chain, at once or later, and vq_push() it; an interrupt follows. False: it
	 * stays in the queue until the next virtio_queue_serve() or virtio_retry().
	 */
	bool (*serve)(struct dev *d, u32 queue, struct chain *c);
	/* Wait until no request is in flight; NULL if none ever is. */
	void (*drain)(struct dev *d);
};

struct virtio {
	u64 offered, features;		/* offered: set once, by the model's attach */
	u32 offered_sel, features_sel, queue_sel;
	u8 status, interrupt;
	u8 config[VIRTIO_CONFIG];	/* set once, by the model's attach */
	struct vq queue[VIRTIO_QUEUES];
	/* not saved */
	const struct virtio_class *class;
	struct dev *dev;
	/* PCI: tell the driver, beside ->interrupt; line 0: configuration, 1 + n: queue n */
	void (*message)(void *ctl, u32 line);
	void *message_ctl;
	struct timer retry;
	struct chain chain;		/* the one being served */
};

#define VIRTIO_FIELDS(type) \
	FIELD(type, v.features), FIELD(type, v.offered_sel), FIELD(type, v.features_sel), \
	FIELD(type, v.queue_sel), FIELD(type, v.status), FIELD(type, v.interrupt), \
	VQ_FIELDS(type, v.queue[0]), VQ_FIELDS(type, v.queue[1])

/* For the model's attach, detach, reset; read and write are used as they are. */
void virtio_attach(struct dev *d, const struct virtio_class *class, u64 features);
void virtio_detach(struct dev *d);
void virtio_reset(struct dev *d);
u64 virtio_read(struct dev *d, u64 off, u32 len);
void virtio_write(struct dev *d, u64 off, u32 len, u64 val);

/* May chains of this queue be popped and pushed now? If so the queue is open afterwards. */
bool virtio_queue_open(struct dev *d, u32 queue);
/* Serve a queue now: the driver notified, or a port became ready. Caller holds the lock. */
void virtio_queue_serve(struct dev *d, u32 queue);
/* Serve all queues again in @delay: a port was busy. */
void virtio_retry(struct dev *d, ns_t delay);
/* Chains were pushed: interrupt the driver if it wants to know. */
void virtio_queue_interrupt(struct dev *d, u32 queue);
/* The driver broke the rules: DEVICE_NEEDS_RESET, nothing more happens until it resets us. */
void virtio_break(struct dev *d);
