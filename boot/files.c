/*
 * Files of the boot volume, which the loader read before firmware went away, and disks made
 * of them. A disk's writes go to the file's bytes in RAM: they outlive a reboot of the guest,
 * not the machine's. FAT does not tell upper from lower case and a short name may come back
 * in capitals, so neither does the comparison.
 */
#include "arch/io.h"
#include "boot/boot.h"
#include "drivers/host/ramdisk.h"
#include "kernel/base/lock.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

/* Disks that are open on a file: any number that read, or one that writes. */
struct claim {
	u32 readers;
	bool writer;
};

static struct lock claim_lock;
static struct claim claims[BOOT_FILES];
static const struct blk_ops *ram_ops;	/* the RAM disk's own, which disk_ops adds to */

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

/* Its index, or boot->files. */
static u32 file_find(const char *path)
{
	u32 i = 0;

	while (path_char(path[0]) == '/' || (path[0] == '.' && path_char(path[1]) == '/'))
		path++;
	while (i < boot->files && !path_eq(boot->file[i].path, path))
		i++;
	return i;
}

static err_t file_missing(const char *path)
{
	return ERRF(E_NOENT, "%s: not among the %u files read from the boot volume%s", path,
		    boot->files, boot->files_skipped ? " (some were skipped)" : "");
}

err_t arch_file_open(const char *path, struct file *out)
{
	const struct boot_file *f = &boot->file[file_find(path)];

	if (f == &boot->file[boot->files])
		return file_missing(path);
	*out = (struct file){ .name = f->path, .data = f->data, .len = f->len };
	return OK;
}

void arch_file_close(struct file *f)
{
	*f = (struct file){ 0 };
}

static bool claim_take(u32 file, bool readonly)
{
	struct claim *c = &claims[file];
	bool ok;

	lock_take(&claim_lock);
	ok = !c->writer && (readonly || !c->readers);
	if (ok && readonly)
		c->readers++;
	else if (ok)
		c->writer = true;
	lock_drop(&claim_lock);
	return ok;
}

static void disk_close(struct blk *b)
{
	u32 file = file_find(b->name);

	assert(file < boot->files);
	lock_take(&claim_lock);
	if (b->readonly)
		claims[file].readers--;
	else
		claims[file].writer = false;
	lock_drop(&claim_lock);
	ram_ops->close(b);
}

err_t arch_disk_open(const char *path, bool readonly, struct blk **out)
{
	static struct blk_ops disk_ops;
	const struct boot_file *f;
	struct blk *disk;
	u32 file = file_find(path);
	err_t e;

	if (file == boot->files)
		return file_missing(path);
	f = &boot->file[file];
	e = ramdisk_open(f->path, (u8 *)f->data, f->len, readonly, &disk);
	if (e != OK)
		return e;
	ram_ops = disk->ops;
	if (!claim_take(file, readonly)) {
		ram_ops->close(disk);
		return ERRF(E_BUSY,
			    "%s: a disk that is written belongs to one VM; add \",ro\" to read it "
			    "in several",
			    f->path);
	}
	disk_ops = *ram_ops;
	disk_ops.close = disk_close;
	disk->ops = &disk_ops;
	*out = disk;
	return OK;
}
