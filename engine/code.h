/*
 * The code cache of one guest CPU: translated blocks, found by (pc, physical address, ctx).
 * Private to its CPU, so without locks; other CPUs' stores do not touch it.
 *
 *  - A block is lowered for the interpreter, or translated to host code. Which, is a matter of
 *    how often it has run: ->hot times and it is translated (0: at once, UINT32_MAX: never).
 *  - Memory is eight FIFO sectors, each with a part for blocks and a part for host code; when all
 *    are full the oldest is emptied as a whole. Memory for a sector's blocks is taken when it is
 *    needed; if there is none, fewer sectors have to do.
 *  - Exits inside a page are linked to their target; everything else goes through the jump
 *    cache, a table of pairs tagged with pc and a stamp that stands for context, translation
 *    key (for fetches: see mmu/tlb.h) and TLB generation.
 *  - Guest code may change; RISC-V and Arm say when it must be seen (FENCE.I, IC IVAU). Then the
 *    blocks of pages that were written (smc.h) become stale. A stale block is used again only if
 *    its guest bytes still hash to what was translated, so nothing is given up that has not
 *    changed.
 */
#pragma once

#include "engine/ir/ir.h"
#include "engine/smc.h"

#define CODE_SECTORS	8
#define CODE_PLACE_BITS	24		/* log2 of a sector's blocks in bytes, at most */
#define CODE_HASH	65536		/* buckets */
#define CODE_STAMPS	32
#define CODE_TABLED	4096
#define CODE_COPY	(16 * IR_INSNS_MAX)	/* bytes a block may have */
#define NO_PAGE		UINT64_MAX

/* One executable operation of the interpreter: 16 bytes, pre-resolved. See back/interp/lower.c. */
struct xop {
	s32 go;				/* label, relative to the interpreter's first */
	u16 d, a;			/* slots: 8-byte pieces of state and temporaries */
	union {
		struct {
			u16 b, c;
			s32 imm;
		};
		u64 imm64;
		struct block *link;
	};
};
_Static_assert(sizeof(struct xop) == 16, "executable operations are 16 bytes");

/* What a slow path or an exit of translated code belongs to: see engine/back/jit/jit.h. */
enum jit_site_kind {
	SITE_BLOCK,			/* the first of each block */
	SITE_LINK,			/* exit to arg, in the same page */
	SITE_GUARDED,			/* exit to arg, elsewhere: the link holds for one stamp */
	SITE_LOAD, SITE_STORE,		/* arg = enum jit_access bits */
	SITE_OP,	/* arg = op | aux << 16 | imm << 32; extra: see jit_call_slow() */
	SITE_CALL,			/* arg = const struct ir_helper * */
	SITE_EXCEPT,			/* arg = cause */
	/*
	 * Of the load or store before it, in a view (back/jit/fault.c). extra: where the access is
	 * in the block, and that one's: where its cold code is; insn: how often it went to a
	 * device; arg: the bytes that were overwritten.
	 */
	SITE_ACCESS,
};

struct jit_site {
	u64 arg;
	u32 extra;		/* exits: the jump to link, as an offset in the host code */
	u8 insn, kind;
	u16 index;		/* in the block's array */
};
_Static_assert(sizeof(struct jit_site) == 16, "sites are as long as the interpreter's operations");

struct block {
	gva_t pc;
	/* of the first byte; of the second page if an instruction straddles, else NO_PAGE */
	gpa_t gpa, gpa2;
	u64 hash;			/* of the guest bytes */
	struct smc_node in_page[2];
	u32 ctx;
	struct block *next;		/* in its hash bucket */
	u16 insns, bytes, xops;
	u32 size;			/* bytes in the cache, a multiple of 16 */
	struct block *twin;		/* runner audit: the same for the interpreter, behind it */
	u32 heat;			/* runs until it is hot; host code: 0 */
	/* in_view: since guest instruction ->since, when views had lost ->lost pages */
	u32 faults, lost;
	u64 since;
	bool stale;		/* its page was written: its hash is to be compared first */
	bool repeatable;		/* runner audit: it calls no helpers */
	bool fp;			/* host code with the guest's FP registers in the host's */
	bool in_view;			/* loads and stores go to a view, and may fault */
	const u8 *entry;		/* host code, or NULL */
	u16 *insn_pc;			/* offset of each instruction */
	union {
		struct xop code[0];	/* interpreted */
		struct jit_site site[0];	/* host code */
	};
};

/* Counters of a code cache, since its guest CPU began. */
#define CODE_STATS(X) \
	X(translated, "blocks lowered for the interpreter or translated") \
	X(compiled, "... of them to host code") \
	X(found, "blocks looked up by address") \
	X(verified, "... that had to prove that their code is unchanged") \
	X(stale, "... and could not") \
	X(evicted, "blocks given up for room") \
	X(linked, "exits linked to a block") \
	X(unlinked, "... and unlinked again") \
	X(tabled, "blocks that gave up their view of memory, for too many faults") \
	X(entered, "times that host code was entered") \
	X(slow_memory, "loads and stores on the slow path") \
	X(slow_calls, "calls of helpers") \
	X(slow_ops, "operations without an inline form") \
	X(faults, "exceptions taken by host code") \
	X(audited, "runner audit: runs of blocks in both ways") \
	X(unaudited, "... and in the interpreter only") \
	X(ir_ops, "IR operations") \
	X(host_bytes, "bytes of host code") \
	X(host_insns, "guest instructions they stand for")

struct code_stats {
#define X(name, text) u64 name;
	CODE_STATS(X)
#undef X
};


