/*
 * The virtio register transport over MMIO. VIRTIO 1.2, section 4.2.2, registers of version 2.
 *
 * Registers take aligned 32-bit accesses; any other reads zero or is ignored. Configuration
 * space takes every width and offset. The bits of a ready queue cannot be changed; a queue
 * may break at any time, then the device sets DEVICE_NEEDS_RESET and waits for its reset.
 */
#include "drivers/model/virtio/regs.h"
#include "drivers/model/virtio/virtio.h"

#include "kernel/base/log.h"
#include "kernel/base/str.h"

#define MAGIC		0x74726976u	/* "virt" */
#define VENDOR		0x554d4551u	/* "QEMU", whose board this is */

#define STRETCH		(10 * NS_PER_MS)

enum {	/* 2.1 */
	STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8,
	STATUS_NEEDS_RESET = 64, STATUS_FAILED = 128,
	STATUS_DRIVER_BITS = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK |
			     STATUS_FEATURES_OK | STATUS_FAILED,
};
enum { INTERRUPT_QUEUE = 1, INTERRUPT_CONFIG = 2 };

/* @line: of a transport that has one for the configuration and one for each queue. */
static void virtio_interrupt(struct dev *d, u8 why, u32 line)
{
	struct virtio *v = d->state;

	v->interrupt |= why;
	irq_set(&d->irq, v->interrupt != 0);
	if (v->message)
		v->message(v->message_ctl, line);
}

void virtio_break(struct dev *d)
{
	struct virtio *v = d->state;

	v->status |= STATUS_NEEDS_RESET;
	if (v->status & STATUS_DRIVER_OK)
		virtio_interrupt(d, INTERRUPT_CONFIG, 0);
}

bool virtio_queue_open(struct dev *d, u32 queue)
{
	struct virtio *v = d->state;
	struct vq *q = &v->queue[queue];

	if (!(v->status & STATUS_DRIVER_OK) || v->status & STATUS_NEEDS_RESET || !q->ready)
		return false;
	if (vq_open(q, d->space, v->features))
		return true;
	log_limited(LOG_WARN, "%s: the guest's queue %u is not in RAM", d->name, queue);
	virtio_break(d);
	return false;
}

void virtio_queue_interrupt(struct dev *d, u32 queue)
{
	struct virtio *v = d->state;

	if (vq_wants_interrupt(&v->queue[queue]))
		virtio_interrupt(d, INTERRUPT_QUEUE, 1 + queue);
}

/*
 * At most one queue's worth of chains and about STRETCH at a time: other guest CPUs could fill it
 * for ever. Then a break as long, for the other guests of this host CPU.
 */
static enum vq_pop virtio_queue_serve_some(struct dev *d, u32 queue)
{
	struct virtio *v = d->state;
	struct vq *q = &v->queue[queue];
	ns_t start = gclock_now(d->clock);
	u32 n = 0;

	do {
		enum vq_pop pop = vq_pop(q, &v->chain, d->name);

		if (pop == VQ_EMPTY && vq_rearm(q))
			continue;
		if (pop != VQ_CHAIN)
			return pop;
		if (!v->class->serve(d, queue, &v->chain)) {
			vq_unpop(q);
			return VQ_CHAIN;
		}
	} while (++n < VQ_SIZE_MAX && gclock_now(d->clock) - start < STRETCH);
	virtio_retry(d, gclock_now(d->clock) - start);
	return VQ_CHAIN;
}

void virtio_queue_serve(struct dev *d, u32 queue)
{
	if (!virtio_queue_open(d, queue))
		return;
	if (virtio_queue_serve_some(d, queue) == VQ_BROKEN)
		virtio_break(d);
	virtio_queue_interrupt(d, queue);
}

static void virtio_retry_fire(struct timer *t)
{
	struct virtio *v = container_of(t, struct virtio, retry);

	lock_take(v->dev->lock);
	for (u32 i = 0; i < v->class->queues; i++)
		virtio_queue_serve(v->dev, i);
	lock_drop(v->dev->lock);
}

void virtio_retry(struct dev *d, ns_t delay)
{
	struct virtio *v = d->state;

	gclock_arm(d->clock, &v->retry, gclock_now(d->clock) + delay);
}

static u64 virtio_read_register(struct dev *d, u64 off)
{
	struct virtio *v = d->state;
	bool exists = v->queue_sel < v->class->queues;

	if (off >= REG_SHM_LEN && off < REG_SHM_BASE_END)
		return UINT32_MAX;
	switch (off) {
	case REG_MAGIC: return MAGIC;
	case REG_VERSION: return 2;
	case REG_DEVICE_ID: return v->class->id;
	case REG_VENDOR_ID: return VENDOR;
	case REG_DEVICE_FEATURES: return v->offered_sel < 2 ? v->offered >> 32 * v->offered_sel : 0;
	case REG_QUEUE_NUM_MAX: return exists ? VQ_SIZE_MAX : 0;
	case REG_QUEUE_READY: return exists && v->queue[v->queue_sel].ready;
	case REG_INTERRUPT_STATUS: return v->interrupt;
	case REG_STATUS: return v->status;
	}
	return 0;
}

static u64 virtio_read_config(const struct virtio *v, u64 at, u32 len)
{
	u64 val = 0;

	for (u32 i = 0; i < len && at + i < VIRTIO_CONFIG; i++)
		val |= (u64)v->config[at + i] << 8 * i;
	return val;
}

