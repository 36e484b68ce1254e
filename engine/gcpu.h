/*
 * A guest CPU: architectural state, TLB, physical address space. Runners make it go.
 *
 * Two kinds of events reach it from other CPUs, both as bits plus ->attention:
 *  - lines: level inputs (interrupt pins); bit numbers are the ISA's (RISC-V: those of mip).
 *  - requests: things to do before the next guest instruction (flushes, leave).
 * A runner looks at ->attention at least every ENGINE_SLICE instructions.
 *
 * A synchronous exception found by a helper or by the memory path is parked in ->xcpt; the
 * runner sets the faulting pc and calls isa->raise(), which alone knows vectors and CSRs.
 */
#pragma once

#include "engine/exit.h"
#include "kernel/base/gclock.h"
#include "kernel/base/timer.h"
#include "mmu/space.h"
#include "mmu/tlb.h"

struct isa;
struct ports;
struct runner;
struct code_cache;
struct journal;

enum gcpu_request {
	REQ_LEAVE    = 1 << 0,	/* return from run() with EXIT_BUDGET */
	REQ_TLB      = 1 << 1,	/* flush every translation */
	REQ_FENCE_I  = 1 << 2,	/* forget code that may have changed */
	REQ_UNLINK   = 1 << 3,	/* forget what leads from code to code: it may not any more */
};

/* Scratch behind the state in the same allocation: the engine's block-local values. */
#define GCPU_TEMPS KIB(32)
/*
 * Behind them the jump cache, where translated code reaches it from the same register: which
 * block is at pc while the code cache's stamp is ->stamp. Two entries share a line of the host's
 * cache, and what is displaced from one place may be found in the other.
 */
#define CODE_JUMPS 8192

struct code_jump {
	u64 pc, stamp;
	const u8 *entry;		/* host code; of an interpreted block: what leaves to it */
	struct block *block;
};
_Static_assert(sizeof(struct code_jump) == 32, "translated code computes the index");
#define ENGINE_SLICE 8192	/* guest instructions between two looks at ->attention */

struct gcpu {
	/* set once */
	const struct isa *isa;
	const struct runner *runner;
	struct space *space;
	struct ports *ports;		/* x86: the I/O space */
	struct gclock *clock;
	u32 index;			/* hart id, MPIDR, APIC id */
	u32 cpus;			/* of its machine */
	u32 features;			/* ISA feature bits chosen by configuration */
	u32 hot;	/* hybrid: runs after which a block is translated; 0: what suits */
	/* what of the translated code sees memory through views, if there is room for them */
	enum gcpu_views { VIEWS_NONE, VIEWS_USER, VIEWS_ALL } views;
	/* 0, or interrupts are taken only at multiples of it and at ->check: see slice.h */
	u32 quantum;
	/* a guest firmware runs the highest privilege level; else calls go to EXIT_HYPERCALL */
	bool firmware;
	/* what the runner needs of the interrupt controller: struct x86_intc, a64_intc; or NULL */
	const void *intc;
	void *intc_ctl;
	void *accel;			/* a hardware runner's own: struct svm_cpu ... */
	/* owning CPU only */
	void *st;	/* struct rv64_state ...; temporaries and the jump cache follow */
	struct mmu_tlb *tlb;
	struct code_cache *code;	/* interpreter and JIT */
	struct journal *journal;	/* runner audit: of its stores; else NULL */
	u32 ctx;		/* what blocks depend on besides pc; kept by the front end */
	u64 icount;			/* guest instructions retired */
	s64 budget;			/* guest instructions left before run() returns */
	u64 exits[EXIT_COUNT];
	struct {
		bool pending;
		u32 cause;		/* the ISA's number */
		u64 value;		/* fault address, instruction bits ... */
	} xcpt;
	gpa_t fill_gpa;			/* isa->fill() answers: where the access goes */
	u8 *fill_host;			/* the same as host address, NULL for MMIO */
	u32 fill_len;		/* bytes from there on that the answer holds for, inside the page */
	bool halted;			/* in WFI/HLT: run() returns EXIT_HALT until isa->wakes() */
	bool check;	/* the last instruction may have enabled interrupts, slept or left */
	bool leave_block; /* a helper changed ctx or translation: look the next block up again */
	struct exit *exit;	/* a helper that must leave run() fills it and sets ->leave */
	bool leave;
	/* while a helper runs: instructions of the block not yet begun, see gcpu_icount() */
	u8 insns_left;
	struct {	/* the exclusive monitor (LR/SC, LDXR/STXR): one naturally aligned piece */
		void *host;		/* NULL: clear */
		u64 value[2];		/* what was loaded */
		u32 len;
	} excl;
	u8 fp_flags;	/* sticky, SoftFloat's bits; the front end maps them to its register */
	u8 fp_rm;			/* dynamic rounding mode, SoftFloat's numbers */
	u16 fp_ctl;			/* the guest's flush and NaN modes: bits of enum fp_mode */
	struct timer timer;		/* the ISA's own comparator (Sstc, CNTV, TSC deadline) */
	/* any CPU, atomic */
	_Atomic u64 lines;
	_Atomic u32 requests;
	_Atomic u32 attention;
	_Atomic bool in_guest;		/* set while run() executes guest instructions */
};

/*
 * Allocate state, TLB and code cache for @isa and reset; E_NOMEM. The rest of "set once" is filled
 * in by the caller before.
 */
must_check err_t gcpu_init(struct gcpu *g);
void gcpu_fini(struct gcpu *g);

/* Raise or lower an input line; any CPU. */
void gcpu_line(struct gcpu *g, u32 bit, bool level);
/*
 * Post requests; any CPU. gcpu_request_wait() returns when they took effect, or the CPU is
 * outside the guest and will see them first; its caller must itself be outside the guest (an
 * exit, the loop): two that wait for each other from inside would wait for ever.
 */
void gcpu_request(struct gcpu *g, u32 requests);
void gcpu_request_wait(struct gcpu *g, u32 requests);

/*
 * Make the host CPU that runs (or will run) @g look at ->attention. Defined by kernel/vcpu.c; unit
 * tests define their own.
 */
void gcpu_kick(struct gcpu *g);

/* Park a synchronous exception; the first one wins. */
static inline void gcpu_raise(struct gcpu *g, u32 cause, u64 value)
{
	if (!g->xcpt.pending) {
		g->xcpt.pending = true;
		g->xcpt.cause = cause;
		g->xcpt.value = value;
	}
}

/* Instructions retired before the one that calls this helper. */
static inline u64 gcpu_icount(const struct gcpu *g)
{
	return g->icount - g->insns_left;
}

static inline ns_t gcpu_now(const struct gcpu *g)
{
	return gclock_now(g->clock);
}
