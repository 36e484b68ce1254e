/*
 * Self-decompressing EFI kernels, the arm64 and riscv kernels of many distributions: an EFI program
 * around a compressed Image, which a header tells where to find (Linux
 * drivers/firmware/efi/libstub/zboot-header.S). FVP runs no EFI program; it takes the Image out.
 */
#include "guests/image.h"
#include "kernel/base/str.h"

enum {
	ZBOOT_MAGIC = 4,		/* "zimg", behind the EFI program's "MZ" */
	ZBOOT_OFFSET = 8,
	ZBOOT_SIZE = 12,
	ZBOOT_TYPE = 24,		/* a string: of the compression */
	ZBOOT_TYPE_MAX = 32,
	ZBOOT_HEADER = 64,
};

bool zboot_match(const u8 *data, u64 len)
{
	return len >= ZBOOT_MAGIC + 4 && memcmp(data, "MZ", 2) == 0 &&
	       memcmp(data + ZBOOT_MAGIC, "zimg", 4) == 0;
}

/* What follows a string that is not even a name is not shown. */
static err_t zboot_refuse_type(const struct image *i, const u8 *type)
{
	char name[ZBOOT_TYPE_MAX] = "";

	for (u32 n = 0; n + 1 < sizeof(name) && type[n] > ' ' && type[n] < 0x7f; n++)
		name[n] = (char)type[n];
	return ERRF(E_FORMAT, "%s: an EFI kernel compressed with \"%s\"; only gzip can be unpacked",
		    i->file, name);
}

err_t zboot_open(struct image *i)
{
	u64 from, len;

	if (i->len < ZBOOT_HEADER)
		return ERRF(E_FORMAT, "%s: truncated EFI kernel", i->file);
	if (memcmp(i->data + ZBOOT_TYPE, "gzip", 5) != 0)
		return zboot_refuse_type(i, i->data + ZBOOT_TYPE);
	from = load_le32(i->data + ZBOOT_OFFSET);
	len = load_le32(i->data + ZBOOT_SIZE);
	if (from > i->len || len > i->len - from)
		return ERRF(E_FORMAT,
			    "%s: truncated: the kernel inside ends at byte %llu, the file at %llu",
			    i->file, (unsigned long long)(from + len), (unsigned long long)i->len);
	i->data += from;
	i->len = len;
	if (!gzip_match(i->data, len))
		return ERRF(E_FORMAT, "%s: an EFI kernel without gzip data inside", i->file);
	return OK;
}
