/*
 * guests/image.c and the formats behind it: crafted kernels, whole and damaged in every way that is
 * named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guests/image.h"
#include "kernel/base/str.h"

#define RAM_BASE 0x80000000ull
#define RAM_LEN  MIB(8)

static u8 file[256 << 10], zipped[300 << 10];
static struct image image;

static void expect_error(err_t got, err_t want, const char *part)
{
	assert_int_equal(got, want);
	if (!strstr(err_text(got), part))
		fail_msg("\"%s\" does not say \"%s\"", err_text(got), part);
}

/* A RISC-V Image of @len bytes with a recognisable body. */
static void make_linux(u64 len, u64 size, u64 offset)
{
	for (u64 i = 0; i < len; i++)
		file[i] = (u8)(i * 7 + i / 251);
	memset(file, 0, 64);
	store_le64(file + 8, offset);
	store_le64(file + 16, size);
	memcpy(file + 48, "RISCV\0\0\0RSC\5", 12);
}

/* Make it an EFI program with one section that ends at @end. */
static void add_pe(u32 end)
{
	memcpy(file, "MZ", 2);
	store_le32(file + 60, 64);
	memset(file + 64, 0, 64);
	memcpy(file + 64, "PE\0\0", 4);
	store_le16(file + 64 + 6, 1);
	store_le16(file + 64 + 20, 0);
	store_le32(file + 64 + 24 + 16, end - 4096);
	store_le32(file + 64 + 24 + 20, 4096);
}

