/* boot/fdt.c against trees built here, with QEMU virt's habits and with damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "boot/fdt.h"
#include "kernel/base/str.h"

static struct {
	u8 tree[2048];
	char strings[512];
	u32 tree_len, strings_len;
	u8 blob[4096];
} t;

static void put(u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(t.tree + t.tree_len, &v, 4);
	t.tree_len += 4;
}

static void put_bytes(const void *p, u32 len)
{
	memcpy(t.tree + t.tree_len, p, len);
	t.tree_len = ALIGN_UP(t.tree_len + len, 4u);
}

static void begin(const char *name)
{
	put(1);
	put_bytes(name, (u32)str_len(name) + 1);
}

static void end(void)
{
	put(2);
}

static void prop(const char *name, const void *data, u32 len)
{
	put(3);
	put(len);
	put(t.strings_len);
	put_bytes(data, len);
	memcpy(t.strings + t.strings_len, name, str_len(name) + 1);
	t.strings_len += (u32)str_len(name) + 1;
}

static void cells(const char *name, u32 count, ...)
{
	u32 v[16];
	va_list ap;

	va_start(ap, count);
	for (u32 i = 0; i < count; i++)
		v[i] = __builtin_bswap32(va_arg(ap, u32));
	va_end(ap);
	prop(name, v, 4 * count);
}

static void text(const char *name, const char *s)
{
	prop(name, s, (u32)str_len(s) + 1);
}

static void header(u32 at, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(t.blob + at, &v, 4);
}

/* The blob's length. */
static u32 finish(void)
{
	u32 total = 40 + t.tree_len + t.strings_len;

	header(0, 0xd00dfeed);
	header(4, total);
	header(8, 40);
	header(12, 40 + t.tree_len);
	header(20, 17);
	header(24, 16);
	header(32, t.strings_len);
	header(36, t.tree_len);
	memcpy(t.blob + 40, t.tree, t.tree_len);
	memcpy(t.blob + 40 + t.tree_len, t.strings, t.strings_len);
	return total;
}

static u32 sample(void)
{
	memset(&t, 0, sizeof(t));
	begin("");
	cells("#address-cells", 1, 2);
	cells("#size-cells", 1, 2);
	begin("aliases");
	text("serial0", "/soc/uart@1000");
	end();
	begin("psci");
	text("method", "smc");
	prop("compatible", "arm,psci-1.0\0arm,psci-0.2", 26);
	end();
	put(4);
	begin("soc");
	cells("#address-cells", 1, 1);
	cells("#size-cells", 1, 1);
	cells("ranges", 8, 0, 1, 0, 0x1000, 0x1000, 2, 0, 0x100);
	begin("uart@1000");
	cells("reg", 4, 0x1000, 0x20, 0x9000, 0x10);
	text("status", "disabled");
	end();
	end();
	end();
	put(9);
	return finish();
}

static void test_walk(void **state)
{
	struct fdt f;
	struct fdt_walk w;
	u32 n = 0;

	assert_int_equal(fdt_open(&f, t.blob, sample()), OK);
	for (fdt_start(&w, &f); fdt_next(&w); n++)
		assert_true(w.depth == (n == 0 ? 0 : n == 4 ? 2 : 1));
	assert_int_equal(n, 5);
}

static void test_properties(void **state)
{
	struct fdt f;
	struct fdt_walk w;
	u32 len;

	assert_int_equal(fdt_open(&f, t.blob, sample()), OK);
	assert_true(fdt_find(&w, &f, "/psci"));
	assert_string_equal(fdt_string(&w, "method"), "smc");
	assert_true(fdt_compatible(&w, "arm,psci-0.2"));
	assert_false(fdt_compatible(&w, "arm,psci"));
	assert_null(fdt_prop(&w, "ranges", &len));
	assert_true(fdt_enabled(&w));
	assert_true(fdt_find(&w, &f, "/"));
	assert_int_equal(fdt_u32(&w, "#address-cells", 7), 2);
	assert_int_equal(fdt_u32(&w, "missing", 7), 7);
}

static void test_find(void **state)
{
	struct fdt f;
	struct fdt_walk w;

	assert_int_equal(fdt_open(&f, t.blob, sample()), OK);
	assert_true(fdt_find(&w, &f, "serial0:115200n8"));
	assert_string_equal(w.name[w.depth], "uart@1000");
	assert_true(fdt_find(&w, &f, "/soc/uart"));
	assert_false(fdt_enabled(&w));
	assert_false(fdt_find(&w, &f, "/soc/uar"));
	assert_false(fdt_find(&w, &f, "/uart@1000"));
	assert_false(fdt_find(&w, &f, "serial1"));
}

static void test_reg(void **state)
{
	struct fdt f;
	struct fdt_walk w;
	hpa_t base;
	u64 len;

	assert_int_equal(fdt_open(&f, t.blob, sample()), OK);
	assert_true(fdt_find(&w, &f, "/soc/uart"));
	assert_true(fdt_reg(&w, 0, &base, &len));
	assert_true(base == 0x200001000 - 0x1000 && len == 0x20);
	assert_false(fdt_reg(&w, 1, &base, &len));	/* outside every range */
	assert_false(fdt_reg(&w, 2, &base, &len));
	assert_true(fdt_find(&w, &f, "/psci"));
	assert_false(fdt_reg(&w, 0, &base, &len));
}

/* Cut anywhere, the blob is refused: the total no longer fits, or the tree does not. */
static void test_truncated(void **state)
{
	struct fdt f;
	u32 total = sample();

	for (u32 cap = 0; cap < total; cap++)
		assert_int_equal(fdt_open(&f, t.blob, cap), E_FORMAT);
	for (u32 n = 0; n < t.tree_len; n++) {
		header(36, n);
		assert_int_equal(fdt_open(&f, t.blob, total), E_FORMAT);
	}
}

static void test_damaged(void **state)
{
	struct fdt f;
	u32 total = sample();

	header(20, 16);
	assert_int_equal(fdt_open(&f, t.blob, total), E_FORMAT);
	header(20, 17);
	header(8, 0xfffffff0);
	assert_int_equal(fdt_open(&f, t.blob, total), E_FORMAT);

	memset(&t, 0, sizeof(t));
	for (u32 i = 0; i <= FDT_DEPTH; i++)
		begin("a");
	assert_int_equal(fdt_open(&f, t.blob, finish()), E_FORMAT);

	memset(&t, 0, sizeof(t));
	text("stray", "x");
	assert_int_equal(fdt_open(&f, t.blob, finish()), E_FORMAT);

	memset(&t, 0, sizeof(t));
	end();
	assert_int_equal(fdt_open(&f, t.blob, finish()), E_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_reg),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
