/* Any bytes as an x86 kernel: what is accepted must fit where it says. */
#include "engine/front/x86/state.h"
#include "guests/bzimage.h"
#include "kernel/base/panic.h"

#define LOW_END	MIB(48)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 ram[LOW_END];
	static struct x86_state st;
	struct gcpu g = { .st = &st };
	struct bzimage_boot b = { .cmdline = "x", .initrd = data, .initrd_len = size, .ram = ram,
				  .low_end = LOW_END };

	if (bzimage_parse("fuzz", data, size, &b.kernel) != OK)
		return 0;
	assert(b.kernel.code >= data && b.kernel.code + b.kernel.code_len <= data + size);
	assert(b.kernel.header + b.kernel.header_len <= b.kernel.code);
	if (bzimage_start(&b, &g) == OK)
		assert(st.rip < LOW_END);
	return 0;
}
