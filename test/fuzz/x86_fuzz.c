/*
 * Bytes through the x86 decoder and what it finds through the emulation of accesses: the first byte
 * chooses the mode, the next 20 are code, and from the end on backwards are the registers.
 */
#include <stdlib.h>

#include "engine/front/x86/access.h"
#include "kernel/base/str.h"

static void require(bool ok)
{
	if (!ok)
		abort();
}

static bool same(const struct x86_insn *a, const struct x86_insn *b)
{
	size_t plain = offsetof(struct x86_insn, imm2) + sizeof(a->imm2);

	return !memcmp(a, b, plain) && a->disp == b->disp && a->imm == b->imm;
}

static void decoder(const u8 *bytes, u32 len, enum x86_mode mode, const struct x86_insn *i, int r)
{
	struct x86_insn again;
	bool decided = false;

	require(r <= X86_INSN_MAX && r <= (int)len && (r > 0 || r >= X86_TOO_LONG));
	for (u32 n = 0; n <= len; n++) {	/* once decided, more bytes change nothing */
		int got = x86_decode(bytes, n, mode, &again);

		decided |= got != X86_MORE;
		require(!decided || got == r);
		require(got <= 0 || same(&again, i));
		require(r <= 0 || decided == ((int)n >= r));
	}
}

static void step_is_sane(const struct x86_access *a, const struct x86_insn *i)
{
	bool memory = a->step == X86_READ || a->step == X86_WRITE;

	require(a->width == 1 || a->width == 2 || a->width == 4 || a->width == 8);
	require(memory || a->step == X86_IN || a->step == X86_OUT);
	require(!memory || (i->mem && a->width == i->width && a->seg < X86_SEGS));
	require(!memory || i->mode == X86_MODE64 || a->va <= UINT32_MAX);
	require(memory || (a->va <= UINT16_MAX && a->width <= 4));
	require(a->step == X86_READ || a->step == X86_IN || !(a->value & ~MASK(8 * a->width)));
}

static void carry_out(struct x86_state *st, const struct x86_insn *i)
{
	struct x86_state before = *st;
	struct x86_access a;
	enum x86_step step = x86_access_begin(&a, st, i);
	u64 next = st->rip;

	for (u32 n = 0; step != X86_DONE && step != X86_REFUSED; n++) {
		require(n < 3);
		step_is_sane(&a, i);
		require(!memcmp(st, &before, sizeof(before)));
		next = before.rip + i->len;
		step = x86_access_next(&a, st, st->gpr[n]);
	}
	if (step == X86_REFUSED) {
		require(a.why && !memcmp(st, &before, sizeof(before)));
		return;
	}
	if (i->mode != X86_MODE64)
		next = (u32)next;
	require(next == before.rip || st->rip == (a.again ? before.rip : next));
	require(!a.again || i->rep);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	static struct x86_state st;
	struct x86_insn i;
	enum x86_mode mode;
	int r;

	if (len < 1)
		return 0;
	mode = data[0] % 3;
	memset(&st, 0, sizeof(st));
	st.efer = mode == X86_MODE64 ? BIT(10) : 0;
	st.seg[X86_CS].attr = mode == X86_MODE64 ? X86_SEG_L : mode == X86_MODE32 ? X86_SEG_DB : 0;
	st.rip = data[0] & 0x80 ? ~0ull >> (mode == X86_MODE64 ? 0 : 32) : 0x1000;
	data++, len--;
	for (size_t n = 0; n < len && n < sizeof(st.gpr); n++)
		((u8 *)st.gpr)[n] = data[len - 1 - n];
	len = MIN(len, 20);
	r = x86_decode(data, (u32)len, mode, &i);
	decoder(data, (u32)len, mode, &i, r);
	if (r > 0)
		carry_out(&st, &i);
	return 0;
}
