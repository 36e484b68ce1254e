/*
 * A PCI function: configuration bytes, BARs, INTx and MSI-X. PCI Local Bus Specification 3.0,
 * sections 6.2, 6.7 and 6.8.2.
 *
 * The MSI-X table is at the start of its BAR, the pending bits in the upper half. Both take
 * aligned accesses of 4 and 8 bytes; others read zero and are ignored.
 */
#include "drivers/model/pci/pci.h"

#include "kernel/base/panic.h"
#include "kernel/base/str.h"

#define MSIX_BAR	4096
#define PBA		0x800

enum { BAR_64 = 4, BAR_PREFETCH = 8 };
enum { CAP_NEXT = 1, MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_PBA = 8, MSIX_LEN = 12 };
enum { CONTROL_MASKED = 1 << 14, CONTROL_ENABLE = 1 << 15 };
enum { ENTRY_ADDR, ENTRY_ADDR_HIGH, ENTRY_DATA, ENTRY_CONTROL };
enum { ENTRY_MASKED = 1 };

/* ---- description --------------------------------------------------------------------------- */

void pci_fn_set(struct pci_fn *f, u32 off, u32 bytes, u32 val, u32 writable)
{
	for (u32 i = 0; i < bytes; i++) {
		f->fresh[off + i] = (u8)(val >> 8 * i);
		f->writable[off + i] = (u8)(writable >> 8 * i);
	}
}

void pci_fn_init(struct pci_fn *f, const char *name, u16 vendor, u16 device, u32 class)
{
	f->name = name;
	f->capability_end = PCI_CAPABILITY_FIRST;
	pci_fn_set(f, PCI_VENDOR_ID, 2, vendor, 0);
	pci_fn_set(f, PCI_DEVICE_ID, 2, device, 0);
	pci_fn_set(f, PCI_COMMAND, 2, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
					 PCI_COMMAND_SERR | PCI_COMMAND_NO_INTX);
	pci_fn_set(f, PCI_CLASS, 3, class, 0);
	pci_fn_set(f, PCI_INTERRUPT_LINE, 1, 0, 0xff);
}

void pci_fn_bar(struct pci_fn *f, u32 index, u64 size, bool wide, const struct mmio_ops *ops,
		void *ctx)
{
	u64 writable = ~(size - 1);

	assert(index + wide < PCI_BARS && size >= 16 && !(size & (size - 1)));
	f->bar[index] = (struct pci_bar){ size, wide, ops, ctx };
	pci_fn_set(f, PCI_BAR + 4 * index, 4, wide ? BAR_64 | BAR_PREFETCH : 0, (u32)writable);
	if (wide)
		pci_fn_set(f, PCI_BAR + 4 * index + 4, 4, 0, (u32)(writable >> 32));
}

