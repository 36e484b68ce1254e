/* guests/bzimage.c: a kernel made here, everything wrong with it, and what it finds at entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/front/x86/state.h"
#include "guests/bzimage.h"
#include "kernel/base/str.h"

#define LEN	4096
#define RAM_LEN	MIB(24)

static u8 kernel[LEN];
static u8 *ram;

static void kernel_make(void)
{
	memset(kernel, 0, sizeof(kernel));
	kernel[0x1f1] = 1;				/* setup sectors */
	store_le32(kernel + 0x1f4, (LEN - 1024) / 16);
	store_le16(kernel + 0x1fe, 0xaa55);
	kernel[0x201] = 0x66;
	memcpy(kernel + 0x202, "HdrS", 4);
	store_le16(kernel + 0x206, 0x20f);
	store_le32(kernel + 0x22c, 0x7fffffff);
	store_le16(kernel + 0x236, 1);
	store_le32(kernel + 0x238, 2047);
	store_le64(kernel + 0x258, MIB(16));
	store_le32(kernel + 0x260, MIB(2));
	memset(kernel + 1024, 0xc3, LEN - 1024);
}

static void parses(void **s)
{
	struct bzimage k;

	kernel_make();
	assert_int_equal(bzimage_parse("k", kernel, LEN, &k), OK);
	assert_ptr_equal(k.code, kernel + 1024);
	assert_int_equal(k.code_len, LEN - 1024);
	assert_int_equal(k.wish, MIB(16));
	assert_int_equal(k.size, MIB(2));
}

static void refuses(void **s)
{
	static const struct { u32 at, len; u64 value; } wrong[] = {
		{ 0x1fe, 2, 0 }, { 0x202, 1, 'h' }, { 0x206, 2, 0x20b }, { 0x236, 2, 0 },
		{ 0x1f4, 4, LEN / 16 }, { 0x1f1, 1, 200 }, { 0x258, 8, MIB(1) / 2 },
		{ 0x258, 8, MIB(16) + 4096 }, { 0x258, 8, GIB(4) }, { 0x260, 4, 0xf0000000 },
		{ 0x201, 1, 0xff },
	};
	struct bzimage k;

	for (u32 i = 0; i < ARRAY_LEN(wrong); i++) {
		kernel_make();
		memcpy(kernel + wrong[i].at, &wrong[i].value, wrong[i].len);
		assert_int_equal(bzimage_parse("k", kernel, LEN, &k), E_FORMAT);
		assert_non_null(strstr(err_text(E_FORMAT), "k: "));
	}
	kernel_make();
	for (u32 len = 0; len < LEN - 16; len++) {
		u8 *exact = malloc(len + 1);

		memcpy(exact, kernel, len);
		assert_int_equal(bzimage_parse("k", exact, len, &k), E_FORMAT);
		free(exact);
	}
}

static void starts(void **s)
{
	static struct x86_state st;
	struct gcpu g = { .st = &st };
	struct bzimage_boot b = { .initrd = (const u8 *)"initrd", .initrd_len = 6,
				  .cmdline = "console=ttyS0", .rsdp = 0xe1230, .ram = ram,
				  .low_end = RAM_LEN };

	kernel_make();
	assert_int_equal(bzimage_parse("k", kernel, LEN, &b.kernel), OK);
	b.e820[b.e820_count].base = MIB(1);
	b.e820[b.e820_count].len = MIB(23);
	b.e820[b.e820_count++].kind = E820_RAM;
	assert_int_equal(bzimage_start(&b, &g), OK);
	assert_int_equal(st.rip, MIB(16) + 0x200);
	const u8 *p = ram + st.gpr[X86_RSI];

	assert_memory_equal(p + 0x202, "HdrS", 4);
	assert_int_equal(p[0x1e8], 1);
	assert_int_equal(load_le64(p + 0x2d0 + 8), MIB(23));
	assert_int_equal(load_le64(p + 0x70), 0xe1230);
	assert_string_equal((char *)ram + load_le32(p + 0x228), "console=ttyS0");
	assert_memory_equal(ram + load_le32(p + 0x218), "initrd", 6);
	assert_int_equal(load_le32(p + 0x21c), 6);
	assert_int_equal(ram[MIB(16) + 0x200], 0xc3);
	/* The tables map low memory to itself. */
	u64 pdpt = load_le64(ram + st.cr3) & ~0xfffull, pd = load_le64(ram + pdpt) & ~0xfffull;

	assert_int_equal(load_le64(ram + pd + 8 * 8) & ~0xfffull, MIB(16));
}

static void does_not_fit(void **s)
{
	static struct x86_state st;
	struct gcpu g = { .st = &st };
	char longest[4096];
	struct bzimage_boot b = { .cmdline = longest, .ram = ram, .low_end = RAM_LEN };

	kernel_make();
	assert_int_equal(bzimage_parse("k", kernel, LEN, &b.kernel), OK);
	memset(longest, 'x', sizeof(longest));
	longest[2048] = '\0';
	assert_int_equal(bzimage_start(&b, &g), E_RANGE);
	longest[2047] = '\0';
	assert_int_equal(bzimage_start(&b, &g), OK);
	b.low_end = MIB(18) - PAGE_SIZE;
	assert_int_equal(bzimage_start(&b, &g), E_RANGE);
	assert_non_null(strstr(err_text(E_RANGE), "19M"));
}

static int open_ram(void **s)
{
	ram = calloc(1, RAM_LEN);
	return !ram;
}

static int close_ram(void **s)
{
	free(ram);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(starts),
		cmocka_unit_test(does_not_fit),
	};

	return cmocka_run_group_tests_name("guests/bzimage", tests, open_ram, close_ram);
}
