/* What a board gives to a vvirtio_pci: dev.port.any; outlives it. */
#pragma once

#include "drivers/model/model.h"

struct virtio_pci_board {
	struct dev *bus;		/* a vpci, created before */
	struct dev *device;		/* a virtio device with dev.len 0, created before */
	u8 devfn;
};
