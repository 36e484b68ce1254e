/* Intrusive doubly linked list; a head is a node that points at itself when empty. */
#pragma once

#include "kernel/base/types.h"

struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert(struct list *at, struct list *node)
{
	node->next = at;
	node->prev = at->prev;
	at->prev->next = node;
	at->prev = node;
}

/* Append before the head, that is at the tail. */
static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert(head, node);
}

/* Unlink and leave the node self-linked, so a second removal is harmless. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define list_first(head, type, member)	container_of((head)->next, type, member)
#define list_each(it, head) \
	for (struct list *it = (head)->next, *it##_n = it->next; it != (head); \
	     it = it##_n, it##_n = it->next)
