/*
 * Timer queues: a pairing heap per host CPU, threaded through the timers themselves, so that
 * arming never fails. Fredman et al., "The pairing heap", 1986.
 *
 * Who guards a timer that may move? t->cpu names the CPU whose queue lock guards it; it
 * changes only under that lock, so: read it, take the lock, look again. While a timer
 * fires it does not move, hence q->firing of its own CPU is all that a cancel looks at.
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
static struct cpu *timer_lock(struct timer *t)
{
	for (;;) {
		struct cpu *c = atomic_load(&t->cpu);

		if (!c)
			return NULL;
		lock_take(&c->timers.lock);
		if (atomic_load(&t->cpu) == c)
			return c;
		lock_drop(&c->timers.lock);
	}
}

/* Like timer_lock(), but first makes the calling CPU the guard, unless @t is firing. */
static struct cpu *timer_lock_here(struct timer *t)
{
	for (;;) {
		struct cpu *c = timer_lock(t), *none = NULL;

		if (!c) {
			atomic_compare_exchange_strong(&t->cpu, &none, cpu_self);
			continue;
		}
		if (timer_armed(t))
			queue_remove(&c->timers, t);
		if (c == cpu_self || c->timers.firing == t)
			return c;
		atomic_store(&t->cpu, cpu_self);
		lock_drop(&c->timers.lock);
	}
}

void timer_arm(struct timer *t, ns_t deadline)
{
	struct cpu *c;
	bool first;

	assert(cpu_self && t->fire);
	c = timer_lock_here(t);
	t->deadline = deadline;
	queue_insert(&c->timers, t);
	first = c->timers.root == t;
	lock_drop(&c->timers.lock);
	if (!first)
		return;
	if (c == cpu_self)
		arch_timer_set(deadline);
	else
		cpu_raise(c, CPU_TIMER);	/* only it can program its timer */
}

void timer_cancel(struct timer *t)
{
	struct cpu *c;
	bool firing;

	do {
		c = timer_lock(t);
		if (!c)
			return;
		if (timer_armed(t))
			queue_remove(&c->timers, t);
		firing = c->timers.firing == t && c != cpu_self;
		lock_drop(&c->timers.lock);
		if (firing)
			host_relax();
	} while (firing);
}

bool timer_armed(const struct timer *t)
{
	return t->link != NULL;
}

void timer_run(ns_t now)
{
	struct timer_queue *q = &cpu_self->timers;
	u32 budget;
	ns_t next;

	lock_take(&q->lock);
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
	arch_timer_set(next);
}

ns_t timer_next(void)
{
	struct timer_queue *q = &cpu_self->timers;
	ns_t next;

	lock_take(&q->lock);
	next = queue_next(q);
	lock_drop(&q->lock);
	return next;
}
