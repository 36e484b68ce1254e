/*
 * The just-in-time translator: one skeleton for all hosts. It walks a finished IR block once,
 * forward; for every operation it keeps book of where values are (alloc.c) and lets the target
 * (engine/back/<host>) write the instructions. Nothing here knows a host's instruction format, and
 * every target compiles in every build: it writes bytes and looks at no host.
 *
 *  - Hot guest registers are pinned: they live in a host register from the moment translated code
 *    is entered until it is left, whatever blocks run in between. The others stay in memory.
 *  - Values of the block live in temporaries; too many go to slots behind the guest's state.
 *  - What is rare is a site: a 16-byte record that a slow path names when it calls jit_slow(),
 *    with all pinned registers written back. Memory misses, helpers, operations without an inline
 *    form and exits that are not linked yet all go that way.
 *
 * Translated code works on struct jit_frame, which lies behind the guest state at a fixed distance
 * so that one register reaches both.
 */
#pragma once

#include "engine/back/jit/compile.h"
#include "engine/back/jit/host.h"
#include "engine/slice.h"

#define JIT_REGS	32		/* host registers of a kind, at most */
#define NO_REG		0xff
#define JIT_MARGIN	1024		/* bytes an operation with its moves may take at most */

enum jit_kind { KIND_INT, KIND_FP, KIND_VEC };

/* Where translated code was left, and why: what entering it returns. */
enum jit_why {
	JIT_LINK,		/* an exit whose target is not linked: frame->site */
	JIT_MISS,		/* an indirect exit; pc is in the state */
	JIT_BUDGET,		/* frame->site: the block that was not begun */
	JIT_CHECK,		/* pc is in the state; context, interrupts may have changed */
	JIT_RAISE,		/* an exception is parked, pc and counters are exact */
	JIT_LEAVE,		/* a helper set g->leave */
};

struct jit_frame {
	/* translated code */
	u64 arg[3], ret;	/* of jit_slow() */
	u64 budget;		/* instructions left, while it is not in its register */
	u64 ram_size;
	u32 stamp[2];		/* of the code cache, for links across pages */
	u32 site;		/* the place in the code cache of what a slow path belongs to */
	u64 sp;			/* of the host, where translated code was entered */
	u32 fp_state, fp_host;	/* the host's FP control and status for the guest; and its own */
	/* entered with these */
	struct gcpu *g;
	u8 *ram;		/* what offsets in RAM are added to */
	u64 *lpt, *lpt_write;	/* arrays for reads and for writes */
	/* what targets keep in a register: ->lpt or half a view; ->lpt_write or the view */
	u64 memory[2];
	u64 saved[8];		/* temporaries during a slow path */
	u64 fsaved[4][2];
	/* constants of the target, 16 bytes each */
	u64 mask[8][2] aligned_to(16);
	u8 flags[64];		/* the guest's sticky flags by the host's */
	/* the runner's */
	u64 end;		/* icount when the budget is used up */
};
#define JIT_FRAME_ROOM	1024
_Static_assert(sizeof(struct jit_frame) <= JIT_FRAME_ROOM, "the frame fits behind the temporaries");

/* Offset of the frame, of the jump cache and of spilled values from the guest state. */
static inline u32 jit_frame_at(const struct isa *isa)
{
	return (u32)ALIGN_UP(isa->state_size, (size_t)64) + GCPU_TEMPS - JIT_FRAME_ROOM;
}

static inline struct jit_frame *jit_frame(const struct gcpu *g)
{
	return (struct jit_frame *)((u8 *)g->st + jit_frame_at(g->isa));
}

/* Where a value is: perhaps in several places at once. */
struct place {
	u8 reg, freg;		/* host registers, or NO_REG */
	bool mem;		/* at ->off from the guest state */
	s32 off;
};

struct jit;
struct jit_cold;

