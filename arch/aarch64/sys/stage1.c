/*
 * Builder of EL2's own translation tables, see stage1.h. Blocks are split when a part of
 * them changes; tables are never folded back into blocks, so an entry that points to a table
 * stays that way for good and only leaves and splits ever change under the hardware's eyes.
 */
#include "arch/aarch64/sys/stage1.h"
#include "arch/mem.h"

#define DESC_VALID	BIT(0)
#define DESC_TABLE	BIT(1)		/* levels 0 to 2: table; level 3: page */
#define DESC_ATTR(n)	((u64)(n) << 2)
#define DESC_AP1	BIT(6)		/* RES1 where there is only one privilege level */
#define DESC_RO		BIT(7)
#define DESC_INNER	(3ull << 8)	/* inner shareable */
#define DESC_AF		BIT(10)
#define DESC_XN		BIT(54)
#define DESC_ADDR	0x0000fffffffff000ull

static u32 level_shift(u32 level)
{
	return 39 - 9 * level;
}

static u64 leaf_bits(u32 prot)
{
	u64 v = DESC_VALID | DESC_AP1 | DESC_INNER | DESC_AF;

	if (!prot)
		return 0;
	v |= DESC_ATTR(prot & PROT_DEVICE ? MAIR_DEVICE_NGNRE :
		       prot & PROT_WC ? MAIR_NORMAL_NC : MAIR_NORMAL);
	if (!(prot & PROT_W))
		v |= DESC_RO;
	if (!(prot & PROT_X))
		v |= DESC_XN;
	return v;
}

static void entry_store(struct stage1 *s, u64 *entry, u64 value)
{
	/* Permissions may change in place; another size, type or address may not. */
	bool change = (*entry & DESC_VALID) && (value & DESC_VALID) &&
		      ((*entry ^ value) & ~(DESC_RO | DESC_XN));

	if (s->store)
		s->store(entry, value, change);
	else
		*entry = value;
}

static u64 *table_of(u64 entry)
{
	return (u64 *)(uptr)(entry & DESC_ADDR);
}

/* The table below @entry of @level, made if need be: empty, or mapping what the block mapped. */
static u64 *table_below(struct stage1 *s, u64 *entry, u32 level)
{
	u64 *t, old = *entry;

	if ((old & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE))
		return table_of(old);
	if (s->pool_used == s->pool_len)
		return NULL;
	t = s->pool[s->pool_used++];
	if (old & DESC_VALID)
		for (u64 i = 0; i < STAGE1_ENTRIES; i++)
			t[i] = (old + (i << level_shift(level + 1))) |
			       (level == 2 ? DESC_TABLE : 0);
	entry_store(s, entry, stage1_table(t));
	return t;
}

struct span {
	u64 va, end, pa, bits;
	bool pages;
};

static bool leaf_fits(const struct span *m, u32 level, u64 entry)
{
	u64 size = 1ull << level_shift(level);

	if (level == 3)
		return true;
	return level > 0 && !m->pages && !((m->va | m->pa) % size) && m->end - m->va >= size &&
	       (entry & (DESC_VALID | DESC_TABLE)) != (DESC_VALID | DESC_TABLE);
}

/* Map as much of @m as lies under @table, advancing it. */
static err_t table_map(struct stage1 *s, u64 *table, u32 level, struct span *m)
{
	u64 size = 1ull << level_shift(level);
	u32 i = m->va >> level_shift(level) & (STAGE1_ENTRIES - 1);
	u64 *below, leaf;
	err_t e;

	for (; i < STAGE1_ENTRIES && m->va < m->end; i++) {
		if (!m->bits && !(table[i] & DESC_VALID)) {	/* nothing to unmap */
			u64 next = MIN(ALIGN_DOWN(m->va, size) + size, m->end);

			m->pa += next - m->va;
			m->va = next;
			continue;
		}
		if (leaf_fits(m, level, table[i])) {
			leaf = level == 3 ? DESC_TABLE : 0;
			entry_store(s, &table[i], m->bits ? m->pa | m->bits | leaf : 0);
			m->va += size;
			m->pa += size;
			continue;
		}
		below = table_below(s, &table[i], level);
		if (!below)
			return ERRF(E_NOMEM, "out of memory for translation tables");
		e = table_map(s, below, level + 1, m);
		if (e)
			return e;
	}
	return OK;
}

err_t stage1_init(struct stage1 *s, void *pool, u32 pages)
{
	*s = (struct stage1){ .pool = pool, .pool_len = pages };
	if (!pages)
		return ERR(E_NOMEM);
	s->root = s->pool[s->pool_used++];
	return OK;
}

err_t stage1_map(struct stage1 *s, u64 va, u64 pa, u64 len, u32 prot, bool pages)
{
	struct span m = {
		.va = va, .end = va + len, .pa = pa, .bits = leaf_bits(prot), .pages = pages,
	};

	if ((va | pa | len) & ~PAGE_MASK)
		return ERRF(E_INVAL, "mapping is not page aligned");
	if (len > BIT(48) || va > BIT(48) - len || pa > BIT(48) - len)
		return ERRF(E_RANGE, "mapping beyond 48 bits");
	return table_map(s, s->root, 0, &m);
}

u64 stage1_page(u64 pa, u32 prot)
{
	return pa | leaf_bits(prot) | DESC_TABLE;
}

u64 stage1_table(const u64 *table)
{
	return (u64)(uptr)table | DESC_VALID | DESC_TABLE;
}

u64 *stage1_gib(struct stage1 *s, u64 va)
{
	u64 *t = table_below(s, &s->root[va >> level_shift(0) & (STAGE1_ENTRIES - 1)], 0);

	return t ? &t[va >> level_shift(1) & (STAGE1_ENTRIES - 1)] : NULL;
}

u64 stage1_lookup(const struct stage1 *s, u64 va, u32 *level)
{
	u64 entry, *t = s->root;

	for (*level = 0;; ++*level) {
		entry = t[va >> level_shift(*level) & (STAGE1_ENTRIES - 1)];
		if (!(entry & DESC_VALID))
			return 0;
		if (*level == 3 || !(entry & DESC_TABLE))
			return entry;
		t = table_of(entry);
	}
}
