/* The linear page table: see lpt.h. Emptying a slot undoes what was entered, entry by entry. */
#include "mmu/lpt.h"

#include "arch/mem.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "mmu/tuning.h"

static u64 array_entries(const struct lpt *l)
{
	return BIT(l->bits);
}

/* What an empty entry adds; see lpt.h. */
static u64 poison(const struct lpt *l, u64 index)
{
	return index < array_entries(l) / 2 ? BIT(l->bits + PAGE_SHIFT - 1) : 0;
}

static u64 table_bytes(const struct lpt *l)
{
	return 2 * 8 * array_entries(l);
}

static bool slot_init(struct lpt *l, struct lpt_slot *s, bool views)
{
	u64 low = poison(l, 0), fill[4] = { low, 0, low, 0 };

	s->table = arch_sparse_alloc(table_bytes(l), fill, ARRAY_LEN(fill));
	s->filled = heap_alloc(mmu_tuning.lpt_filled * sizeof(*s->filled));
	s->view = views ? view_new(l->ram) : NULL;
	return s->table && s->filled && (s->view || !views);
}

err_t lpt_init(struct lpt *l, u8 *ram, u64 ram_size, bool views)
{
	*l = (struct lpt){ .ram = ram, .ram_size = ram_size, .bits = LPT_BITS_MIN };
	while (l->bits <= LPT_BITS_MAX && BIT(l->bits + PAGE_SHIFT - 1) < ram_size)
		l->bits++;
	if (l->bits > LPT_BITS_MAX)
		return ERRF(E_RANGE, "translated code can address %llu GiB of guest memory",
			    1ull << (LPT_BITS_MAX + PAGE_SHIFT - 31));
	for (u32 i = 0; i < LPT_SLOTS; i++)
		if (!slot_init(l, &l->slot[i], views)) {
			lpt_fini(l);
			return ERRF(E_NOMEM, "no address space for page tables of translated code");
		}
	l->now = &l->slot[0];
	return OK;
}

void lpt_fini(struct lpt *l)
{
	for (u32 i = 0; i < LPT_SLOTS; i++) {
		if (l->slot[i].table)
			arch_sparse_free(l->slot[i].table, table_bytes(l));
		heap_free(l->slot[i].filled);
		view_free(l->slot[i].view);
		l->slot[i] = (struct lpt_slot){ 0 };
	}
}

void lpt_adopt(struct lpt *l)
{
	for (u32 i = 0; i < LPT_SLOTS; i++) {
		arch_sparse_adopt(l->slot[i].table);
		if (l->slot[i].view)
			arch_view_adopt(l->slot[i].view->base);
	}
}

static void entry_clear(struct lpt *l, struct lpt_slot *s, u64 index)
{
	u64 *read = &s->table[index], *write = read + array_entries(l), p = poison(l, index);

	/* What still is empty may not be writable memory yet. */
	if (*read != p)
		*read = p;
	if (*write != p)
		*write = p;
}

static void slot_empty(struct lpt *l, struct lpt_slot *s)
{
	for (u32 i = 0; i < s->count; i++)
		entry_clear(l, s, s->filled[i]);
	l->flushes += s->count != 0;
	s->count = 0;
	if (s->view)
		view_empty(s->view);
	memset(s->maybe, 0, sizeof(s->maybe));
}

void lpt_select(struct lpt *l, u32 key)
{
	struct lpt_slot *s;

	for (s = l->slot; s < l->slot + LPT_SLOTS; s++)
		if (s->key == key) {
			l->now = s;
			return;
		}
	s = &l->slot[l->victim++ % LPT_SLOTS];
	slot_empty(l, s);
	s->key = key;
	l->now = s;
}

void lpt_fill(struct lpt *l, gva_t va, const u8 *host, bool write)
{
	struct lpt_slot *s = l->now;
	u64 index = lpt_index(l, va), offset = (uptr)host - (uptr)l->ram;
	u64 *at = &s->table[index + (write ? array_entries(l) : 0)];

	if (!s->key || offset >= l->ram_size || *at == offset - va ||
	    !arch_sparse_touch(s->table, at))
		return;
	if (s->count == mmu_tuning.lpt_filled)
		slot_empty(l, s);
	s->filled[s->count++] = (u32)index;
	s->maybe[index % LPT_MAYBE / 64] |= BIT(index % 64);
	*at = offset - va;
	l->fills++;
}

void lpt_fill_view(struct lpt *l, gva_t va, const u8 *host, bool write)
{
	u64 offset = (uptr)host - (uptr)l->ram;

	lpt_fill(l, va, host, write);
	if (!l->now->key || offset >= l->ram_size || view_map(l->now->view, va, offset, write))
		return;
	/* Pages are short, perhaps because others have them all. */
	for (u32 i = 0; i < LPT_SLOTS; i++)
		slot_empty(l, &l->slot[i]);
}

u32 lpt_lost(const struct lpt *l)
{
	u32 lost = 0;

	for (u32 i = 0; i < LPT_SLOTS; i++)
		lost += l->slot[i].view->lost;
	return lost;
}

/* False: nothing was entered there, which is known without touching the table. */
static bool slot_may_have(const struct lpt_slot *s, u64 index)
{
	return s->maybe[index % LPT_MAYBE / 64] >> index % 64 & 1;
}

void lpt_flush_page(struct lpt *l, gva_t va)
{
	u64 index = lpt_index(l, va);

	for (u32 i = 0; i < LPT_SLOTS; i++) {
		struct lpt_slot *s = &l->slot[i];

		if (slot_may_have(s, index))
			entry_clear(l, s, index);
		if (s->view)
			view_unmap(s->view, va);
	}
}

void lpt_protect_va(struct lpt *l, gva_t va)
{
	u64 index = lpt_index(l, va);

	for (u32 i = 0; i < LPT_SLOTS; i++) {
		u64 *write = &l->slot[i].table[index + array_entries(l)];

		if (*write != poison(l, index))
			*write = poison(l, index);
		if (l->slot[i].view)
			view_protect_va(l->slot[i].view, va);
	}
}

void lpt_flush_key(struct lpt *l, u32 key)
{
	for (u32 i = 0; i < LPT_SLOTS; i++)
		if (l->slot[i].key == key) {
			slot_empty(l, &l->slot[i]);
			l->slot[i].key = 0;
		}
}

void lpt_flush_all(struct lpt *l)
{
	for (u32 i = 0; i < LPT_SLOTS; i++) {
		slot_empty(l, &l->slot[i]);
		l->slot[i].key = 0;
	}
}

static void slot_protect(struct lpt *l, struct lpt_slot *s, u64 page)
{
	for (u32 k = 0; k < s->count; k++) {
		u64 index = s->filled[k];
		u64 *write = &s->table[index + array_entries(l)];

		/* The page's own va is the only one of this index that leads into RAM. */
		if ((((index << PAGE_SHIFT) + *write - page) & MASK(l->bits + PAGE_SHIFT)) == 0)
			*write = poison(l, index);
	}
}

void lpt_protect(struct lpt *l, const u8 *host)
{
	u64 page = ALIGN_DOWN((uptr)host - (uptr)l->ram, PAGE_SIZE);

	for (u32 i = 0; i < LPT_SLOTS; i++) {
		slot_protect(l, &l->slot[i], page);
		if (l->slot[i].view)
			view_protect(l->slot[i].view, page);
	}
}
