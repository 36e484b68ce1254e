/*
 * PCI functions as their models see them, and the bus that they sit on: the host bridge vpci.c.
 * PCI Local Bus Specification 3.0, chapter 6; PCI Express Base Specification, 7.2.2 (ECAM).
 *
 * A function is its configuration bytes and, for each, the bits that a guest can write. Sizing of
 * BARs needs nothing else: their low bits cannot be written. Nor does moving them: the bus owns
 * windows of the guest's address space, and asks the functions' BARs at each access whose it is,
 * so that the space's ranges stay as they are while the guest runs.
 *
 * One bus, no bridges behind it, no I/O BARs. All under the bus lock.
 */
#pragma once

#include "drivers/model/model.h"

#define PCI_CONFIG	256
#define PCI_BARS	6
#define PCI_VECTORS	64		/* MSI-X, the most here */
#define PCI_DEVFN(device, function)	((u8)((device) << 3 | (function)))

enum {	/* configuration space, 6.1 */
	PCI_VENDOR_ID = 0x00, PCI_DEVICE_ID = 0x02, PCI_COMMAND = 0x04, PCI_STATUS = 0x06,
	PCI_REVISION = 0x08, PCI_CLASS = 0x09, PCI_HEADER_TYPE = 0x0e, PCI_BAR = 0x10,
	PCI_SUBSYSTEM_VENDOR = 0x2c, PCI_SUBSYSTEM_ID = 0x2e, PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c, PCI_INTERRUPT_PIN = 0x3d, PCI_CAPABILITY_FIRST = 0x40,
};
enum { PCI_COMMAND_IO = 1, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4,
       PCI_COMMAND_SERR = 0x100, PCI_COMMAND_NO_INTX = 0x400 };
enum { PCI_STATUS_INTX = 8, PCI_STATUS_CAPABILITIES = 0x10 };
enum { PCI_CAP_VENDOR = 0x09, PCI_CAP_MSIX = 0x11 };

struct pci_bar {
	u64 size;			/* a power of two from 16 on; 0: there is none */
	bool wide;			/* 64 bits, with the next one */
	const struct mmio_ops *ops;
	void *ctx;
};

struct pci_fn {
	/* set once, by the model */
	const char *name;
	u8 writable[PCI_CONFIG];	/* bits that a guest can write */
	u8 fresh[PCI_CONFIG];		/* after reset */
	struct pci_bar bar[PCI_BARS];
	u8 capability_end;		/* where the next one goes */
	u8 msix, msix_bar;		/* offset of the capability, or 0: no MSI-X */
	u32 vectors;
	/* the bus's */
	struct dev *bus;
	struct pci_fn *next;
	u8 devfn;
	bool asserted;			/* at its pin; follows from the state */
	/* state: PCI_FIELDS */
	u8 config[PCI_CONFIG];
	u32 table[PCI_VECTORS * 4];	/* MSI-X: address, its high half, data, control */
	u64 pending;			/* MSI-X: vectors that occurred while they were masked */
	bool level;			/* INTx as the model wants it */
};

#define PCI_FIELDS(type, f) \
	FIELD_ARRAY(type, f.config), FIELD_ARRAY(type, f.table), FIELD(type, f.pending), \
	FIELD(type, f.level)

/* ---- a function: describe it, attach it, then reset it; fn.c ----------------------------- */

/* @class is 24 bits: base class, subclass, interface. */
void pci_fn_init(struct pci_fn *f, const char *name, u16 vendor, u16 device, u32 class);
void pci_fn_set(struct pci_fn *f, u32 off, u32 bytes, u32 val, u32 writable);
void pci_fn_bar(struct pci_fn *f, u32 index, u64 size, bool wide, const struct mmio_ops *ops,
		void *ctx);
/* Room for a capability of @len bytes; returns its offset. Its contents are 0 and read-only. */
u8 pci_fn_capability(struct pci_fn *f, u8 id, u8 len);
/* MSI-X with its table and pending bits in a BAR of their own, of 4 KiB. */
void pci_fn_msix(struct pci_fn *f, u32 bar, u32 vectors);
void pci_fn_reset(struct pci_fn *f);

/* Its interrupt pin; the guest may have switched it off, or use MSI-X instead. */
void pci_fn_intx(struct pci_fn *f, bool level);
bool pci_fn_has_msix(const struct pci_fn *f);		/* the guest uses it */
void pci_fn_message(struct pci_fn *f, u32 vector);	/* of MSI-X; nothing unless in use */

/*
 * ---- the bus: dev.port.any of a vpci; dev.out[4] are its interrupt lines, shared by wired-OR:
 * INTA of device n is line n mod 4 -----------------------------------------------------------
 */

struct pci_window {
	gpa_t base;
	u64 len;			/* 0: none */
};

struct pci_board {
	struct pci_window window[2];	/* where BARs may be: below and above 4 GiB */
	void (*msi)(void *ctl, u64 addr, u32 data);	/* vlapic_msi */
	void *msi_ctl;
	u16 pm_base;			/* what the LPC bridge says of it; 0: there is no bridge */
};

/* E_EXIST: something is there already. Takes the lock. */
err_t pci_attach(struct dev *bus, struct pci_fn *f, u8 devfn);
void pci_detach(struct pci_fn *f);

/* Between fn.c and vpci.c. */
void pci_bus_intx(const struct pci_fn *f);		/* ->asserted has changed */
u8 pci_fn_read(const struct pci_fn *f, u32 off);
void pci_fn_write(struct pci_fn *f, u32 off, u32 len, u64 val);
/* If it decodes @gpa: the BAR; else -1. *@off: where in it. */
int pci_fn_decode(const struct pci_fn *f, gpa_t gpa, u64 *off);
u64 pci_fn_bar_read(struct pci_fn *f, u32 bar, u64 off, u32 len);
void pci_fn_bar_write(struct pci_fn *f, u32 bar, u64 off, u32 len, u64 val);
