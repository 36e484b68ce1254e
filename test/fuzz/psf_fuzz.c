/* Any bytes as a font: parse, then look up characters and read every bitmap. */
#include "drivers/host/psf.h"
#include "kernel/base/panic.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct psf f;
	u32 ink = 0;

	if (psf_parse(&f, data, size))
		return 0;
	for (u32 c = 0; c < 256; c++) {
		u32 glyph = psf_glyph(&f, c * c);

		assert(glyph < f.count);
		for (u32 i = 0; i < f.stride * f.height; i++)
			ink += f.bitmap[(size_t)glyph * f.stride * f.height + i];
	}
	assert(ink <= 256 * 64 * 8 * 255);
	return 0;
}
