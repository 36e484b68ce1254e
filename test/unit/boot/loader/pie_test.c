/*
 * The core's ELF loader on an image made here: a good one is placed and relocated exactly,
 * and every truncation and every field out of bounds is refused, never read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/loader/pie.h"
#include "kernel/base/str.h"

#define PHDR	64
#define TEXT	0x200
#define DATA	0x400
#define LEN	0x600

static u8 image[LEN];

static void put16(u32 at, u16 v) { memcpy(image + at, &v, 2); }
static void put32(u32 at, u32 v) { memcpy(image + at, &v, 4); }
static void put64(u32 at, u64 v) { memcpy(image + at, &v, 8); }

static void phdr(u32 i, u32 type, u32 flags, u64 offset, u64 vaddr, u64 filesz, u64 memsz)
{
	u32 at = PHDR + 56 * i;

	put32(at, type);
	put32(at + 4, flags);
	put64(at + 8, offset);
	put64(at + 16, vaddr);
	put64(at + 32, filesz);
	put64(at + 40, memsz);
}

/* Text at 0, data at 0x1000 with .dynamic at its start, two relocations after it, .bss behind. */
static int start(void **state)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	static const u64 dynamic[] = { 7, 0x1050, 8, 48, 9, 24, 0, 0 };

	memset(image, 0, sizeof(image));
	memcpy(image, ident, sizeof(ident));
	put16(16, 3);
	put16(18, ELF_MACHINE_X86_64);
	put64(24, 0x10);
	put64(32, PHDR);
	put16(54, 56);
	put16(56, 3);
	phdr(0, 1, ELF_R | ELF_X, TEXT, 0, 0x100, 0x100);
	phdr(1, 1, ELF_R | ELF_W, DATA, 0x1000, 0x100, 0x1234);
	phdr(2, 2, ELF_R, DATA, 0x1000, sizeof(dynamic), sizeof(dynamic));
	memset(image + TEXT, 0xc3, 0x100);
	memcpy(image + DATA, dynamic, sizeof(dynamic));
	put64(DATA + 0x50, 0x10f0), put64(DATA + 0x58, 8), put64(DATA + 0x60, 0x40);
	put64(DATA + 0x68, 0x2000), put64(DATA + 0x70, 8), put64(DATA + 0x78, 0x1000);
	return 0;
}

static const char *parse(void)
{
	struct pie e;

	return pie_parse(&e, image, LEN);
}

static void loads_and_relocates(void **state)
{
	struct pie e;
	u8 *base;
	u64 v;

	assert_null(pie_parse(&e, image, LEN));
	assert_int_equal(e.segments, 2);
	assert_int_equal(e.size, 0x3000);
	assert_int_equal(e.entry, 0x10);
	assert_int_equal(e.relas, 2);
	base = calloc(1, e.size);
	pie_load(&e, base);
	assert_int_equal(base[0x10], 0xc3);
	assert_int_equal(base[0x100], 0);
	memcpy(&v, base + 0x10f0, 8);
	assert_true(v == (u64)(uptr)base + 0x40);
	memcpy(&v, base + 0x2000, 8);
	assert_true(v == (u64)(uptr)base + 0x1000);
	free(base);
}

static void refuses_every_truncation(void **state)
{
	for (u32 len = 0; len < DATA + 0x100; len++) {
		u8 *cut = malloc(len + 1);
		struct pie e;

		memcpy(cut, image, len);
		assert_non_null(pie_parse(&e, cut, len));
		free(cut);
	}
}

static void refuses(u32 at, u64 v, u32 size)
{
	start(NULL);
	assert_null(parse());
	memcpy(image + at, &v, size);
	assert_non_null(parse());
}

static void refuses_bad_fields(void **state)
{
	refuses(4, 1, 1);			/* ELF32 */
	refuses(5, 2, 1);			/* big-endian */
	refuses(16, 2, 2);			/* not position independent */
	refuses(18, 243, 2);			/* RISC-V */
	refuses(24, 0x100, 8);			/* entry in nothing */
	refuses(24, UINT64_MAX, 8);
	refuses(32, UINT64_MAX - 8, 8);		/* program headers */
	refuses(PHDR + 4, 7, 4);		/* writable and executable */
	refuses(PHDR + 8, UINT64_MAX, 8);	/* offset */
	refuses(PHDR + 16, 8, 8);		/* not page aligned */
	refuses(PHDR + 32, 0x101, 8);		/* file size above memory size */
	refuses(PHDR + 40, UINT64_MAX, 8);
	refuses(PHDR + 56 + 16, 0, 8);		/* overlap */
	refuses(DATA + 8, 0x5000, 8);		/* relocation table */
	refuses(DATA + 24, 49, 8);
	refuses(DATA + 40, 16, 8);
	refuses(DATA + 0x50, 0x222d, 8);	/* relocation past the segment */
	refuses(DATA + 0x58, 1, 8);		/* R_X86_64_64 */
	refuses(DATA + 0x58, 1027, 8);		/* the other machine's */
}

static void knows_both_machines(void **state)
{
	put16(18, ELF_MACHINE_AARCH64);
	assert_non_null(parse());
	put64(DATA + 0x58, 1027);
	put64(DATA + 0x70, 1027);
	assert_null(parse());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads_and_relocates, start),
		cmocka_unit_test_setup(refuses_every_truncation, start),
		cmocka_unit_test_setup(refuses_bad_fields, start),
		cmocka_unit_test_setup(knows_both_machines, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
