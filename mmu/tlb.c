/*
 * Software TLB: contexts, fills and flushes. The look-ups are inline in tlb.h.
 *
 * Forgetting keys is what flushes: a key is never used again before the arrays have been
 * swept, so entries tagged with a forgotten key are dead without being touched.
 */
#include "mmu/tlb.h"

#include "kernel/base/str.h"
#include "mmu/tuning.h"

/* ---- what was fetched ---- */

static void code_forget(struct mmu_tlb *t, u32 half)
{
	t->generation[half]++;
	memset(t->lost[half], 0, sizeof(t->lost[half]));
}

static u32 lost_hash(u64 vpn)
{
	return vpn * 0x9e3779b97f4a7c15ull >> 52;
}
_Static_assert(TLB_LOST == 1 << (64 - 52), "the hash is the product's upper bits");

static void lost_note(struct mmu_tlb *t, u64 vpn)
{
	u32 bit = lost_hash(vpn);

	t->lost[tlb_half(vpn)][bit / 64] |= BIT(bit % 64);
}

static bool lost_has(const struct mmu_tlb *t, u64 vpn)
{
	u32 bit = lost_hash(vpn);

	return t->lost[tlb_half(vpn)][bit / 64] >> bit % 64 & 1;
}

/* ---- keys and contexts ---- */

/* All keys are used up: empty the arrays and begin again. No live key may remain. */
static void keys_sweep(struct mmu_tlb *t)
{
	memset(t->i.set, 0, sizeof(t->i.set));
	memset(t->d.set, 0, sizeof(t->d.set));
	memset(t->keys, 0, sizeof(t->keys));
	t->next_key = 1;
	code_forget(t, 0);
	code_forget(t, 1);
	if (t->lpt)
		lpt_flush_all(t->lpt);
}

static u32 key_new(struct mmu_tlb *t)
{
	if (t->next_key == 0 || t->next_key == mmu_tuning.tlb_keys)
		keys_sweep(t);
	return t->next_key++;
}

/* A place for a new key: what has been used since the last look at it gets a second chance. */
static u32 key_slot(struct mmu_tlb *t)
{
	u32 slot = t->victim_key++ % TLB_KEYS;

	while (t->keys[slot].used) {
		t->keys[slot].used = false;
		slot = t->victim_key++ % TLB_KEYS;
	}
	return slot;
}

/* The key of a context, a new one if it has none. */
static u32 key_of(struct mmu_tlb *t, u32 asid, u32 class)
{
	u32 slot, key;

	for (slot = 0; slot < TLB_KEYS; slot++)
		if (t->keys[slot].key != 0 && t->keys[slot].asid == asid &&
		    t->keys[slot].class == class) {
			t->keys[slot].used = true;
			return t->keys[slot].key;
		}
	key = key_new(t);
	slot = key_slot(t);
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

void tlb_context(struct mmu_tlb *t, u32 asid, u32 class, u32 fetch_class)
{
	if (t->key != 0 && t->asid == asid && t->class == class && t->fetch_class == fetch_class)
		return;
	t->asid = asid;
	t->class = class;
	t->fetch_class = fetch_class;
	do {		/* making the last key may have swept the others away */
		t->fetch_key[1] = key_of(t, t->high_local ? asid : TLB_GLOBAL, fetch_class);
		t->fetch_key[0] = key_of(t, asid, fetch_class);
		t->key = key_of(t, asid, class);
	} while (!key_is_live(t, t->fetch_key[1]) || !key_is_live(t, t->fetch_key[0]));
}

/* The current context's keys may be gone: it goes on with new ones. */
static void context_renew(struct mmu_tlb *t)
{
	t->key = 0;
	tlb_context(t, t->asid, t->class, t->fetch_class);
}

void tlb_high_is_local(struct mmu_tlb *t)
{
	t->high_local = true;
	code_forget(t, 1);
	context_renew(t);
}

/* ---- flushes ---- */

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
	for (u32 half = 0; every && half < 2; half++)
		code_forget(t, half);
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

static bool entry_is_live(const struct mmu_tlb *t, const struct tlb_entry *e)
{
	return key_is_live(t, (u32)((e->read | e->write) >> (64 - TLB_KEY_BITS)));
}

/* True if there was an entry of a context that still exists. */
static bool side_flush_page(const struct mmu_tlb *t, struct tlb *side, gva_t va)
{
	struct tlb_entry *e = side->set[tlb_index(va)];
	u64 vpn = tlb_vpn(va >> PAGE_SHIFT);
	bool found = false;

	for (u32 way = 0; way < TLB_WAYS; way++) {
		u64 tag = e[way].read | e[way].write;

		if (tag == 0 || tlb_vpn(tag) != vpn)
			continue;
		found |= entry_is_live(t, &e[way]);
		e[way].read = e[way].write = 0;
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
	if (side_flush_page(t, &t->i, va) || lost_has(t, va >> PAGE_SHIFT))
		code_forget(t, va >> 63);
	side_flush_page(t, &t->d, va);
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

/* ---- fills ---- */

void tlb_fill(struct mmu_tlb *t, struct tlb *side, gva_t va, gpa_t gpa, u8 *host, bool read,
	      bool write, u64 big)
{
	struct tlb_entry *e = side->set[tlb_index(va)];
	u64 tag = tlb_tag(t, side, va);

	if (big > PAGE_SIZE)
		big_note(t, va, big);
	/* The newest is first; an older entry of the same page must not survive behind it. */
	if (e[0].read != tag && e[0].write != tag) {
		if (side == &t->i && e[1].read != tag && entry_is_live(t, &e[1]))
			lost_note(t, tlb_vpn(e[1].read));
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
