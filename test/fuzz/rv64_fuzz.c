/*
 * Guest bytes through the RV64 translator, the IR verifier and the disassembler, in any context
 * and with any extensions: the first eight bytes choose those, the rest is code.
 */
#include <stdlib.h>

#include "engine/front/rv64/rv64.h"
#include "kernel/base/str.h"

static void ignore(struct sink *s, const char *text, size_t len)
{
	(void)s, (void)text, (void)len;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct ir_block b;
	struct sink sink = { ignore };
	struct code_window w = { .pc = 0x80000000 };
	char text[200];

	if (len < 8)
		return 0;
	w.ctx = load_le32(data) & 0x7f;
	w.features = load_le32(data + 4);
	w.bytes = data + 8;
	w.len = (u32)MIN(len - 8, PAGE_SIZE);
	ir_begin(&b, w.pc, w.ctx, IR_INSNS_MAX);
	if (rv64_translate(&w, &b)) {
		ir_finish(&b, w.pc + b.bytes);
		if (b.bytes > w.len || ir_verify(&b, text, sizeof(text)))
			abort();
	}
	for (u32 at = 0, n; at < w.len; at += n) {
		n = rv64_disasm(w.bytes + at, w.len - at, w.pc + at, &sink);
		if (!n || n > w.len - at)
			abort();
	}
	return 0;
}
