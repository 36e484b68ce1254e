/*
 * See firmware.h. SRAT's proximity domains are arbitrary numbers (ACPI 6.4, 5.2.16); they
 * become nodes 0, 1, ... in order of appearance, and what exceeds NODE_MAX joins node 0.
 */
#include "arch/bare/firmware.h"
#include "kernel/base/page.h"

#define PIECE_MIN	KIB(16)		/* splinters are not worth the allocator's table for them */

struct boot_info *boot;
struct acpi acpi;

static const struct acpi_srat *srat;
static u32 domain_of[NODE_MAX], domains;

static const void *firmware_map(hpa_t at, u64 len)
{
	for (u32 i = 0; i < boot->ranges; i++) {
		const struct boot_range *r = &boot->range[i];

		if (r->kind != BOOT_FREE && r->kind != BOOT_DEVICE && at >= r->base &&
		    at - r->base < r->len)
			return len <= r->len - (at - r->base) ? (const void *)at : NULL;
	}
	return NULL;
}

static u32 node_of_domain(u32 domain)
{
	for (u32 i = 0; i < domains; i++)
		if (domain_of[i] == domain)
			return i;
	if (domains == NODE_MAX)
		return 0;
	domain_of[domains] = domain;
	return domains++;
}

void firmware_init(struct boot_info *info)
{
	boot = info;
	if (acpi_init(&acpi, boot->rsdp, firmware_map))
		srat = acpi_find(&acpi, "SRAT", 0, sizeof(*srat));
	if (!srat)
		return;
	for (const struct srat_memory *m = NULL; (m = acpi_each(srat, SRAT_MEMORY, m)); )
		if (m->flags & SRAT_ENABLED)
			node_of_domain(m->domain);
}

/* Node of @at, and in *@end where the answer may change. */
static u32 node_of_memory(hpa_t at, hpa_t *end)
{
	if (!srat)
		return 0;
	for (const struct srat_memory *m = NULL; (m = acpi_each(srat, SRAT_MEMORY, m)); ) {
		if (!(m->flags & SRAT_ENABLED) || m->base + m->length <= at)
			continue;
		if (m->base <= at) {
			*end = MIN(*end, m->base + m->length);
			return node_of_domain(m->domain);
		}
		*end = MIN(*end, m->base);
	}
	return 0;
}

u64 firmware_add_memory(hpa_t low, hpa_t high)
{
	u64 added = 0;

	for (u32 i = 0; i < boot->ranges; i++) {
		const struct boot_range *r = &boot->range[i];
		hpa_t at = MAX(low, r->base), stop = MIN(high, r->base + r->len), end;

		for (; r->kind == BOOT_FREE && at < stop; at = end) {
			end = stop;
			u32 node = node_of_memory(at, &end);

			if (end - at < PIECE_MIN)
				continue;
			page_add_range((void *)at, end - at, node);
			added += end - at;
		}
	}
	return added;
}

u32 firmware_cpu_node(enum srat_type type, u32 id)
{
	if (!srat)
		return 0;
	for (const struct srat_lapic *c = NULL;
	     type == SRAT_LAPIC && (c = acpi_each(srat, SRAT_LAPIC, c));)
		if (c->id == id && (c->flags & SRAT_ENABLED))
			return node_of_domain(c->domain_low | (u32)c->domain_high[0] << 8 |
					      (u32)c->domain_high[1] << 16 |
					      (u32)c->domain_high[2] << 24);
	for (const struct srat_x2apic *c = NULL;
	     type == SRAT_X2APIC && (c = acpi_each(srat, SRAT_X2APIC, c));)
		if (c->id == id && (c->flags & SRAT_ENABLED))
			return node_of_domain(c->domain);
	for (const struct srat_gicc *c = NULL;
	     type == SRAT_GICC && (c = acpi_each(srat, SRAT_GICC, c));)
		if (c->uid == id && (c->flags & SRAT_ENABLED))
			return node_of_domain(c->domain);
	return 0;
}