static u32 crc32_of(const u8 *p, u64 len)
{
	u32 crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* gzip with stored blocks only; returns its length. */
static u64 make_gzip(const u8 *data, u64 len)
{
	u8 *p = zipped;
	u64 left = len;

	memcpy(p, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
	p += 10;
	while (left) {
		u16 n = (u16)MIN(left, 0xfff0ull);

		*p++ = n == left;
		store_le16(p, n);
		store_le16(p + 2, (u16)~n);
		memcpy(p + 4, data + (len - left), n);
		p += 4 + n;
		left -= n;
	}
	store_le32(p, crc32_of(data, len));
	store_le32(p + 4, (u32)len);
	return (u64)(p + 8 - zipped);
}

/* An ELF with one segment of 16 file bytes at 0x1000, 64 bytes in memory at @paddr. */
static u64 make_elf(u16 machine, u64 vaddr, u64 paddr)
{
	memset(file, 0, 0x1010);
	memcpy(file, "\177ELF\2\1\1", 7);
	store_le16(file + 16, 2);
	store_le16(file + 18, machine);
	store_le64(file + 24, vaddr + 4);
	store_le64(file + 32, 64);
	store_le16(file + 54, 56);
	store_le16(file + 56, 1);
	store_le32(file + 64, 1);
	store_le64(file + 64 + 8, 0x1000);
	store_le64(file + 64 + 16, vaddr);
	store_le64(file + 64 + 24, paddr);
	store_le64(file + 64 + 32, 16);
	store_le64(file + 64 + 40, 64);
	memcpy(file + 0x1000, "0123456789abcdef", 16);
	return 0x1010;
}

static struct guest_ram ram_make(void)
{
	struct guest_ram r = { RAM_BASE, RAM_LEN, calloc(1, RAM_LEN) };

	return r;
}

static err_t parse(u64 len)
{
	return image_parse("the-kernel", file, len, &image);
}

static void test_linux(void **s)
{
	struct guest_ram r = ram_make();
	gpa_t at, entry;

	make_linux(10000, 20000, MIB(2));
	assert_int_equal(parse(10000), OK);
	assert_int_equal(image.kind, IMAGE_LINUX);
	assert_string_equal(image.arch, "riscv64");
	assert_int_equal(image.size, 20000);
	assert_int_equal(image_place(&image, &r, RAM_BASE + MIB(4), &at), OK);
	assert_int_equal(at, RAM_BASE + MIB(2));	/* its own wish counts */
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_int_equal(entry, at);
	assert_memory_equal(r.host + MIB(2), file, 10000);
	assert_int_equal(r.host[MIB(2) + 10000], 0);
	make_linux(10000, 20000, 0);
	assert_int_equal(parse(10000), OK);
	assert_int_equal(image_place(&image, &r, RAM_BASE + MIB(4), &at), OK);
	assert_int_equal(at, RAM_BASE + MIB(4));
	free(r.host);
}

static void test_linux_bad(void **s)
{
	struct guest_ram r = ram_make();
	gpa_t at;

	make_linux(10000, 20000, MIB(2));
	expect_error(image_check_arch(&image, "riscv64"), OK, "");
	assert_int_equal(parse(10000), OK);
	expect_error(image_check_arch(&image, "aarch64"), E_FORMAT,
		     "it is for riscv64, the VM is aarch64");
	store_le64(file + 24, 1);
	expect_error(parse(10000), E_FORMAT, "big-endian");
	make_linux(10000, 20000, KIB(512));
	expect_error(parse(10000), E_FORMAT, "text_offset");
	make_linux(10000, GIB(2), 0);
	expect_error(parse(10000), E_FORMAT, "not credible");
	make_linux(10000, 20000, MIB(2));
	add_pe(10000);
	assert_int_equal(parse(10000), OK);
	expect_error(parse(9999), E_FORMAT, "the-kernel: truncated: 9999 of 10000 bytes");
	make_linux(10000, MIB(7), MIB(2));
	assert_int_equal(parse(10000), OK);
	expect_error(image_place(&image, &r, 0, &at), E_RANGE, "memory = \"8M\" is too small");
	make_linux(10000, MIB(6), MIB(2));
	assert_int_equal(parse(10000), OK);
	assert_int_equal(image_place(&image, &r, 0, &at), OK);
	free(r.host);
}

static void test_wrong_arch(void **s)
{
	make_linux(10000, 20000, 0);
	memcpy(file + 56, "ARM\x64", 4);
	assert_int_equal(parse(10000), OK);
	expect_error(image_check_arch(&image, "riscv64"), E_FORMAT,
		     "the-kernel: wrong architecture: it is for aarch64");
	memset(file, 0, 1024);
	memcpy(file + 0x202, "HdrS", 4);
	assert_int_equal(parse(1024), OK);
	expect_error(image_check_arch(&image, "riscv64"), E_FORMAT, "for x86_64");
	make_elf(62, RAM_BASE, RAM_BASE);
	assert_int_equal(parse(0x1010), OK);
	expect_error(image_check_arch(&image, "riscv64"), E_FORMAT, "for x86_64");
}

static void test_elf(void **s)
{
	struct guest_ram r = ram_make();
	u64 len = make_elf(243, 0xffffffff80000000, RAM_BASE + MIB(1));
	gpa_t at, entry;

	assert_int_equal(parse(len), OK);
	assert_int_equal(image.kind, IMAGE_ELF);
	assert_int_equal(image.size, 64);
	assert_int_equal(image_place(&image, &r, 0, &at), OK);
	assert_int_equal(at, RAM_BASE + MIB(1));
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_int_equal(entry, RAM_BASE + MIB(1) + 4);		/* virtual to physical */
	assert_memory_equal(r.host + MIB(1), "0123456789abcdef\0", 17);
	make_elf(243, 0x1000, 0x1000);
	assert_int_equal(parse(len), OK);
	expect_error(image_place(&image, &r, 0, &at), E_RANGE, "wants to be at 0x1000");
	make_elf(243, RAM_BASE, RAM_BASE + RAM_LEN - 63);
	assert_int_equal(parse(len), OK);
	expect_error(image_place(&image, &r, 0, &at), E_RANGE, "too small");
	make_elf(243, RAM_BASE, UINT64_MAX - 100);
	assert_int_equal(parse(len), OK);
	expect_error(image_place(&image, &r, 0, &at), E_RANGE, "too small");
	free(r.host);
}

static void test_elf_bad(void **s)
{
	static const struct {
		u32 at, bytes;
		u64 value;
		const char *part;
	} bad[] = {
		{ 4, 1, 1, "not a 64-bit" },
		{ 5, 1, 2, "little-endian" },
		{ 16, 2, 1, "no executable (type 1)" },
		{ 18, 2, 8, "ELF machine 8" },
		{ 24, 8, 0x1234, "entry point" },
		{ 32, 8, 0x2000, "program headers are missing" },
		{ 32, 8, UINT64_MAX - 8, "program headers are missing" },
		{ 54, 2, 32, "program header size" },
		{ 56, 2, 0xffff, "program headers are missing" },
		{ 56, 2, 0, "entry point" },
		{ 64 + 8, 8, 0x1001, "truncated: a segment ends at byte 4113, the file at 4112" },
		{ 64 + 8, 8, UINT64_MAX, "truncated" },
		{ 64 + 32, 8, 65, "truncated" },
		{ 64 + 40, 8, 15, "contradicts itself" },
		{ 64 + 24, 8, UINT64_MAX - 62, "contradicts itself" },
	};

	for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
		u64 len = make_elf(243, RAM_BASE, RAM_BASE);

		memcpy(file + bad[i].at, &bad[i].value, bad[i].bytes);
		expect_error(parse(len), E_FORMAT, bad[i].part);
	}
	make_elf(243, RAM_BASE, RAM_BASE);
	for (u64 len = 4; len < 0x1010; len += len < 130 ? 1 : 256)
		assert_int_equal(parse(len), E_FORMAT);
}

static void test_raw_and_foreign(void **s)
{
	static const struct {
		const char *bytes;
		u32 len;
		const char *part;
	} foreign[] = {
		{ "\xfd" "7zXZ\0", 6, "unxz" },
		{ "\x28\xb5\x2f\xfd", 4, "unzstd" },
		{ "BZh9", 4, "bunzip2" },
		{ "MZ\0\0\0\0", 6, "EFI program" },
		{ "!<arch>\n", 8, "archive" },
	};
	struct guest_ram r = ram_make();
	gpa_t at, entry;

	expect_error(parse(0), E_FORMAT, "the-kernel: empty file");
	for (u32 i = 0; i < ARRAY_LEN(foreign); i++)
		expect_error(image_parse("f", (const u8 *)foreign[i].bytes, foreign[i].len, &image),
			     E_FORMAT, foreign[i].part);
	memset(file, 0x13, 100);
	assert_int_equal(parse(100), OK);
	assert_int_equal(image.kind, IMAGE_RAW);
	assert_int_equal(image_check_arch(&image, "riscv64"), OK);
	assert_int_equal(image_place(&image, &r, RAM_BASE + 0x1000, &at), OK);
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_int_equal(entry, RAM_BASE + 0x1000);
	assert_memory_equal(r.host + 0x1000, file, 100);
	assert_int_equal(image_place(&image, &r, RAM_BASE + RAM_LEN - 100, &at), OK);
	assert_int_equal(image_place(&image, &r, RAM_BASE + RAM_LEN - 99, &at), E_RANGE);
	free(r.host);
}

static void test_gzip(void **s)
{
	struct guest_ram r = ram_make();
	gpa_t at, entry;
	u64 len;

	make_linux(200000, 200000, MIB(2));
	add_pe(200000);
	len = make_gzip(file, 200000);
	assert_int_equal(image_parse("k", zipped, len, &image), OK);
	assert_true(image.gzip);
	assert_int_equal(image.bytes, 200000);
	assert_int_equal(image_place(&image, &r, 0, &at), OK);
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_memory_equal(r.host + MIB(2), file, 200000);
	assert_int_equal(r.host[MIB(2) + 200000], 0);
	free(r.host);
}

/* An EFI program of @len bytes with what is in zipped[0..size) at its byte 4096. */
static u64 make_zboot(u64 size, const char *type)
{
	memset(file, 0, 4096);
	memcpy(file, "MZ\0\0zimg", 8);
	store_le32(file + 8, 4096);
	store_le32(file + 12, (u32)size);
	strcpy((char *)file + 24, type);
	memcpy(file + 4096, zipped, size);
	return 4096 + size;
}

static void test_zboot(void **s)
{
	struct guest_ram r = ram_make();
	u64 len, zipped_len;
	gpa_t at, entry;

	make_linux(100000, 120000, 0);
	memcpy(file + 56, "ARM\x64", 4);
	zipped_len = make_gzip(file, 100000);
	len = make_zboot(zipped_len, "gzip");
	assert_int_equal(parse(len), OK);
	assert_string_equal(image.arch, "aarch64");
	assert_true(image.gzip);
	assert_int_equal(image.bytes, 100000);
	assert_int_equal(image.size, 120000);
	assert_int_equal(image_place(&image, &r, RAM_BASE + MIB(2), &at), OK);
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_int_equal(entry, RAM_BASE + MIB(2));
	assert_memory_equal(r.host + MIB(2) + 56, "ARM\x64", 4);
	assert_int_equal(r.host[MIB(2) + 99999], (u8)(99999 * 7 + 99999 / 251));
	expect_error(parse(len - 1), E_FORMAT, "the-kernel: truncated: the kernel inside ends at");
	expect_error(parse(60), E_FORMAT, "truncated EFI kernel");
	expect_error(parse(8), E_FORMAT, "truncated EFI kernel");
	file[4096] = 0;
	expect_error(parse(len), E_FORMAT, "without gzip data");
	make_zboot(zipped_len, "zstd");
	expect_error(parse(len), E_FORMAT, "compressed with \"zstd\"");
	memset(file + 24, 0xff, 40);
	expect_error(parse(len), E_FORMAT, "compressed with \"\"");
	make_zboot(zipped_len, "gzip");
	store_le32(file + 8, ~0u);
	store_le32(file + 12, ~0u);
	expect_error(parse(len), E_FORMAT, "truncated");
	free(r.host);
}

static void test_old_arm64(void **s)
{
	make_linux(10000, 0, 0);
	memcpy(file + 56, "ARM\x64", 4);
	assert_int_equal(parse(10000), OK);
	assert_int_equal(image.offset, 0x80000);
	assert_int_equal(image.size, 10000);
}

/* What another program compressed, with real Huffman codes. */
static void test_gzip_tool(void **s)
{
	char path[] = "/tmp/image_test.XXXXXX", cmd[64];
	struct guest_ram r = ram_make();
	gpa_t at, entry;
	int fd = mkstemp(path);
	u64 len;
	FILE *p;

	make_linux(150000, 150000, 0);
	assert_int_equal(write(fd, file, 150000), 150000);
	close(fd);
	snprintf(cmd, sizeof(cmd), "gzip -9c %s", path);
	p = popen(cmd, "r");
	len = fread(zipped, 1, sizeof(zipped), p);
	assert_int_equal(pclose(p), 0);
	unlink(path);
	assert_true(len > 100 && len < 100000);
	assert_int_equal(image_parse("k", zipped, len, &image), OK);
	assert_int_equal(image_place(&image, &r, RAM_BASE, &at), OK);
	assert_int_equal(image_load(&image, &r, at, &entry), OK);
	assert_memory_equal(r.host, file, 150000);
	free(r.host);
}

static err_t load_gzip(u64 len)
{
	struct guest_ram r = ram_make();
	gpa_t at, entry;
	err_t e = image_parse("k", zipped, len, &image);

	if (e == OK)
		e = image_place(&image, &r, RAM_BASE, &at);
	if (e == OK)
		e = image_load(&image, &r, at, &entry);
	free(r.host);
	return e;
}

static void test_gzip_bad(void **s)
{
	u64 len;

	make_linux(100000, 100000, 0);
	len = make_gzip(file, 100000);
	assert_int_equal(load_gzip(len), OK);
	zipped[len - 8] ^= 1;
	expect_error(load_gzip(len), E_FORMAT, "damaged");		/* CRC */
	zipped[len - 8] ^= 1;
	zipped[50000] ^= 1;
	expect_error(load_gzip(len), E_FORMAT, "damaged");		/* content */
	zipped[50000] ^= 1;
	store_le32(zipped + len - 4, 99999);
	expect_error(load_gzip(len), E_FORMAT, "damaged");
	store_le32(zipped + len - 4, 100001);
	expect_error(load_gzip(len), E_FORMAT, "damaged");
	store_le32(zipped + len - 4, 0xffffffff);
	expect_error(load_gzip(len), E_FORMAT, "damaged");
	store_le32(zipped + len - 4, 100000);
	for (u64 cut = 2; cut < len; cut += cut < 100 ? 1 : 7919)
		expect_error(load_gzip(cut), E_FORMAT, "truncated");
	memset(file, 'x', 5000);
	len = make_gzip(file, 5000);
	expect_error(load_gzip(len), E_FORMAT, "no Linux Image inside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_linux_bad),
		cmocka_unit_test(test_wrong_arch),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_bad),
		cmocka_unit_test(test_raw_and_foreign),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_zboot),
		cmocka_unit_test(test_old_arm64),
		cmocka_unit_test(test_gzip_tool),
		cmocka_unit_test(test_gzip_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
