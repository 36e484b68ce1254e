/*
 * The PC: what Linux, SeaBIOS and OVMF expect of an x86 machine like QEMU's q35 and microvm, as far
 * as it is here: interrupt controllers, timers, clock, serial port, ACPI, virtio over memory.
 */
#pragma once

#include "kernel/vm.h"

#define PC_CPUS		64
#define PC_LOW_END	0xc0000000ull	/* RAM below 4 GiB ends here; the rest is from 4 GiB on */
#define PC_VGA		0xa0000ull	/* no RAM from here ... */
#define PC_TABLES	0xe0000ull	/* ... to here, where ACPI's tables are, read-only */
#define PC_TABLES_LEN	0x20000u
#define PC_HIGH		0x100000ull
#define PC_VIRTIO	0xfeb00000ull	/* as QEMU's microvm, a page each */
#define PC_VIRTIO_STEP	0x1000ull
#define PC_VIRTIO_GSI	16u		/* + slot; level */
#define PC_SLOTS	8u

enum { PC_IRQ_PIT = 0, PC_IRQ_COM1 = 4, PC_IRQ_RTC = 8 };
enum { PC_COM1 = 0x3f8, PC_RESET = 0xcf9 };

/* pc_x86_acpi.c: write the tables that describe @cpus CPUs and @slots virtio devices. */
must_check err_t pc_write_acpi(u32 cpus, u32 slots, void *buf, u32 cap, gpa_t base, gpa_t *rsdp);
