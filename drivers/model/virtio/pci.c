/*
 * The virtio transport over PCI: a function in front of a virtio device. VIRTIO 1.2, section 4.1;
 * modern only.
 *
 * The device is one over MMIO whose registers are mapped nowhere: the common configuration is the
 * same registers with other names, so accesses are passed on. What is left for this file is the
 * PCI function, the vectors, and registers that MMIO does not let a driver read. The capability
 * for access through configuration space (4.1.4.9) is left out: only firmware without memory
 * windows would use it.
 */
#include "drivers/model/virtio/pci.h"

#include "drivers/model/pci/pci.h"
#include "drivers/model/virtio/regs.h"
#include "drivers/model/virtio/virtio.h"

#define NO_VECTOR	0xffffu
#define VECTORS		(1 + VIRTIO_QUEUES)

enum { BAR_MSIX = 1, BAR_REGISTERS = 4 };
enum {	/* in BAR_REGISTERS, a page each */
	AT_COMMON = 0x0000, AT_ISR = 0x1000, AT_CONFIG = 0x2000, AT_NOTIFY = 0x3000,
	REGISTERS_LEN = 0x4000, NOTIFY_STRIDE = 4, COMMON_LEN = 0x38,
};
enum {	/* 4.1.4.3 */
	COMMON_DEVICE_FEATURES_SEL = 0x00, COMMON_DEVICE_FEATURES = 0x04,
	COMMON_DRIVER_FEATURES_SEL = 0x08, COMMON_DRIVER_FEATURES = 0x0c,
	COMMON_CONFIG_VECTOR = 0x10, COMMON_QUEUES = 0x12, COMMON_STATUS = 0x14,
	COMMON_QUEUE_SEL = 0x16, COMMON_QUEUE_SIZE = 0x18, COMMON_QUEUE_VECTOR = 0x1a,
	COMMON_QUEUE_ENABLE = 0x1c, COMMON_QUEUE_NOTIFY_OFF = 0x1e, COMMON_QUEUE_DESC = 0x20,
	COMMON_QUEUE_DRIVER = 0x28, COMMON_QUEUE_DEVICE = 0x30,
};
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_CONFIG, CAP_LEN = 16, CAP_NOTIFY_LEN = 20 };
enum { PCI_VENDOR_VIRTIO = 0x1af4, PCI_DEVICE_VIRTIO = 0x1040, PCI_SUBSYSTEM_VIRTIO = 0x1100 };

struct vvirtio_pci {
	struct pci_fn fn;
	u16 vector[VECTORS];		/* of the configuration, then of each queue */
	/* not saved: from the board */
	struct dev *device;
};

static const struct field vvirtio_pci_fields[] = {
	PCI_FIELDS(struct vvirtio_pci, fn),
	FIELD_ARRAY(struct vvirtio_pci, vector),
	{ NULL },
};

static struct virtio *pci_virtio(const struct vvirtio_pci *p)
{
	return p->device->state;
}

/* ---- interrupts ---------------------------------------------------------------------------- */

static void virtio_pci_line(void *ctl, u32 input, bool level)
{
	struct dev *d = ctl;
	struct vvirtio_pci *p = d->state;

	pci_fn_intx(&p->fn, level);
}

static void virtio_pci_message(void *ctl, u32 line)
{
	struct dev *d = ctl;
	struct vvirtio_pci *p = d->state;

	if (line < VECTORS)
		pci_fn_message(&p->fn, p->vector[line]);
}

static void virtio_pci_forget(struct vvirtio_pci *p)
{
	for (u32 i = 0; i < VECTORS; i++)
		p->vector[i] = NO_VECTOR;
}

/* ---- common configuration ------------------------------------------------------------------ */

static u16 *cfg_queue_vector(struct vvirtio_pci *p)
{
	u32 queue = pci_virtio(p)->queue_sel;

	return queue < pci_virtio(p)->class->queues ? &p->vector[1 + queue] : NULL;
}

/* 32 bits of a queue's registers; a queue that does not exist has size 0. */
static u32 cfg_read_queue(struct vvirtio_pci *p, u64 off)
{
	const struct virtio *v = pci_virtio(p);
	const struct vq *q;
	u32 high = off & 4 ? 32 : 0;

	if (v->queue_sel >= v->class->queues)
		return 0;
	q = &v->queue[v->queue_sel];
	switch (off & ~7ull) {
	case COMMON_QUEUE_DESC: return (u32)(q->desc >> high);
	case COMMON_QUEUE_DRIVER: return (u32)(q->driver >> high);
	case COMMON_QUEUE_DEVICE: return (u32)(q->device >> high);
	}
	return off == COMMON_QUEUE_SIZE ? q->size | (u32)p->vector[1 + v->queue_sel] << 16 :
					  q->ready | v->queue_sel << 16;
}

