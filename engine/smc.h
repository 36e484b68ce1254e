/*
 * Changed code: which blocks lie in which guest page, and what must be suspected at a fence.
 *
 * A block is current until its page is found among those that were written (mmu/watch.h). Then it
 * is stale: nothing links to it any more, and before it runs again its guest bytes must still hash
 * to what was translated. A page that is not reliably watched yet, or cannot be, is suspected at
 * every fence.
 */
#pragma once

#include "kernel/base/types.h"
#include "mmu/watch.h"

#define SMC_HASH	1024
#define NO_LINK		0

struct block;
struct code_cache;
struct gcpu;
struct jit_site;

/* A block's place in the list of a page. */
struct smc_node {
	struct block *block;
	struct smc_node *next, **prev;
};

struct smc_page {
	gpa_t gpa;
	struct smc_page *next;		/* in its bucket */
	struct smc_page *next_suspect;
	bool suspect;
	bool unwatched;			/* nobody logs writes to it: a suspect for ever */
	bool written;			/* the watch has ended, perhaps others began another one */
	u64 since;			/* suspect until every CPU has followed so far */
	struct smc_node *blocks;
	u32 links;			/* of host code to its blocks: index, or NO_LINK */
};

struct smc {
	struct smc_page *page;		/* a pool */
	u32 pages;
	struct smc_page *bucket[SMC_HASH];
	struct smc_page *suspects;
	u64 written;			/* entries of the ring that were looked at */
	struct { u32 site, to, next; } *link;	/* a pool; sites and blocks by place */
	u32 link_count, link_free;
	struct watch_member member;
};

must_check bool smc_init(struct gcpu *g, struct smc *s);
void smc_fini(struct gcpu *g, struct smc *s);

/* The books may be too full for one more block: forget all blocks, then smc_reset(). */
bool smc_is_full(const struct smc *s);
void smc_reset(struct code_cache *c);
/*
 * Code is about to be read from the page of @gpa: watch it. Before that, so that no change is
 * missed.
 */
void smc_watch(struct gcpu *g, gpa_t gpa);
/* @b belongs to its pages from now on, which smc_watch() was called for. */
void smc_add(struct code_cache *c, struct block *b);
void smc_remove(struct block *b);
/* Exit @site of host code goes to @to now. */
void smc_link(struct code_cache *c, struct jit_site *site, const struct block *to);
void smc_unlink_all(struct code_cache *c);
/* @sector of the cache is about to be emptied: forget links from there, cut links to there. */
void smc_unlink_sector(struct code_cache *c, u32 sector);
/* No exit of host code goes to @b any more. */
void smc_unlink(struct code_cache *c, const struct block *b);

/* Code that was written must be seen from now on: FENCE.I. */
void smc_fence(struct gcpu *g);
/* Give up permissions to write to pages that are watched. Between stretches of guest code. */
void smc_follow(struct gcpu *g);