/* A host. Registers are its own numbers; offsets count from the guest state. */
struct jit_target {
	const char *name;
	const u8 *pin, *fpin;		/* for the guest's registers, hottest first */
	u8 pins, fpins;
	u32 temps, ftemps;		/* sets of registers */
	void (*move)(struct jit *j, u8 d, u8 s);
	void (*fmove)(struct jit *j, u8 d, u8 s);
	void (*to_fp)(struct jit *j, u8 d, u8 s);	/* 64 bits, as they are */
	void (*from_fp)(struct jit *j, u8 d, u8 s);
	void (*imm)(struct jit *j, u8 d, u64 v);
	void (*load)(struct jit *j, u8 d, s32 off);
	void (*store)(struct jit *j, s32 off, u8 s);
	void (*fload)(struct jit *j, u8 d, s32 off);
	void (*fstore)(struct jit *j, s32 off, u8 s);
	void (*store_imm)(struct jit *j, s32 off, u64 v);
	/* state[to] = address of state[off] */
	void (*address)(struct jit *j, s32 to, s32 off);
	/* Constants of the frame, and the common code at the cache's begin: j->common. */
	void (*setup)(struct jit_frame *f);
	void (*common)(struct jit *j);
	void (*begin)(struct jit *j);			/* the budget check */
	/* Write operation @i; returns the last operation that is done with it, 0: has no form. */
	u32 (*op)(struct jit *j, u32 i);
	void (*slow)(struct jit *j, u32 site);		/* call jit_slow() */
	/* Let no register of the set @regs be a suspect: see struct suspects. */
	void (*settle)(struct jit *j, u32 regs);
	/*
	 * Let the exit at @at, in memory as written, go to @to, or (0) be unlinked again. Bytes
	 * from there on that hold changed instructions.
	 */
	u32 (*link)(u8 *at, const u8 *at_rx, const u8 *to, u32 stamp, bool guarded);
	/* Write a jump to @to, divert_len bytes, over the access at @at. */
	void (*divert)(u8 *at, const u8 *at_rx, const u8 *to);
	u8 divert_len;			/* at most 8 */
	u32 (*fp_state)(u32 rm);			/* frame->fp_state for a rounding mode */
	u8 (*fp_flags)(u32 *state);	/* the guest's sticky flags in it, which are cleared */
};

/*
 * FP registers that may hold a NaN other than the guest's, as sets: results of arithmetic on hosts
 * that make other NaNs. Arithmetic does not tell them apart; before anybody else looks the target
 * settles them. A NaN in one is quiet, so that looking for it raises no flag.
 */
struct suspects {
	u32 regs[2];		/* singles, doubles */
};

/* Code that rarely runs, behind the block: written when the rest is done. */
struct jit_cold {
	void (*write)(struct jit *j, struct jit_cold *c);
	u8 *from[4];		/* jumps that lead here */
	u8 *back;		/* where it goes on, or NULL */
	u32 site, op;
	u8 r[4];
	s32 n;
	struct place src[3];		/* where the operands were */
	struct suspects suspects;	/* when it was registered */
};

/* Common code, as offsets in the code cache. With and without FP registers. */
struct jit_common {
	u32 enter[2], slow[2], leave[2];
	u32 miss[2];	/* an indirect exit: not in its first place in the jump cache */
	u32 unknown[2];			/* ... nor in the second, or not host code */
	u32 nothing;			/* returns at once: to measure what writing code costs */
	u32 size;
};

/* What state slots are in contexts without and with FP registers. */
struct jit_pins {
	u8 reg[IR_MEMO], freg[IR_MEMO];	/* the host register that holds it, or NO_REG */
	bool fp[IR_MEMO];		/* a floating-point register of the guest, pinned or not */
};

