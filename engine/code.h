/*
 * The code cache of one guest CPU: translated blocks, found by (pc, physical address, ctx).
 * Private to its CPU, so without locks; other CPUs' stores do not touch it.
 *
 *  - Memory is eight FIFO sectors; when all are full the oldest is emptied as a whole.
 *  - Exits inside a page are linked to their target; everything else goes through the jump
 *    cache, a direct-mapped table tagged with pc and a stamp that stands for context,
 *    translation key and TLB generation.
 *  - Guest code may change; RISC-V and Arm say when it must be seen (FENCE.I, IC IVAU). Then
 *    the epoch grows. A block of an older epoch is used again only if its guest bytes still
 *    hash to what was translated, so nothing is flushed that has not changed, whoever (this
 *    CPU, another one, a device) wrote it.
 */
#pragma once

#include "engine/ir/ir.h"

#define CODE_SECTORS	8
#define CODE_HASH	8192		/* buckets */
#define CODE_JUMPS	4096		/* jump cache entries */
#define CODE_STAMPS	16
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

struct block {
	gva_t pc;
	/* of the first byte; of the second page if an instruction straddles, else NO_PAGE */
	gpa_t gpa, gpa2;
	u64 epoch;		/* when its guest bytes were last known to be as translated */
	u64 hash;			/* of the guest bytes */
	u32 ctx;
	struct block *next;		/* in its hash bucket */
	u16 insns, bytes, links, xops;
	u32 size;			/* bytes in the cache, a multiple of 16 */
	u16 *insn_pc;			/* offset of each instruction */
	u16 *link;	/* indices in code[] of the operations whose ->link points to a block */
	struct xop code[];
};

struct code_jump {
	gva_t pc;
	u64 stamp;
	struct block *block;
};

struct code_stats {
	u64 translated, found, verified, stale, evicted, ir_ops;
};

struct code_cache {
	u8 *memory;
	size_t sector_size;		/* bytes */
	size_t used[CODE_SECTORS];	/* of each sector */
	u32 sector;			/* that is being filled */
	u64 epoch;
	u64 stamp, next_stamp;
	struct { u64 generation, epoch, stamp; u32 key, ctx; } stamps[CODE_STAMPS];
	u32 stamp_victim;
	struct block **bucket;
	struct code_jump *jump;
	struct ir_block *ir;		/* workspace */
	struct code_stats stats;
};

err_t code_init(struct gcpu *g, size_t size);
void code_fini(struct gcpu *g);

/* Guest code may have changed (FENCE.I): every block must prove itself before its next use. */
void code_fence(struct code_cache *c);

/*
 * The block at @pc in the CPU's present context, translated if necessary. NULL: fetching
 * failed and an exception is parked.
 */
struct block *code_find(struct gcpu *g, gva_t pc);
/*
 * The same, translated afresh with at most @limit instructions and not kept: valid until the next
 * call.
 */
struct block *code_find_short(struct gcpu *g, gva_t pc, u32 limit);

/* Recompute the stamp after a change of ctx, translation key, TLB generation or epoch. */
void code_stamp(struct gcpu *g);

static inline struct code_jump *code_jump_at(const struct code_cache *c, gva_t pc)
{
	return &c->jump[(pc >> 1 ^ pc >> 13) % CODE_JUMPS];
}

/* Fast path of code_find(). */
static inline struct block *code_lookup(const struct code_cache *c, gva_t pc)
{
	const struct code_jump *j = code_jump_at(c, pc);

	return likely(j->pc == pc && j->stamp == c->stamp) ? j->block : NULL;
}
