/*
 * Translation as the hart sees it: effective privilege, satp, PMP, and what of it is cached
 * in the TLB and in ctx. The table walk is mmu/walk_rv64.c. Privileged spec 3.1.6.3 (MPRV),
 * 4.2.1 (SFENCE.VMA), 4.3-4.6; CMO spec for the cache block operations.
 *
 * Caches are coherent here, so clean and flush only check permissions, and cbo.inval may
 * do the same: writing back before invalidating is always allowed.
 */
#include "engine/front/rv64/rv64.h"
#include "mmu/walk.h"

#define GPA_BITS 56

static enum rv64_priv data_priv(const struct rv64_state *st)
{
	return st->priv == PRIV_M && st->mstatus & MSTATUS_MPRV ?
	       (enum rv64_priv)BITS(st->mstatus, 12, 11) : (enum rv64_priv)st->priv;
}

static bool translates(const struct rv64_state *st, enum rv64_priv priv)
{
	return priv != PRIV_M && SATP_MODE(st->satp) != SATP_BARE;
}

/* Is a cache-block operation that @bits of envcfg enable permitted at this privilege? */
static bool envcfg_permits(const struct rv64_state *st, u64 bits)
{
	return (st->priv == PRIV_M || st->menvcfg & bits) &&
	       (st->priv != PRIV_U || st->senvcfg & bits);
}

/*
 * Everything that decides a translation at @priv besides the ASID, and for data; equal numbers
 * translate equally.
 */
static u32 tlb_class(const struct rv64_state *st, enum rv64_priv priv)
{
	return priv | (translates(st, priv) ? SATP_MODE(st->satp) << 2 : 0);
}

static u32 tlb_data_class(const struct rv64_state *st, enum rv64_priv priv)
{
	u32 sum_mxr = translates(st, priv) ? (u32)BITS(st->mstatus, 19, 18) : 0;

	return tlb_class(st, priv) | sum_mxr << 6;
}

void rv64_ctx_update(struct gcpu *g)
{
	const struct rv64_state *st = rv64_st(g);
	enum rv64_priv data = data_priv(st);
	u64 fs = st->mstatus & MSTATUS_FS;
	u32 ctx = st->priv;

	if (fs)
		ctx |= CTX_FP;
	if (fs == MSTATUS_FS)
		ctx |= CTX_FP_DIRTY;
	if (st->frm <= 4)
		ctx |= CTX_FRM | (fs ? (u32)st->frm << 7 : 0);
	if (envcfg_permits(st, ENVCFG_CBZE))
		ctx |= CTX_CBZE;
	if (!g->firmware)
		ctx |= CTX_SBI;
	g->ctx = ctx;
	tlb_context(g->tlb, translates(st, data) ? SATP_ASID(st->satp) : 0,
		    tlb_data_class(st, data), tlb_class(st, (enum rv64_priv)st->priv));
}

/* ---- translation ---- */

static void park_fault(struct gcpu *g, enum access access, gva_t va, bool page)
{
	static const u8 cause[2][3] = {
		{ [ACCESS_READ] = CAUSE_LOAD_ACCESS, [ACCESS_WRITE] = CAUSE_STORE_ACCESS,
		  [ACCESS_FETCH] = CAUSE_FETCH_ACCESS },
		{ [ACCESS_READ] = CAUSE_LOAD_PAGE, [ACCESS_WRITE] = CAUSE_STORE_PAGE,
		  [ACCESS_FETCH] = CAUSE_FETCH_PAGE },
	};

	gcpu_raise(g, cause[page][access], va);
}

void rv64_bus_fault(struct gcpu *g, gva_t va, gpa_t gpa, enum access access)
{
	park_fault(g, access, va, false);
}

void rv64_misaligned(struct gcpu *g, gva_t va, enum access access)
{
	gcpu_raise(g, access == ACCESS_READ ? CAUSE_LOAD_MISALIGNED :
		      access == ACCESS_WRITE ? CAUSE_STORE_MISALIGNED : CAUSE_FETCH_MISALIGNED, va);
}

/* Page-table accesses are checked as S-mode loads and stores. */
static bool walk_allowed(void *ctx, gpa_t gpa, u32 len, bool write)
{
	const struct gcpu *g = ctx;

	return rv64_pmp(rv64_st(g), PRIV_S, gpa, len) & (write ? PMP_W : PMP_R);
}

static bool translate_va(struct gcpu *g, enum rv64_priv priv, gva_t va, enum access access,
			 struct walk *out)
{
	const struct rv64_state *st = rv64_st(g);
	struct walk_rv64 w = {
		.satp = st->satp, .user = priv == PRIV_U,
		.sum = (st->mstatus & MSTATUS_SUM) != 0, .mxr = (st->mstatus & MSTATUS_MXR) != 0,
		.adue = (st->menvcfg & ENVCFG_ADUE) != 0, .allowed = walk_allowed, .ctx = g,
	};
	enum walk_status status = WALK_ACCESS_FAULT;

	if (translates(st, priv)) {
		status = walk_rv64(g->space, &w, va, access, out);
	} else if (va >> GPA_BITS == 0) {
		*out = (struct walk){ va, PAGE_SIZE, true, true, true, false };
		status = WALK_OK;
	}
	if (status != WALK_OK)
		park_fault(g, access, va, status == WALK_PAGE_FAULT);
	return status == WALK_OK;
}

