/*
 * Second-level page tables of a VM, for runners that let the hardware translate: guest physical to
 * host physical. EPT, NPT and Arm's stage 2 differ in data only (struct nested_format).
 *
 * Tables begin empty and fill by faults, from struct space, with the largest pages that the range,
 * both alignments, the host's memory and the dirty log allow. MMIO is what has no entry. Taking
 * away never needs memory and never fails: a large page that is cut anywhere goes as a whole, and
 * what is left of it comes back by faults.
 *
 * No CPU may go on using what was taken away or moved. So whoever does that first counts
 * ->generation up and then calls ->flush(), which returns when nobody uses the old translations
 * any more; before that nothing is put in their place and no table is freed. What was absent and
 * comes, and on x86 what gains a right, needs no flush: the CPU looks again before it faults.
 */
#pragma once

#include "kernel/base/err.h"
#include "kernel/base/lock.h"
#include "mmu/space.h"
#include "mmu/tlb.h"

#define NESTED_INDEX_BITS	9	/* of a table; all formats use 4 KiB tables of u64 */
#define NESTED_ENTRIES		512
#define NESTED_LEAF_LEVELS	3	/* level 0: 4 KiB, 2 MiB, 1 GiB */
#define NESTED_BITS_MIN		32	/* of guest physical addresses: what any CPU can */
#define NESTED_BITS_MAX		48	/* four levels */

/* What entries look like. An entry of zeroes maps nothing in any format. */
struct nested_format {
	const char *name;
	u64 address;		/* bits that hold a physical address */
	u64 present;		/* any of these: the entry counts */
	u64 table;		/* an entry that leads to a table, besides the address */
	u64 page, block;	/* a leaf of level 0, of higher ones; all but writable */
	u64 kind, kind_block;	/* above level 0: (entry & kind) == kind_block is a leaf */
	u64 memory;		/* of a leaf: write-back memory, the guest's own types count */
	u64 memory_forced;	/* of a leaf: ... whatever the guest says */
	u64 write;		/* of a leaf: may be written */
	u64 dirty;		/* of a leaf: the CPU has seen a write; 0 if it does not say */
	u64 root, root_tracked;	/* in nested_root(): always, if the CPU is to set ->dirty */
	u32 levels;		/* at least */
	u32 joined;		/* up to 2^joined root tables may lie side by side */
	bool break_first;	/* between page and table an entry is emptied and flushed first */
	bool flush_gains;	/* a CPU may remember that something was not allowed */
};
extern const struct nested_format ept_format, npt_format, s2_format;

/*
 * Guest physical addresses [gpa, gpa + len) to forget. One invalidation every @step bytes covers
 * all there was; @all: that would be so many that everything should go.
 */
struct nested_flush {
	bool all;
	gpa_t gpa;
	u64 len, step;
};
#define NESTED_FLUSH_MAX	512	/* invalidations; more are ->all */

struct nested_setup {
	u32 ipa_bits;		/* width of guest physical addresses */
	u32 leaf_level;		/* largest leaves: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB */
	bool tracked;		/* the CPU sets ->dirty (EPT: if CPUs can; NPT: always) */
	bool forced;		/* the guest's memory types do not count (Arm: HCR_EL2.FWB) */
	u32 tables;		/* at most so many, the root included */
	/*
	 * Called with the lock held. Return when every CPU either has forgotten what @f says (Arm,
	 * with the VMID in VTTBR_EL2: DSB ISHST, TLBI IPAS2E1IS, DSB ISH, TLBI VMALLE1IS, DSB ISH,
	 * ISB) or is outside the guest and will call nested_enter() first (x86: kick and wait).
	 * It may not wait for a CPU that waits for the lock: such a one is outside.
	 */
	void (*flush)(void *ctx, const struct nested_flush *f);
	void *ctx;
};

struct nested {
	/* set once */
	const struct nested_format *fmt;
	struct space *space;
	struct nested_setup setup;
	u32 top;		/* level of the root; Arm: VTCR_EL2.SL0 = top - 1 */
	u32 root_order;		/* it is 2^root_order tables */
	_Atomic u64 *root;
	/* lock: after vm->lock and vm->bus_lock, before the leaf locks */
	struct lock lock;
	u32 tables;
	/* any CPU */
	_Atomic u64 generation;
	_Atomic u64 faults, flushes;	/* statistics */
};

/* E_RANGE: the format has no such addresses; E_UNSUPPORTED: it tracks nothing; E_NOMEM. */
err_t nested_init(struct nested *n, const struct nested_format *fmt, struct space *space,
		  const struct nested_setup *setup);
/* No CPU will enter the guest again. */
void nested_fini(struct nested *n);

/* EPTP or nCR3 as they are; VTTBR_EL2 without the VMID. */
u64 nested_root(const struct nested *n);

enum nested_result {
	NESTED_MAPPED,		/* try again */
	NESTED_MMIO,		/* no memory that this table can map: emulate the access */
	NESTED_READONLY,	/* a write to ROM: emulate it, which will ignore it */
	NESTED_NOMEM,		/* no room for tables, nothing changed that the guest could see */
};

/*
 * The guest may not do @access at @gpa, says the hardware. Any CPU, not inside the guest. Without a
 * DSB ISHST afterwards an Arm CPU may miss the new entry and fault once more; x86 needs nothing.
 */
enum nested_result nested_fault(struct nested *n, gpa_t gpa, enum access access);

/*
 * Forget [gpa, gpa + len): after space_unmap() and before the memory goes to somebody else, or to
 * have it looked up anew.
 */
void nested_unmap(struct nested *n, gpa_t gpa, u64 len);

/*
 * Dirty log. Around space_log_start() and space_log_take() alike: nested_take_dirty() before, which
 * moves what the CPUs noted in the entries to the log (if one is kept), and nested_protect() after,
 * so that the next write is seen. Pages may be copied when that has returned. After
 * space_log_stop() nothing is needed: large pages come back as guests write.
 */
void nested_take_dirty(struct nested *n);
void nested_protect(struct nested *n);

/*
 * For CPUs that flush themselves: must this one forget everything it knows of the VM before it
 * enters? @seen belongs to what shares TLB entries, on each host CPU (VMX: the VM; SVM: an ASID),
 * and begins as 0. First say that the CPU is inside, sequentially consistent, then ask: ->flush()
 * waits for those inside.
 */
static inline bool nested_enter(struct nested *n, u64 *seen)
{
	u64 now = atomic_load(&n->generation);
	bool stale = *seen != now;

	*seen = now;
	return stale;
}
