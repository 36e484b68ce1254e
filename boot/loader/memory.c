/*
 * The last act with firmware: memory map, ExitBootServices (UEFI 2.9, 7.2 and 7.4.6).
 *
 * The surprising thing: GetMemoryMap may fire events that change the map, so the key may be
 * stale at once and the pair must be repeated; but after a first failed ExitBootServices
 * only these two calls are allowed, so the buffer is made large enough beforehand.
 */
#include "boot/loader/loader.h"

static enum boot_memory kind_of(u32 type)
{
	switch (type) {
	case EfiConventionalMemory:
	case EfiBootServicesCode:
	case EfiBootServicesData:
		return BOOT_FREE;
	case EfiLoaderCode:
	case EfiLoaderData:
		return BOOT_USED;
	case EfiACPIReclaimMemory:
	case EfiACPIMemoryNVS:
	case EfiRuntimeServicesData:
		return BOOT_FIRMWARE;
	case EfiRuntimeServicesCode:
		return BOOT_FIRMWARE_CODE;
	default:
		return BOOT_DEVICE;
	}
}

/*
 * Insert in order; neighbours of one kind become one range. A map with too many holes loses its
 * last ones.
 */
static void range_add(struct boot_info *info, struct boot_range r)
{
	struct boot_range *at = info->range;
	u32 i = info->ranges;

	while (i && at[i - 1].base > r.base)
		i--;
	if (i && at[i - 1].kind == r.kind && at[i - 1].base + at[i - 1].len == r.base) {
		at[i - 1].len += r.len;
	} else if (i < info->ranges && at[i].kind == r.kind && r.base + r.len == at[i].base) {
		at[i].base = r.base;
		at[i].len += r.len;
	} else if (info->ranges < BOOT_RANGES) {
		for (u32 k = info->ranges++; k > i; k--)
			at[k] = at[k - 1];
		at[i] = r;
	}
}

static void ranges_fill(struct boot_info *info, const u8 *map, u64 size, u64 stride)
{
	info->ranges = 0;
	for (u64 at = 0; at + stride <= size; at += stride) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);

		if (d->NumberOfPages && d->Type != EfiUnusableMemory)
			range_add(info, (struct boot_range){
				.base = d->PhysicalStart,
				.len = d->NumberOfPages * PAGE_SIZE,
				.kind = kind_of(d->Type),
			});
	}
}

EFI_STATUS memory_leave(EFI_HANDLE image, struct boot_info *info)
{
	UINTN room = 0, size, key, stride;
	UINT32 version;
	EFI_STATUS s;
	u8 *map;

	bs->GetMemoryMap(&room, NULL, &key, &stride, &version);
	room += 32 * stride;
	map = pages_take(room, false);
	if (!map)
		return EFI_OUT_OF_RESOURCES;
	for (u32 attempt = 0; attempt < 8; attempt++) {
		size = room;
		s = bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &stride, &version);
		if (!EFI_ERROR(s))
			s = bs->ExitBootServices(image, key);
		if (!EFI_ERROR(s))
			break;
	}
	if (!EFI_ERROR(s))
		ranges_fill(info, map, size, stride);
	return s;
}
