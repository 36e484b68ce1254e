/*
 * Virtual addresses of a window, given out first fit. Spans do not touch: at least 2 MiB between
 * them stay unmapped, so what runs off one end arrives nowhere.
 */
#pragma once

#include "kernel/base/lock.h"
#include "kernel/base/types.h"

#define WINDOW_SPANS 128

struct span {
	u64 va, len;
	void *owner;			/* whatever its user wants to find again */
};

struct window {
	u64 base, end;
	struct lock lock;
	struct span span[WINDOW_SPANS];	/* sorted by va */
	u32 count;
};

/* @len bytes at a multiple of @align (a power of two from 2 MiB on); 0: the window is full. */
u64 window_take(struct window *w, u64 len, u64 align);

/* The span that starts at @va is @owner's. */
void window_set_owner(struct window *w, u64 va, void *owner);
/* Its owner; the span must be there and have @len bytes. */
void *window_owner(struct window *w, u64 va, u64 len);

/* Give a span back that is no longer mapped. */
void window_give(struct window *w, u64 va);
