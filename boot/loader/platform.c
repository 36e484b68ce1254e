/*
 * What firmware may know about the machine: ACPI's root pointer or a device tree from the
 * configuration tables, a linear frame buffer from GOP, the time. Absence is no error:
 * Bochs gives no tables and no GOP, virtio-gpu a GOP that can only blit.
 */
#include "boot/loader/date.h"
#include "boot/loader/loader.h"
#include "kernel/base/str.h"

#define FDT_MAX MIB(2)

static EFI_GUID acpi2_guid = ACPI_20_TABLE_GUID, acpi1_guid = ACPI_TABLE_GUID;
static EFI_GUID fdt_guid = {
	0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 }
};
static EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;

static u64 table_find(const EFI_GUID *guid)
{
	for (UINTN i = 0; i < st->NumberOfTableEntries; i++)
		if (!__builtin_memcmp(&st->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)))
			return (u64)st->ConfigurationTable[i].VendorTable;
	return 0;
}

/* Firmware may keep its device tree in memory that is free from now on, so the core gets a copy. */
static u64 fdt_copy(const u8 *fdt)
{
	const u8 magic[4] = { 0xd0, 0x0d, 0xfe, 0xed };
	u32 size;
	u8 *copy;

	if (!fdt || __builtin_memcmp(fdt, magic, sizeof(magic)))
		return 0;
	size = load_be32(fdt + 4);
	copy = size <= FDT_MAX ? pages_take(size, false) : NULL;
	if (copy)
		bs->CopyMem(copy, (void *)fdt, size);
	return (u64)copy;
}

static bool fb_take(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct boot_fb *fb)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *m = gop->Mode;
	EFI_GRAPHICS_PIXEL_FORMAT format = m && m->Info ? m->Info->PixelFormat : PixelBltOnly;

	if ((format != PixelBlueGreenRedReserved8BitPerColor &&
	     format != PixelRedGreenBlueReserved8BitPerColor) ||
	    !m->FrameBufferBase ||
	    m->FrameBufferSize < (u64)m->Info->PixelsPerScanLine * m->Info->VerticalResolution * 4)
		return false;
	*fb = (struct boot_fb){
		.base = m->FrameBufferBase,
		.len = m->FrameBufferSize,
		.width = m->Info->HorizontalResolution,
		.height = m->Info->VerticalResolution,
		.stride = m->Info->PixelsPerScanLine,
		.bgr = format == PixelBlueGreenRedReserved8BitPerColor,
	};
	return true;
}

static void fb_find(struct boot_fb *fb)
{
	EFI_HANDLE *handle;
	UINTN count;

	if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &gop_guid, NULL, &count, &handle)))
		return;
	for (UINTN i = 0; i < count; i++) {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;

		if (!EFI_ERROR(bs->HandleProtocol(handle[i], &gop_guid, (void **)&gop)) &&
		    fb_take(gop, fb))
			break;
	}
	bs->FreePool(handle);
}

static u64 time_now(void)
{
	EFI_TIME t;
	u64 s;

	if (EFI_ERROR(st->RuntimeServices->GetTime(&t, NULL)))
		return 0;
	s = date_to_unix(t.Year, t.Month, t.Day, t.Hour, t.Minute, t.Second);
	/* Local time unless told otherwise; TimeZone is minutes west of UTC. */
	if (s && t.TimeZone >= -1440 && t.TimeZone <= 1440)
		s = (u64)((s64)s + t.TimeZone * 60);
	return s;
}

void platform_collect(struct boot_info *info)
{
	info->rsdp = table_find(&acpi2_guid);
	if (!info->rsdp)
		info->rsdp = table_find(&acpi1_guid);
	info->fdt = fdt_copy((const u8 *)table_find(&fdt_guid));
	fb_find(&info->fb);
	info->wall_seconds = time_now();
	info->runtime = (u64)st->RuntimeServices;
}
