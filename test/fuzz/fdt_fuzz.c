/* Any bytes as the host's device tree: open, then use every reader on every node. */
#include "boot/fdt.h"
#include "kernel/base/str.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fdt f;
	struct fdt_walk w;
	hpa_t base;
	u64 len;

	if (fdt_open(&f, data, size))
		return 0;
	for (fdt_start(&w, &f); fdt_next(&w);) {
		for (u32 i = 0; i < 4; i++)
			(void)fdt_reg(&w, i, &base, &len);
		fdt_compatible(&w, "arm,gic-v3");
		fdt_string(&w, "stdout-path");
		fdt_u32(&w, "#address-cells", 2);
		fdt_enabled(&w);
	}
	fdt_find(&w, &f, "/cpus/cpu@0");
	fdt_find(&w, &f, "serial0:115200n8");
	return 0;
}
