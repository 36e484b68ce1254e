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

/* The x86 context of a walk: SDM 3A, chapter 4. Second-level tables are not its business. */
struct walk_x86 {
	u64 cr0, cr3, cr4, efer;	/* as the registers are */
	bool user;			/* CPL 3 and not an implicit access to a system table */
	bool ac;			/* RFLAGS.AC, for SMAP */
};

/* Bits of a page fault's error code (4.7). */
enum walk_x86_error {
	WALK_X86_P = 1 << 0, WALK_X86_W = 1 << 1, WALK_X86_U = 1 << 2, WALK_X86_RSVD = 1 << 3,
	WALK_X86_I = 1 << 4,
};

/* Sets accessed and dirty bits. WALK_PAGE_FAULT: *error gets the error code. */
enum walk_status walk_x86(struct space *s, const struct walk_x86 *w, gva_t va, enum access access,
			  struct walk *out, u32 *error);