/* A new one goes to the front of the list: its order means nothing. */
u8 pci_fn_capability(struct pci_fn *f, u8 id, u8 len)
{
	u8 at = f->capability_end;

	assert(at + len <= PCI_CONFIG);
	f->capability_end += ALIGN_UP(len, 4);
	f->fresh[at] = id;
	f->fresh[at + CAP_NEXT] = f->fresh[PCI_CAPABILITIES];
	f->fresh[PCI_CAPABILITIES] = at;
	f->fresh[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
	return at;
}

void pci_fn_msix(struct pci_fn *f, u32 bar, u32 vectors)
{
	assert(vectors && vectors <= PCI_VECTORS);
	f->msix = pci_fn_capability(f, PCI_CAP_MSIX, MSIX_LEN);
	f->msix_bar = (u8)bar;
	f->vectors = vectors;
	pci_fn_bar(f, bar, MSIX_BAR, false, NULL, NULL);
	pci_fn_set(f, f->msix + MSIX_CONTROL, 2, vectors - 1, CONTROL_ENABLE | CONTROL_MASKED);
	pci_fn_set(f, f->msix + MSIX_TABLE, 4, bar, 0);
	pci_fn_set(f, f->msix + MSIX_PBA, 4, PBA | bar, 0);
}

/* ---- interrupts ---------------------------------------------------------------------------- */

static u16 fn_command(const struct pci_fn *f)
{
	return load_le16(f->config + PCI_COMMAND);
}

static u16 fn_msix_control(const struct pci_fn *f)
{
	return f->msix ? load_le16(f->config + f->msix + MSIX_CONTROL) : 0;
}

bool pci_fn_has_msix(const struct pci_fn *f)
{
	return fn_msix_control(f) & CONTROL_ENABLE;
}

static void fn_update_intx(struct pci_fn *f)
{
	bool now = f->level && !pci_fn_has_msix(f) && !(fn_command(f) & PCI_COMMAND_NO_INTX);

	if (now == f->asserted)
		return;
	f->asserted = now;
	pci_bus_intx(f);
}

void pci_fn_reset(struct pci_fn *f)
{
	memcpy(f->config, f->fresh, sizeof(f->config));
	memset(f->table, 0, sizeof(f->table));
	for (u32 v = 0; v < f->vectors; v++)
		f->table[4 * v + ENTRY_CONTROL] = ENTRY_MASKED;
	f->pending = 0;
	f->level = false;
	fn_update_intx(f);
}

void pci_fn_intx(struct pci_fn *f, bool level)
{
	f->level = level;
	fn_update_intx(f);
}

/* Send what is pending and not masked. */
static void fn_send(struct pci_fn *f)
{
	const struct pci_board *b = f->bus->port.any;

	if ((fn_msix_control(f) & (CONTROL_ENABLE | CONTROL_MASKED)) != CONTROL_ENABLE ||
	    !(fn_command(f) & PCI_COMMAND_MASTER))
		return;
	for (u64 left = f->pending; left; left &= left - 1) {
		u32 v = (u32)__builtin_ctzll(left);
		const u32 *entry = f->table + 4 * v;

		if (entry[ENTRY_CONTROL] & ENTRY_MASKED)
			continue;
		f->pending &= ~BIT(v);
		b->msi(b->msi_ctl, (u64)entry[ENTRY_ADDR_HIGH] << 32 | entry[ENTRY_ADDR],
		       entry[ENTRY_DATA]);
	}
}

void pci_fn_message(struct pci_fn *f, u32 vector)
{
	if (vector >= f->vectors || !pci_fn_has_msix(f))
		return;
	f->pending |= BIT(vector);
	fn_send(f);
}

/* ---- configuration ------------------------------------------------------------------------- */

u8 pci_fn_read(const struct pci_fn *f, u32 off)
{
	if (off >= PCI_CONFIG)
		return 0;		/* no extended capabilities */
	return f->config[off] | (off == PCI_STATUS && f->level ? PCI_STATUS_INTX : 0);
}

void pci_fn_write(struct pci_fn *f, u32 off, u32 len, u64 val)
{
	for (u32 i = 0; i < len && off + i < PCI_CONFIG; i++) {
		u8 mask = f->writable[off + i];

		f->config[off + i] = (f->config[off + i] & ~mask) | ((u8)(val >> 8 * i) & mask);
	}
	fn_update_intx(f);
	fn_send(f);
}

/* ---- BARs ---------------------------------------------------------------------------------- */

static u64 fn_bar_base(const struct pci_fn *f, u32 i)
{
	const u8 *at = f->config + PCI_BAR + 4 * i;

	return (f->bar[i].wide ? load_le64(at) : load_le32(at)) & ~(f->bar[i].size - 1);
}

int pci_fn_decode(const struct pci_fn *f, gpa_t gpa, u64 *off)
{
	if (!(fn_command(f) & PCI_COMMAND_MEMORY))
		return -1;
	for (u32 i = 0; i < PCI_BARS; i++) {
		if (!f->bar[i].size)
			continue;
		*off = gpa - fn_bar_base(f, i);
		if (*off < f->bar[i].size)
			return (int)i;
	}
	return -1;
}

static u64 fn_msix_read(const struct pci_fn *f, u64 off, u32 len)
{
	u64 val = 0;

	if (len < 4 || off % len)
		return 0;
	for (u32 i = 0; i < len / 4; i++, off += 4) {
		u32 word = 0;

		if (off < f->vectors * 16)
			word = f->table[off / 4];
		else if (off == PBA || off == PBA + 4)
			word = (u32)(f->pending >> 8 * (off - PBA));
		val |= (u64)word << 32 * i;
	}
	return val;
}

static void fn_msix_write(struct pci_fn *f, u64 off, u32 len, u64 val)
{
	if (len < 4 || off % len)
		return;
	for (u32 i = 0; i < len / 4; i++, off += 4) {
		u32 word = (u32)(val >> 32 * i);

		if (off >= f->vectors * 16)
			return;
		f->table[off / 4] = off / 4 % 4 == ENTRY_CONTROL ? word & ENTRY_MASKED : word;
	}
	fn_send(f);
}

u64 pci_fn_bar_read(struct pci_fn *f, u32 bar, u64 off, u32 len)
{
	const struct pci_bar *b = &f->bar[bar];

	if (off + len > b->size)
		return ~0ull;
	if (f->msix && bar == f->msix_bar)
		return fn_msix_read(f, off, len);
	return b->ops->read(b->ctx, off, len);
}

void pci_fn_bar_write(struct pci_fn *f, u32 bar, u64 off, u32 len, u64 val)
{
	const struct pci_bar *b = &f->bar[bar];

	if (off + len > b->size)
		return;
	if (f->msix && bar == f->msix_bar)
		fn_msix_write(f, off, len, val);
	else
		b->ops->write(b->ctx, off, len, val);
}
