/* Views: see view.h. The pages themselves are mapped by the host (arch_view_map). */
#include "mmu/view.h"

#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "mmu/tuning.h"

#define NOWHERE		UINT32_MAX

/* Entries of the hash table: a power of two, at least twice as many as pages. */
static u32 index_size(void)
{
	return 2 * mmu_tuning.view_pages;
}

struct view *view_new(u8 *ram)
{
	struct view *v = heap_alloc(sizeof(*v));

	if (!v)
		return NULL;
	v->ram = ram;
	v->page = heap_alloc(mmu_tuning.view_pages * sizeof(*v->page));
	v->index = heap_alloc(index_size() * sizeof(*v->index));
	v->base = v->page && v->index ? arch_view_alloc() : NULL;
	if (v->base)
		return v;
	view_free(v);
	return NULL;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	arch_view_free(v->base);
	heap_free(v->index);
	heap_free(v->page);
	heap_free(v);
}

/* Number of @va's page in the view, or NOWHERE. */
static u32 page_of(gva_t va)
{
	u64 at = va + VIEW_SIZE / 2;

	return at < VIEW_SIZE ? (u32)(at >> PAGE_SHIFT) : NOWHERE;
}

static u8 *address_of(const struct view *v, u32 page)
{
	return v->base + ((u64)page << PAGE_SHIFT);
}

/* ---- the book ---- */

static u32 home_of(u32 page)
{
	return (page * 0x9e3779b1u >> 8) & (index_size() - 1);
}

static u32 after(u32 i)
{
	return (i + 1) & (index_size() - 1);
}

/* Where @page is in the index, or would be. */
static u32 index_find(const struct view *v, u32 page)
{
	u32 i = home_of(page);

	while (v->index[i] && v->page[v->index[i] - 1].page != page)
		i = after(i);
	return i;
}

static struct view_page *page_find(const struct view *v, u32 page)
{
	u32 n = v->index[index_find(v, page)];

	return page != NOWHERE && n ? &v->page[n - 1] : NULL;
}

/* What follows the hole @i moves up if its way from home leads over it. */
static void index_remove(struct view *v, u32 i)
{
	u32 hole = i;

	for (i = after(i); v->index[i]; i = after(i)) {
		u32 way = i - home_of(v->page[v->index[i] - 1].page);

		if ((way & (index_size() - 1)) < ((i - hole) & (index_size() - 1)))
			continue;
		v->index[hole] = v->index[i];
		hole = i;
	}
	v->index[hole] = 0;
}

/* The last page takes its place. */
static void page_remove(struct view *v, struct view_page *p)
{
	struct view_page *last = &v->page[v->count - 1];

	index_remove(v, index_find(v, p->page));
	if (p != last) {
		v->index[index_find(v, last->page)] = (u16)(p - v->page + 1);
		*p = *last;
	}
	v->count--;
}

/* ---- mapping ---- */

bool view_map(struct view *v, gva_t va, u64 offset, bool write)
{
	u32 n = page_of(va), ram = (u32)(offset >> PAGE_SHIFT);
	struct view_page *p = page_find(v, n);

	if (n == NOWHERE)
		return true;		/* nobody will look for it here */
	if (!p && v->count == mmu_tuning.view_pages)
		return false;
	if (p && p->ram == ram && p->write >= write)
		return true;
	if (!arch_view_map(address_of(v, n), v->ram + ALIGN_DOWN(offset, PAGE_SIZE), write, !p)) {
		if (p)
			page_remove(v, p);
		return false;
	}
	if (!p) {
		p = &v->page[v->count];
		p->page = n;
		v->index[index_find(v, n)] = (u16)++v->count;
	}
	p->ram = ram & MASK(31);
	p->write = write;
	return true;
}

void view_unmap(struct view *v, gva_t va)
{
	struct view_page *p = page_find(v, page_of(va));

	if (!p)
		return;
	arch_view_unmap(address_of(v, p->page));
	page_remove(v, p);
	v->lost++;
}

static void page_protect(const struct view *v, struct view_page *p)
{
	if (!p->write)
		return;
	p->write = false;
	arch_view_protect(address_of(v, p->page));
}

void view_protect_va(struct view *v, gva_t va)
{
	struct view_page *p = page_find(v, page_of(va));

	if (p)
		page_protect(v, p);
}

void view_protect(struct view *v, u64 offset)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->page[i].ram == offset >> PAGE_SHIFT)
			page_protect(v, &v->page[i]);
}

void view_empty(struct view *v)
{
	if (!v->count)
		return;
	arch_view_empty(v->base);
	v->lost += v->count;
	memset(v->index, 0, index_size() * sizeof(*v->index));
	v->count = 0;
}
