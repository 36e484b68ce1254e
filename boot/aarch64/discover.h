/*
 * Filling in struct machine (arch/aarch64/sys/machine.h). Each source adds what it knows and
 * leaves the rest.
 */
#pragma once

struct acpi;
struct fdt;
struct machine;

void discover_acpi(struct machine *m, const struct acpi *a);
void discover_fdt(struct machine *m, const struct fdt *f);
