/*
 * Writer of ACPI tables (ACPI 6.4, chapter 5) and of the little AML that boards need (chapter 20):
 * names, buffers and devices without methods. It cannot read; the boot code has a reader for the
 * machine's own tables.
 *
 * Errors are sticky like those of dt.h: a table that outgrows the buffer swallows further calls,
 * and acpi_close() says so.
 */
#pragma once

#include "kernel/base/err.h"

#define ACPI_TABLES	16

struct acpi_out {
	u8 *buf;
	u32 cap, at;
	gpa_t base;			/* where the buffer is in the guest's memory */
	u32 table;			/* where the open one begins */
	u32 tables;
	gpa_t address[ACPI_TABLES];	/* for the XSDT */
	bool full;
};

struct acpi_out acpi_open(void *buf, u32 cap, gpa_t base);
/* Write XSDT and RSDP; *@rsdp is where that is. E_RANGE: it did not fit. */
must_check err_t acpi_close(struct acpi_out *a, gpa_t *rsdp);

/* Begin and end a table with its header. The end returns its address; @listed: in the XSDT. */
void acpi_table(struct acpi_out *a, const char signature[4], u8 revision);
gpa_t acpi_table_end(struct acpi_out *a, bool listed);
/* The FACS has another header and no checksum: @len bytes in all. */
gpa_t acpi_facs(struct acpi_out *a, u32 len);

void acpi_bytes(struct acpi_out *a, const void *p, u32 len);
void acpi_zeros(struct acpi_out *a, u32 len);
void acpi_u8(struct acpi_out *a, u8 v);
void acpi_u16(struct acpi_out *a, u16 v);
void acpi_u32(struct acpi_out *a, u32 v);
void acpi_u64(struct acpi_out *a, u64 v);
/* A generic address (5.2.3.2): @space 0 memory, 1 I/O. */
void acpi_gas(struct acpi_out *a, u8 space, u8 bits, u64 address);

/* ---- AML: what is begun returns a mark for its end ---- */

u32 aml_scope(struct acpi_out *a, const char *path);		/* "\\_SB_" */
u32 aml_device(struct acpi_out *a, const char name[4]);
void aml_end(struct acpi_out *a, u32 mark);
void aml_name(struct acpi_out *a, const char name[4]);		/* the value follows */
void aml_integer(struct acpi_out *a, u64 v);
void aml_string(struct acpi_out *a, const char *text);
/* "PNP0501": a compressed EISA identifier (ACPI 19.3.4). */
void aml_eisa(struct acpi_out *a, const char id[7]);
u32 aml_package(struct acpi_out *a, u8 elements);
/* A buffer of resources (6.4): items, then the end. */
u32 aml_resources(struct acpi_out *a);
void aml_resources_end(struct acpi_out *a, u32 mark);
void aml_memory(struct acpi_out *a, u32 base, u32 len);
void aml_io(struct acpi_out *a, u16 base, u8 len);
void aml_irq(struct acpi_out *a, u32 gsi, bool level);		/* active high */
