/*
 * Any bytes to the frame buffer console; the first two choose its size. No write leaves the frame
 * buffer.
 */
#include <stdlib.h>

#include "drivers/host/fbcon.h"
#include "kernel/base/panic.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 width, height, *fb;
	struct chr *c;

	if (size < 2)
		return 0;
	width = 8 + data[0];
	height = 16 + data[1];
	fb = malloc(4ull * width * height);
	c = fbcon_open(fb, width, height, width, data[0] & 1);
	assert(c);
	for (size_t at = 2, part; at < size; at += part) {
		part = MIN(size - at, 1 + data[at] % 64u);
		chr_write(c, data + at, part);
	}
	fbcon_close(c);
	free(fb);
	return 0;
}