/* How many bytes from @gpa on may be fetched, where PMP splits the page. */
static u32 fetchable(const struct rv64_state *st, gpa_t gpa)
{
	u32 n = 0, room = (u32)(PAGE_SIZE - gpa % PAGE_SIZE);

	while (n < room && rv64_pmp(st, st->priv, gpa + n, 2) & PMP_X)
		n += 2;
	return n;
}

/* Enter a page that PMP treats alike everywhere. */
static void enter(struct gcpu *g, gva_t va, enum access access, const struct walk *w, u32 pmp,
		  const struct range *r)
{
	struct mmu_tlb *t = g->tlb;
	bool fetch = access == ACCESS_FETCH, ram = r->kind == RANGE_RAM;
	bool write = ram && w->write && pmp & PMP_W;

	if (fetch && va >> 63 && !w->global && !t->high_local)
		tlb_high_is_local(t);
	if (access == ACCESS_WRITE) {
		if (watch_grant(r, w->gpa))
			tlb_writer_note(t, va & PAGE_MASK, w->gpa & PAGE_MASK);
		range_mark_dirty(r, w->gpa);
	} else if (r->dirty || range_watch_state(r, w->gpa)) {
		write = false;			/* the first store must come here again */
	}
	tlb_fill(t, fetch ? &t->i : &t->d, va, w->gpa, g->fill_host,
		 fetch || (w->read && pmp & PMP_R), !fetch && write, w->size);
}

bool rv64_fill(struct gcpu *g, gva_t va, u32 len, enum access access)
{
	static const u8 need[] = {
		[ACCESS_READ] = PMP_R, [ACCESS_WRITE] = PMP_W, [ACCESS_FETCH] = PMP_X
	};
	const struct rv64_state *st = rv64_st(g);
	enum rv64_priv priv = access == ACCESS_FETCH ? (enum rv64_priv)st->priv : data_priv(st);
	const struct range *r;
	struct walk w;
	u32 page, here;

	if (!translate_va(g, priv, va, access, &w))
		return false;
	page = here = rv64_pmp(st, priv, w.gpa & PAGE_MASK, PAGE_SIZE);
	g->fill_len = (u32)(PAGE_SIZE - w.gpa % PAGE_SIZE);
	if (page == PMP_SPLIT) {
		here = rv64_pmp(st, priv, w.gpa, access == ACCESS_FETCH ? 2 : len);
		g->fill_len = access == ACCESS_FETCH ? fetchable(st, w.gpa) : len;
	}
	if (!(here & need[access])) {
		park_fault(g, access, va, false);
		return false;
	}
	r = space_find(g->space, w.gpa);
	g->fill_gpa = w.gpa;
	g->fill_host = NULL;
	if (!r || r->kind == RANGE_MMIO || (r->kind == RANGE_ROM && access == ACCESS_WRITE))
		return true;
	g->fill_host = r->host + (w.gpa - r->base);
	if (page != PMP_SPLIT)
		enter(g, va, access, &w, page, r);
	else if (access == ACCESS_WRITE)
		range_mark_dirty(r, w.gpa);
	return true;
}

/* ---- fences ---- */

/* sfence.vma and sinval.vma; @insn tells which operands are x0. */
static u64 sfence_vma(struct gcpu *g, u64 va, u64 asid, u64 insn)
{
	const struct rv64_state *st = rv64_st(g);

	if (st->priv == PRIV_U || (st->priv == PRIV_S && st->mstatus & MSTATUS_TVM))
		return rv64_illegal(g, insn);
	if (BITS(insn, 19, 15))
		tlb_flush_page(g->tlb, va);
	else if (BITS(insn, 24, 20))
		tlb_flush_asid(g->tlb, (u32)asid & 0xffff);
	else
		tlb_flush_all(g->tlb);
	return 0;
}
const struct ir_helper rv64_sfence_vma = { "sfence.vma", sfence_vma, H_FAULT };

static u64 fence_i(struct gcpu *g, u64 a, u64 b, u64 c)
{
	atomic_fetch_or(&g->requests, REQ_FENCE_I);
	atomic_store(&g->attention, 1);		/* our own CPU: no need to kick it */
	return 0;
}
const struct ir_helper rv64_fence_i = { "fence.i", fence_i, 0 };

/* ---- cache blocks ---- */

/* Permitted if a load or a store is; the fault is a store's and reports the operand itself. */
static u64 cbo_check(struct gcpu *g, gva_t va)
{
	gva_t block = ALIGN_DOWN(va, (u64)RV64_CBO_BLOCK);

	if (rv64_fill(g, block, RV64_CBO_BLOCK, ACCESS_READ))
		return 0;
	g->xcpt.pending = false;
	if (!rv64_fill(g, block, RV64_CBO_BLOCK, ACCESS_WRITE))
		g->xcpt.value = va;
	return 0;
}

static u64 cbo_inval(struct gcpu *g, u64 va, u64 insn, u64 c)
{
	return envcfg_permits(rv64_st(g), ENVCFG_CBIE) ? cbo_check(g, va) : rv64_illegal(g, insn);
}
const struct ir_helper rv64_cbo_inval = { "cbo.inval", cbo_inval, H_FAULT };

static u64 cbo_clean(struct gcpu *g, u64 va, u64 insn, u64 c)
{
	return envcfg_permits(rv64_st(g), ENVCFG_CBCFE) ? cbo_check(g, va) : rv64_illegal(g, insn);
}
const struct ir_helper rv64_cbo_clean = { "cbo.clean", cbo_clean, H_FAULT };