/* The register at a multiple of 4. */
static u32 cfg_read_word(struct vvirtio_pci *p, u64 off)
{
	const struct virtio *v = pci_virtio(p);

	switch (off) {
	case COMMON_DEVICE_FEATURES_SEL: return v->offered_sel;
	case COMMON_DEVICE_FEATURES: return (u32)virtio_read(p->device, REG_DEVICE_FEATURES, 4);
	case COMMON_DRIVER_FEATURES_SEL: return v->features_sel;
	case COMMON_DRIVER_FEATURES:
		return v->features_sel < 2 ? (u32)(v->features >> 32 * v->features_sel) : 0;
	case COMMON_CONFIG_VECTOR: return p->vector[0] | v->class->queues << 16;
	case COMMON_STATUS: return v->status | v->queue_sel << 16;
	}
	return off >= COMMON_QUEUE_SIZE && off < COMMON_LEN ? cfg_read_queue(p, off) : 0;
}

static u64 cfg_read(struct vvirtio_pci *p, u64 off, u32 len)
{
	u64 word = cfg_read_word(p, off & ~3ull);

	if (len == 8)
		word |= (u64)cfg_read_word(p, (off & ~3ull) + 4) << 32;
	return word >> 8 * (off & 3);
}

/* 4.1.5.1.2: a vector that does not exist is refused by reading back none. */
static void cfg_write_vector(struct vvirtio_pci *p, u16 *vector, u32 val)
{
	if (vector)
		*vector = val < p->fn.vectors ? (u16)val : NO_VECTOR;
}

static void cfg_write_status(struct vvirtio_pci *p, u32 val)
{
	virtio_write(p->device, REG_STATUS, 4, val & 0xff);
	if (!(val & 0xff))
		virtio_pci_forget(p);
}

/* Registers as wide as they are; 64-bit ones in halves, too. */
static void cfg_write(struct vvirtio_pci *p, u64 off, u32 len, u64 val)
{
	u32 half = (u32)(off & 4);

	if (len == 8) {
		cfg_write(p, off, 4, (u32)val);
		cfg_write(p, off + 4, 4, val >> 32);
		return;
	}
	switch (off) {
	case COMMON_DEVICE_FEATURES_SEL:
		virtio_write(p->device, REG_DEVICE_FEATURES_SEL, len, val);
		break;
	case COMMON_DRIVER_FEATURES_SEL:
		virtio_write(p->device, REG_DRIVER_FEATURES_SEL, len, val);
		break;
	case COMMON_DRIVER_FEATURES:
		virtio_write(p->device, REG_DRIVER_FEATURES, len, val);
		break;
	case COMMON_CONFIG_VECTOR: cfg_write_vector(p, &p->vector[0], (u16)val); break;
	case COMMON_STATUS: cfg_write_status(p, (u32)val); break;
	case COMMON_QUEUE_SEL: virtio_write(p->device, REG_QUEUE_SEL, 4, (u16)val); break;
	case COMMON_QUEUE_SIZE: virtio_write(p->device, REG_QUEUE_NUM, 4, (u16)val); break;
	case COMMON_QUEUE_VECTOR: cfg_write_vector(p, cfg_queue_vector(p), (u16)val); break;
	case COMMON_QUEUE_ENABLE: virtio_write(p->device, REG_QUEUE_READY, 4, (u16)val); break;
	case COMMON_QUEUE_DESC ... COMMON_QUEUE_DESC + 7:
		virtio_write(p->device, REG_QUEUE_DESC + half, len, val);
		break;
	case COMMON_QUEUE_DRIVER ... COMMON_QUEUE_DRIVER + 7:
		virtio_write(p->device, REG_QUEUE_DRIVER + half, len, val);
		break;
	case COMMON_QUEUE_DEVICE ... COMMON_QUEUE_DEVICE + 7:
		virtio_write(p->device, REG_QUEUE_DEVICE + half, len, val);
		break;
	}
}

/* ---- the BAR ------------------------------------------------------------------------------- */

/* 4.1.4.5: reading the interrupt status clears it. */
static u8 isr_read(struct vvirtio_pci *p)
{
	u8 isr = (u8)virtio_read(p->device, REG_INTERRUPT_STATUS, 4);

	virtio_write(p->device, REG_INTERRUPT_ACK, 4, isr);
	return isr;
}

static u64 registers_read(void *ctx, u64 off, u32 len)
{
	struct vvirtio_pci *p = ctx;

	if (off < AT_ISR)
		return cfg_read(p, off, len);
	if (off < AT_CONFIG)
		return off == AT_ISR ? isr_read(p) : 0;
	if (off < AT_NOTIFY)
		return virtio_read(p->device, REG_CONFIG + off - AT_CONFIG, len);
	return 0;
}

static void registers_write(void *ctx, u64 off, u32 len, u64 val)
{
	struct vvirtio_pci *p = ctx;

	if (off < AT_ISR)
		cfg_write(p, off, len, val);
	else if (off >= AT_NOTIFY)
		virtio_write(p->device, REG_QUEUE_NOTIFY, 4, (off - AT_NOTIFY) / NOTIFY_STRIDE);
	else if (off >= AT_CONFIG)
		virtio_write(p->device, REG_CONFIG + off - AT_CONFIG, len, val);
}

