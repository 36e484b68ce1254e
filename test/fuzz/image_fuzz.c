/* Any bytes as a kernel file: parse, place, load. */
#include "test/fuzz/image_load.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	image_load_any(data, size);
	return 0;
}
