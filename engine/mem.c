/*
 * Guest memory by virtual address: see mem.h. An access inside a page is one translation;
 * one that crosses pages translates both parts before it touches either.
 *
 * Atomics work on the host's own atomic instructions, also between guest CPUs on different
 * host CPUs. Store-exclusive compares the value that was loaded (like QEMU and RVVM): an
 * ABA change in between goes unseen, which no guest can tell from a lucky schedule.
 */
#include "engine/ir/ir.h"
#include "engine/journal.h"
#include "engine/mem.h"
#include "engine/tuning.h"
#include "kernel/base/str.h"

/* One translated piece of an access; host NULL: not plain memory. */
struct piece {
	u8 *host;
	gpa_t gpa;
	u32 len;
};

static bool fill(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	if (engine_tuning.miss)
		engine_tuning.miss(g);
	return g->isa->fill(g, va, len, access);
}

/* The audit runner wants to know what is stored, and what cannot be undone. */
static void note_store(struct gcpu *g, void *host, u32 len)
{
	if (unlikely(g->journal && g->journal->on))
		journal_note(g->journal, host, len);
}

static void note_device(struct gcpu *g)
{
	if (unlikely(g->journal != NULL))
		g->journal->final = true;
}

static bool piece_translate(struct gcpu *g, gva_t va, u32 len, enum access access, struct piece *p)
{
	p->len = len;
	p->gpa = 0;
	p->host = access == ACCESS_WRITE ? tlb_write(g->tlb, va) : tlb_read(g->tlb, &g->tlb->d, va);
	if (p->host)
		return true;
	g->tlb->hits_slow++;
	if (!fill(g, va, len, access))
		return false;
	p->host = g->fill_host;
	p->gpa = g->fill_gpa;
	return true;
}

/* Something is there, though not memory? */
static bool piece_check(struct gcpu *g, gva_t va, enum access access, const struct piece *p)
{
	if (p->host || space_find(g->space, p->gpa))
		return true;
	g->isa->bus_fault(g, va, p->gpa, access);
	return false;
}

static void piece_read(struct gcpu *g, const struct piece *p, u8 *out)
{
	if (p->host) {
		memcpy(out, p->host, p->len);
		return;
	}
	const struct range *r = space_find(g->space, p->gpa);
	bool whole = (p->len & (p->len - 1)) == 0 && p->len <= 8;

	note_device(g);
	for (u32 i = 0, n = whole ? p->len : 1; i < p->len; i += n) {
		u64 v = range_mmio_read(r, p->gpa + i, n);

		memcpy(out + i, &v, n);
	}
}

static void piece_write(struct gcpu *g, const struct piece *p, const u8 *in)
{
	if (p->host) {
		note_store(g, p->host, p->len);
		memcpy(p->host, in, p->len);
		return;
	}
	const struct range *r = space_find(g->space, p->gpa);
	bool whole = (p->len & (p->len - 1)) == 0 && p->len <= 8;

	if (r->kind != RANGE_MMIO)
		return;				/* stores to ROM are lost, as on a real bus */
	note_device(g);
	for (u32 i = 0, n = whole ? p->len : 1; i < p->len; i += n) {
		u64 v = 0;

		memcpy(&v, in + i, n);
		range_mmio_write(r, p->gpa + i, n, v);
	}
}

/* Translate and check [va, va + len), in two pieces if it crosses a page; the number, or 0. */
static u32 mem_pieces(struct gcpu *g, gva_t va, u32 len, enum access access, struct piece p[2])
{
	u32 room = (u32)(PAGE_SIZE - (va & ~PAGE_MASK)), first = MIN(len, room);

	if (!piece_translate(g, va, first, access, &p[0]) || !piece_check(g, va, access, &p[0]))
		return 0;
	if (first == len)
		return 1;
	if (!piece_translate(g, va + first, len - first, access, &p[1]) ||
	    !piece_check(g, va + first, access, &p[1]))
		return 0;
	return 2;
}

