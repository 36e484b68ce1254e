/* guests/acpi.c and the PC's tables: read back with the boot code's reader and judged by iasl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/acpi.h"
#include "drivers/model/x86/pc.h"
#include "guests/acpi.h"
#include "guests/pc_x86.h"

#define BASE	0xe0000u

static u8 buf[PC_TABLES_LEN];

static const void *map(hpa_t at, u64 len)
{
	return at >= BASE && at + len <= BASE + sizeof(buf) ? buf + (at - BASE) : NULL;
}

static void read_back(void **s)
{
	const struct acpi_madt *madt;
	const struct acpi_fadt *fadt;
	const struct madt_lapic *l = NULL;
	const struct madt_override *o = NULL;
	struct acpi a;
	gpa_t rsdp;
	u32 n = 0;

	assert_int_equal(pc_write_acpi(5, 3, buf, sizeof(buf), BASE, &rsdp), OK);
	assert_int_equal(rsdp % 16, 0);
	assert_true(acpi_init(&a, rsdp, map));
	assert_true(a.wide);
	madt = acpi_find(&a, "APIC", 0, sizeof(*madt));
	assert_non_null(madt);
	while ((l = acpi_each(madt, MADT_LAPIC, l))) {
		assert_int_equal(l->id, n++);
		assert_int_equal(l->flags, MADT_CPU_ENABLED);
	}
	assert_int_equal(n, 5);
	o = acpi_each(madt, MADT_OVERRIDE, o);
	assert_int_equal(o->gsi, 2);
	fadt = acpi_find(&a, "FACP", 0, sizeof(*fadt));
	assert_non_null(fadt);
	assert_int_equal(fadt->h.length, 276);
	assert_int_equal(fadt->pm_timer, PM_BASE + PM_TIMER);
	assert_int_equal(fadt->reset.address, PC_RESET);
	assert_int_equal(fadt->x_pm_timer.address, PM_BASE + PM_TIMER);
	assert_memory_equal(map(fadt->x_dsdt, 4), "DSDT", 4);
	assert_int_equal(fadt->x_facs % 64, 0);
}

/* Too small a buffer is an error, and nothing behind it is touched. */
static void every_capacity(void **s)
{
	gpa_t rsdp;
	u32 need = 0;

	for (u32 cap = 0; cap < sizeof(buf) && !need; cap += cap < 1000 ? 1 : 13) {
		u8 *exact = malloc(cap + 1);

		exact[cap] = 0x5a;
		if (pc_write_acpi(2, 2, exact, cap, BASE, &rsdp) == OK)
			need = cap;
		assert_int_equal(exact[cap], 0x5a);
		free(exact);
	}
	assert_in_range(need, 700, 4000);
}

static void write_file(const char *path, const void *p, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

static bool file_has(const char *path, const char *text)
{
	static char all[65536];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(all, 1, sizeof(all) - 1, f) : 0;

	if (f)
		fclose(f);
	all[n] = '\0';
	return strstr(all, text) != NULL;
}

static void disassembled(void **s)
{
	char dir[] = "/tmp/acpi_test.XXXXXX", path[64], cmd[256];
	const struct acpi_fadt *fadt;
	const struct acpi_header *dsdt;
	struct acpi a;
	gpa_t rsdp;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(pc_write_acpi(2, 8, buf, sizeof(buf), BASE, &rsdp), OK);
	assert_true(acpi_init(&a, rsdp, map));
	fadt = acpi_find(&a, "FACP", 0, sizeof(*fadt));
	dsdt = map(fadt->x_dsdt, sizeof(*dsdt));
	snprintf(path, sizeof(path), "%s/dsdt.aml", dir);
	write_file(path, dsdt, dsdt->length);
	/* There and back: what it reads it must also accept as source, without a warning. */
	snprintf(cmd, sizeof(cmd), "cd %s && iasl -d dsdt.aml >log 2>&1 && "
		 "iasl -we dsdt.dsl >log2 2>&1", dir);
	assert_int_equal(system(cmd), 0);
	snprintf(path, sizeof(path), "%s/dsdt.dsl", dir);
	assert_true(file_has(path, "Name (_HID, \"LNRO0005\")"));
	assert_true(file_has(path, "EisaId (\"PNP0501\")"));
	assert_true(file_has(path, "0xFEB07000,"));
	assert_true(file_has(path, "Device (VR07)"));
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_back),
		cmocka_unit_test(every_capacity),
		cmocka_unit_test(disassembled),
	};

	return cmocka_run_group_tests_name("guests/acpi", tests, NULL, NULL);
}
