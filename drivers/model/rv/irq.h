/* What a board wires to the RISC-V interrupt controllers: the PLIC's source inputs. */
#pragma once

#include "kernel/base/types.h"

#define PLIC_SOURCES	96	/* source 0 does not exist; QEMU's virt has riscv,ndev = 95 */
#define PLIC_CONTEXTS	128	/* two per hart: M, S */
#define CLINT_HARTS	64
#define CLINT_HZ	10000000u	/* of mtime, and of the time CSR */

/* For irq_line.set: drive the level of one source; @ctl is the struct dev, locked. */
void vplic_input(void *ctl, u32 source, bool level);
