/*
 * Code watch: which pages of guest RAM hold code that some CPU has translated, and which of them
 * were written since. It lets a CPU that must see changed code (FENCE.I, IC IVAU) look only at
 * what was really written, whoever wrote it: itself, another CPU, a device.
 *
 *  - A CPU watches a page before it reads code from it. No CPU may then keep write permission in
 *    its TLB: the next store comes to range_mark_dirty(), which ends the watch and logs the page.
 *  - Both events go into rings. Each CPU follows the ring of watched pages and withdraws its
 *    write permissions; translating CPUs follow the ring of written ones.
 *  - A CPU that has not followed yet may still write unseen, so a page counts as watched only
 *    when every CPU has either followed up to its entry or is outside the guest, where it follows
 *    before it enters. Until then the translating CPU must suspect the page at every fence.
 *
 * Nobody waits for anybody. Rings that overflow make their followers assume the worst.
 */
#pragma once

#include "kernel/base/lock.h"

#define WATCH_RING	1024		/* at most: mmu_tuning.watch_ring */

enum {
	WATCH_NOW = 1 << 0,	/* watched: a write is to be logged */
	WATCH_EVER = 1 << 1,	/* was watched before: writers are few and remembered */
};

/* A CPU that may write to the space through a TLB. */
struct watch_member {
	_Atomic u64 seen;		/* entries of the ring of watched pages it has followed */
	const _Atomic bool *in_guest;
	struct watch_member *next;
};

struct code_watch {
	struct lock lock;
	_Atomic u64 watched, written;		/* entries ever made */
	gpa_t watched_page[WATCH_RING];		/* bit 0: for the first time */
	gpa_t written_page[WATCH_RING];
	struct watch_member *members;
};

struct range;
struct space;

void watch_join(struct space *s, struct watch_member *m, const _Atomic bool *in_guest);
void watch_part(struct space *s, struct watch_member *m);

/*
 * Watch the page of @gpa. *@since gets the number of ring entries by which every CPU is to have
 * followed. False: it is no RAM, nothing will be logged.
 */
bool watch_begin(struct space *s, gpa_t gpa, u64 *since);
/* Has every CPU but @self followed up to @since? */
bool watch_settled(struct space *s, const struct watch_member *self, u64 since);

/* range_mark_dirty() of a watched page. */
void watch_written(const struct range *r, gpa_t gpa);
/*
 * A TLB is about to grant writing to the page of @gpa. True: it holds code, and the TLB must
 * remember the writer. One that is written twice without being watched in between has become data:
 * it is forgotten that it ever was anything else.
 */
bool watch_grant(const struct range *r, gpa_t gpa);

/* An entry of a ring, with the place in it that @seen names; false: overwritten already. */
bool watch_entry(struct code_watch *w, bool written, u64 seen, gpa_t *page);
