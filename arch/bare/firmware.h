/*
 * What firmware said, as every bare host uses it: boot_info, ACPI, and memory by NUMA node.
 * Calls in this order: firmware_init(), then firmware_add_memory() as soon as the host has
 * mapped what it adds.
 */
#pragma once

#include "boot/acpi.h"
#include "boot/boot.h"

extern struct acpi acpi;	/* finds nothing on a machine without ACPI */

/* Take over @info and look for ACPI and SRAT. Tables are read at virtual = physical. */
void firmware_init(struct boot_info *info);

/*
 * Give the free RAM inside [@low, @high) to the page allocator, each piece to its node; returns
 * the bytes.
 */
u64 firmware_add_memory(hpa_t low, hpa_t high);

/*
 * NUMA node of a CPU named as SRAT names it (@type: APIC ID, x2APIC ID, or the UID of a GICC); 0
 * when not told.
 */
u32 firmware_cpu_node(enum srat_type type, u32 id);