/* A translation in progress. */
struct jit {
	const struct jit_target *t;
	u32 features;			/* bits of the target */
	const struct isa *isa;
	struct code_cache *code;
	u32 frame;			/* offset of the frame from the guest state */
	u32 jumps;			/* ... and of the jump cache */
	u32 pc_off;			/* ... and of the program counter */
	u32 lpt_bits;
	u32 fault_insns;		/* guest instructions that a fault is worth */
	struct jit_common common;
	const u8 *common_rx;
	struct jit_pins pins_of[2];	/* by ->fp */
	/* the block */
	const struct ir_block *ir;
	struct block *b;
	u8 *start, *at, *end;		/* as written */
	u8 *cold_at;			/* where the cold code begins */
	bool full;			/* out of room: give up */
	bool fp;			/* FP registers are pinned in this context */
	u32 fp_rm;			/* its rounding mode, if they are */
	bool views;			/* there are views of memory: see mmu/view.h */
	bool in_view;			/* loads and stores go there */
	u32 op;				/* being written */
	u32 sites, colds;
	/* places */
	struct place place[IR_OPS_MAX];
	u16 last[IR_OPS_MAX];		/* operation that uses the value last */
	u8 kind[IR_OPS_MAX];
	bool lazy[IR_OPS_MAX];		/* an UNBOX32 that only arithmetic uses: done there; or
					 * what the target has done with an operation before it */
	bool scaled[IR_OPS_MAX];	/* a SHL64 by 1 to 3 for one ADD64: done there */
	bool narrow[IR_OPS_MAX];	/* nobody looks at more than the low 32 bits */
	bool boxed[IR_OPS_MAX];		/* known to be a single's box */
	bool near[IR_OPS_MAX];		/* value + ->near_at is known to be in the view */
	s32 near_at[IR_OPS_MAX];
	struct suspects suspects;	/* before this operation; */
	struct suspects born;		/* ... that it makes */
	u32 written;			/* FP registers that it gives another value */
	bool sunk[IR_OPS_MAX];		/* to be done where its value is used: sink.c */
	u32 locked, flocked;		/* not to be taken for something else in this operation */
	val_t reg[JIT_REGS], freg[JIT_REGS];	/* value in each temporary */
	val_t slot[IR_MEMO];		/* value that lives in state slot i */
	const struct jit_pins *pins;	/* in this context */
	/* For each operation at most one, and one more to settle what it has made. */
	struct jit_cold cold[2 * IR_OPS_MAX];
};

/* alloc.c: all of them may write moves, so none is called between a branch and its join. */
void jit_places_init(struct jit *j);
void jit_places_end_op(struct jit *j);
/* The register that holds @v; it stays until the operation is done. */
u8 jit_use(struct jit *j, val_t v);
u8 jit_fuse(struct jit *j, val_t v);
/* A register for the result of operation @i: that of the register the next operation PUTs it to. */
u8 jit_def(struct jit *j, u32 i);
u8 jit_fdef(struct jit *j, u32 i);
u8 jit_temp(struct jit *j);
u8 jit_ftemp(struct jit *j);
/* Have temporary @r for this operation: what is in it moves. */
void jit_take(struct jit *j, u8 r);
/* The value goes to its spill slot, if it is not in memory already; its offset. */
s32 jit_to_memory(struct jit *j, val_t v);
s32 jit_spill_slot(const struct jit *j, val_t v);
/* The result of operation @i has been written to its spill slot. */
s32 jit_def_memory(struct jit *j, u32 i);
/*
 * May operation @i change its operand @v in memory, in the state's slot that the next operation
 * PUTs the result to, both being used no more? Then *off is where, that PUT is returned and what
 * @v was is forgotten; else 0.
 */
u32 jit_in_place(struct jit *j, u32 i, val_t v, s32 *off);
u32 jit_get(struct jit *j, u32 i);
u32 jit_put(struct jit *j, u32 i);
/* Values that live in registers of the guest move out; and their slots are what memory holds. */
void jit_vacate_all(struct jit *j);
void jit_vacate(struct jit *j, u32 first, u32 last);	/* the same for some slots */
/* Pinned registers to memory and back, for accesses to a part or by index. */
void jit_sync(struct jit *j, u32 first, u32 last, bool out);
u32 jit_next_op(const struct jit *j, u32 i);	/* that writes anything */
bool jit_dead_after(const struct jit *j, val_t v, u32 i);

/* ... the slots that @len bytes at @o's offset lie in */
void jit_sync_part(struct jit *j, const struct ir_op *o, u32 len, bool out);

/* fp.c */
u32 jit_rounding(const struct jit *j, const struct ir_op *o);	/* SoftFloat's number */
/* Does the host's control register round as @o wants? */
bool jit_rounds_right(const struct jit *j, const struct ir_op *o);
bool jit_is_single_or_double(u32 aux);
/*
 * An FCMP and the operation that makes a truth value of it: equal to ->want (0 less, 1 equal), or
 * with ->less_equal at most 1. False: it is used in another way.
 */
struct jit_fcompare {
	u32 set;		/* that operation */
	bool less_equal;
	u64 want;
};
bool jit_fcompare(const struct jit *j, u32 i, struct jit_fcompare *c);

