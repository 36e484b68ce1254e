/*
 * Software TLB of one guest CPU: split into instruction and data sides, two-way
 * set-associative, tagged with a key. Only the owning CPU touches it, so there is no lock
 * and no atomic; other CPUs ask for a flush through gcpu requests.
 *
 * A key stands for everything that decides a translation besides the address: ASID and the
 * class of the access (privilege, SUM, MXR ...). tlb_context() hands them out; flushing all
 * or one ASID just forgets its keys, in O(1), and only when the 12-bit key space has been
 * used up are the arrays swept.
 *
 * An entry maps 4 KiB. The range that covers all superpages entered, one in each half of
 * the address space, is remembered; a flush by address inside it becomes a full flush.
 *
 * Tag: bits 63..52 key, 51..0 page number, all of it, so that a non-canonical address never
 * matches. Key 0 belongs to no context: zeroed memory is an empty TLB after tlb_context().
 */
#pragma once

#include "kernel/base/types.h"
#include "mmu/lpt.h"
#include "mmu/space.h"

#define TLB_SETS	1024
#define TLB_WAYS	2
#define TLB_KEY_BITS	12
#define TLB_KEYS	32		/* live (asid, class) pairs */
#define TLB_GLOBAL	UINT32_MAX	/* stands for every ASID */
#define TLB_WRITERS	64
#define TLB_LOST	4096		/* bits */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

struct tlb_entry {
	u64 read, write;		/* tags; 0 = this kind of access misses (fetch uses read) */
	uptr addend;			/* host address = guest virtual address + addend */
	gpa_t gpa;			/* of the page; for MMIO and for the block map */
};

struct tlb {
	struct tlb_entry set[TLB_SETS][TLB_WAYS];
};

struct tlb_big {
	gva_t low, high;		/* [low, high); high 0 = none */
};

struct mmu_tlb {			/* what a guest CPU has */
	u32 key;			/* of the current context */
	u32 asid, class, fetch_class;	/* ... which this is */
	/*
	 * For fetches, by bit 63 of the address. Code of the upper half is taken to be mapped
	 * globally, so its key is that of all ASIDs, until a fetch shows that it is not.
	 */
	u32 fetch_key[2];
	bool high_local;
	u32 next_key;
	/*
	 * Grows when the instruction side forgets a live entry of this half by a flush: what was
	 * fetched through entries of this generation may still be fetched. Of those that went for
	 * lack of room a hash remains, which tells flushes by address that they were there.
	 */
	u64 generation[2];
	u64 lost[2][TLB_LOST / 64];
	struct { u32 asid, class, key; bool used; } keys[TLB_KEYS];	/* since last passed over */
	u32 victim_key;
	/* by bit 63: covers every superpage entered since the last full flush */
	struct tlb_big big[2];
	struct tlb i, d;
	struct lpt *lpt;		/* of translated code, or NULL */
	/* who may write to pages that held code before; the oldest is withdrawn for room */
	struct { gva_t va; gpa_t page; } writer[TLB_WRITERS];
	u32 writer_victim;
	u64 hits_slow, fills, flushes;	/* statistics: slow path entries, fills, flushes */
};

/*
 * Select the context (asid, class), allocating a key if it has none. For fetches the class is
 * another one: what decides about data alone must not make code look new.
 */
void tlb_context(struct mmu_tlb *t, u32 asid, u32 class, u32 fetch_class);
/* A fetch from the upper half came through a mapping of one ASID alone: none is global any more. */
void tlb_high_is_local(struct mmu_tlb *t);
void tlb_flush_all(struct mmu_tlb *t);
void tlb_flush_asid(struct mmu_tlb *t, u32 asid);
/* Forget @va in every context. */
void tlb_flush_page(struct mmu_tlb *t, gva_t va);

/*
 * Enter a page for the current key; @va, @gpa and @host name the same byte of it (any).
 * @big: bytes of the guest page it came from (4 KiB = not big).
 */
void tlb_fill(struct mmu_tlb *t, struct tlb *side, gva_t va, gpa_t gpa, u8 *host, bool read,
	      bool write, u64 big);
/* Withdraw write permission from every entry whose host page is @host (dirty log, code pages). */
void tlb_protect(struct mmu_tlb *t, const u8 *host);
/* @va may be written and leads to @page, which has held code: remember that. */
void tlb_writer_note(struct mmu_tlb *t, gva_t va, gpa_t page);
/*
 * @page is watched (see watch.h): no entry may grant writing any more. @first: it never was before,
 * so its writers are not remembered and are looked for by @host.
 */
void tlb_watch(struct mmu_tlb *t, gpa_t page, const u8 *host, bool first);

static inline u64 tlb_tag(const struct mmu_tlb *t, const struct tlb *side, gva_t va)
{
	u32 key = side == &t->i ? t->fetch_key[va >> 63] : t->key;

	return (u64)key << (64 - TLB_KEY_BITS) | va >> PAGE_SHIFT;
}

static inline u64 tlb_vpn(u64 tag)
{
	return tag & MASK(64 - TLB_KEY_BITS);
}

/* Bit 63 of the address that a tag or page number is for. */
static inline u32 tlb_half(u64 tag)
{
	return tag >> (63 - PAGE_SHIFT) & 1;
}

static inline u32 tlb_index(gva_t va)
{
	u64 vpn = va >> PAGE_SHIFT;

	return (vpn ^ vpn >> 10) % TLB_SETS;	/* arrays 4 MiB apart must not collide */
}

/* Host address for a read (or fetch, on the instruction side) at @va, or NULL on a miss. */
static inline u8 *tlb_read(const struct mmu_tlb *t, const struct tlb *side, gva_t va)
{
	const struct tlb_entry *e = side->set[tlb_index(va)];
	u64 tag = tlb_tag(t, side, va);

	if (likely(e[0].read == tag))
		return (u8 *)(va + e[0].addend);
	if (e[1].read == tag)
		return (u8 *)(va + e[1].addend);
	return NULL;
}

static inline u8 *tlb_write(const struct mmu_tlb *t, gva_t va)
{
	const struct tlb_entry *e = t->d.set[tlb_index(va)];
	u64 tag = tlb_tag(t, &t->d, va);

	if (likely(e[0].write == tag))
		return (u8 *)(va + e[0].addend);
	if (e[1].write == tag)
		return (u8 *)(va + e[1].addend);
	return NULL;
}
