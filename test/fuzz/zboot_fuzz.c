/* Any bytes as an EFI kernel: its header, and as what is said to be inside it. */
#include "test/fuzz/image_load.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *file = malloc(MAX(size, 64));

	memset(file, 0, 64);
	memcpy(file, data, size);
	memcpy(file, "MZ\0\0zimg", 8);
	image_load_any(file, size);
	memcpy(file + 24, "gzip", 5);
	image_load_any(file, MAX(size, 64));
	if (size > 80) {
		memcpy(file + 64, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
		store_le32(file + 8, 64);
		store_le32(file + 12, (u32)size - 64);
		image_load_any(file, size);
	}
	free(file);
	return 0;
}
