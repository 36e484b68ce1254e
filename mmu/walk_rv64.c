/*
 * RISC-V page walker: Sv39, Sv48, Sv57, one loop over one geometry. Privileged spec
 * 20211203, 4.3.2 (the algorithm; step numbers below are its) with Svnapot (chapter 5),
 * Svade and Svadu. Not here: two-stage translation, Svpbmt (its bits count as reserved).
 *
 * A failed compare-exchange of Svadu goes back to step 2, reading the same entry again, so
 * a translation is never granted by an entry that another hart has just withdrawn.
 */
#include "mmu/walk.h"

enum {
	PTE_V = 1 << 0, PTE_R = 1 << 1, PTE_W = 1 << 2, PTE_X = 1 << 3,
	PTE_U = 1 << 4, PTE_G = 1 << 5, PTE_A = 1 << 6, PTE_D = 1 << 7,
};
#define PTE_LEAF	(PTE_R | PTE_W | PTE_X)
#define PTE_N		BIT(63)		/* Svnapot */
#define PTE_RESERVED	(MASK(9) << 54)	/* 62:61 PBMT, 60:54 */
#define PTE_PPN(pte)	BITS(pte, 53, 10)
#define VPN_BITS	9

static const u8 mode_levels[16] = { [8] = 3, [9] = 4, [10] = 5 };

/* State of a walk on its way down. */
struct step {
	u32 level;		/* 0 maps 4 KiB */
	u64 pte;
	_Atomic u64 *slot;	/* where @pte was read, in host memory */
	gpa_t gpa;		/* ... and in guest memory */
};

static _Atomic u64 *pte_slot(struct space *s, const struct walk_rv64 *w, gpa_t gpa, bool write)
{
	if (w->allowed != NULL && !w->allowed(w->ctx, gpa, sizeof(u64), write))
		return NULL;
	return (_Atomic u64 *)space_ptr(s, gpa, sizeof(u64), write);
}

/* Bytes mapped by a leaf, 0 if it is malformed: misaligned superpage or reserved NAPOT size. */
static u64 leaf_size(const struct step *at)
{
	u64 ppn = PTE_PPN(at->pte);

	if (at->pte & PTE_N)
		return at->level == 0 && (ppn & MASK(4)) == 8 ? KIB(64) : 0;
	if (ppn & MASK(at->level * VPN_BITS))
		return 0;
	return PAGE_SIZE << (at->level * VPN_BITS);
}

/* Step 3: not valid, writable but not readable, or bits that belong to no extension we have. */
static bool pte_is_bad(u64 pte)
{
	return !(pte & PTE_V) || (pte & (PTE_R | PTE_W)) == PTE_W || pte & PTE_RESERVED;
}

/* What the context of @w may do with a leaf, A and D aside. */
static void leaf_rights(const struct walk_rv64 *w, u64 pte, struct walk *out)
{
	bool user = pte & PTE_U;
	bool data = user == w->user || (user && w->sum);

	out->read = data && (pte & PTE_R || (w->mxr && pte & PTE_X));
	out->write = data && pte & PTE_W;
	out->exec = user == w->user && pte & PTE_X;
}

static bool access_granted(const struct walk *out, enum access access)
{
	switch (access) {
	case ACCESS_READ:  return out->read;
	case ACCESS_WRITE: return out->write;
	case ACCESS_FETCH: return out->exec;
	}
	return false;
}

/* Steps 5 to 8. *@again asks for the entry to be read once more. */
static enum walk_status leaf_take(struct space *s, const struct walk_rv64 *w, struct step *at,
				  gva_t va, enum access access, struct walk *out, bool *again)
{
	u64 need = PTE_A | (access == ACCESS_WRITE ? PTE_D : 0);
	u64 size = leaf_size(at);

	leaf_rights(w, at->pte, out);
	if (!access_granted(out, access) || size == 0)
		return WALK_PAGE_FAULT;
	if ((at->pte & need) != need) {
		if (!w->adue)
			return WALK_PAGE_FAULT;
		if (pte_slot(s, w, at->gpa, true) == NULL)
			return WALK_ACCESS_FAULT;
		if (!atomic_compare_exchange_strong(at->slot, &at->pte, at->pte | need)) {
			*again = true;
			return WALK_OK;
		}
		at->pte |= need;
	}
	out->write = out->write && at->pte & PTE_D;
	out->size = size;
	out->gpa = ALIGN_DOWN(PTE_PPN(at->pte) << PAGE_SHIFT, size) | (va & (size - 1));
	return WALK_OK;
}

static enum walk_status walk_identity(gva_t va, struct walk *out)
{
	*out = (struct walk){ va, PAGE_SIZE, .read = true, .write = true, .exec = true };
	return WALK_OK;
}

enum walk_status walk_rv64(struct space *s, const struct walk_rv64 *w, gva_t va, enum access access,
			   struct walk *out)
{
	u32 levels = mode_levels[BITS(w->satp, 63, 60)];
	gpa_t table = BITS(w->satp, 43, 0) << PAGE_SHIFT;
	struct step at = { .level = levels - 1 };
	bool global = false, again = false;
	enum walk_status status;

	if (BITS(w->satp, 63, 60) == 0)
		return walk_identity(va, out);
	if (levels == 0 || (u64)sext(va, PAGE_SHIFT + levels * VPN_BITS) != va)
		return WALK_PAGE_FAULT;
	for (;;) {
		if (!again) {
			u32 shift = PAGE_SHIFT + at.level * VPN_BITS;

			at.gpa = table + BITS(va, shift + VPN_BITS - 1, shift) * sizeof(u64);
			at.slot = pte_slot(s, w, at.gpa, false);
			if (at.slot == NULL)
				return WALK_ACCESS_FAULT;
		}
		again = false;
		at.pte = atomic_load_explicit(at.slot, memory_order_acquire);
		if (pte_is_bad(at.pte))
			return WALK_PAGE_FAULT;
		if (at.pte & PTE_LEAF) {
			status = leaf_take(s, w, &at, va, access, out, &again);
			if (again)
				continue;
			out->global = global || at.pte & PTE_G;
			return status;
		}
		if (at.level == 0 || at.pte & (PTE_A | PTE_D | PTE_U | PTE_N))
			return WALK_PAGE_FAULT;
		global = global || at.pte & PTE_G;
		table = PTE_PPN(at.pte) << PAGE_SHIFT;
		at.level--;
	}
}
