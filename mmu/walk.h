/*
 * Guest page walkers. A walker reads guest page tables through struct space and either
 * yields a translation or says which kind of fault the access takes; it never raises it.
 * Formats are data (levels, index widths); see walk_rv64.c.
 */
#pragma once

#include "mmu/space.h"
#include "mmu/tlb.h"

enum walk_status {
	WALK_OK,
	WALK_PAGE_FAULT,	/* the guest's tables do not allow it */
	WALK_ACCESS_FAULT,	/* a table entry lies outside memory or is denied by @pmp */
};

struct walk {
	gpa_t gpa;		/* of the byte asked for */
	u64 size;	/* bytes mapped by the leaf: 4K, 64K (Svnapot), 2M, 1G, 512G, 256T */
	/* what this context may do here without another walk (write only if D is set) */
	bool read, write, exec;
	bool global;
};

/* The RISC-V context of a walk. Privileged spec (20211203 and Svadu, Svnapot), 4.3-4.6. */
struct walk_rv64 {
	u64 satp;		/* MODE, ASID, PPN; MODE 0 yields the identity */
	bool user;		/* effective privilege is U (else S) */
	bool sum, mxr;
	bool adue;		/* Svadu: set A and D in memory, atomically with a re-check */
	/* May a page-table entry at @gpa be read (or written, for Svadu)? PMP. */
	bool (*allowed)(void *ctx, gpa_t gpa, u32 len, bool write);
	void *ctx;
};

enum walk_status walk_rv64(struct space *s, const struct walk_rv64 *w, gva_t va, enum access access,
			   struct walk *out);
