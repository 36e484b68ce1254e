/*
 * What the engine and the kernel must know of a guest instruction set. One const struct
 * per ISA (rv64_isa, a64_isa, x86_isa), found by name with isa_find().
 */
#pragma once

#include "engine/gcpu.h"
#include "kernel/base/err.h"
#include "kernel/base/fmt.h"

struct ir_block;
struct field;
struct fp_policy;

/*
 * Guest code as the front end sees it while translating one block. @bytes may be read up to
 * @len; that is the rest of the page (or, for an instruction that straddles two pages, a
 * private copy of its bytes and @len up to 16).
 */
struct code_window {
	gva_t pc;
	const u8 *bytes;
	u32 len;
	u32 ctx;
	u32 features;
};

/* An optional part that configuration may switch: `isa = ["svadu", "-zbb"]`. */
struct isa_feature {
	const char *name;
	u32 bit;			/* mask in gcpu->features */
};

struct isa {
	const char *name;		/* "riscv64", "aarch64", "x86_64" */
	size_t state_size;		/* bytes of the architectural state, <= 32 KiB */
	u32 pc_offset;			/* of the u64 program counter in it */
	u8 pc_align;			/* log2 of the smallest instruction */
	u8 longest;			/* instruction, in bytes, 1..16 */
	u32 features;			/* what is on by default */
	const struct isa_feature *feature; /* what can be switched, NULL name ends; may be NULL */
	u32 wide;	/* those that need more virtual addresses than a view has (mmu/view.h) */
	const struct fp_policy *fp;	/* its floating-point rules */
	/* offsets in the state of 64-bit registers that code uses most, hottest first; 0 ends */
	const u16 *hot, *hot_fp;
	u32 ctx_fp;			/* bits of ctx with which code may use FP registers */
	u32 ctx_privileged;		/* bits of ctx without which it is an application's */
	/* every piece of state: snapshots, dumps, comparison; NULL name ends */
	const struct field *fields;

	void (*reset)(struct gcpu *g);
	/*
	 * From here to interrupt: NULL if it cannot be translated, only run by a CPU of its own.
	 *
	 * Append IR for code at w->pc until the block must end (the caller calls ir_finish());
	 * as many instructions as ir_insn() lets begin, at least one (an undefined instruction
	 * is IR that raises). Returns false if not even the first instruction fits in w->len.
	 */
	bool (*translate)(const struct code_window *w, struct ir_block *b);
	/*
	 * Translate one access inside one page: sets g->fill_gpa, fill_host and fill_len, and
	 * enters the page into the TLB if it is memory that may be cached there (not MMIO, not
	 * a page that protection splits). A write marks the page dirty. @len matters for PMP
	 * only. False: an exception is parked in g->xcpt.
	 */
	bool (*fill)(struct gcpu *g, gva_t va, u32 len, enum access access);
	/*
	 * The access reached nothing or something that cannot take it (no range at @gpa, atomics
	 * on a device): park the bus fault.
	 */
	void (*bus_fault)(struct gcpu *g, gva_t va, gpa_t gpa, enum access access);
	/* The access must be aligned and is not. */
	void (*misaligned)(struct gcpu *g, gva_t va, enum access access);
	/*
	 * Take the parked exception: pc in the state is that of the faulting instruction. Clears
	 * g->xcpt.
	 */
	void (*raise)(struct gcpu *g);
	/* Take the most urgent enabled interrupt if there is one; true if pc changed. */
	bool (*interrupt)(struct gcpu *g);
	/* Would a halted CPU wake? */
	bool (*wakes)(struct gcpu *g);
	/* Registers for people: post-mortem, `vm show`, panic. */
	void (*print)(const struct gcpu *g, struct sink *to);
	/* One instruction as text; returns its length in bytes. */
	u32 (*disasm)(const u8 *bytes, u32 len, gva_t pc, struct sink *to);
};

extern const struct isa *const isas[];	/* NULL ends; engine/isa.c */
const struct isa *isa_find(const char *name);
/*
 * The default features as changed by "name" and "-name" items; E_CONFIG names an unknown one and
 * lists those there are.
 */
err_t isa_features(const struct isa *isa, const char *const *item, u32 count, u32 *out);

/* Offset of the jump cache from the state. */
static inline u32 gcpu_jumps_at(const struct isa *isa)
{
	return (u32)(ALIGN_UP(isa->state_size, (size_t)64) + GCPU_TEMPS);
}

static inline u64 gcpu_pc(const struct gcpu *g)
{
	return *(const u64 *)((const char *)g->st + g->isa->pc_offset);
}

static inline void gcpu_set_pc(struct gcpu *g, u64 pc)
{
	*(u64 *)((char *)g->st + g->isa->pc_offset) = pc;
}
