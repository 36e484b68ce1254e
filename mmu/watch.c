/* Code watch: see watch.h. The lock orders ring entries; it is a leaf and held for a few stores. */
#include "mmu/watch.h"

#include "mmu/space.h"
#include "mmu/tuning.h"

void watch_join(struct space *s, struct watch_member *m, const _Atomic bool *in_guest)
{
	struct code_watch *w = &s->watch;

	m->in_guest = in_guest;
	lock_take(&w->lock);
	atomic_store(&m->seen, atomic_load(&w->watched));	/* its TLB is empty */
	m->next = w->members;
	w->members = m;
	lock_drop(&w->lock);
}

void watch_part(struct space *s, struct watch_member *m)
{
	struct code_watch *w = &s->watch;

	lock_take(&w->lock);
	for (struct watch_member **p = &w->members; *p; p = &(*p)->next)
		if (*p == m) {
			*p = m->next;
			break;
		}
	lock_drop(&w->lock);
}

static _Atomic u8 *page_state(const struct range *r, gpa_t gpa)
{
	return &r->watch_state[(gpa - r->base) >> PAGE_SHIFT];
}

bool watch_begin(struct space *s, gpa_t gpa, u64 *since)
{
	struct code_watch *w = &s->watch;
	const struct range *r = space_find(s, gpa);
	u8 old;

	*since = atomic_load(&w->watched);
	if (!r || !r->watch_state)
		return false;
	lock_take(&w->lock);	/* also if it is watched: its entry may be in the making */
	old = atomic_fetch_or(page_state(r, gpa), WATCH_NOW | WATCH_EVER);
	if (!(old & WATCH_NOW)) {
		u64 n = atomic_load(&w->watched);

		w->watched_page[n % mmu_tuning.watch_ring] =
			(gpa & PAGE_MASK) | !(old & WATCH_EVER);
		atomic_store(&w->watched, n + 1);
	}
	*since = atomic_load(&w->watched);
	lock_drop(&w->lock);
	return true;
}

bool watch_settled(struct space *s, const struct watch_member *self, u64 since)
{
	struct code_watch *w = &s->watch;
	bool settled = true;

	lock_take(&w->lock);
	for (const struct watch_member *m = w->members; m && settled; m = m->next)
		settled = m == self || !atomic_load(m->in_guest) || atomic_load(&m->seen) >= since;
	lock_drop(&w->lock);
	return settled;
}

void watch_written(const struct range *r, gpa_t gpa)
{
	struct code_watch *w = r->watch;

	lock_take(&w->lock);
	if (atomic_fetch_and(page_state(r, gpa), (u8)~WATCH_NOW) & WATCH_NOW) {
		u64 n = atomic_load(&w->written);

		w->written_page[n % mmu_tuning.watch_ring] = gpa & PAGE_MASK;
		atomic_store(&w->written, n + 1);
	}
	lock_drop(&w->lock);
}

bool watch_grant(const struct range *r, gpa_t gpa)
{
	u8 ever = WATCH_EVER;

	if (!range_watch_state(r, gpa))
		return false;
	if (atomic_compare_exchange_strong(page_state(r, gpa), &ever, 0))
		return false;
	watch_written(r, gpa);
	return true;
}

bool watch_entry(struct code_watch *w, bool written, u64 seen, gpa_t *page)
{
	u64 head;

	lock_take(&w->lock);
	head = atomic_load(written ? &w->written : &w->watched);
	*page = (written ? w->written_page : w->watched_page)[seen % mmu_tuning.watch_ring];
	lock_drop(&w->lock);
	return head - seen <= mmu_tuning.watch_ring;
}
