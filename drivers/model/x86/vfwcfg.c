/*
 * QEMU's firmware configuration device, through which a machine hands tables and files to its
 * firmware: selector and data ports, and DMA. QEMU's specification docs/specs/fw_cfg.
 *
 * Items come from the board and are only read: writes by DMA fail. Reads beyond an item give zeros,
 * as the specification says. A DMA operation is done before its write returns.
 */
#include "drivers/model/x86/pc.h"

#include "kernel/base/str.h"

#define FILES_MAX	64
#define FILE_NAME	56
#define DIRECTORY	(4 + FILES_MAX * sizeof(struct fwcfg_file))
#define ZEROS_MAX	MIB(1)		/* beyond an item: nobody keeps the bus for long */
#define DMA_SIGNATURE	0x51454d5520434647ull	/* "QEMU CFG" */

enum { FWCFG = 0x510, DATA = 1, DMA = 4 };	/* port; offsets */
enum { KEY_SIGNATURE = 0, KEY_ID = 1, KEY_DIRECTORY = 0x19, KEY_FILES = 0x20 };
enum { ID_TRADITIONAL = 1, ID_DMA = 2 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

struct fwcfg_file {		/* big-endian */
	u32 size;
	u16 select, reserved;
	char name[FILE_NAME];
} packed;
_Static_assert(sizeof(struct fwcfg_file) == 64, "as firmware reads it");

struct fwcfg_dma {		/* big-endian, in guest memory */
	u32 control, length;
	u64 address;
} packed;

struct vfwcfg {
	u32 offset;
	u16 key;
	u64 dma_addr;
	/* not saved: from the board */
	u32 directory_len;
	u8 directory[DIRECTORY];
};

static const struct field vfwcfg_fields[] = {
	FIELD(struct vfwcfg, offset),
	FIELD(struct vfwcfg, key),
	FIELD(struct vfwcfg, dma_addr),
	{ NULL },
};

/* The item of ->key; NULL and *@len 0: there is none. */
static const u8 *fwcfg_item(const struct dev *d, u32 *len)
{
	static const u8 id[4] = { ID_TRADITIONAL | ID_DMA };
	const struct vfwcfg *f = d->state;
	u16 file = KEY_FILES;

	*len = 4;
	switch (f->key) {
	case KEY_SIGNATURE: return (const u8 *)"QEMU";
	case KEY_ID: return id;
	case KEY_DIRECTORY: *len = f->directory_len; return f->directory;
	}
	for (const struct fwcfg_item *i = d->port.any; i && i->data; i++) {
		*len = i->len;
		if (f->key == (i->key ? i->key : file++))
			return i->data;
	}
	*len = 0;
	return NULL;
}

static u8 fwcfg_next(struct dev *d)
{
	struct vfwcfg *f = d->state;
	u32 len;
	const u8 *item = fwcfg_item(d, &len);

	return f->offset < len ? item[f->offset++] : 0;
}

static void fwcfg_select(struct vfwcfg *f, u16 key)
{
	f->key = key;
	f->offset = 0;
}

/* ---- DMA ----------------------------------------------------------------------------------- */

/* Copy @len bytes of the item to @gpa, zeros where it has ended. */
static bool fwcfg_dma_read(struct dev *d, gpa_t gpa, u32 len)
{
	static const u8 zeros[256];
	struct vfwcfg *f = d->state;
	u32 item_len;
	const u8 *item = fwcfg_item(d, &item_len);
	u32 part = f->offset < item_len ? MIN(len, item_len - f->offset) : 0;

	if (len - part > ZEROS_MAX)
		return false;
	if (part && space_write(d->space, gpa, item + f->offset, part))
		return false;
	f->offset += part;
	for (u32 at = part; at < len; at += part) {
		part = MIN(len - at, sizeof(zeros));
		if (space_write(d->space, gpa + at, zeros, part))
			return false;
	}
	return true;
}

static void fwcfg_dma(struct dev *d)
{
	struct vfwcfg *f = d->state;
	struct fwcfg_dma dma;
	u32 control, len, item_len, result;
	bool ok = true;

	if (space_read(d->space, f->dma_addr, &dma, sizeof(dma)))
		return;
	control = load_be32(&dma.control);
	len = load_be32(&dma.length);
	if (control & DMA_SELECT)
		fwcfg_select(f, (u16)(control >> 16));
	fwcfg_item(d, &item_len);
	if (control & DMA_READ)
		ok = fwcfg_dma_read(d, load_be64(&dma.address), len);
	else if (control & DMA_WRITE)
		ok = false;
	else if (control & DMA_SKIP)
		f->offset += MIN(len, item_len - MIN(f->offset, item_len));
	result = ok ? 0 : __builtin_bswap32(DMA_ERROR);
	if (space_write(d->space, f->dma_addr, &result, sizeof(result)))
		return;		/* the guest's own descriptor is not in RAM: nobody to tell */
}

/* Big-endian, in two halves; the low one starts. */
static void fwcfg_write_dma(struct dev *d, u64 off, u32 len, u64 val)
{
	struct vfwcfg *f = d->state;

	if (len != 4)
		return;
	if (off == DMA) {
		f->dma_addr = (u64)__builtin_bswap32((u32)val) << 32;
	} else if (off == DMA + 4) {
		f->dma_addr |= __builtin_bswap32((u32)val);
		fwcfg_dma(d);
		f->dma_addr = 0;
	}
}

/* ---- ports --------------------------------------------------------------------------------- */

static u64 vfwcfg_read(struct dev *d, u64 off, u32 len)
{
	u64 val = 0;

	if (off >= DMA)
		return __builtin_bswap64(DMA_SIGNATURE) >> 8 * ((off - DMA) % 8);
	if (off == DATA)
		for (u32 i = 0; i < len; i++)
			val |= (u64)fwcfg_next(d) << 8 * i;
	return val;
}

static void vfwcfg_write(struct dev *d, u64 off, u32 len, u64 val)
{
	if (off >= DMA)
		fwcfg_write_dma(d, off, len, val);
	else if (off == 0 && len == 2)
		fwcfg_select(d->state, (u16)val);
}

static void vfwcfg_reset(struct dev *d)
{
	struct vfwcfg *f = d->state;

	fwcfg_select(f, 0);
	f->dma_addr = 0;
}

static err_t vfwcfg_attach(struct dev *d)
{
	struct vfwcfg *f = d->state;
	u32 files = 0;

	for (const struct fwcfg_item *i = d->port.any; i && i->data; i++) {
		struct fwcfg_file *e = (struct fwcfg_file *)(f->directory + 4) + files;

		if (i->key)
			continue;
		if (files == FILES_MAX || !str_copy(e->name, FILE_NAME, i->name))
			return ERRF(E_RANGE, "%s: more than %u files, or a name too long: %s",
				    d->name, FILES_MAX, i->name);
		e->size = __builtin_bswap32(i->len);
		e->select = __builtin_bswap16((u16)(KEY_FILES + files++));
	}
	store_le32(f->directory, __builtin_bswap32(files));
	f->directory_len = 4 + files * (u32)sizeof(struct fwcfg_file);
	return OK;
}

static const struct dev_pio vfwcfg_pio[] = { { FWCFG, 12, 0 }, { 0 } };

const struct model vfwcfg_model = {
	.name = "vfwcfg",
	.compatible = "qemu,fw-cfg",
	.state_size = sizeof(struct vfwcfg),
	.fields = vfwcfg_fields,
	.pio = vfwcfg_pio,
	.attach = vfwcfg_attach,
	.reset = vfwcfg_reset,
	.read = vfwcfg_read,
	.write = vfwcfg_write,
};
