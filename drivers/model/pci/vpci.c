/*
 * A PCI bus and its host bridge, as a guest of a PC or of a board with ECAM sees it: the ports
 * 0xcf8 and 0xcfc, the memory-mapped configuration space, the windows of the BARs, and the
 * functions that are part of the chipset: q35's host bridge and ICH9's LPC bridge, which say where
 * things are and let firmware write into them what it likes. PCI Local Bus Specification 3.0,
 * section 3.2.2.3; Intel Q35 and ICH9 data sheets.
 *
 * dev->base is the ECAM, a MiB for each bus; only bus 0 has functions. Between the two
 * configuration ports is the reset control register, 0xcf9.
 */
#include "drivers/model/pci/pci.h"

#include "kernel/base/panic.h"

enum { CONFIG_ADDRESS = 0xcf8, RST_CNT = 0xcf9, CONFIG_DATA = 0xcfc, PORTS_LEN = 8 };
#define ADDRESS_ENABLE	0x80000000u
enum { RST_FULL = 1 << 1, RST_CPU = 1 << 2 };
enum { LPC_DEVFN = 0x1f << 3 };

struct window {
	struct pci_window at;
	struct dev *bus;
};

struct vpci {
	u32 address;
	u8 rst_cnt;
	struct pci_fn host, lpc;
	/* not saved: set by attach */
	struct pci_fn *fn[256];		/* by devfn */
	struct pci_fn *first;
	struct pci_fn *last;		/* the one whose BAR was hit last, or NULL */
	struct window window[2];
};

static const struct field vpci_fields[] = {
	FIELD(struct vpci, address),
	FIELD(struct vpci, rst_cnt),
	FIELD_ARRAY(struct vpci, host.config),
	FIELD_ARRAY(struct vpci, lpc.config),
	{ NULL },
};

/* ---- the bus ------------------------------------------------------------------------------- */

err_t pci_attach(struct dev *bus, struct pci_fn *f, u8 devfn)
{
	struct vpci *p = bus->state;

	if (p->fn[devfn])
		return ERRF(E_EXIST, "%s: %s has device %u, function %u", f->name,
			    p->fn[devfn]->name, devfn >> 3, devfn & 7);
	lock_take(bus->lock);
	f->bus = bus;
	f->devfn = devfn;
	f->next = p->first;
	p->first = p->fn[devfn] = f;
	lock_drop(bus->lock);
	return OK;
}

void pci_detach(struct pci_fn *f)
{
	struct vpci *p = f->bus->state;
	struct pci_fn **at = &p->first;

	lock_take(f->bus->lock);
	f->asserted = false;
	pci_bus_intx(f);
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	p->fn[f->devfn] = p->last = NULL;
	lock_drop(f->bus->lock);
}

void pci_bus_intx(const struct pci_fn *f)
{
	struct dev *d = f->bus;
	const struct vpci *p = d->state;
	u32 line = f->devfn >> 3 & 3;
	bool level = false;

	for (const struct pci_fn *o = p->first; o; o = o->next)
		level |= o->asserted && (o->devfn >> 3 & 3) == line;
	if (line < d->outs)
		irq_set(&d->out[line], level);
}

/* Configuration of a function that is not there reads as ones. */
static u64 pci_config_read(struct dev *d, u64 bus, u8 devfn, u32 off, u32 len)
{
	const struct vpci *p = d->state;
	const struct pci_fn *f = bus ? NULL : p->fn[devfn];
	u64 val = 0;

	if (!f)
		return ~0ull;
	for (u32 i = 0; i < len; i++)
		val |= (u64)pci_fn_read(f, off + i) << 8 * i;
	return val;
}

static void pci_config_write(struct dev *d, u64 bus, u8 devfn, u32 off, u32 len, u64 val)
{
	const struct vpci *p = d->state;

	if (!bus && p->fn[devfn])
		pci_fn_write(p->fn[devfn], off, len, val);
}

/* ---- windows of BARs ----------------------------------------------------------------------- */

