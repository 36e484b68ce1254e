/* Changed code: see smc.h. */
#include "engine/smc.h"

#include "engine/back/jit/compile.h"
#include "engine/code.h"
#include "engine/isa.h"
#include "engine/tuning.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"
#include "mmu/tuning.h"

bool smc_init(struct gcpu *g, struct smc *s)
{
	s->link = heap_alloc(engine_tuning.smc_links * sizeof(*s->link));
	s->page = heap_alloc(engine_tuning.smc_pages * sizeof(*s->page));
	if (!s->link || !s->page)
		return false;
	s->link_count = 1;
	s->written = atomic_load(&g->space->watch.written);
	watch_join(g->space, &s->member, &g->in_guest);
	return true;
}

void smc_fini(struct gcpu *g, struct smc *s)
{
	if (s->member.in_guest)
		watch_part(g->space, &s->member);
	heap_free(s->page);
	heap_free(s->link);
}

bool smc_is_full(const struct smc *s)
{
	return s->pages + 2 > engine_tuning.smc_pages;
}

void smc_reset(struct code_cache *c)
{
	struct smc *s = &c->smc;

	memset(s->bucket, 0, sizeof(s->bucket));
	memset(s->page, 0, s->pages * sizeof(*s->page));
	s->suspects = NULL;
	s->pages = 0;
	s->link_count = 1;
	s->link_free = NO_LINK;
}

/* ---- pages ---- */

static struct smc_page **bucket_of(struct smc *s, gpa_t page)
{
	return &s->bucket[(page >> PAGE_SHIFT) * 0x9e3779b97f4a7c15ull >> 54];
}
_Static_assert(SMC_HASH == 1 << (64 - 54), "the hash is the product's upper bits");

static struct smc_page *page_find(struct smc *s, gpa_t page)
{
	struct smc_page *p = *bucket_of(s, page);

	while (p && p->gpa != page)
		p = p->next;
	return p;
}

static struct smc_page *page_make(struct smc *s, gpa_t page)
{
	struct smc_page *p = &s->page[s->pages++], **bucket = bucket_of(s, page);

	p->gpa = page;
	p->next = *bucket;
	return *bucket = p;
}

static void page_suspect(struct smc *s, struct smc_page *p, u64 since)
{
	p->since = since;
	if (p->suspect)
		return;
	p->suspect = true;
	p->next_suspect = s->suspects;
	s->suspects = p;
}

void smc_watch(struct gcpu *g, gpa_t gpa)
{
	struct smc *s = &g->code->smc;
	struct smc_page *p = page_find(s, gpa & PAGE_MASK);
	u64 before = atomic_load(&g->space->watch.watched), since;
	bool fresh = !p;

	if (!p)
		p = page_make(s, gpa & PAGE_MASK);
	if (!watch_begin(g->space, gpa, &since))
		p->unwatched = true;
	/* Others may not have heard of it, whoever began: of older entries nothing is known. */
	if (fresh || since != before || p->unwatched || p->written)
		page_suspect(s, p, since);
	p->written = false;
	smc_follow(g);
}

void smc_follow(struct gcpu *g)
{
	struct smc *s = &g->code->smc;
	struct code_watch *w = &g->space->watch;
	u64 seen = atomic_load(&s->member.seen);
	gpa_t page;

	while (seen != atomic_load(&w->watched)) {
		const struct range *r;
		gpa_t at;

		if (!watch_entry(w, false, seen, &page)) {
			seen = atomic_load(&w->watched);
			tlb_flush_all(g->tlb);
			break;
		}
		seen++;
		at = page & PAGE_MASK;
		r = space_find(g->space, at);
		if (r && r->host)
			tlb_watch(g->tlb, at, r->host + (at - r->base), page & 1);
	}
	atomic_store(&s->member.seen, seen);
}

/* ---- blocks ---- */

static void node_add(struct smc *s, struct smc_node *n, struct block *b, gpa_t gpa)
{
	struct smc_page *p = page_find(s, gpa & PAGE_MASK);

	n->block = b;
	n->next = p->blocks;
	n->prev = &p->blocks;
	if (n->next)
		n->next->prev = &n->next;
	p->blocks = n;
}

static void node_remove(struct smc_node *n)
{
	if (!n->prev)
		return;
	*n->prev = n->next;
	if (n->next)
		n->next->prev = n->prev;
	n->prev = NULL;
}

