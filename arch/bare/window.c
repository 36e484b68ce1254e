/* See window.h. A sorted array: there are few spans, and they come and go with VMs. */
#include "arch/bare/window.h"
#include "kernel/base/panic.h"

#define GUARD MIB(2)

u64 window_take(struct window *w, u64 len, u64 align)
{
	u64 va = ALIGN_UP(w->base, align), span = ALIGN_UP(len, GUARD) + GUARD;
	u32 i;

	if (!len || len > w->end - w->base)
		return 0;
	lock_take(&w->lock);
	for (i = 0; i < w->count; i++) {
		if (w->span[i].va > va && w->span[i].va - va >= span)
			break;
		va = ALIGN_UP(w->span[i].va + ALIGN_UP(w->span[i].len, GUARD) + GUARD, align);
	}
	if (w->count == WINDOW_SPANS || va + span > w->end) {
		lock_drop(&w->lock);
		return 0;
	}
	for (u32 k = w->count++; k > i; k--)
		w->span[k] = w->span[k - 1];
	w->span[i] = (struct span){ .va = va, .len = len };
	lock_drop(&w->lock);
	return va;
}

static struct span *span_find(struct window *w, u64 va)
{
	for (u32 i = 0; i < w->count; i++)
		if (w->span[i].va == va)
			return &w->span[i];
	panic("no memory starts at %#llx", (unsigned long long)va);
}

void window_set_owner(struct window *w, u64 va, void *owner)
{
	lock_take(&w->lock);
	span_find(w, va)->owner = owner;
	lock_drop(&w->lock);
}

void *window_owner(struct window *w, u64 va, u64 len)
{
	struct span *s;
	void *owner;

	lock_take(&w->lock);
	s = span_find(w, va);
	assert(s->len == len);
	owner = s->owner;
	lock_drop(&w->lock);
	return owner;
}

void window_give(struct window *w, u64 va)
{
	lock_take(&w->lock);
	for (struct span *s = span_find(w, va); s < &w->span[w->count - 1]; s++)
		s[0] = s[1];
	w->count--;
	lock_drop(&w->lock);
}