bool mem_read(struct gcpu *g, gva_t va, u32 len, void *out)
{
	struct piece p[2];
	u32 n = mem_pieces(g, va, len, ACCESS_READ, p);

	if (n > 0)
		piece_read(g, &p[0], out);
	if (n > 1)
		piece_read(g, &p[1], (u8 *)out + p[0].len);
	return n > 0;
}

bool mem_write(struct gcpu *g, gva_t va, u32 len, const void *in)
{
	struct piece p[2];
	u32 n = mem_pieces(g, va, len, ACCESS_WRITE, p);

	if (n > 0)
		piece_write(g, &p[0], in);
	if (n > 1)
		piece_write(g, &p[1], (const u8 *)in + p[0].len);
	return n > 0;
}

bool mem_probe(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	struct piece p[2];

	return mem_pieces(g, va, len, access, p) > 0;
}

bool mem_fetch(struct gcpu *g, gva_t va, const u8 **host, gpa_t *gpa, u32 *len)
{
	const struct tlb_entry *e = g->tlb->i.set[tlb_index(va)];
	u64 tag = tlb_tag(g->tlb, &g->tlb->i, va);

	for (u32 way = 0; way < TLB_WAYS; way++)
		if (e[way].read == tag) {
			*host = (u8 *)(va + e[way].addend);
			*gpa = e[way].gpa | (va & ~PAGE_MASK);
			*len = (u32)(PAGE_SIZE - (va & ~PAGE_MASK));
			return true;
		}
	if (!fill(g, va, 2, ACCESS_FETCH))
		return false;
	*host = g->fill_host;
	*gpa = g->fill_gpa;
	*len = g->fill_len;
	if (*host)
		return true;
	g->isa->bus_fault(g, va, *gpa, ACCESS_FETCH);
	return false;
}

/* ---- atomics ---- */

void *mem_atomic(struct gcpu *g, gva_t va, u32 len)
{
	struct piece p;

	if (va & (len - 1)) {
		g->isa->misaligned(g, va, ACCESS_WRITE);
		return NULL;
	}
	if (!piece_translate(g, va, len, ACCESS_WRITE, &p))
		return NULL;
	if (!p.host)
		g->isa->bus_fault(g, va, p.gpa, ACCESS_WRITE);
	return p.host;
}

/* The new value of the kinds that the host has no single instruction for. */
static u64 amo_combine(u32 amo, u64 old, u64 val, u32 bits)
{
	s64 so = sext(old, bits), sv = sext(val, bits);

	switch ((enum ir_amo)amo) {
	case AMO_MINS:	return so < sv ? old : val;
	case AMO_MAXS:	return so > sv ? old : val;
	case AMO_MINU:	return (old & MASK(bits)) < (val & MASK(bits)) ? old : val;
	case AMO_MAXU:	return (old & MASK(bits)) > (val & MASK(bits)) ? old : val;
	case AMO_SWAP: case AMO_ADD: case AMO_AND: case AMO_OR: case AMO_XOR: case AMO_ANDN:
		break;
	}
	return old;
}

#define AMO_WIDTH(type)									\
	static u64 amo_##type(_Atomic type *p, u32 amo, type val)			\
	{										\
		type old;								\
		switch (amo) {								\
		case AMO_SWAP:	return atomic_exchange(p, val);				\
		case AMO_ADD:	return atomic_fetch_add(p, val);			\
		case AMO_AND:	return atomic_fetch_and(p, val);			\
		case AMO_OR:	return atomic_fetch_or(p, val);				\
		case AMO_XOR:	return atomic_fetch_xor(p, val);			\
		case AMO_ANDN:	return atomic_fetch_and(p, (type)~val);			\
		default:	break;							\
		}									\
		old = atomic_load(p);							\
		while (!atomic_compare_exchange_weak(p, &old,				\
				(type)amo_combine(amo, old, val, 8 * sizeof(type))))	\
			host_relax();							\
		return old;								\
	}
