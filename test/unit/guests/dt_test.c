/* guests/dt.c: trees are read back with the boot code's reader and judged by dtc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/fdt.h"
#include "guests/dt.h"

static u8 buf[4096] aligned_to(8);

static void write_tree(struct dt *d)
{
	dt_prop_cells(d, "#address-cells", 2);
	dt_prop_cells(d, "#size-cells", 1);
	dt_prop_text(d, "model", "x");
	dt_prop_flag(d, "dma-coherent");
	dt_node_at(d, "dev", 0x10abcdef0);
	dt_prop_cells(d, "reg", 1, 0x0abcdef0, 0x1000);
	dt_prop_begin(d, "compatible");
	dt_prop_append_text(d, "a,b");
	dt_prop_append_text(d, "c");
	dt_prop_end(d);
	dt_prop_u64(d, "wide", 0x1122334455667788);
	dt_prop(d, "bytes", "\1\2\3\4\5", 5);
	dt_node(d, "inner");
	dt_prop_text(d, "model", "same name again");
	dt_end(d);
	dt_end(d);
}

static void test_read_back(void **s)
{
	struct dt d = dt_open(buf, sizeof(buf));
	struct fdt f;
	struct fdt_walk w;
	hpa_t base;
	u64 size;
	u32 len;

	write_tree(&d);
	assert_int_equal(dt_close(&d, &len), OK);
	assert_int_equal(fdt_open(&f, buf, len), OK);
	fdt_start(&w, &f);
	assert_true(fdt_next(&w));
	assert_string_equal(w.name[0], "");
	assert_string_equal(fdt_string(&w, "model"), "x");
	assert_non_null(fdt_prop(&w, "dma-coherent", &len));
	assert_int_equal(len, 0);
	assert_true(fdt_find(&w, &f, "/dev@10abcdef0"));
	assert_true(fdt_reg(&w, 0, &base, &size));
	assert_int_equal(base, 0x10abcdef0);
	assert_int_equal(size, 0x1000);
	assert_true(fdt_compatible(&w, "a,b") && fdt_compatible(&w, "c"));
	assert_false(fdt_compatible(&w, "b"));
	assert_memory_equal(fdt_prop(&w, "wide", &len), "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	assert_memory_equal(fdt_prop(&w, "bytes", &len), "\1\2\3\4\5", 5);
	assert_int_equal(len, 5);
	assert_true(fdt_find(&w, &f, "/dev/inner"));
	assert_string_equal(fdt_string(&w, "model"), "same name again");
}

/* A name used twice is stored once. */
static void test_names_shared(void **s)
{
	struct dt d = dt_open(buf, sizeof(buf));
	u32 len, with;

	dt_prop_flag(&d, "name-of-a-property");
	assert_int_equal(dt_close(&d, &len), OK);
	d = dt_open(buf, sizeof(buf));
	dt_prop_flag(&d, "name-of-a-property");
	dt_node(&d, "n");
	dt_prop_flag(&d, "name-of-a-property");
	dt_end(&d);
	assert_int_equal(dt_close(&d, &with), OK);
	/* node, its name, property, end: no further string */
	assert_int_equal(with - len, 4 + 4 + 12 + 4);
}

/* Every capacity below what is needed fails, none is overrun, and what is needed suffices. */
static void test_every_capacity(void **s)
{
	struct dt d = dt_open(buf, sizeof(buf));
	u32 need, len;

	write_tree(&d);
	assert_int_equal(dt_close(&d, &need), OK);
	for (u32 cap = 0; cap <= need; cap++) {
		u8 *exact = aligned_alloc(8, ALIGN_UP(MAX(cap, 8u), 8u));

		memset(exact, 0xaa, ALIGN_UP(MAX(cap, 8u), 8u));
		d = dt_open(exact, cap);
		write_tree(&d);
		assert_int_equal(dt_close(&d, &len), cap < need ? E_RANGE : OK);
		for (u32 i = cap; i < ALIGN_UP(MAX(cap, 8u), 8u); i++)
			assert_int_equal(exact[i], 0xaa);
		free(exact);
	}
	assert_int_equal(len, need);
}

static void test_dtc_accepts(void **s)
{
	char path[] = "/tmp/dt_test.XXXXXX", cmd[128], text[2048];
	struct dt d = dt_open(buf, sizeof(buf));
	size_t got;
	u32 len;
	FILE *p;
	int fd = mkstemp(path);

	write_tree(&d);
	assert_int_equal(dt_close(&d, &len), OK);
	assert_int_equal(write(fd, buf, len), len);
	close(fd);
	snprintf(cmd, sizeof(cmd), "dtc -q -I dtb -O dts %s", path);
	p = popen(cmd, "r");
	got = fread(text, 1, sizeof(text) - 1, p);
	text[got] = '\0';
	assert_int_equal(pclose(p), 0);
	unlink(path);
	assert_non_null(strstr(text, "reg = <0x01 0xabcdef0 0x1000>;"));
	assert_non_null(strstr(text, "compatible = \"a,b\\0c\";"));
	assert_non_null(strstr(text, "bytes = [01 02 03 04 05];"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_names_shared),
		cmocka_unit_test(test_every_capacity),
		cmocka_unit_test(test_dtc_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