/* compile.c: what does not change from block to block; tests make code for other hosts. */
void jit_setup(struct jit *j, const struct jit_target *t, u32 features, const struct isa *isa,
	       struct code_cache *c);

/* Time from writing an instruction to having run it, at best. */
ns_t jit_write_cost(struct jit *j);

/* run.c, also for the audit runner: init (@hot as in code_init()), fini, the loop. */
bool jit_probe(const struct isa *isa, const char **why);
must_check err_t jit_open(struct gcpu *g, u32 hot);
void jit_close(struct gcpu *g);
void jit_slices(struct gcpu *g, struct exit *x, s64 length,
		enum slice_why (*go)(struct gcpu *g, s64 slice));
/* Enter host code, with frame->budget and ->end set; pc and icount are exact if they can be. */
enum jit_why jit_enter(struct gcpu *g, struct jit_frame *f, const struct block *b);

/* sink.c: choose what is sunk, after ->last, ->kind and ->scaled are known. */
void jit_sink(struct jit *j);

/* lower.c */
/* @b and j->at .. j->end are set; true if the block fits. Bytes written: j->at - j->start. */
bool jit_lower(struct jit *j, const struct ir_block *ir, struct block *b);
u32 jit_site(struct jit *j, enum jit_site_kind kind, u64 arg, u32 extra);
struct jit_cold *jit_cold(struct jit *j, void (*write)(struct jit *j, struct jit_cold *c));
/* Operands to the frame, then jit_slow(): for operations without an inline form. */
u32 jit_call_slow(struct jit *j, u32 i, enum jit_site_kind kind, u64 arg);
void jit_arg(struct jit *j, u32 n, val_t v);
/* Where jit_site @site is in the code cache. */
u32 jit_site_place(const struct jit *j, u32 site);

/* SITE_LOAD, SITE_STORE: the access, in site->arg. */
/* SITE_OP of arithmetic: bits of the immediate that say which operands are to be unboxed. */
#define SLOW_UNBOX	24

enum jit_access { ACC_LEN = 0xff, ACC_SIGNED = 1 << 8, ACC_MEM = 16 /* shift of enum ir_mem */ };

/*
 * With views: must it be checked that address @base + @off is in the view? It is taken to have been
 * when the block goes on. Addresses near one that was checked need not be: around views is nothing.
 */
bool jit_view_check(struct jit *j, val_t base, s32 off);
/* With views, after jit_site() of a load or store: the access is the instruction at @at. */
void jit_site_access(struct jit *j, const u8 *at);

/* fault.c: load or store @s took the slow path; was it to memory that a view may map now? */
void jit_access_went(struct gcpu *g, struct jit_site *s, bool to_memory);

/* slow.c: called by translated code; nonzero: leave, with this value - 1 as enum jit_why. */
u64 jit_slow(struct gcpu *g);

/* The stamp that is compared on the way to @pc. Unknown pcs are taken to be in the block's half. */
#define STAMP(j, pc) (FRAME(j, stamp) + 4 * (s32)((pc) >> 63))

/* Offset of a member of the frame from the guest state. */
#define FRAME(j, member) ((s32)((j)->frame + offsetof(struct jit_frame, member)))

static inline u32 jit_suspects(const struct jit *j)
{
	return j->suspects.regs[0] | j->suspects.regs[1];
}

/* A branch inside the page at its block's end: targets may link the branch itself. */
static inline bool jit_is_last_branch(const struct jit *j, const struct ir_op *o)
{
	return o->op >= IR_BREQ32 && o->op <= IR_BRGES64 && o->aux == IR_CHAIN &&
	       o->insn == j->ir->insns - 1;
}

static inline void jit_settle(struct jit *j, u32 regs)
{
	if (jit_suspects(j) & regs)
		j->t->settle(j, regs);
}

/* What is read in place of @v: the operand of a lazy unboxing. */
static inline val_t jit_root(const struct jit *j, val_t v)
{
	return j->lazy[v] ? j->ir->op[v].a : v;
}

/* If there are views, may code of the present context use them? */
static inline bool jit_may_view(const struct gcpu *g)
{
	return g->views == VIEWS_ALL || !(g->ctx & g->isa->ctx_privileged);
}

static inline struct block *jit_site_block(struct jit_site *s)
{
	return container_of(s - s->index, struct block, site[0]);
}
