/*
 * Software TLB: contexts, fills and flushes. The look-ups are inline in tlb.h.
 *
 * Forgetting keys is what flushes: a key is never used again before the arrays have been
 * swept, so entries tagged with a forgotten key are dead without being touched.
 */
#include "mmu/tlb.h"

#include "kernel/base/str.h"
#include "mmu/tuning.h"

/* All keys are used up: empty the arrays and begin again. No live key may remain. */
static void keys_sweep(struct mmu_tlb *t)
{
	memset(t->i.set, 0, sizeof(t->i.set));
	memset(t->d.set, 0, sizeof(t->d.set));
	memset(t->keys, 0, sizeof(t->keys));
	t->next_key = 1;
	t->generation++;
	if (t->lpt)
		lpt_flush_all(t->lpt);
}

static u32 key_new(struct mmu_tlb *t)
{
	if (t->next_key == 0 || t->next_key == mmu_tuning.tlb_keys)
		keys_sweep(t);
	return t->next_key++;
}

/* The key of a context, a new one if it has none. */
static u32 key_of(struct mmu_tlb *t, u32 asid, u32 class)
{
	u32 slot, key;

	for (slot = 0; slot < TLB_KEYS; slot++)
		if (t->keys[slot].key != 0 && t->keys[slot].asid == asid &&
		    t->keys[slot].class == class)
			return t->keys[slot].key;
	key = key_new(t);
	slot = t->victim_key++ % TLB_KEYS;
	t->keys[slot].asid = asid;
	t->keys[slot].class = class;
	t->keys[slot].key = key;
	return key;
}

static bool key_is_live(const struct mmu_tlb *t, u32 key)
{
	for (u32 i = 0; i < TLB_KEYS; i++)
		if (t->keys[i].key == key)
			return key != 0;
	return false;
}

void tlb_context(struct mmu_tlb *t, u32 asid, u32 class)
{
	u32 global;

	if (t->key != 0 && t->asid == asid && t->class == class)
		return;
	t->asid = asid;
	t->class = class;
	do {		/* making the second key may have swept the first away */
		global = key_of(t, t->high_local ? asid : TLB_GLOBAL, class);
		t->key = key_of(t, asid, class);
	} while (!key_is_live(t, global));
	t->fetch_key[0] = t->key;
	t->fetch_key[1] = global;
}

/* The current context's keys may be gone: it goes on with new ones. */
static void context_renew(struct mmu_tlb *t)
{
	t->key = 0;
	tlb_context(t, t->asid, t->class);
}

void tlb_high_is_local(struct mmu_tlb *t)
{
	t->high_local = true;
	t->generation++;
	context_renew(t);
}

/* Forget the keys of @asid, or of every context. */
static void keys_forget(struct mmu_tlb *t, bool every, u32 asid)
{
	for (u32 i = 0; i < TLB_KEYS; i++) {
		if (!every && t->keys[i].asid != asid)
			continue;
		if (t->lpt && t->keys[i].key != 0)
			lpt_flush_key(t->lpt, t->keys[i].key);
		t->keys[i].key = 0;
	}
	if (every)
		t->generation++;
	context_renew(t);
	t->flushes++;
}

void tlb_flush_all(struct mmu_tlb *t)
{
	keys_forget(t, true, 0);
	memset(t->big, 0, sizeof(t->big));
}

void tlb_flush_asid(struct mmu_tlb *t, u32 asid)
{
	keys_forget(t, false, asid);
}

/* True if there was an entry. */
static bool side_flush_page(struct tlb *side, gva_t va)
{
	struct tlb_entry *e = side->set[tlb_index(va)];
	u64 vpn = tlb_vpn(va >> PAGE_SHIFT);
	bool found = false;

	for (u32 way = 0; way < TLB_WAYS; way++) {
		u64 tag = e[way].read | e[way].write;

		if (tag == 0 || tlb_vpn(tag) != vpn)
			continue;
		e[way].read = e[way].write = 0;
		found = true;
	}
	return found;
}

void tlb_flush_page(struct mmu_tlb *t, gva_t va)
{
	const struct tlb_big *big = &t->big[va >> 63];

	va &= PAGE_MASK;
	if (va >= big->low && va < big->high) {
		tlb_flush_all(t);
		return;
	}
	if (side_flush_page(&t->i, va))
		t->generation++;
	side_flush_page(&t->d, va);
	if (t->lpt)
		lpt_flush_page(t->lpt, va);
	t->flushes++;
}

/* Remember that @va belongs to a guest page of @size bytes. */
static void big_note(struct mmu_tlb *t, gva_t va, u64 size)
{
	struct tlb_big *big = &t->big[va >> 63];
	gva_t low = ALIGN_DOWN(va, size);
	gva_t high = low + size > low ? low + size : UINT64_MAX;

	big->low = big->high == 0 ? low : MIN(big->low, low);
	big->high = MAX(big->high, high);
}

void tlb_fill(struct mmu_tlb *t, struct tlb *side, gva_t va, gpa_t gpa, u8 *host, bool read,
	      bool write, u64 big)
{
	struct tlb_entry *e = side->set[tlb_index(va)];
	u64 tag = tlb_tag(t, side, va);

	if (big > PAGE_SIZE)
		big_note(t, va, big);
	/* The newest is first; an older entry of the same page must not survive behind it. */
	if (e[0].read != tag && e[0].write != tag) {
		if (side == &t->i && key_is_live(t, (u32)(e[1].read >> (64 - TLB_KEY_BITS))))
			t->generation++;
		e[1] = e[0];
	}
	e[0] = (struct tlb_entry){
		.read = read ? tag : 0,
		.write = write ? tag : 0,
		.addend = (uptr)host - va,
		.gpa = gpa & PAGE_MASK,
	};
	t->fills++;
}

void tlb_protect(struct mmu_tlb *t, const u8 *host)
{
	uptr page = ALIGN_DOWN((uptr)host, PAGE_SIZE);

	for (u32 i = 0; i < TLB_SETS * TLB_WAYS; i++) {
		struct tlb_entry *e = &t->d.set[i / TLB_WAYS][i % TLB_WAYS];

		if (e->write != 0 && (tlb_vpn(e->write) << PAGE_SHIFT) + e->addend == page)
			e->write = 0;
	}
	if (t->lpt)
		lpt_protect(t->lpt, host);
}

/* Withdraw write permission from @va in every context. */
static void va_protect(struct mmu_tlb *t, gva_t va)
{
	struct tlb_entry *e = t->d.set[tlb_index(va)];

	for (u32 way = 0; way < TLB_WAYS; way++)
		if (e[way].write != 0 && tlb_vpn(e[way].write) == tlb_vpn(va >> PAGE_SHIFT))
			e[way].write = 0;
	if (t->lpt)
		lpt_protect_va(t->lpt, va);
}

void tlb_writer_note(struct mmu_tlb *t, gva_t va, gpa_t page)
{
	u32 i = t->writer_victim++ % mmu_tuning.tlb_writers;

	if (t->writer[i].page != 0)
		va_protect(t, t->writer[i].va);
	t->writer[i].va = va;
	t->writer[i].page = page | 1;		/* 0: free */
}

void tlb_watch(struct mmu_tlb *t, gpa_t page, const u8 *host, bool first)
{
	if (first)
		tlb_protect(t, host);
	for (u32 i = 0; i < TLB_WRITERS; i++)
		if (t->writer[i].page == (page | 1)) {
			va_protect(t, t->writer[i].va);
			t->writer[i].page = 0;
		}
}