/* Whose is @gpa? Most accesses hit where the last one did. */
static struct pci_fn *pci_find(struct vpci *p, gpa_t gpa, u32 *bar, u64 *off)
{
	int hit = p->last ? pci_fn_decode(p->last, gpa, off) : -1;
	struct pci_fn *f = p->last;

	if (hit < 0)
		for (f = p->first; f; f = f->next)
			if ((hit = pci_fn_decode(f, gpa, off)) >= 0)
				break;
	*bar = (u32)hit;
	return f ? p->last = f : NULL;
}

static u64 pci_window_read(void *ctx, u64 off, u32 len)
{
	const struct window *w = ctx;
	u32 bar;
	struct pci_fn *f = pci_find(w->bus->state, w->at.base + off, &bar, &off);

	return f ? pci_fn_bar_read(f, bar, off, len) : ~0ull;
}

static void pci_window_write(void *ctx, u64 off, u32 len, u64 val)
{
	const struct window *w = ctx;
	u32 bar;
	struct pci_fn *f = pci_find(w->bus->state, w->at.base + off, &bar, &off);

	if (f)
		pci_fn_bar_write(f, bar, off, len, val);
}

static const struct mmio_ops window_ops = { pci_window_read, pci_window_write };

/* ---- ports and ECAM ------------------------------------------------------------------------ */

static void pci_write_reset(struct dev *d, u8 val)
{
	struct vpci *p = d->state;

	if (val & ~p->rst_cnt & RST_CPU && d->shutdown)
		d->shutdown(d->vm, SHUTDOWN_REBOOT, 0);
	p->rst_cnt = val & (RST_FULL | RST_CPU);
}

static u64 pci_port_read(struct dev *d, u64 port, u32 len)
{
	const struct vpci *p = d->state;
	u32 a = p->address;

	if (port == CONFIG_ADDRESS && len == 4)
		return a;
	if (port == RST_CNT && len == 1)
		return p->rst_cnt;
	if (port < CONFIG_DATA || !(a & ADDRESS_ENABLE))
		return ~0ull;
	return pci_config_read(d, BITS(a, 23, 16), (u8)(a >> 8), (a & 0xfc) + (port & 3), len);
}

static void pci_port_write(struct dev *d, u64 port, u32 len, u32 val)
{
	struct vpci *p = d->state;
	u32 a = p->address;

	if (port == CONFIG_ADDRESS && len == 4)
		p->address = val & ~0x7f000003u;
	else if (port == RST_CNT && len == 1)
		pci_write_reset(d, (u8)val);
	else if (port >= CONFIG_DATA && a & ADDRESS_ENABLE)
		pci_config_write(d, BITS(a, 23, 16), (u8)(a >> 8), (a & 0xfc) + (port & 3), len,
				 val);
}

/*
 * The ports come behind the ECAM, at an offset that no ECAM has: 256 buses of a MiB. An access
 * that crosses a function's 4 KiB reads zeros there.
 */
#define ECAM_END	(256 * MIB(1))

static u64 vpci_read(struct dev *d, u64 off, u32 len)
{
	if (off >= ECAM_END)
		return pci_port_read(d, off - ECAM_END, len);
	return pci_config_read(d, off >> 20, (u8)(off >> 12), off & 0xfff, len);
}

static void vpci_write(struct dev *d, u64 off, u32 len, u64 val)
{
	if (off >= ECAM_END)
		pci_port_write(d, off - ECAM_END, len, (u32)val);
	else
		pci_config_write(d, off >> 20, (u8)(off >> 12), off & 0xfff, len, val);
}

/* ---- the chipset's own functions ----------------------------------------------------------- */

/* Q35 data sheet, 5.1: PCIEXBAR is fixed; PAM and SMRAM are written by firmware, to no effect. */
static void host_describe(struct dev *d, struct pci_fn *f)
{
	enum { PCIEXBAR = 0x60, PAM0 = 0x90, SMRAM = 0x9d };

	pci_fn_init(f, "host bridge", 0x8086, 0x29c0, 0x060000);
	if (d->len)
		pci_fn_set(f, PCIEXBAR, 4, (u32)d->base | 1, 0);
	pci_fn_set(f, PAM0, 4, 0, UINT32_MAX);
	pci_fn_set(f, PAM0 + 4, 4, 0, UINT32_MAX);
	pci_fn_set(f, SMRAM, 2, 0x0002, 0xffef);
}