struct code_cache {
	u8 *memory[CODE_SECTORS];	/* blocks, by sector */
	u32 sectors;			/* that there may be */
	size_t sector_size;		/* bytes */
	size_t used[CODE_SECTORS];	/* of each sector */
	/* host code: written at rw, run at rx; common code first, then the sectors */
	u8 *rw, *rx;
	size_t host_size, host_first, host_sector;
	size_t host_used[CODE_SECTORS];
	u32 *begins;	/* by page of host code: the place of the first block in it, plus 1 */
	u32 hot;			/* runs after which a block is translated */
	struct jit *jit;		/* the translator, or NULL */
	bool twins;			/* each block of host code gets one */
	struct smc smc;
	u64 space_generation;		/* of the address space that blocks were made in */
	u32 sector;			/* that is being filled */
	u64 stamp[2];			/* by bit 63 of the pc */
	u64 next_stamp;
	/* bits by hash: blocks that use tables instead of views, because they faulted too often */
	u64 tabled[CODE_TABLED / 64];
	struct {
		u64 generation, stamp;
		u32 key, ctx;
		bool used;		/* since it was last passed over as a victim */
	} stamps[CODE_STAMPS];
	u32 stamp_victim;
	struct block **bucket;
	struct code_jump *jump;
	u32 *link, links;		/* places of operations that link to a block */
	struct ir_block *ir;		/* workspace: of the block being made */
	u64 hash;
	u8 copy[CODE_COPY];
	struct code_stats stats;
};

/* Where @p is in the cache's memory, as a number: sector and offset. */
static inline u32 code_place(const struct code_cache *c, const void *p)
{
	u32 s = c->sector;		/* most likely */

	while ((uptr)p - (uptr)c->memory[s] >= c->sector_size)
		s = (s + 1) % CODE_SECTORS;
	return s << CODE_PLACE_BITS | (u32)((uptr)p - (uptr)c->memory[s]);
}

static inline u32 code_place_sector(u32 place)
{
	return place >> CODE_PLACE_BITS;
}

static inline void *code_at(const struct code_cache *c, u32 place)
{
	return c->memory[code_place_sector(place)] + (place & MASK(CODE_PLACE_BITS));
}

/* Bytes of blocks, and of host code (0: none is made). E_NOMEM. */
must_check err_t code_init(struct gcpu *g, size_t size, size_t host_size, u32 hot);
void code_fini(struct gcpu *g);

/* Forget every link, so that each exit finds its target anew. */
void code_unlink(struct gcpu *g);
/* Forget every block. */
void code_drop(struct gcpu *g);
/* The ranges of the address space may have changed: then what was known is forgotten. */
void code_follow_space(struct gcpu *g);

/*
 * The block at @pc in the CPU's present context, translated if necessary. NULL: fetching
 * failed and an exception is parked.
 */
struct block *code_find(struct gcpu *g, gva_t pc);
/* The same as host code, also if it is not hot yet. Only where there is a translator. */
struct block *code_compile(struct gcpu *g, gva_t pc);
/*
 * @b meets memory that is new to it time and again, each time at the price of a fault: from now on
 * its loads and stores look addresses up. It may be running.
 */
void code_use_tables(struct gcpu *g, struct block *b);
bool code_uses_tables(const struct code_cache *c, gva_t pc);
/* The block of host code that @pc is in, or NULL. */
struct block *code_block_at(const struct code_cache *c, const u8 *pc);
/* Until its target is given up, operation @x of the interpreter links to @to. */
void code_link_op(struct code_cache *c, struct xop *x, struct block *to);
/* From now on the exit @site of @from goes straight to host code @to, if it may. */
void code_link(struct gcpu *g, const struct block *from, struct jit_site *site,
	       const struct block *to);
/*
 * The same, translated afresh with at most @limit instructions and not kept: valid until the next
 * call.
 */
struct block *code_find_short(struct gcpu *g, gva_t pc, u32 limit);

/* Recompute the stamp after a change of ctx, translation key or TLB generation. */
void code_stamp(struct gcpu *g);

static inline struct code_jump *code_jump_at(const struct code_cache *c, gva_t pc)
{
	return &c->jump[(pc >> 1) % CODE_JUMPS];	/* translated code computes it too */
}

/* Its second place, if something else has taken the first since. */
static inline struct code_jump *code_jump_other(const struct code_cache *c, gva_t pc)
{
	return &c->jump[(pc >> 1) % CODE_JUMPS ^ 1];
}

/* @b is given up or stale: it is not found in the jump cache. */
static inline void code_jump_forget(struct code_cache *c, const struct block *b)
{
	struct code_jump *j = code_jump_at(c, b->pc), *other = code_jump_other(c, b->pc);

	if (j->block == b)
		*j = (struct code_jump){ 0 };
	if (other->block == b)
		*other = (struct code_jump){ 0 };
}

/*
 * May a link that is never asked again lead from @from to @to, in the same page? Not if context or
 * translation changed on the way; and the second page of a block may come to be another one while
 * the first stays what it is.
 */
static inline bool block_may_chain(const struct block *from, const struct block *to)
{
	return to->gpa2 == NO_PAGE && to->ctx == from->ctx && !((to->gpa ^ from->gpa) & PAGE_MASK);
}

/* Fast path of code_find(). */
static inline struct block *code_lookup(const struct code_cache *c, gva_t pc)
{
	const struct code_jump *j = code_jump_at(c, pc);
	u64 stamp = c->stamp[pc >> 63];

	if (likely(j->pc == pc && j->stamp == stamp))
		return j->block;
	j = code_jump_other(c, pc);
	return j->pc == pc && j->stamp == stamp ? j->block : NULL;
}
