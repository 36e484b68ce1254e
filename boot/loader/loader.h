/*
 * The UEFI loader: a PE image that carries the core (a static-PIE ELF), collects what only
 * firmware can tell, leaves boot services and enters the core. Written once for all hosts
 * against gnu-efi's headers; what differs per host is boot/loader/<host>/.
 *
 * It is compiled for the Windows ABI of its host, where long has 32 bits: fixed types only.
 */
#pragma once

#include "boot/boot.h"

#include <efi.h>

extern EFI_SYSTEM_TABLE *st;
extern EFI_BOOT_SERVICES *bs;

/* Console output of the loader; ASCII. */
void say(const char *text);
void say_number(u64 n);

/*
 * Whole zeroed pages that the core finds as BOOT_USED; executable while firmware's tables last if
 * @code. NULL: none left.
 */
void *pages_take(u64 len, bool code);

/* Read every file of the boot volume into info->file[]. */
void files_collect(EFI_HANDLE image, struct boot_info *info);

/* ACPI, FDT, frame buffer, time, runtime services: everything that may be absent. */
void platform_collect(struct boot_info *info);

/* Fill info->range[] and leave boot services. On failure boot services are still there. */
EFI_STATUS memory_leave(EFI_HANDLE image, struct boot_info *info);

/* boot/loader/<host>: the core's bytes, make instructions written as data visible to fetches. */
extern const u8 core_file[], core_file_end[];
void code_sync(const void *base, u64 len);
/* Why this machine cannot run the core, or NULL. */
const char *host_refuse(void);
