/*
 * Files that a machine starts from, see image.h: which format it is, where it fits, copying.
 * The formats themselves are in load_*.c.
 */
#include "guests/image.h"

#include "kernel/base/str.h"

#define PEEK	4096	/* enough for every header of a compressed kernel */

/* Formats that look loadable to a user and are not; each with what to do about it. */
static const struct {
	u32 at;
	const char *magic, *what;
} foreign[] = {
	{ 0, "\xfd" "7zXZ", "compressed with xz; unpack it (unxz), or use gzip" },
	{ 0, "\x28\xb5\x2f\xfd", "compressed with zstd; unpack it (unzstd), or use gzip" },
	{ 0, "BZh", "compressed with bzip2; unpack it (bunzip2), or use gzip" },
	{ 0, "MZ", "an EFI program, but no Linux Image" },
	{ 0, "!<arch>", "an archive, not a kernel" },
};

static err_t image_refuse_foreign(const struct image *i)
{
	for (u32 n = 0; n < ARRAY_LEN(foreign); n++) {
		size_t len = str_len(foreign[n].magic);

		if (i->len >= foreign[n].at + len &&
		    memcmp(i->data + foreign[n].at, foreign[n].magic, len) == 0)
			return ERRF(E_FORMAT, "%s: %s", i->file, foreign[n].what);
	}
	return OK;
}

static err_t image_parse_gzip(struct image *i)
{
	u8 head[PEEK];
	err_t e = gzip_parse(i, head, sizeof(head));
	u64 got = MIN(i->bytes, sizeof(head));

	if (e)
		return e;
	if (!linux_match(head, got))
		return ERRF(E_FORMAT, "%s: gzip, but no Linux Image inside; unpack it (gunzip)",
			    i->file);
	return linux_parse(head, got, i);
}

err_t image_parse(const char *file, const u8 *data, u64 len, struct image *out)
{
	err_t e;

	*out = (struct image){ .file = file, .data = data, .len = len, .bytes = len, .size = len };
	if (!len)
		return ERRF(E_FORMAT, "%s: empty file", file);
	if (zboot_match(data, len)) {
		e = zboot_open(out);
		return e == OK ? image_parse_gzip(out) : e;
	}
	if (gzip_match(data, len))
		return image_parse_gzip(out);
	if (elf_match(data, len))
		return elf_parse(out);
	if (linux_match(data, len))
		return linux_parse(data, len, out);
	e = image_refuse_foreign(out);
	out->kind = IMAGE_RAW;
	return e;
}

err_t image_check_arch(const struct image *i, const char *arch)
{
	if (!i->arch || str_eq(i->arch, arch))
		return OK;
	return ERRF(E_FORMAT, "%s: wrong architecture: it is for %s, the VM is %s", i->file,
		    i->arch, arch);
}

err_t image_place(const struct image *i, const struct guest_ram *ram, gpa_t at, gpa_t *base)
{
	if (i->kind == IMAGE_ELF)
		at = i->base;
	else if (i->kind == IMAGE_LINUX && i->offset)
		at = ram->base + i->offset;
	*base = at;
	if (at < ram->base)
		return ERRF(E_RANGE, "%s: wants to be at 0x%llx, RAM begins at 0x%llx", i->file,
			    (unsigned long long)at, (unsigned long long)ram->base);
	if (at - ram->base > ram->len || i->size > ram->len - (at - ram->base))
		return ERRF(E_RANGE,
			    "memory = \"%lluM\" is too small for %s, which ends %llu MiB after the "
			    "start of RAM",
			    (unsigned long long)(ram->len >> 20), i->file,
			    (unsigned long long)((at - ram->base + i->size + MIB(1) - 1) >> 20));
	return OK;
}

err_t image_load(const struct image *i, const struct guest_ram *ram, gpa_t base, gpa_t *entry)
{
	u8 *to = ram->host + (base - ram->base);

	*entry = i->kind == IMAGE_ELF ? i->entry : base;
	if (i->gzip)
		return gzip_expand(i, to);
	if (i->kind != IMAGE_ELF)
		memcpy(to, i->data, i->bytes);
	for (u32 n = 0; n < i->segments; n++)
		memcpy(to + (i->segment[n].at - i->base), i->data + i->segment[n].from,
		       i->segment[n].bytes);
	return OK;
}