void smc_add(struct code_cache *c, struct block *b)
{
	node_add(&c->smc, &b->in_page[0], b, b->gpa);
	if (b->gpa2 != NO_PAGE)
		node_add(&c->smc, &b->in_page[1], b, b->gpa2);
}

void smc_remove(struct block *b)
{
	node_remove(&b->in_page[0]);
	node_remove(&b->in_page[1]);
}

/* ---- links ---- */

void smc_link(struct code_cache *c, struct jit_site *site, const struct block *to)
{
	struct smc *s = &c->smc;
	struct smc_page *p = page_find(s, to->gpa & PAGE_MASK);
	u32 n = s->link_free;

	if (n != NO_LINK) {
		s->link_free = s->link[n].next;
	} else {
		if (s->link_count == engine_tuning.smc_links)
			smc_unlink_all(c);
		n = s->link_count++;
	}
	s->link[n].site = code_place(c, site);
	s->link[n].to = code_place(c, to);
	s->link[n].next = p->links;
	p->links = n;
	jit_link(c, site, to);
	c->stats.linked++;
}

/* Cut link @n if what it leaves from remains. */
static void link_cut(struct code_cache *c, u32 n, bool remains)
{
	struct smc *s = &c->smc;

	if (remains)
		jit_link(c, code_at(c, s->link[n].site), NULL);
	s->link[n].next = s->link_free;
	s->link_free = n;
	c->stats.unlinked++;
}

/* The links to a page's blocks, back to the pool. A site may be in the list of more than one. */
static void page_unlink(struct code_cache *c, struct smc_page *p)
{
	for (u32 n = p->links, next; n != NO_LINK; n = next) {
		next = c->smc.link[n].next;
		link_cut(c, n, true);
	}
	p->links = NO_LINK;
}

void smc_unlink_sector(struct code_cache *c, u32 sector)
{
	struct smc *s = &c->smc;

	for (u32 i = 0; i < s->pages; i++)
		for (u32 *at = &s->page[i].links, n; (n = *at) != NO_LINK;) {
			bool from = code_place_sector(s->link[n].site) == sector;

			if (from || code_place_sector(s->link[n].to) == sector) {
				*at = s->link[n].next;
				link_cut(c, n, !from);
			} else {
				at = &s->link[n].next;
			}
		}
}

void smc_unlink(struct code_cache *c, const struct block *b)
{
	page_unlink(c, page_find(&c->smc, b->gpa & PAGE_MASK));
}

void smc_unlink_all(struct code_cache *c)
{
	for (u32 i = 0; i < c->smc.pages; i++)
		page_unlink(c, &c->smc.page[i]);
	c->smc.link_count = 1;
	c->smc.link_free = NO_LINK;
}

/* ---- the fence ---- */

static void page_stale(struct code_cache *c, struct smc_page *p)
{
	for (struct smc_node *n = p->blocks; n; n = n->next) {
		n->block->stale = true;
		code_jump_forget(c, n->block);
		if (n == &n->block->in_page[1])		/* links to it are with its first page */
			page_unlink(c, page_find(&c->smc, n->block->gpa & PAGE_MASK));
	}
	page_unlink(c, p);
}

static void page_written(struct code_cache *c, struct smc_page *p)
{
	p->written = true;
	page_stale(c, p);
}

static void all_written(struct code_cache *c)
{
	for (u32 i = 0; i < c->smc.pages; i++)
		page_written(c, &c->smc.page[i]);
}

static void suspects_stale(struct gcpu *g)
{
	struct smc *s = &g->code->smc;

	for (struct smc_page **at = &s->suspects, *p; (p = *at) != NULL;) {
		/* Ask first: what was written before the answer is seen below. */
		bool settled = !p->unwatched && watch_settled(g->space, &s->member, p->since);

		page_stale(g->code, p);
		if (!settled) {
			at = &p->next_suspect;
			continue;
		}
		p->suspect = false;
		*at = p->next_suspect;
	}
}

void smc_fence(struct gcpu *g)
{
	struct smc *s = &g->code->smc;
	struct code_watch *w = &g->space->watch;
	u64 head = atomic_load(&w->written);

	suspects_stale(g);
	if (head - s->written > mmu_tuning.watch_ring) {
		all_written(g->code);
		s->written = head;
	}
	while (s->written != head) {
		struct smc_page *p;
		gpa_t page;

		if (!watch_entry(w, true, s->written++, &page)) {
			all_written(g->code);
			s->written = head;
			break;
		}
		p = page_find(s, page);
		if (p)
			page_written(g->code, p);
	}
}
