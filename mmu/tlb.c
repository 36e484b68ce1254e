/*
 * Software TLB: contexts, fills and flushes. The look-ups are inline in tlb.h.
 *
 * Forgetting keys is what flushes: a key is never used again before the arrays have been
 * swept, so entries tagged with a forgotten key are dead without being touched.
 */
#include "mmu/tlb.h"

#include "kernel/base/str.h"

#define KEY_END BIT(TLB_KEY_BITS)

/* All keys are used up: empty the arrays and begin again. No live key may remain. */
static void keys_sweep(struct mmu_tlb *t)
{
	memset(t->i.set, 0, sizeof(t->i.set));
	memset(t->d.set, 0, sizeof(t->d.set));
	memset(t->keys, 0, sizeof(t->keys));
	t->next_key = 1;
	t->generation++;
}

static u32 key_new(struct mmu_tlb *t)
{
	if (t->next_key == 0 || t->next_key == KEY_END)
		keys_sweep(t);
	return t->next_key++;
}

void tlb_context(struct mmu_tlb *t, u32 asid, u32 class)
{
	u32 slot, key;

	for (slot = 0; slot < TLB_KEYS; slot++) {
		if (t->keys[slot].key != 0 && t->keys[slot].asid == asid &&
		    t->keys[slot].class == class) {
			t->key = t->keys[slot].key;
			return;
		}
	}
	key = key_new(t);
	slot = t->victim_key++ % TLB_KEYS;
	t->keys[slot].asid = asid;
	t->keys[slot].class = class;
	t->keys[slot].key = t->key = key;
}

/* Forget the keys of @asid, or of every context; the current context goes on with a new one. */
static void keys_forget(struct mmu_tlb *t, bool every, u32 asid)
{
	u32 current = TLB_KEYS;

	for (u32 i = 0; i < TLB_KEYS; i++) {
		if (!every && t->keys[i].asid != asid)
			continue;
		if (t->keys[i].key != 0 && t->keys[i].key == t->key)
			current = i;
		t->keys[i].key = 0;
	}
	if (current < TLB_KEYS)
		tlb_context(t, t->keys[current].asid, t->keys[current].class);
	t->generation++;
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

static void side_flush_page(struct tlb *side, gva_t va)
{
	struct tlb_entry *e = side->set[tlb_index(va)];
	u64 vpn = va >> PAGE_SHIFT;

	for (u32 way = 0; way < TLB_WAYS; way++)
		if (tlb_vpn(e[way].read | e[way].write) == vpn)
			e[way].read = e[way].write = 0;
}

void tlb_flush_page(struct mmu_tlb *t, gva_t va)
{
	const struct tlb_big *big = &t->big[va >> 63];

	va &= PAGE_MASK;
	if (va >= big->low && va < big->high) {
		tlb_flush_all(t);
		return;
	}
	side_flush_page(&t->i, va);
	side_flush_page(&t->d, va);
	t->generation++;
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
	u64 tag = tlb_tag(t, va);

	if (big > PAGE_SIZE)
		big_note(t, va, big);
	/* The newest is first; an older entry of the same page must not survive behind it. */
	if (e[0].read != tag && e[0].write != tag)
		e[1] = e[0];
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
}
