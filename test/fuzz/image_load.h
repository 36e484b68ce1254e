/*
 * What the fuzz targets of kernel files share: a file through parsing, placing and loading into a
 * small RAM.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "guests/image.h"

#define FUZZ_RAM MIB(3)

static inline void image_load_any(const u8 *data, size_t size)
{
	static u8 *host;
	struct guest_ram ram = { 0x80000000, FUZZ_RAM, NULL };
	struct image image;
	gpa_t at, entry;

	if (!host)
		host = malloc(FUZZ_RAM);
	ram.host = host;
	if (image_parse("fuzz", data, size, &image) != OK ||
	    (image_check_arch(&image, "riscv64") != OK &&
	     image_check_arch(&image, "aarch64") != OK))
		return;
	if (image_place(&image, &ram, 0x80200000, &at) != OK)
		return;
	if (at < ram.base || at - ram.base > ram.len || image.size > ram.len - (at - ram.base))
		abort();
	if (image_load(&image, &ram, at, &entry) == OK && image.kind == IMAGE_ELF &&
	    (entry < at || entry - at >= image.size))
		abort();
}
