/*
 * Timer queues: a binary heap of pointers per host CPU, earliest deadline at the root.
 *
 * Who guards a timer that may move? t->cpu names the CPU whose queue lock guards it; it
 * changes only under that lock, so: read it, take the lock, look again. While a timer
 * fires it does not move, hence q->firing of its own CPU is all that a cancel looks at.
 */
#include "kernel/base/timer.h"

#include "arch/clock.h"
#include "kernel/base/cpu.h"
#include "kernel/base/panic.h"

static void heap_place(struct timer_queue *q, u32 at, struct timer *t)
{
	q->heap[at] = t;
	t->index = at + 1;
}

static void heap_up(struct timer_queue *q, u32 at, struct timer *t)
{
	for (u32 parent; at > 0; at = parent) {
		parent = (at - 1) / 2;
		if (q->heap[parent]->deadline <= t->deadline)
			break;
		heap_place(q, at, q->heap[parent]);
	}
	heap_place(q, at, t);
}

static void heap_down(struct timer_queue *q, u32 at, struct timer *t)
{
	for (u32 child; (child = 2 * at + 1) < q->count; at = child) {
		if (child + 1 < q->count && q->heap[child + 1]->deadline < q->heap[child]->deadline)
			child++;
		if (t->deadline <= q->heap[child]->deadline)
			break;
		heap_place(q, at, q->heap[child]);
	}
	heap_place(q, at, t);
}

static void queue_insert(struct timer_queue *q, struct timer *t)
{
	if (q->count == TIMER_MAX)
		panic("more than %u timers armed on one CPU", TIMER_MAX);
	heap_up(q, q->count++, t);
}

static void queue_remove(struct timer_queue *q, struct timer *t)
{
	u32 at = t->index - 1;
	struct timer *last = q->heap[--q->count];

	t->index = 0;
	if (last == t)
		return;
	if (at > 0 && last->deadline < q->heap[(at - 1) / 2]->deadline)
		heap_up(q, at, last);
	else
		heap_down(q, at, last);
}

static ns_t queue_next(const struct timer_queue *q)
{
	return q->count ? q->heap[0]->deadline : NS_NEVER;
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
		if (t->index)
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
	first = t->index == 1;
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
		if (t->index)
			queue_remove(&c->timers, t);
		firing = c->timers.firing == t && c != cpu_self;
		lock_drop(&c->timers.lock);
		if (firing)
			host_relax();
	} while (firing);
}

bool timer_armed(const struct timer *t)
{
	return t->index != 0;
}

void timer_run(ns_t now)
{
	struct timer_queue *q = &cpu_self->timers;
	u32 budget;
	ns_t next;

	lock_take(&q->lock);
	/* What is armed in the past from here on has to wait for the next run: no endless loop. */
	for (budget = q->count; budget && queue_next(q) <= now; budget--) {
		struct timer *t = q->heap[0];

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
