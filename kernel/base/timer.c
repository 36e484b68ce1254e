/*
 * Timer queues: a pairing heap per host CPU, threaded through the timers themselves, so that
 * arming never fails. Fredman et al., "The pairing heap", 1986.
 *
 * Who guards a timer that may move? t->queue names the queue whose lock guards it; it
 * changes only under that lock, so: read it, take the lock, look again. While a timer
 * fires it does not move, hence q->firing of its own queue is all that a cancel looks at.
 */
#include "kernel/base/timer.h"

#include "arch/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"

/* One heap of two; the earlier root keeps its place, the other becomes its first child. */
static struct timer *heap_meld(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->deadline < a->deadline) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	b->link = &a->child;
	if (b->next)
		b->next->link = &b->next;
	a->child = b;
	return a;
}

/* One heap of a list of siblings: meld them in pairs, then the pairs from the last to the first. */
static struct timer *heap_gather(struct timer *list)
{
	struct timer *pairs = NULL, *heap = NULL;

	while (list) {
		struct timer *a = list, *b = a->next;

		list = b ? b->next : NULL;
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *rest = pairs->next;

		heap = heap_meld(heap, pairs);
		pairs = rest;
	}
	return heap;
}

static void queue_set_root(struct timer_queue *q, struct timer *root)
{
	q->root = root;
	if (!root)
		return;
	root->next = NULL;
	root->link = &q->root;
}

static void queue_insert(struct timer_queue *q, struct timer *t)
{
	t->child = NULL;
	queue_set_root(q, heap_meld(q->root, t));
	q->count++;
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	struct timer *children = heap_gather(t->child);

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
	queue_set_root(q, heap_meld(q->root, children));
	q->count--;
}

static ns_t queue_next(const struct timer_queue *q)
{
	return q->root ? q->root->deadline : NS_NEVER;
}

/* Take the lock that guards @t and return whose it is; NULL (and no lock) if it was never armed. */
static struct timer_queue *timer_lock(struct timer *t)
{
	for (;;) {
		struct timer_queue *q = atomic_load(&t->queue);

		if (!q)
			return NULL;
		lock_take(&q->lock);
		if (atomic_load(&t->queue) == q)
			return q;
		lock_drop(&q->lock);
	}
}

/* Like timer_lock(), but first makes @want the guard, unless @t is firing. */
static struct timer_queue *timer_lock_in(struct timer_queue *want, struct timer *t)
{
	for (;;) {
		struct timer_queue *q = timer_lock(t), *none = NULL;

		if (!q) {
			atomic_compare_exchange_strong(&t->queue, &none, want);
			continue;
		}
		if (timer_armed(t))
			queue_remove(q, t);
		if (q == want || q->firing == t)
			return q;
		atomic_store(&t->queue, want);
		lock_drop(&q->lock);
	}
}

/* Returns the queue it is in, if it is the first there, else NULL. */
static struct timer_queue *timer_insert(struct timer_queue *want, struct timer *t, ns_t deadline)
{
	struct timer_queue *q;
	bool first;

	assert(cpu_self && t->fire);
	q = timer_lock_in(want, t);
	t->deadline = deadline;
	queue_insert(q, t);
	first = q->root == t;
	lock_drop(&q->lock);
	return first ? q : NULL;
}

void timer_queue_arm(struct timer_queue *q, struct timer *t, ns_t deadline)
{
	timer_insert(q, t, deadline);
}

void timer_arm(struct timer *t, ns_t deadline)
{
	struct timer_queue *q = timer_insert(&cpu_self->timers, t, deadline);

	if (!q)
		return;
	if (q == &cpu_self->timers)
		arch_timer_set(deadline);
	else
		cpu_raise(container_of(q, struct cpu, timers), CPU_TIMER); /* programs its own */
}

void timer_cancel(struct timer *t)
{
	struct timer_queue *q;
	bool firing;

	do {
		q = timer_lock(t);
		if (!q)
			return;
		if (timer_armed(t))
			queue_remove(q, t);
		firing = q->firing == t && q->runs != cpu_self;
		lock_drop(&q->lock);
		if (firing)
			host_relax();
	} while (firing);
}

bool timer_armed(const struct timer *t)
{
	return t->link != NULL;
}

ns_t timer_queue_run(struct timer_queue *q, ns_t now)
{
	u32 budget;
	ns_t next;

	lock_take(&q->lock);
	q->runs = cpu_self;
	/* What is armed in the past from here on has to wait for the next run: no endless loop. */
	for (budget = q->count; budget && queue_next(q) <= now; budget--) {
		struct timer *t = q->root;

		queue_remove(q, t);
		q->firing = t;
		lock_drop(&q->lock);
		t->fire(t);
		lock_take(&q->lock);
		q->firing = NULL;
	}
	next = queue_next(q);
	lock_drop(&q->lock);
	return next;
}

void timer_run(ns_t now)
{
	arch_timer_set(timer_queue_run(&cpu_self->timers, now));
}

ns_t timer_queue_next(struct timer_queue *q)
{
	ns_t next;

	lock_take(&q->lock);
	next = queue_next(q);
	lock_drop(&q->lock);
	return next;
}

bool timer_queue_any(const struct timer_queue *q)
{
	return atomic_load(&q->count) != 0;
}

ns_t timer_next(void)
{
	return timer_queue_next(&cpu_self->timers);
}
