/* fw_cfg: items, the directory, DMA; QEMU's docs/specs/fw_cfg. */
#include "test/unit/drivers/model/bench.h"

#include "drivers/model/x86/pc.h"
#include "kernel/base/str.h"

static const u16 cpus_max = 4;
static const struct fwcfg_item items[] = {
	{ .key = 5, .len = 2, .data = &cpus_max },
	{ .len = 5, .name = "etc/hello", .data = "hello" },
	{ .len = 3, .name = "etc/abc", .data = "abc" },
	{ 0 },
};
static struct dev d;

static int setup(void **state)
{
	bench_open();
	d = bench_port_dev(&vfwcfg_model, NULL);
	d.port.any = (void *)items;
	return dev_create(&d);
}

static int teardown(void **state)
{
	dev_destroy(&d);
	bench_close();
	return 0;
}

static void expect(const void *want, u32 len)
{
	for (u32 i = 0; i < len; i++)
		assert_int_equal(bench_in(0x511, 1), ((const u8 *)want)[i]);
}

static void select_key(u16 key) { bench_out_to(0x510, 2, key); }

static u32 dma(u32 control, u32 len, u64 address)
{
	u32 words[4] = { __builtin_bswap32(control), __builtin_bswap32(len) };

	store_le64(&words[2], __builtin_bswap64(address));
	memcpy(bench_ram, words, 16);
	bench_out_to(0x514, 4, 0);
	bench_out_to(0x518, 4, __builtin_bswap32(BENCH_RAM));
	return load_be32(bench_ram);
}

static void items_and_directory(void **state)
{
	u8 directory[4 + 2 * 64] = { 0, 0, 0, 2, 0, 0, 0, 5, 0, 0x20 };

	memcpy(directory + 12, "etc/hello", 9);
	directory[68 + 3] = 3;
	directory[68 + 5] = 0x21;
	memcpy(directory + 68 + 8, "etc/abc", 7);
	select_key(0);
	expect("QEMU\0\0", 6);
	select_key(1);
	expect("\3\0\0\0", 4);
	select_key(5);
	expect("\4\0\0", 3);
	select_key(0x19);
	expect(directory, sizeof(directory));
	select_key(0x20);
	expect("hello\0", 6);
	select_key(0x21);
	assert_int_equal(bench_in(0x511, 2), 'a' | 'b' << 8);
	expect("c\0", 2);
	select_key(0x22);
	expect("\0\0", 2);
	select_key(0xffff);
	expect("\0\0", 2);
	assert_int_equal(bench_in(0x514, 4), 0x554d4551);
	assert_int_equal(bench_in(0x518, 4), 0x47464320);
}

static void dma_reads(void **state)
{
	u8 *to = bench_ram + 0x1000;

	memset(to, 0xaa, 16);
	assert_int_equal(dma(0x20 << 16 | 8 | 2, 8, BENCH_RAM + 0x1000), 0);
	assert_memory_equal(to, "hello\0\0\0\xaa", 9);
	assert_int_equal(dma(0x20 << 16 | 8 | 4, 3, 0), 0);
	assert_int_equal(dma(2, 2, BENCH_RAM + 0x1000), 0);
	assert_memory_equal(to, "lollo", 5);
	assert_int_equal(dma(4, UINT32_MAX, 0), 0);
	assert_int_equal(bench_in(0x511, 1), 0);
}

static void dma_failures(void **state)
{
	assert_int_equal(dma(0x20 << 16 | 8 | 2, 8, 0), 1);
	assert_int_equal(dma(0x20 << 16 | 8 | 2, 8, BENCH_RAM + BENCH_RAM_LEN - 4), 1);
	assert_int_equal(dma(0x20 << 16 | 8 | 2, UINT32_MAX, BENCH_RAM + 0x1000), 1);
	assert_int_equal(dma(0x20 << 16 | 8 | 2, 8, UINT64_MAX - 2), 1);
	assert_int_equal(dma(0x20 << 16 | 8 | 16, 5, BENCH_RAM + 0x1000), 1);
	bench_out_to(0x514, 4, UINT32_MAX);
	bench_out_to(0x518, 4, UINT32_MAX);	/* no descriptor there */
}

static void refuses(void **state)
{
	static const struct fwcfg_item bad[] = {
		{ .len = 1, .data = "",
		  .name = "a/name/of/more/than/fifty-five/bytes/that/does/not/fit/in" },
		{ 0 },
	};
	struct dev other = bench_dev(&vfwcfg_model, PAGE_SIZE);

	other.port.any = (void *)bad;
	assert_int_equal(dev_create(&other), E_RANGE);
}

static void random_accesses(void **state)
{
	u64 r = 5;

	for (u32 i = 0; i < 100000; i++) {
		u32 port;

		r = r * 6364136223846793005ull + 1442695040888963407ull;
		port = 0x510 + (r >> 40) % 12;
		if (i % 64 == 0)
			dma((u32)(r >> 20) & 0x3f001f, (u32)r & 0xffff, BENCH_RAM + (r >> 44));
		if (r >> 59 & 1)
			bench_out_to(port, 1u << (r >> 50) % 3, (u32)(r >> 16) & 0xff00003f);
		else
			bench_in(port, 1u << (r >> 50) % 3);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(items_and_directory),
		T(dma_reads),
		T(dma_failures),
		T(refuses),
		T(random_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
