/*
 * Reads the boot volume: every regular file up to BOOT_FILES, the EFI folder excepted, into
 * pages of its own (UEFI 2.9, 13.4 and 13.5). The volume is the one this image came from; if
 * that one has no fvp.toml (PXE, a loader handed over by an emulator), the first that has.
 * What cannot be read is skipped, said, and counted: the core decides whether it is missed.
 */
#include "boot/loader/loader.h"

#define DEPTH_MAX	8
#define CHUNK		MIB(4)

static EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL, volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;

struct entry {			/* EFI_FILE_INFO with room for the longest name of FAT */
	EFI_FILE_INFO info;
	CHAR16 name[256];
};

static EFI_FILE *volume_open(EFI_HANDLE device)
{
	EFI_FILE_IO_INTERFACE *fs;
	EFI_FILE *root;

	if (!device || EFI_ERROR(bs->HandleProtocol(device, &volume_guid, (void **)&fs)) ||
	    EFI_ERROR(fs->OpenVolume(fs, &root)))
		return NULL;
	return root;
}

static bool volume_is_ours(EFI_FILE *root)
{
	static CHAR16 name[] = L"fvp.toml";
	EFI_FILE *f;

	if (!root || EFI_ERROR(root->Open(root, &f, name, EFI_FILE_MODE_READ, 0)))
		return false;
	f->Close(f);
	return true;
}

/* A firmware in a hurry starts only the drivers that its boot option needs. */
static void devices_connect(void)
{
	EFI_HANDLE *handle;
	UINTN count;

	if (EFI_ERROR(bs->LocateHandleBuffer(AllHandles, NULL, NULL, &count, &handle)))
		return;
	for (UINTN i = 0; i < count; i++)
		bs->ConnectController(handle[i], NULL, NULL, TRUE);
	bs->FreePool(handle);
}

static EFI_FILE *volume_search(void)
{
	EFI_FILE *root = NULL;
	EFI_HANDLE *handle;
	UINTN count;

	devices_connect();
	if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &volume_guid, NULL, &count, &handle)))
		return NULL;
	for (UINTN i = 0; i < count && !volume_is_ours(root); i++)
		root = volume_open(handle[i]);
	bs->FreePool(handle);
	return volume_is_ours(root) ? root : NULL;
}

static EFI_FILE *volume_find(EFI_HANDLE image)
{
	EFI_LOADED_IMAGE *self;
	EFI_FILE *own = NULL, *other = NULL;

	if (!EFI_ERROR(bs->HandleProtocol(image, &image_guid, (void **)&self)))
		own = volume_open(self->DeviceHandle);
	if (!volume_is_ours(own))
		other = volume_search();
	return other ? other : own;
}

/* Append '/' and @name to @path; the new length, or 0 if it does not fit or is not ASCII. */
static u32 path_append(char *path, u32 len, const CHAR16 *name)
{
	if (len)
		path[len++] = '/';
	for (; *name; name++) {
		if (*name < ' ' || *name > '~' || len >= BOOT_PATH - 1)
			return 0;
		path[len++] = (char)*name;
	}
	path[len] = 0;
	return len;
}

static bool name_is_efi(const CHAR16 *n)
{
	return (n[0] | 32) == 'e' && (n[1] | 32) == 'f' && (n[2] | 32) == 'i' && !n[3];
}

static bool file_fill(EFI_FILE *f, u8 *data, u64 len)
{
	for (u64 at = 0; at < len; ) {
		UINTN n = MIN(len - at, CHUNK);

		if (EFI_ERROR(f->Read(f, &n, data + at)) || !n)
			return false;
		at += n;
	}
	return true;
}

static void file_skip(struct boot_info *info, const char *path, const char *why)
{
	info->files_skipped++;
	say("FVP: skipping ");
	say(path);
	say(why);
}

static void file_read(EFI_FILE *f, const char *path, u64 len, struct boot_info *info)
{
	struct boot_file *out = &info->file[info->files];
	u8 *data;

	if (info->files == BOOT_FILES)
		return file_skip(info, path, ": more files than the core takes\n");
	if (len > CHUNK) {
		say("FVP: reading ");
		say(path);
		say(", ");
		say_number(len >> 20);
		say(" MiB\n");
	}
	data = pages_take(len ? len : 1, false);
	if (!data)
		return file_skip(info, path, ": out of memory\n");
	if (!file_fill(f, data, len)) {
		bs->FreePages((u64)data, ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE);
		return file_skip(info, path, ": read error\n");
	}
	bs->CopyMem(out->path, (void *)path, BOOT_PATH);
	out->data = data;
	out->len = len;
	info->files++;
}

/* @path holds the folder's own name, @len bytes, and is scratch beyond. */
static void folder_read(EFI_FILE *folder, char *path, u32 len, u32 depth, struct boot_info *info)
{
	struct entry e;
	EFI_FILE *f;
	UINTN size;
	u32 end;

	for (;;) {
		size = sizeof(e);
		if (EFI_ERROR(folder->Read(folder, &size, &e)) || !size)
			return;
		if (e.info.FileName[0] == '.' || (!depth && name_is_efi(e.info.FileName)))
			continue;
		end = path_append(path, len, e.info.FileName);
		if (!end || depth == DEPTH_MAX) {
			path[len] = 0;
			file_skip(info, path, "/...: name too long, too deep or not ASCII\n");
		} else if (!EFI_ERROR(folder->Open(folder, &f, e.info.FileName, EFI_FILE_MODE_READ,
						   0))) {
			if (e.info.Attribute & EFI_FILE_DIRECTORY)
				folder_read(f, path, end, depth + 1, info);
			else
				file_read(f, path, e.info.FileSize, info);
			f->Close(f);
		}
	}
}

void files_collect(EFI_HANDLE image, struct boot_info *info)
{
	EFI_FILE *root = volume_find(image);
	char path[BOOT_PATH + 1] = "";

	if (!root)
		return say("FVP: no boot volume, going on without files\n");
	folder_read(root, path, 0, 0, info);
	root->Close(root);
}
