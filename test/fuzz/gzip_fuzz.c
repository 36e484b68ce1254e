/* Any bytes as the deflate stream of a gzip file, and any gzip file: parse, place, load. */
#include "test/fuzz/image_load.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 start[10] = { 0x1f, 0x8b, 8 };
	u8 *file = malloc(size + sizeof(start));
	struct image image = { .file = "fuzz" };
	u8 head[512];

	memcpy(file, start, sizeof(start));
	memcpy(file + sizeof(start), data, size);
	image_load_any(file, size + sizeof(start));
	image.data = data;
	image.len = size;
	if (gzip_parse(&image, head, sizeof(head)) == OK && image.bytes > GIB(1))
		abort();
	free(file);
	return 0;
}