u64 virtio_read(struct dev *d, u64 off, u32 len)
{
	if (off >= REG_CONFIG)
		return virtio_read_config(d->state, off - REG_CONFIG, len);
	return len == 4 && off % 4 == 0 ? virtio_read_register(d, off) : 0;
}

/*
 * 3.1.1: negotiation ends with FEATURES_OK, which stays clear if the driver's choice is not ours.
 */
static void virtio_write_status(struct dev *d, u8 val)
{
	struct virtio *v = d->state;
	u8 status = val & STATUS_DRIVER_BITS, fresh = status & ~v->status;

	if (!val) {
		d->model->reset(d);
		return;
	}
	if (fresh & STATUS_FEATURES_OK &&
	    (v->features & ~v->offered || !(v->features & VIRTIO_F_VERSION_1))) {
		log_limited(LOG_DEBUG, "%s: refused features 0x%lx", d->name, v->features);
		status &= ~STATUS_FEATURES_OK;
	}
	if (!(status & STATUS_FEATURES_OK))
		status &= ~STATUS_DRIVER_OK;
	v->status = status | (v->status & STATUS_NEEDS_RESET);
	if (fresh & v->status & STATUS_DRIVER_OK)
		for (u32 i = 0; i < v->class->queues; i++)
			virtio_queue_serve(d, i);
}

static void virtio_write_features(struct virtio *v, u32 val)
{
	u32 shift = 32 * v->features_sel;

	if (v->features_sel < 2 && !(v->status & STATUS_FEATURES_OK))
		v->features = (v->features & ~(MASK(32) << shift)) | (u64)val << shift;
}

/* 4.2.2: a queue starts from index 0 each time; stopping it leaves nothing in flight. */
static void virtio_write_ready(struct dev *d, struct vq *q, bool ready)
{
	struct virtio *v = d->state;

	if (q->ready && !ready && v->class->drain)
		v->class->drain(d);
	if (q->ready != ready)
		q->next_avail = q->next_used = q->told_used = 0;
	q->ready = ready;
}

static void write_half(u64 *reg, bool high, u32 val)
{
	u32 shift = high ? 32 : 0;

	*reg = (*reg & ~(MASK(32) << shift)) | (u64)val << shift;
}

static void virtio_write_queue(struct dev *d, u64 off, u32 val)
{
	struct virtio *v = d->state;
	struct vq *q;

	if (v->queue_sel >= v->class->queues)
		return;
	q = &v->queue[v->queue_sel];
	if (off == REG_QUEUE_READY) {
		virtio_write_ready(d, q, val & 1);
		return;
	}
	if (q->ready) {
		log_limited(LOG_DEBUG, "%s: change of a live queue ignored", d->name);
		return;
	}
	switch (off) {
	case REG_QUEUE_NUM: q->size = val <= VQ_SIZE_MAX ? (u16)val : 0; break;
	case REG_QUEUE_DESC: write_half(&q->desc, false, val); break;
	case REG_QUEUE_DESC + 4: write_half(&q->desc, true, val); break;
	case REG_QUEUE_DRIVER: write_half(&q->driver, false, val); break;
	case REG_QUEUE_DRIVER + 4: write_half(&q->driver, true, val); break;
	case REG_QUEUE_DEVICE: write_half(&q->device, false, val); break;
	case REG_QUEUE_DEVICE + 4: write_half(&q->device, true, val); break;
	}
}

static void virtio_write_register(struct dev *d, u64 off, u32 val)
{
	struct virtio *v = d->state;

	switch (off) {
	case REG_DEVICE_FEATURES_SEL: v->offered_sel = val; break;
	case REG_DRIVER_FEATURES: virtio_write_features(v, val); break;
	case REG_DRIVER_FEATURES_SEL: v->features_sel = val; break;
	case REG_QUEUE_SEL: v->queue_sel = val; break;
	case REG_QUEUE_NOTIFY:
		if (val < v->class->queues)
			virtio_queue_serve(d, val);
		break;
	case REG_INTERRUPT_ACK:
		v->interrupt &= ~val;
		irq_set(&d->irq, v->interrupt != 0);
		break;
	case REG_STATUS: virtio_write_status(d, (u8)val); break;
	default: virtio_write_queue(d, off, val);
	}
}

/* No device here has writable configuration. */
void virtio_write(struct dev *d, u64 off, u32 len, u64 val)
{
	if (off < REG_CONFIG && len == 4 && off % 4 == 0)
		virtio_write_register(d, off, (u32)val);
	else
		log_limited(LOG_DEBUG, "%s: %u-byte write at 0x%lx ignored", d->name, len, off);
}

void virtio_reset(struct dev *d)
{
	struct virtio *v = d->state;

	if (v->class->drain)
		v->class->drain(d);
	v->features = 0;
	v->offered_sel = v->features_sel = v->queue_sel = 0;
	v->status = v->interrupt = 0;
	for (u32 i = 0; i < VIRTIO_QUEUES; i++)
		v->queue[i] = (struct vq){ .size = VQ_SIZE_MAX };
	irq_set(&d->irq, false);
}

void virtio_attach(struct dev *d, const struct virtio_class *class, u64 features)
{
	struct virtio *v = d->state;

	v->class = class;
	v->dev = d;
	v->offered = features | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
	v->retry.fire = virtio_retry_fire;
}

void virtio_detach(struct dev *d)
{
	struct virtio *v = d->state;

	timer_cancel(&v->retry);
}