/* ICH9 data sheet, 13.1: PMBASE is fixed; interrupt routing is memory, lines are wired. */
static void lpc_describe(struct pci_fn *f, u16 pm_base)
{
	enum { PMBASE = 0x40, ACPI_CNTL = 0x44, PIRQA = 0x60, PIRQE = 0x68, GEN_PMCON = 0xa0,
	       RCBA = 0xf0 };

	pci_fn_init(f, "LPC bridge", 0x8086, 0x2918, 0x060100);
	pci_fn_set(f, PCI_REVISION, 1, 2, 0);
	pci_fn_set(f, PMBASE, 4, pm_base | 1u, 0);
	pci_fn_set(f, ACPI_CNTL, 1, 0x80, 0x87);
	pci_fn_set(f, PIRQA, 4, 0x80808080, 0x8f8f8f8f);
	pci_fn_set(f, PIRQE, 4, 0x80808080, 0x8f8f8f8f);
	pci_fn_set(f, GEN_PMCON, 4, 0, UINT32_MAX);
	pci_fn_set(f, RCBA, 4, 0, 0xffffc001);
}

/* ---- life ---------------------------------------------------------------------------------- */

static void vpci_reset(struct dev *d)
{
	struct vpci *p = d->state;

	p->address = p->rst_cnt = 0;
	pci_fn_reset(&p->host);
	pci_fn_reset(&p->lpc);
}

static void pci_unmap_windows(struct dev *d, u32 count)
{
	struct vpci *p = d->state;

	lock_take(d->lock);
	while (count--)
		if (p->window[count].at.len && space_unmap(d->space, p->window[count].at.base))
			panic("%s: window at 0x%lx is not mapped", d->name,
			      p->window[count].at.base);
	lock_drop(d->lock);
}

static err_t pci_map_windows(struct dev *d)
{
	const struct pci_board *b = d->port.any;
	struct vpci *p = d->state;
	err_t e = OK;
	u32 i;

	for (i = 0; i < ARRAY_LEN(p->window) && e == OK; i += e == OK) {
		p->window[i] = (struct window){ b->window[i], d };
		if (!b->window[i].len)
			continue;
		lock_take(d->lock);
		e = space_map_mmio(d->space, b->window[i].base, b->window[i].len, &window_ops,
				   &p->window[i], d->lock, "PCI window");
		lock_drop(d->lock);
	}
	if (e)
		pci_unmap_windows(d, i);
	return e;
}

static err_t vpci_attach(struct dev *d)
{
	const struct pci_board *b = d->port.any;
	struct vpci *p = d->state;
	err_t e;

	if (!b || !b->msi || d->len > ECAM_END)
		return ERRF(E_INVAL, "%s: no board data, or an ECAM too large", d->name);
	host_describe(d, &p->host);
	e = pci_attach(d, &p->host, 0);
	if (e == OK && b->pm_base) {
		lpc_describe(&p->lpc, b->pm_base);
		e = pci_attach(d, &p->lpc, LPC_DEVFN);
	}
	return e ? e : pci_map_windows(d);
}

static void vpci_detach(struct dev *d)
{
	const struct vpci *p = d->state;

	pci_unmap_windows(d, ARRAY_LEN(p->window));
}

static const struct dev_pio vpci_pio[] = {
	{ CONFIG_ADDRESS, PORTS_LEN, ECAM_END + CONFIG_ADDRESS }, { 0 },
};

const struct model vpci_model = {
	.name = "vpci",
	.compatible = "pci-host-ecam-generic",
	.state_size = sizeof(struct vpci),
	.fields = vpci_fields,
	.pio = vpci_pio,
	.attach = vpci_attach,
	.detach = vpci_detach,
	.reset = vpci_reset,
	.read = vpci_read,
	.write = vpci_write,
};
