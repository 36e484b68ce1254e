/* Any bytes behind an ELF magic: parse, place, load. */
#include "test/fuzz/image_load.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 start[20] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2, [18] = 243 };
	u8 *file = malloc(size + sizeof(start));

	memcpy(file, start, sizeof(start));
	memcpy(file + sizeof(start), data, size);
	image_load_any(file, size + sizeof(start));
	free(file);
	return 0;
}