static const struct mmio_ops registers_ops = { registers_read, registers_write };

/* ---- the function -------------------------------------------------------------------------- */

/* 4.1.4: length, type, BAR; where in it and how long. */
static void virtio_capability(struct pci_fn *f, u8 type, u8 len, u32 offset, u32 length)
{
	u8 at = pci_fn_capability(f, PCI_CAP_VENDOR, len);

	pci_fn_set(f, at + 2, 2, len | type << 8, 0);
	pci_fn_set(f, at + 4, 1, BAR_REGISTERS, 0);
	pci_fn_set(f, at + 8, 4, offset, 0);
	pci_fn_set(f, at + 12, 4, length, 0);
	if (type == CAP_NOTIFY)
		pci_fn_set(f, at + 16, 4, NOTIFY_STRIDE, 0);
}

static u32 virtio_class_code(enum virtio_id id)
{
	switch (id) {
	case VIRTIO_BLK: return 0x010000;
	case VIRTIO_CONSOLE: return 0x078000;
	case VIRTIO_RNG: break;
	}
	return 0xff0000;
}

static void virtio_pci_describe(struct vvirtio_pci *p, const char *name)
{
	const struct virtio_class *class = pci_virtio(p)->class;
	struct pci_fn *f = &p->fn;

	pci_fn_init(f, name, PCI_VENDOR_VIRTIO, (u16)(PCI_DEVICE_VIRTIO + class->id),
		    virtio_class_code(class->id));
	pci_fn_set(f, PCI_REVISION, 1, 1, 0);
	pci_fn_set(f, PCI_SUBSYSTEM_VENDOR, 2, PCI_VENDOR_VIRTIO, 0);
	pci_fn_set(f, PCI_SUBSYSTEM_ID, 2, PCI_SUBSYSTEM_VIRTIO, 0);
	pci_fn_set(f, PCI_INTERRUPT_PIN, 1, 1, 0);
	pci_fn_msix(f, BAR_MSIX, 1 + class->queues);
	pci_fn_bar(f, BAR_REGISTERS, REGISTERS_LEN, true, &registers_ops, p);
	virtio_capability(f, CAP_CONFIG, CAP_LEN, AT_CONFIG, VIRTIO_CONFIG);
	virtio_capability(f, CAP_NOTIFY, CAP_NOTIFY_LEN, AT_NOTIFY, NOTIFY_STRIDE * class->queues);
	virtio_capability(f, CAP_ISR, CAP_LEN, AT_ISR, 1);
	virtio_capability(f, CAP_COMMON, CAP_LEN, AT_COMMON, COMMON_LEN);
}

static void vvirtio_pci_reset(struct dev *d)
{
	struct vvirtio_pci *p = d->state;

	p->device->model->reset(p->device);
	virtio_pci_forget(p);
	pci_fn_reset(&p->fn);
}

static err_t vvirtio_pci_attach(struct dev *d)
{
	const struct virtio_pci_board *b = d->port.any;
	struct vvirtio_pci *p = d->state;
	err_t e;

	if (!b || !b->bus || !b->device || !b->device->state)
		return ERRF(E_INVAL, "%s: there is no device behind it", d->name);
	p->device = b->device;
	virtio_pci_describe(p, d->name);
	e = pci_attach(b->bus, &p->fn, b->devfn);
	if (e)
		return e;
	lock_take(d->lock);
	pci_virtio(p)->message = virtio_pci_message;
	pci_virtio(p)->message_ctl = d;
	p->device->irq = (struct irq_line){ virtio_pci_line, d, 0 };
	lock_drop(d->lock);
	return OK;
}

static void vvirtio_pci_detach(struct dev *d)
{
	struct vvirtio_pci *p = d->state;

	pci_detach(&p->fn);
	lock_take(d->lock);
	pci_virtio(p)->message = NULL;
	p->device->irq = (struct irq_line){ 0 };
	lock_drop(d->lock);
}

/* Registers are in a BAR: the bus calls registers_read() and registers_write(). */
static u64 vvirtio_pci_read(struct dev *d, u64 off, u32 len)
{
	return ~0ull;
}

static void vvirtio_pci_write(struct dev *d, u64 off, u32 len, u64 val)
{
}

const struct model vvirtio_pci_model = {
	.name = "vvirtio_pci",
	.compatible = "pci1af4,1041",
	.state_size = sizeof(struct vvirtio_pci),
	.fields = vvirtio_pci_fields,
	.attach = vvirtio_pci_attach,
	.detach = vvirtio_pci_detach,
	.reset = vvirtio_pci_reset,
	.read = vvirtio_pci_read,
	.write = vvirtio_pci_write,
};
