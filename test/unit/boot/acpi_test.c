/*
 * ACPI parser against tables built here: good ones are found whole, and each kind of damage
 * (checksum, length, pointer out of bounds, entry that leaves its table) hides exactly what
 * it damages. Addresses are offsets into one arena that map() guards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "boot/acpi.h"
#include "kernel/base/str.h"

#define BASE	0xe0000
static u8 arena[65536];
static u32 used;

static const void *arena_map(hpa_t at, u64 len)
{
	if (at < BASE || at - BASE > used || len > used - (at - BASE))
		return NULL;
	return arena + (at - BASE);
}

static u8 checksum(const void *p, size_t len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum += *b++;
	return (u8)-sum;
}

static void seal(hpa_t at)
{
	struct acpi_header *h = (void *)(arena + (at - BASE));

	h->checksum = 0;
	h->checksum = checksum(h, h->length);
}

/* A table with @body after the header; its address. */
static hpa_t table_add(const char *signature, const void *body, u32 len)
{
	struct acpi_header *h = (void *)(arena + used);
	hpa_t at = BASE + used;

	*h = (struct acpi_header){ .length = sizeof(*h) + len, .revision = 4 };
	memcpy(h->signature, signature, 4);
	memcpy(h + 1, body, len);
	used += h->length;
	seal(at);
	return at;
}

static hpa_t rsdp_add(u8 revision, hpa_t rsdt, hpa_t xsdt)
{
	u8 *r = arena + used;
	u32 low = (u32)rsdt, length = 36;

	memset(r, 0, 36);
	memcpy(r, "RSD PTR ", 8);
	r[15] = revision;
	memcpy(r + 16, &low, 4);
	memcpy(r + 20, &length, 4);
	memcpy(r + 24, &xsdt, 8);
	r[8] = checksum(r, 20);
	r[32] = checksum(r, 36);
	used += 36;
	return BASE + used - 36;
}

static int start(void **state)
{
	memset(arena, 0, sizeof(arena));
	used = 16;
	return 0;
}

static void finds_tables_through_xsdt_and_rsdt(void **state)
{
	hpa_t a = table_add("AAAA", "x", 1), b = table_add("BBBB", "yy", 2),
	      c = table_add("AAAA", "zzz", 3);
	u64 wide[] = { a, b, c };
	u32 narrow[] = { (u32)a, (u32)b };
	hpa_t xsdt = table_add("XSDT", wide, sizeof(wide)),
	      rsdt = table_add("RSDT", narrow, sizeof(narrow));
	struct acpi acpi;

	assert_true(acpi_init(&acpi, rsdp_add(2, rsdt, xsdt), arena_map));
	assert_true(acpi.wide);
	assert_ptr_equal(acpi_find(&acpi, "BBBB", 0, 0), arena_map(b, 1));
	assert_ptr_equal(acpi_find(&acpi, "AAAA", 1, 0), arena_map(c, 1));
	assert_null(acpi_find(&acpi, "AAAA", 2, 0));
	assert_null(acpi_find(&acpi, "CCCC", 0, 0));
	assert_null(acpi_find(&acpi, "BBBB", 0, sizeof(struct acpi_header) + 3));
	/* Revision 0 has no XSDT, whatever lies there. */
	assert_true(acpi_init(&acpi, rsdp_add(0, rsdt, xsdt), arena_map));
	assert_false(acpi.wide);
	assert_ptr_equal(acpi_find(&acpi, "BBBB", 0, 0), arena_map(b, 1));
	assert_null(acpi_find(&acpi, "AAAA", 1, 0));
}

static void refuses_damage(void **state)
{
	hpa_t a = table_add("AAAA", "x", 1), b = table_add("BBBB", "y", 1);
	u64 wide[] = { 0, 12345, a, BASE + sizeof(arena) - 8, b, UINT64_MAX - 3 };
	hpa_t xsdt = table_add("XSDT", wide, sizeof(wide)), rsdp = rsdp_add(2, 0, xsdt);
	struct acpi_header *h = (void *)(arena + (a - BASE));
	struct acpi acpi;

	assert_false(acpi_init(&acpi, 0, arena_map));
	assert_null(acpi_find(&acpi, "BBBB", 0, 0));
	assert_false(acpi_init(&acpi, BASE + sizeof(arena) - 4, arena_map));
	assert_true(acpi_init(&acpi, rsdp, arena_map));
	assert_non_null(acpi_find(&acpi, "AAAA", 0, 0));
	h->checksum++;
	assert_null(acpi_find(&acpi, "AAAA", 0, 0));
	assert_non_null(acpi_find(&acpi, "BBBB", 0, 0));
	h->checksum--;
	for (u32 bad = 0; bad < sizeof(*h); bad += sizeof(*h) - 1) {	/* shorter than a header */
		h->length = bad;
		assert_null(acpi_find(&acpi, "AAAA", 0, 0));
	}
	h->length = sizeof(arena);
	assert_null(acpi_find(&acpi, "AAAA", 0, 0));
	((struct acpi_header *)(arena + (xsdt - BASE)))->checksum++;
	assert_false(acpi_init(&acpi, rsdp, arena_map));
	arena[rsdp - BASE]++;
	assert_false(acpi_init(&acpi, rsdp, arena_map));
}

