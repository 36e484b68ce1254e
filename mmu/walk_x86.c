/*
 * x86 page walker (SDM 3A, chapter 4): two levels of 32-bit entries, three, four or five of 64
 * bits; only what differs between them is data. Not here: protection keys, PSE-36.
 *
 * Bits are set with an atomic OR after the check, as the manual allows: an entry that the guest
 * withdraws meanwhile may still be used until the guest flushes.
 */
#include "mmu/walk.h"

enum { CR0_WP = 1 << 16, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_LA57 = 1 << 12,
       CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };
#define CR0_PG		(1ull << 31)
enum { PTE_P = 1 << 0, PTE_W = 1 << 1, PTE_U = 1 << 2, PTE_A = 1 << 5, PTE_D = 1 << 6,
       PTE_PS = 1 << 7, PTE_G = 1 << 8 };
#define PTE_NX		BIT(63)
#define PTE_ADDR	0x000ffffffffff000ull

/* On the way down. */
struct step {
	const struct walk_x86 *w;
	struct space *space;
	const struct range *range;	/* that the last table was in */
	enum access access;
	bool wide;		/* entries are of 64 bits */
	bool has_rights;	/* this level's entries have: not the four of PAE's first */
	u32 shift;		/* of the level */
	gpa_t table, gpa;	/* of the table, of the entry in it */
	u64 entry;
	u64 may;		/* W and U as all levels so far grant them */
	bool nx;		/* one of them forbids fetching */
};

static u32 index_bits(const struct step *at)
{
	return at->wide ? 9 : 10;
}

/* Entries do not cross pages. NULL: not in memory that can be written. */
static u8 *entry_slot(struct step *at, gva_t va)
{
	const struct range *r = at->range;

	at->gpa = at->table + (va >> at->shift & MASK(index_bits(at))) * (at->wide ? 8 : 4);
	if (!r || at->gpa - r->base >= r->len)
		r = at->range = space_find(at->space, at->gpa);
	return r && r->kind == RANGE_RAM ? r->host + (at->gpa - r->base) : NULL;
}

static u64 entry_load(const struct step *at, u8 *slot)
{
	return at->wide ? atomic_load((_Atomic u64 *)slot) : atomic_load((_Atomic u32 *)slot);
}

static void entry_mark(const struct step *at, u8 *slot, u32 bits)
{
	if (!at->has_rights || (at->entry & bits) == bits)
		return;
	range_mark_dirty(at->range, at->gpa);
	if (at->wide)
		atomic_fetch_or((_Atomic u64 *)slot, bits);
	else
		atomic_fetch_or((_Atomic u32 *)slot, bits);
}

static bool is_leaf(const struct step *at)
{
	if (at->shift == PAGE_SHIFT)
		return true;
	if (!(at->entry & PTE_PS) || at->shift > 30 || !at->has_rights)
		return false;
	return at->wide || at->w->cr4 & CR4_PSE;
}

/* What the context may do with a page that the levels grant so much. */
static void rights(const struct step *at, struct walk *out)
{
	const struct walk_x86 *w = at->w;
	bool user_page = at->may & PTE_U;
	bool data = w->user ? user_page : !user_page || !(w->cr4 & CR4_SMAP) || w->ac;

	out->read = data;
	out->write = data && (at->may & PTE_W || (!w->user && !(w->cr0 & CR0_WP)));
	out->exec = !at->nx && (w->user ? user_page : !user_page || !(w->cr4 & CR4_SMEP));
}

static bool granted(const struct walk *out, enum access access)
{
	return access == ACCESS_READ ? out->read : access == ACCESS_WRITE ? out->write : out->exec;
}

static enum walk_status fault(const struct step *at, u32 present, u32 *error)
{
	const struct walk_x86 *w = at->w;

	*error = present | (at->access == ACCESS_WRITE ? WALK_X86_W : 0) |
		 (w->user ? WALK_X86_U : 0);
	if (at->access == ACCESS_FETCH && (w->efer & EFER_NXE || w->cr4 & CR4_SMEP))
		*error |= WALK_X86_I;
	return WALK_PAGE_FAULT;
}

static void walk_begin(struct step *at)
{
	const struct walk_x86 *w = at->w;

	at->wide = w->cr4 & CR4_PAE;
	at->has_rights = true;
	if (w->efer & EFER_LMA) {
		at->shift = w->cr4 & CR4_LA57 ? 48 : 39;
		at->table = w->cr3 & PTE_ADDR;
	} else if (at->wide) {
		at->shift = 30;
		at->has_rights = false;
		at->table = w->cr3 & 0xffffffe0u;
	} else {
		at->shift = 22;
		at->table = w->cr3 & 0xfffff000u;
	}
}

static enum walk_status leaf_take(struct step *at, u8 *slot, gva_t va, struct walk *out, u32 *error)
{
	u64 size = BIT(at->shift);

	rights(at, out);
	if (!granted(out, at->access))
		return fault(at, WALK_X86_P, error);
	entry_mark(at, slot, PTE_A | (at->access == ACCESS_WRITE ? PTE_D : 0));
	out->write = out->write && (at->entry & PTE_D || at->access == ACCESS_WRITE);
	out->size = size;
	out->gpa = ALIGN_DOWN(at->entry & PTE_ADDR, size) | (va & (size - 1));
	out->global = at->entry & PTE_G;
	return WALK_OK;
}

enum walk_status walk_x86(struct space *s, const struct walk_x86 *w, gva_t va, enum access access,
			  struct walk *out, u32 *error)
{
	struct step at = { .w = w, .space = s, .access = access, .may = PTE_W | PTE_U };

	if (!(w->cr0 & CR0_PG)) {
		*out = (struct walk){ (u32)va, PAGE_SIZE, .read = true, .write = true,
				      .exec = true };
		return WALK_OK;
	}
	for (walk_begin(&at);; at.shift -= index_bits(&at)) {
		u8 *slot = entry_slot(&at, va);

		if (!slot)
			return WALK_ACCESS_FAULT;
		at.entry = entry_load(&at, slot);
		if (!(at.entry & PTE_P))
			return fault(&at, 0, error);
		if (at.has_rights) {
			at.may &= at.entry;
			at.nx |= at.wide && w->efer & EFER_NXE && at.entry & PTE_NX;
		}
		if (is_leaf(&at))
			return leaf_take(&at, slot, va, out, error);
		entry_mark(&at, slot, PTE_A);
		at.table = at.entry & PTE_ADDR;
		at.has_rights = true;
	}
}