AMO_WIDTH(u8)
AMO_WIDTH(u16)
AMO_WIDTH(u32)
AMO_WIDTH(u64)

bool mem_amo(struct gcpu *g, gva_t va, u32 amo, u32 len, u64 val, u64 *old)
{
	void *p = mem_atomic(g, va, len);

	if (!p)
		return false;
	note_store(g, p, len);
	switch (len) {
	case 1:	*old = amo_u8(p, amo, (u8)val); break;
	case 2:	*old = amo_u16(p, amo, (u16)val); break;
	case 4:	*old = amo_u32(p, amo, (u32)val); break;
	default: *old = amo_u64(p, amo, val); break;
	}
	return true;
}

/* Compare-and-exchange at the host; returns what was there. */
static u64 host_cas(void *p, u32 len, u64 expect, u64 val)
{
	u8 e8 = (u8)expect;
	u16 e16 = (u16)expect;
	u32 e32 = (u32)expect;

	switch (len) {
	case 1:	atomic_compare_exchange_strong((_Atomic u8 *)p, &e8, (u8)val); return e8;
	case 2:	atomic_compare_exchange_strong((_Atomic u16 *)p, &e16, (u16)val); return e16;
	case 4:	atomic_compare_exchange_strong((_Atomic u32 *)p, &e32, (u32)val); return e32;
	default: atomic_compare_exchange_strong((_Atomic u64 *)p, &expect, val); return expect;
	}
}

bool mem_cas(struct gcpu *g, gva_t va, u32 len, u64 expect, u64 val, u64 *old)
{
	void *p = mem_atomic(g, va, len);

	if (!p)
		return false;
	note_store(g, p, len);
	*old = host_cas(p, len, expect, val);
	return true;
}

static u64 host_load(const void *p, u32 len)
{
	switch (len) {
	case 1:	return atomic_load((const _Atomic u8 *)p);
	case 2:	return atomic_load((const _Atomic u16 *)p);
	case 4:	return atomic_load((const _Atomic u32 *)p);
	default: return atomic_load((const _Atomic u64 *)p);
	}
}

bool mem_lx(struct gcpu *g, gva_t va, u32 len, u64 *val)
{
	struct piece p;

	g->excl.host = NULL;
	if (va & (len - 1)) {
		g->isa->misaligned(g, va, ACCESS_READ);
		return false;
	}
	if (!piece_translate(g, va, len, ACCESS_READ, &p))
		return false;
	if (!p.host) {
		g->isa->bus_fault(g, va, p.gpa, ACCESS_READ);
		return false;
	}
	*val = host_load(p.host, len);
	g->excl.host = p.host;
	g->excl.len = len;
	g->excl.value[0] = *val;
	return true;
}

bool mem_sx(struct gcpu *g, gva_t va, u32 len, u64 val, u64 *failed)
{
	void *p = mem_atomic(g, va, len);
	bool held = p && g->excl.host == p && g->excl.len == len;

	if (!p)
		return false;
	note_store(g, p, len);
	g->excl.host = NULL;
	*failed = !held || host_cas(p, len, g->excl.value[0], val) != g->excl.value[0];
	return true;
}

bool mem_zero(struct gcpu *g, gva_t va, u32 len)
{
	struct piece p[2];
	static const u8 zeros[64];

	if (!mem_pieces(g, ALIGN_DOWN(va, (u64)len), len, ACCESS_WRITE, p)) {
		g->xcpt.value = va;
		return false;
	}
	if (p[0].host) {
		note_store(g, p[0].host, len);
		memset(p[0].host, 0, len);
	}
	for (u32 i = 0; !p[0].host && i < len; i += sizeof(zeros)) {
		struct piece part = { NULL, p[0].gpa + i, MIN(len - i, (u32)sizeof(zeros)) };

		piece_write(g, &part, zeros);
	}
	return true;
}
