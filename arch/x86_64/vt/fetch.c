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

/* Up to @len bytes at @va, to the end of its page; how many, and where they are. */
static u32 read_page(struct vt_cpu *v, u64 va, u32 len, const u8 **host)
{
	u32 n = (u32)MIN(len, PAGE_SIZE - (va & ~PAGE_MASK)), error;
	gpa_t gpa;

	*host = NULL;
	if (vt_translate(v, va, ACCESS_FETCH, vt_is_user(v->st), &gpa, &error))
		*host = space_ptr(v->g->space, gpa, n, false);
	return *host ? n : 0;
}

/* It begins in one page and may end in the next. */
static int decode_across(struct vt_cpu *v, u64 va, const u8 *first, u32 have, enum x86_mode mode,
			 struct x86_insn *insn)
{
	u8 bytes[X86_INSN_MAX];
	const u8 *second;
	u32 more;
	int len = x86_decode(first, have, mode, insn);

	if (len != X86_MORE || !have)
		return len;
	memcpy(bytes, first, have);
	more = read_page(v, va + have, (u32)sizeof(bytes) - have, &second);
	memcpy(bytes + have, second, more);
	return x86_decode(bytes, have + more, mode, insn);
}

/*
 * Guests exit at the same few instructions time and again. One that was seen before is the same if
 * its bytes still are where they were: the guest may have moved it meanwhile, but then what it left
 * behind is equal, or the comparison finds it.
 */
static bool is_known(const struct vt_code *k, u64 rip, u64 cr3, u16 cs_attr)
{
	return k->host && k->rip == rip && k->cr3 == cr3 && k->cs_attr == cs_attr &&
	       load_le64(k->host) == k->head[0] && load_le64(k->host + 8) == k->head[1];
}

static void note(struct vt_code *k, const struct x86_state *st, const u8 *host)
{
	k->host = host;
	k->rip = st->rip;
	k->cr3 = st->cr3;
	k->cs_attr = st->seg[X86_CS].attr;
	k->head[0] = load_le64(host);
	k->head[1] = load_le64(host + 8);
}

static struct vt_code *code_at(struct vt_cpu *v, u64 rip)
{
	return &v->code[(rip ^ rip >> 4) % VT_CODES];
}

const struct x86_insn *vt_fetch(struct vt_cpu *v)
{
	const struct x86_state *st = v->st;
	struct vt_code *k = code_at(v, st->rip);
	enum x86_mode mode;
	const u8 *host;
	u32 have;
	u64 va;

	if (likely(is_known(k, st->rip, st->cr3, st->seg[X86_CS].attr)))
		return &k->insn;
	k->host = NULL;
	mode = x86_mode(st);
	va = x86_linear(st, mode, X86_CS, st->rip);
	have = read_page(v, va, VT_CODE_BYTES, &host);
	if (decode_across(v, va, host, MIN(have, (u32)X86_INSN_MAX), mode, &k->insn) <= 0)
		return NULL;
	if (have == VT_CODE_BYTES)
		note(k, st, host);
	return &k->insn;
}

void vt_code_forget(struct vt_cpu *v)
{
	for (u32 i = 0; i < VT_CODES; i++)
		v->code[i].host = NULL;
}

bool vt_skip(struct vt_cpu *v)
{
	const struct x86_insn *insn = vt_fetch(v);

	if (!insn)
		return false;
	x86_skip(v->st, insn->len);
	return true;
}

bool vt_skip_known(struct vt_cpu *v, u64 cr3, u16 cs_attr)
{
	const struct vt_code *k = code_at(v, v->st->rip);

	if (k->insn.mode != X86_MODE64 || !is_known(k, v->st->rip, cr3, cs_attr))
		return false;
	v->st->rip += k->insn.len;
	v->st->shadow = 0;
	return true;
}
