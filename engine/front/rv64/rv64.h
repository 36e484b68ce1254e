/*
 * Private to engine/front/rv64: numbers of the privileged specification and the functions
 * its files share. What other layers need is in state.h.
 */
#pragma once

#include "engine/front/rv64/state.h"
#include "engine/ir/ir.h"

enum rv64_cause {
	CAUSE_FETCH_MISALIGNED = 0, CAUSE_FETCH_ACCESS = 1, CAUSE_ILLEGAL = 2, CAUSE_BREAKPOINT = 3,
	CAUSE_LOAD_MISALIGNED = 4, CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_MISALIGNED = 6, CAUSE_STORE_ACCESS = 7,
	CAUSE_ECALL_U = 8,			/* + privilege */
	CAUSE_FETCH_PAGE = 12, CAUSE_LOAD_PAGE = 13, CAUSE_STORE_PAGE = 15,
};
#define CAUSE_INTERRUPT	BIT(63)

enum {
	MSTATUS_SIE = 1 << 1, MSTATUS_MIE = 1 << 3, MSTATUS_SPIE = 1 << 5, MSTATUS_MPIE = 1 << 7,
	MSTATUS_SPP = 1 << 8, MSTATUS_MPP = 3 << 11, MSTATUS_FS = 3 << 13, MSTATUS_MPRV = 1 << 17,
	MSTATUS_SUM = 1 << 18, MSTATUS_MXR = 1 << 19, MSTATUS_TVM = 1 << 20, MSTATUS_TW = 1 << 21,
	MSTATUS_TSR = 1 << 22,
};
#define MSTATUS_UXL	(2ull << 32)		/* read-only: 64 bits */
#define MSTATUS_SXL	(2ull << 34)
#define MSTATUS_SD	BIT(63)
#define MSTATUS_WRITABLE (MSTATUS_SIE | MSTATUS_MIE | MSTATUS_SPIE | MSTATUS_MPIE | MSTATUS_SPP | \
			  MSTATUS_MPP | MSTATUS_FS | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MXR | \
			  MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR)
#define SSTATUS_WRITABLE (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_SUM | \
			  MSTATUS_MXR)

#define MIP_S		(BIT(IRQ_SSI) | BIT(IRQ_STI) | BIT(IRQ_SEI))
#define MIP_M		(BIT(IRQ_MSI) | BIT(IRQ_MTI) | BIT(IRQ_MEI))
#define MEDELEG_WRITABLE 0xb3ffull		/* not the ecalls of M and H */

#define ENVCFG_FIOM	BIT(0)
#define ENVCFG_CBIE	(3 * BIT(4))
#define ENVCFG_CBCFE	BIT(6)
#define ENVCFG_CBZE	BIT(7)
#define ENVCFG_ADUE	BIT(61)
#define ENVCFG_STCE	BIT(63)

#define COUNTEREN_TM	BIT(1)
#define COUNTEREN_ALL	MASK(3)			/* CY, TM, IR; no hpm counters */

#define SATP_MODE(satp)	((u32)((satp) >> 60))
#define SATP_ASID(satp)	((u32)BITS(satp, 59, 44))
enum { SATP_BARE = 0, SATP_SV39 = 8, SATP_SV48 = 9, SATP_SV57 = 10 };

enum { PMP_R = 1, PMP_W = 2, PMP_X = 4, PMP_L = 0x80 };

/* gcpu->ctx: what translated code may take for granted. */
enum rv64_ctx {
	CTX_PRIV     = 3 << 0,
	CTX_FP       = 1 << 2,		/* FS is not Off */
	CTX_FP_DIRTY = 1 << 3,		/* FS is Dirty already */
	CTX_FRM      = 1 << 4,		/* frm holds a valid rounding mode */
	CTX_CBZE     = 1 << 5,		/* cbo.zero is permitted */
	CTX_SBI      = 1 << 6,		/* ecall from S leaves for the built-in firmware */
	CTX_RM       = 7 << 7,		/* the rounding mode, if it is valid and FP is on */
};

static inline struct rv64_state *rv64_st(const struct gcpu *g)
{
	return g->st;
}

/* Park an illegal-instruction exception. @insn: its bits, for xtval. */
static inline u64 rv64_illegal(struct gcpu *g, u64 insn)
{
	gcpu_raise(g, CAUSE_ILLEGAL, insn);
	return 0;
}

/* mmu.c */
/* After any change of privilege, mstatus, satp, frm or envcfg. */
void rv64_ctx_update(struct gcpu *g);
bool rv64_fill(struct gcpu *g, gva_t va, u32 len, enum access access);
void rv64_bus_fault(struct gcpu *g, gva_t va, gpa_t gpa, enum access access);
void rv64_misaligned(struct gcpu *g, gva_t va, enum access access);
extern const struct ir_helper rv64_sfence_vma, rv64_fence_i, rv64_cbo_inval, rv64_cbo_clean;

/* pmp.c */
#define PMP_SPLIT 8	/* the answer differs inside the range; no other bit is set */
/* PMP_R | PMP_W | PMP_X that @priv has on all of [gpa, gpa + len). */
u32 rv64_pmp(const struct rv64_state *st, enum rv64_priv priv, gpa_t gpa, u64 len);
void rv64_pmp_write_cfg(struct gcpu *g, u32 reg, u64 v);	/* @reg: entries 8 * reg and up */
u64 rv64_pmp_read_cfg(const struct rv64_state *st, u32 reg);
void rv64_pmp_write_addr(struct gcpu *g, u32 i, u64 v);

/* csr.c */
extern const struct ir_helper rv64_csr, rv64_fp_dirty;
const char *rv64_csr_name(u32 number);		/* NULL: there is none */
bool rv64_csr_ends_block(u32 insn);	/* it may change ctx, translation or interrupt enables */
u64 rv64_csr_peek(const struct gcpu *g, u32 number);	/* for printing: no checks */

/* trap.c */
void rv64_raise(struct gcpu *g);
bool rv64_interrupt(struct gcpu *g);
bool rv64_wakes(struct gcpu *g);
extern const struct ir_helper rv64_sret, rv64_mret, rv64_wfi, rv64_wrs, rv64_pause, rv64_hypercall;

/* time.c */
bool rv64_timer_active(const struct gcpu *g);	/* stimecmp drives STIP */
void rv64_timer_init(struct gcpu *g);
u64 rv64_mip(const struct gcpu *g);		/* mip as read */

/* translate.c, disasm.c */
const char *rv64_x_name(u32 i);
bool rv64_translate(const struct code_window *w, struct ir_block *b);
u32 rv64_disasm(const u8 *bytes, u32 len, gva_t pc, struct sink *to);
