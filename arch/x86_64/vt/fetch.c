/* The instruction that a guest CPU was left at: its bytes by the guest's tables, taken apart. */
#include "arch/x86_64/vt/vt.h"
#include "kernel/base/str.h"
#include "mmu/walk.h"

bool vt_translate(struct vt_cpu *v, u64 va, enum access access, bool user, gpa_t *gpa, u32 *error)
{
	const struct x86_state *st = v->st;
	struct walk_x86 w = { .cr0 = st->cr0, .cr3 = st->cr3, .cr4 = st->cr4, .efer = st->efer,
			      .user = user, .ac = st->rflags >> 18 & 1 };
	struct walk out;

	*error = 0;
	if (walk_x86(v->g->space, &w, va, access, &out, error) != WALK_OK)
		return false;
	*gpa = out.gpa;
	return true;
}

bool vt_is_user(const struct x86_state *st)
{
	return st->cr0 & 1 && (st->rflags >> 17 & 1 || (st->seg[X86_SS].attr >> 5 & 3) == 3);
}

/* Up to @len bytes at @va, to the end of its page; how many. */
static u32 read_page(struct vt_cpu *v, u64 va, u8 *to, u32 len)
{
	u32 n = (u32)MIN(len, PAGE_SIZE - (va & ~PAGE_MASK)), error;
	gpa_t gpa;
	u8 *p;

	if (!vt_translate(v, va, ACCESS_FETCH, vt_is_user(v->st), &gpa, &error))
		return 0;
	p = space_ptr(v->g->space, gpa, n, false);
	if (!p)
		return 0;
	memcpy(to, p, n);
	return n;
}

bool vt_fetch(struct vt_cpu *v, struct x86_insn *insn)
{
	const struct x86_state *st = v->st;
	enum x86_mode mode = x86_mode(st);
	u64 va = x86_linear(st, mode, X86_CS, st->rip);
	u8 bytes[X86_INSN_MAX];
	u32 have = read_page(v, va, bytes, sizeof(bytes));
	int len = x86_decode(bytes, have, mode, insn);

	if (len == X86_MORE && have && have < sizeof(bytes)) {
		have += read_page(v, va + have, bytes + have, (u32)sizeof(bytes) - have);
		len = x86_decode(bytes, have, mode, insn);
	}
	return len > 0;
}

bool vt_skip(struct vt_cpu *v)
{
	struct x86_insn insn;

	if (!vt_fetch(v, &insn))
		return false;
	x86_skip(v->st, insn.len);
	return true;
}
