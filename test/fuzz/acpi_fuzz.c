/*
 * Any bytes as firmware's memory, its RSDP at the start: find every table, walk every entry, look
 * for \_S5.
 */
#include "boot/acpi.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const u8 *memory;
static size_t memory_size;

/* Physical address 16 is the first byte, because 0 means none. */
static const void *memory_map(hpa_t at, u64 len)
{
	return at >= 16 && at - 16 <= memory_size && len <= memory_size - (at - 16) ?
		       memory + (at - 16) :
		       NULL;
}

/* Checksums are beyond a fuzzer's patience: tables are looked at whether or not they are found. */
static void table_walk(const struct acpi_header *h)
{
	static const size_t first[] = { sizeof(struct acpi_madt), sizeof(struct acpi_srat) };
	u8 a, b;

	for (u32 i = 0; i < ARRAY_LEN(first); i++) {
		if (h->length < first[i])
			continue;
		for (const struct acpi_sub *s = NULL; (s = acpi_next(h, first[i], s)); )
			;
		for (const struct madt_gicc *g = NULL;
		     (g = acpi_next_of(h, first[i], MADT_GICC, sizeof(*g), g));)
			a = g->efficiency;
	}
	if (h->length >= sizeof(struct acpi_mcfg))
		for (u32 i = 0; acpi_mcfg_segment((const void *)h, i); i++)
			a = acpi_mcfg_segment((const void *)h, i)->bus_last;
	acpi_find_s5(h, &a, &b);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct acpi_header *h = (const void *)data;
	struct acpi acpi;

	memory = data;
	memory_size = size;
	if (acpi_init(&acpi, 16, memory_map)) {
		const struct acpi_fadt *f = acpi_find(&acpi, "FACP", 0, sizeof(*h));

		if (f)
			acpi_dsdt(&acpi, f);
		for (u32 i = 0; (h = acpi_find(&acpi, "APIC", i, sizeof(struct acpi_madt))); i++)
			table_walk(h);
	}
	h = (const void *)data;
	if (size >= sizeof(*h) && h->length >= sizeof(*h) && h->length <= size)
		table_walk(h);
	return 0;
}
