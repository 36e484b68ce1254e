/*
 * Files of the boot volume, which the loader read before firmware went away. FAT does not
 * tell upper from lower case and a short name may come back in capitals, so neither does
 * the comparison.
 */
#include "arch/io.h"
#include "boot/boot.h"
#include "kernel/base/str.h"

static char path_char(char c)
{
	if (c == '\\')
		return '/';
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static bool path_eq(const char *a, const char *b)
{
	while (*a && path_char(*a) == path_char(*b))
		a++, b++;
	return path_char(*a) == path_char(*b);
}

err_t arch_file_open(const char *path, struct file *out)
{
	while (path_char(path[0]) == '/' || (path[0] == '.' && path_char(path[1]) == '/'))
		path++;
	for (u32 i = 0; i < boot->files; i++) {
		const struct boot_file *f = &boot->file[i];

		if (path_eq(f->path, path)) {
			*out = (struct file){ .name = f->path, .data = f->data, .len = f->len };
			return OK;
		}
	}
	return ERRF(E_NOENT, "%s: not among the %u files read from the boot volume%s", path, boot->files,
		    boot->files_skipped ? " (some were skipped)" : "");
}

void arch_file_close(struct file *f)
{
	*f = (struct file){ 0 };
}
