/*
 * What firmware_add_memory() gives to which node: RAM in pieces, an SRAT whose domains are
 * arbitrary numbers, have a gap and a disabled entry. The "machine's" memory is an arena that
 * boot_info describes, tables in its first page, so the real page allocator takes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define boot	boot_here	/* the process has its own, which is NULL */
#include "arch/bare/firmware.c"
#include "kernel/base/str.h"

#define ARENA	MIB(32)

static u8 *arena;
static u32 used;

static hpa_t table_add(const char *signature, const void *body, u32 len)
{
	struct acpi_header *h = (void *)(arena + used);
	u8 sum = 0;

	*h = (struct acpi_header){ .length = sizeof(*h) + len };
	memcpy(h->signature, signature, 4);
	memcpy(h + 1, body, len);
	for (u32 i = 0; i < h->length; i++)
		sum += ((u8 *)h)[i];
	h->checksum = -sum;
	used += h->length;
	return (hpa_t)h;
}

static hpa_t rsdp_add(hpa_t xsdt)
{
	u8 *r = arena + used;
	u8 sum = 0;

	memcpy(r, "RSD PTR ", 8);
	r[15] = 2;
	memcpy(r + 24, &xsdt, 8);
	for (u32 i = 0; i < 20; i++)
		sum += r[i];
	r[8] = -sum;
	for (u32 i = sum = 0; i < 36; i++)
		sum += r[i];
	r[32] = -sum;
	used += 36;
	return (hpa_t)r;
}

#define MEMORY(dom, at, size, on)                                                           \
	{                                                                                   \
		.s = { SRAT_MEMORY, sizeof(struct srat_memory) }, .domain = (dom),          \
		.base = (u64)arena + MIB(at), .length = MIB(size), .flags = (on)            \
	}

static hpa_t srat_add(void)
{
	struct {
		u8 reserved[12];
		struct srat_memory m[4];
		struct srat_lapic cpu;
		struct srat_x2apic cpu2;
		struct srat_gicc cpu3;
	} packed t = {
		/* 8..16 MiB in domain 700, 16..20 said by nobody, 20..32 in domain 3 */
		.m = { MEMORY(9, 0, 32, 0), MEMORY(700, 0, 16, SRAT_ENABLED),
		       MEMORY(3, 20, 8, SRAT_ENABLED), MEMORY(3, 28, 64, SRAT_ENABLED) },
		.cpu = { .s = { SRAT_LAPIC, sizeof(t.cpu) }, .domain_low = 700 & 255, .id = 5,
			 .domain_high = { 700 >> 8 }, .flags = SRAT_ENABLED },
		.cpu2 = { .s = { SRAT_X2APIC, sizeof(t.cpu2) }, .domain = 3, .id = 500,
			  .flags = SRAT_ENABLED },
		.cpu3 = { .s = { SRAT_GICC, sizeof(t.cpu3) }, .domain = 3, .uid = 2 },
	};

	return table_add("SRAT", &t, sizeof(t));
}

static void gives_memory_to_its_node(void **state)
{
	static struct boot_info info;
	u64 xsdt[1], before = page_stats(NODE_ANY).total;

	arena = aligned_alloc(MIB(1), ARENA);
	memset(arena, 0, MIB(1));
	xsdt[0] = srat_add();
	info.rsdp = rsdp_add(table_add("XSDT", xsdt, sizeof(xsdt)));
	info.range[0] = (struct boot_range){ (hpa_t)arena, MIB(1), BOOT_FIRMWARE };
	info.range[1] = (struct boot_range){ (hpa_t)arena + MIB(1), MIB(7), BOOT_USED };
	info.range[2] = (struct boot_range){ (hpa_t)arena + MIB(8), MIB(22), BOOT_FREE };
	info.range[3] = (struct boot_range){ (hpa_t)arena + MIB(30), MIB(2), BOOT_DEVICE };
	info.ranges = 4;
	firmware_init(&info);
	assert_ptr_equal(boot, &info);
	/* 8..16 and the unclaimed 16..20 go to node 0, 20..30 to node 1. */
	assert_int_equal(firmware_add_memory(0, (hpa_t)arena + MIB(24)), MIB(16));
	assert_int_equal(firmware_add_memory((hpa_t)arena + MIB(24), UINT64_MAX), MIB(6));
	assert_in_range(page_stats(NODE_ANY).total - before, MIB(22) - KIB(256), MIB(22));
	assert_in_range(page_stats(0).total - before, MIB(12) - KIB(256), MIB(12));
	assert_in_range(page_stats(1).total, MIB(10) - KIB(256), MIB(10));
	assert_int_equal(firmware_cpu_node(SRAT_LAPIC, 5), 0);
	assert_int_equal(firmware_cpu_node(SRAT_X2APIC, 500), 1);
	assert_int_equal(firmware_cpu_node(SRAT_X2APIC, 5), 0);		/* another kind of ID */
	assert_int_equal(firmware_cpu_node(SRAT_GICC, 2), 0);		/* not enabled */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(gives_memory_to_its_node) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