static void walks_madt_entries(void **state)
{
	struct {
		u32 lapic, flags;
		struct madt_lapic cpu0;
		struct madt_ioapic io;
		struct madt_lapic cpu1;
		/* an entry of 3 bytes and the type of an I/O APIC is too short for one */
		u8 stray[3];
		struct madt_x2apic x2;
	} packed body = {
		.lapic = 0xfee00000,
		.cpu0 = { { MADT_LAPIC, sizeof(struct madt_lapic) }, 0, 7, MADT_CPU_ENABLED },
		.io = { { MADT_IOAPIC, sizeof(struct madt_ioapic) }, 1, 0, 0xfec00000, 24 },
		.cpu1 = { { MADT_LAPIC, sizeof(struct madt_lapic) }, 1, 9, 0 },
		.stray = { MADT_IOAPIC, 3, 0 },
		.x2 = { { MADT_X2APIC, sizeof(struct madt_x2apic) }, 0, 300, MADT_CPU_ENABLED, 2 },
	};
	struct acpi_madt *madt = (void *)(arena + (table_add("APIC", &body, sizeof(body)) - BASE));
	u32 cpus = 0, ios = 0, x2s = 0, entries = 0;

	for (const struct madt_lapic *l = NULL; (l = acpi_each(madt, MADT_LAPIC, l)); cpus++)
		assert_int_equal(l->id, cpus ? 9 : 7);
	for (const struct madt_ioapic *io = NULL; (io = acpi_each(madt, MADT_IOAPIC, io)); ios++)
		assert_int_equal(io->gsi_base, 24);
	for (const struct madt_x2apic *x = NULL; (x = acpi_each(madt, MADT_X2APIC, x)); x2s++)
		assert_int_equal(x->id, 300);
	assert_int_equal(cpus, 2);
	assert_int_equal(ios, 1);
	assert_int_equal(x2s, 1);
	/* A length of 0 or one that leaves the table ends the walk. */
	((struct madt_lapic *)((u8 *)(madt + 1) + sizeof(body.cpu0) + sizeof(body.io)))->s.length =
		0;
	for (const struct acpi_sub *s = NULL; (s = acpi_next(&madt->h, sizeof(*madt), s)); )
		entries++;
	assert_int_equal(entries, 2);
	((struct acpi_sub *)(madt + 1))->length = 255;
	assert_null(acpi_next(&madt->h, sizeof(*madt), NULL));
}

static const struct acpi_header *aml(const void *code, u32 len)
{
	return (void *)(arena + (table_add("DSDT", code, len) - BASE));
}

static void finds_soft_off(void **state)
{
	/* As QEMU, as Bochs (one byte prefixed), with a root prefix, with a long PkgLength. */
	static const u8 qemu[] = { 1, 2, 8, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0, 0, 0 };
	static const u8 prefixed[] = { 8, '_', 'S', '5', '_', 0x12, 8, 2, 0x0a, 5, 0x0a, 7 };
	static const u8 root[] = { 8, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 1, 0x0a, 7, 0 };
	static const u8 lengthy[] = { 8, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 1, 1, 0, 0 };
	static const u8 method[] = { 0x14, 9, '_', 'S', '5', '_', 0x12, 6, 4, 0, 0 };
	static const u8 cut[] = { 9, 9, 8, '_', 'S', '5', '_', 0x12, 8, 2, 0x0a };
	u8 a, b;

	assert_true(acpi_find_s5(aml(qemu, sizeof(qemu)), &a, &b));
	assert_int_equal(a << 8 | b, 0);
	assert_true(acpi_find_s5(aml(prefixed, sizeof(prefixed)), &a, &b));
	assert_int_equal(a << 8 | b, 0x0507);
	assert_true(acpi_find_s5(aml(root, sizeof(root)), &a, &b));
	assert_int_equal(a << 8 | b, 0x0107);
	assert_true(acpi_find_s5(aml(lengthy, sizeof(lengthy)), &a, &b));
	assert_int_equal(a << 8 | b, 0x0101);
	assert_false(acpi_find_s5(aml(method, sizeof(method)), &a, &b));
	assert_false(acpi_find_s5(aml(cut, sizeof(cut)), &a, &b));
	assert_false(acpi_find_s5(aml("", 0), &a, &b));
}

static void takes_either_dsdt_pointer(void **state)
{
	struct acpi_fadt f = { .h.length = sizeof(f) };
	struct acpi acpi = { .map = arena_map };
	hpa_t dsdt = table_add("DSDT", "", 0), other = table_add("SSDT", "", 0);

	assert_null(acpi_dsdt(&acpi, &f));
	f.dsdt = (u32)dsdt;
	assert_ptr_equal(acpi_dsdt(&acpi, &f), arena_map(dsdt, 1));
	f.x_dsdt = dsdt;
	f.dsdt = 0;
	assert_ptr_equal(acpi_dsdt(&acpi, &f), arena_map(dsdt, 1));
	f.h.length = offsetof(struct acpi_fadt, x_dsdt);	/* not there in revision 1 */
	assert_null(acpi_dsdt(&acpi, &f));
	f.dsdt = (u32)other;
	assert_null(acpi_dsdt(&acpi, &f));
}

static void bounds_mcfg(void **state)
{
	struct {
		u64 reserved;
		struct mcfg_segment s[2];
		u8 cut[15];
	} packed body = { .s = { { .base = 0xb0000000, .bus_last = 255 },
				 { .base = 1, .segment = 1 } } };
	const struct acpi_mcfg *m =
		(void *)(arena + (table_add("MCFG", &body, sizeof(body)) - BASE));

	assert_int_equal(acpi_mcfg_segment(m, 0)->base, 0xb0000000);
	assert_int_equal(acpi_mcfg_segment(m, 1)->segment, 1);
	assert_null(acpi_mcfg_segment(m, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_tables_through_xsdt_and_rsdt, start),
		cmocka_unit_test_setup(refuses_damage, start),
		cmocka_unit_test_setup(walks_madt_entries, start),
		cmocka_unit_test_setup(finds_soft_off, start),
		cmocka_unit_test_setup(takes_either_dsdt_pointer, start),
		cmocka_unit_test_setup(bounds_mcfg, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
