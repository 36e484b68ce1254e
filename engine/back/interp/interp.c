/*
 * The interpreter's loop: direct-threaded code. Every operation ends in a jump to the next
 * one's label, which the operation carries itself; there is no dispatch table in between.
 *
 * In registers all the time: s (the slots), x (the operation), budget (instructions left).
 * A block takes its instructions off the budget when it begins; a side exit or a fault gives
 * back what was not done, so budget is the instruction counter too.
 *
 * The labels of scalar rows come from ops.def; the rest is here, one label each.
 */
#include "engine/back/interp/interp.h"
#include "engine/ir/fp.h"
#include "engine/ir/scalar.h"
#include "engine/ir/vec.h"
#include "engine/mem.h"
#include "kernel/base/panic.h"

/* What the loop keeps in memory, because only exits and faults touch it. */
struct loop {
	struct gcpu *g;
	u64 end;		/* icount when the budget is used up */
	const struct block *b;	/* being run */
};

/* Bring pc and icount in line as they are before instruction @insn of the running block. */
static void loop_sync(struct loop *l, s64 budget, u32 insn)
{
	struct gcpu *g = l->g;

	gcpu_set_pc(g, l->b->pc + l->b->insn_pc[insn]);
	g->insns_left = (u8)(l->b->insns - insn);
	g->icount = l->end - (u64)budget;
}

static noinline u64 call_helper(struct loop *l, s64 budget, const struct xop *x, const u64 *s)
{
	u64 (*fn)(struct gcpu *, u64, u64, u64) =
		(u64 (*)(struct gcpu *, u64, u64, u64))(uptr)x[1].imm64;

	loop_sync(l, budget, (u32)x->imm);
	return fn(l->g, s[x->a], s[x->b], s[x->c]);
}

/* Operations whose alignment or kind takes them off the fast path. */
static noinline bool slow_load(struct loop *l, s64 budget, const struct xop *x, gva_t va, u32 len,
			       u64 *v)
{
	loop_sync(l, budget, x->c & 63);
	if (x->c >> 8 & MEM_ALIGNED && va & (len - 1)) {
		l->g->isa->misaligned(l->g, va, ACCESS_READ);
		return false;
	}
	*v = 0;
	return mem_read(l->g, va, len, v);
}

static noinline bool slow_store(struct loop *l, s64 budget, const struct xop *x, gva_t va, u32 len,
				const u64 *v)
{
	loop_sync(l, budget, x->c & 63);
	if (x->c >> 8 & MEM_ALIGNED && va & (len - 1)) {
		l->g->isa->misaligned(l->g, va, ACCESS_WRITE);
		return false;
	}
	return mem_write(l->g, va, len, v);
}

/*
 * Host address if @va hits the data TLB and the access stays inside the page. The order
 * bits need nothing on the fast path: x86-64 orders loads and stores by itself, and on
 * AArch64 the lowered operation is preceded by a FENCE.
 */
static inline u8 *fast_read(const struct gcpu *g, gva_t va, u32 len)
{
	return likely((va & ~PAGE_MASK) <= PAGE_SIZE - len) ? tlb_read(g->tlb, &g->tlb->d, va) :
							      NULL;
}

static inline u8 *fast_write(const struct gcpu *g, gva_t va, u32 len)
{
	return likely((va & ~PAGE_MASK) <= PAGE_SIZE - len) ? tlb_write(g->tlb, va) : NULL;
}

/* The labels' addresses, for lowering; filled by the first run of the loop. */
static const s32 *label_table;

static noinline enum slice_why loop_run(struct gcpu *g, struct block *blk, s64 budget, bool once)
{
#define ROW(sym)	[L_##sym] = &&do_##sym - &&do_NOP,
	static const s32 labels[L_COUNT] = {
#define OP(name, result, args, props)		ROW(name)
#define SCALAR(name, result, args, props, expr)	ROW(name)
#define INT1(name, expr)			ROW(name##32) ROW(name##64)
#define INT3(name, expr)			ROW(name##32) ROW(name##64)
#define BRANCH(name, cond)	ROW(name##32) ROW(name##64) ROW(name##32i) ROW(name##64i)
#define INT2(name, expr)	BRANCH(name, expr) ROW(name##32s) ROW(name##32si)
#define VEC(name, args, props)			ROW(name)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
		ROW(MOV) ROW(LINK)
	};
#undef ROW
	struct loop l = { .g = g, .b = blk };
	u64 *s;
	const struct xop *x;
	u64 va, v;
	u8 *p;

	if (!g) {			/* only to learn the labels */
		label_table = labels;
		return SLICE_BUDGET;
	}
	s = g->st;
	l.end = g->icount + (u64)budget;
	if (!blk)
		goto next_block;
	goto enter;

#define GO	goto *((char *)&&do_NOP + x->go)
#define NEXT	do { x++; GO; } while (0)

	/* ---- between blocks ---- */
next_block:
	blk = code_lookup(g->code, gcpu_pc(g));
	if (unlikely(!blk)) {
		g->icount = l.end - (u64)budget;
		g->insns_left = 0;
		blk = code_find(g, gcpu_pc(g));
		if (!blk)
			goto raise;
	}
enter:
	if (unlikely((budget < blk->insns || !blk->heat) && !once)) {
		g->icount = l.end - (u64)budget;
		gcpu_set_pc(g, blk->pc);
		return budget < blk->insns ? SLICE_BUDGET : SLICE_HOT;
	}
	blk->heat--;
	budget -= blk->insns;
	l.b = blk;
	x = blk->code;
	GO;

fault:	/* pc and icount were synchronised by the operation */
	budget += g->insns_left;
raise:
	g->icount = l.end - (u64)budget;
	if (once)
		return SLICE_RAISE;
	g->isa->raise(g);
	if (unlikely(g->leave))
		return SLICE_LEAVE;
	if (unlikely(atomic_load_explicit(&g->attention, memory_order_relaxed)))
		return SLICE_CALLED;	/* traps use up no budget: a guest may do nothing else */
	code_stamp(g);
	goto next_block;

	/* ---- exits ---- */
take_exit:				/* a side exit: x is its EXIT */
do_EXIT:
	budget += x->d;
	if (likely(x->a == IR_CHAIN)) {
		blk = x[1].link;
		if (likely(blk && !blk->stale) && !once)
			goto enter;
	}
	gcpu_set_pc(g, x->imm64);
	if (unlikely(once || x->a == IR_CHECK)) {
		g->icount = l.end - (u64)budget;
		return x->a == IR_CHECK ? SLICE_CHECK : SLICE_BUDGET;
	}
	if (x->a != IR_CHAIN)
		goto next_block;
	blk = code_lookup(g->code, x->imm64);
	if (!blk) {
		g->icount = l.end - (u64)budget;
		g->insns_left = 0;
		const struct block *from = l.b;
		u64 evicted = g->code->stats.evicted;

		blk = code_find(g, x->imm64);
		if (!blk)
			goto raise;
		if (evicted != g->code->stats.evicted || from->stale)
			goto enter;	/* the block we come from may be gone: leave it unlinked */
	}
	if (block_may_chain(l.b, blk))
		code_link_op(g->code, (struct xop *)x + 1, blk);
	goto enter;

do_EXITIND:
	gcpu_set_pc(g, s[x->a]);
	if (unlikely(once || (x->c >> 8) == IR_CHECK)) {
		g->icount = l.end - (u64)budget;
		return x->c >> 8 == IR_CHECK ? SLICE_CHECK : SLICE_BUDGET;
	}
	goto next_block;

do_EXCEPTIF:
	if (likely(!s[x->a]))
		NEXT;
	v = s[x->b];
	goto except;
do_EXCEPT:
	v = s[x->a];
except:
	loop_sync(&l, budget, x->c & 63);
	gcpu_raise(g, (u32)x->imm, v);
	goto fault;

do_CALL:
	v = call_helper(&l, budget, x, s);
	if (unlikely(x[1].d & H_FAULT && g->xcpt.pending))
		goto fault;
	if (unlikely(x[1].d & H_LEAVE && g->leave)) {
		budget += g->insns_left - 1;	/* the calling instruction is done */
		g->icount = l.end - (u64)budget;
		return SLICE_LEAVE;
	}
	s[x->d] = v;
	x += 2;
	GO;

do_NOP:
do_LINK:
	NEXT;
do_CONST:
	s[x->d] = x->imm64;
	NEXT;
do_MOV:
	s[x->d] = s[x->a];
	NEXT;

	/* ---- state ---- */
#define STATE(type)	(*(type *)((char *)s + x->imm))
do_GET8:	s[x->d] = STATE(u8); NEXT;
do_GET16:	s[x->d] = STATE(u16); NEXT;
do_GET32:	s[x->d] = STATE(u32); NEXT;
do_GET64:	s[x->d] = STATE(u64); NEXT;
do_GETV:	s[x->d] = (&STATE(u64))[0]; s[x->d + 1] = (&STATE(u64))[1]; NEXT;
do_PUT8:	STATE(u8) = (u8)s[x->a]; NEXT;
do_PUT16:	STATE(u16) = (u16)s[x->a]; NEXT;
do_PUT32:	STATE(u32) = (u32)s[x->a]; NEXT;
do_PUT64:	STATE(u64) = s[x->a]; NEXT;
do_PUTV:	(&STATE(u64))[0] = s[x->a]; (&STATE(u64))[1] = s[x->a + 1]; NEXT;
do_LDS:
	v = 0;
	__builtin_memcpy(&v, (char *)s + x->imm + (s[x->a] << (x->c & 3)), 1u << (x->c & 3));
	s[x->d] = v;
	NEXT;
do_STS:
	__builtin_memcpy((char *)s + x->imm + (s[x->a] << (x->c & 3)), &s[x->b], 1u << (x->c & 3));
	NEXT;

	/* ---- scalar rows: registers or an immediate as second operand ---- */
#define BODY(sym, type_u, type_s, bits, operand_b, operand_c, result)			\
do_##sym: {										\
		typedef type_u U; typedef type_s S; enum { N = bits };			\
		U a = (U)s[x->a], b = (U)(operand_b), c = (U)(operand_c);		\
		u64 imm = (u32)x->imm;							\
		(void)b, (void)c, (void)imm, (void)(S)0, (void)N;			\
		s[x->d] = (result);							\
		NEXT;									\
	}
#define OP(name, result, args, props)
#define VEC(name, args, props)
#define BRANCH(name, cond)
#define SCALAR(name, result, args, props, expr) \
	BODY(name, u64, s64, 64, s[x->b], s[x->c], (U)(expr))
#define INT1(name, expr) \
	BODY(name##32, u32, s32, 32, 0, 0, (U)(expr)) \
	BODY(name##64, u64, s64, 64, 0, 0, (U)(expr))
#define INT2(name, expr) \
	BODY(name##32,   u32, s32, 32, s[x->b], 0, (U)(expr)) \
	BODY(name##64,   u64, s64, 64, s[x->b], 0, (U)(expr)) \
	BODY(name##32i,  u32, s32, 32, x->imm, 0, (U)(expr)) \
	BODY(name##64i,  u64, s64, 64, (s64)x->imm, 0, (U)(expr)) \
	BODY(name##32s,  u32, s32, 32, s[x->b], 0, (u64)(s32)(U)(expr)) \
	BODY(name##32si, u32, s32, 32, x->imm, 0, (u64)(s32)(U)(expr))
#define INT3(name, expr) \
	BODY(name##32, u32, s32, 32, s[x->b], s[x->c], (U)(expr)) \
	BODY(name##64, u64, s64, 64, s[x->b], s[x->c], (U)(expr))
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"

	/* ---- branches: imm leads to the EXIT to take ---- */
#define TEST(sym, type_u, type_s, operand_b, cond)					\
do_##sym: {										\
		typedef type_u U; typedef type_s S;					\
		U a = (U)s[x->a], b = (U)(operand_b);					\
		(void)(S)0;								\
		if (cond) {								\
			x += x->imm;							\
			goto take_exit;							\
		}									\
		NEXT;									\
	}
#define OP(name, result, args, props)
#define VEC(name, args, props)
#define SCALAR(name, result, args, props, expr)
#define INT1(name, expr)
#define INT2(name, expr)
#define INT3(name, expr)
#define BRANCH(name, cond) \
	TEST(name##32,  u32, s32, s[x->b], cond) \
	TEST(name##64,  u64, s64, s[x->b], cond) \
	TEST(name##32i, u32, s32, (s16)x->b, cond) \
	TEST(name##64i, u64, s64, (s64)(s16)x->b, cond)
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"

	/* ---- guest memory ---- */
#define LOAD(sym, type, result)								\
do_##sym:										\
	va = s[x->a] + (s64)x->imm;							\
	p = fast_read(g, va, sizeof(type));						\
	if (likely(p && !(x->c >> 8))) {						\
		type m;									\
		__builtin_memcpy(&m, p, sizeof(m));					\
		s[x->d] = (u64)(result)m;						\
		NEXT;									\
	}										\
	if (!slow_load(&l, budget, x, va, sizeof(type), &v))				\
		goto fault;								\
	s[x->d] = (u64)(result)(type)v;							\
	NEXT;
	LOAD(LDU8, u8, u64)
	LOAD(LDU16, u16, u64)
	LOAD(LDU32, u32, u64)
	LOAD(LDU64, u64, u64)
	LOAD(LDS8, s8, s64)
	LOAD(LDS16, s16, s64)
	LOAD(LDS32, s32, s64)
do_LDV: {
		u64 pair[2];

		va = s[x->a] + (s64)x->imm;
		loop_sync(&l, budget, x->c & 63);
		if (!mem_read(g, va, sizeof(pair), pair))
			goto fault;
		s[x->d] = pair[0];
		s[x->d + 1] = pair[1];
		NEXT;
	}
#define STORE(sym, type)								\
do_##sym:										\
	va = s[x->a] + (s64)x->imm;							\
	p = fast_write(g, va, sizeof(type));						\
	if (likely(p && !(x->c >> 8))) {						\
		type m = (type)s[x->b];							\
		__builtin_memcpy(p, &m, sizeof(m));					\
		NEXT;									\
	}										\
	if (!slow_store(&l, budget, x, va, sizeof(type), &s[x->b]))			\
		goto fault;								\
	NEXT;
	STORE(ST8, u8)
	STORE(ST16, u16)
	STORE(ST32, u32)
	STORE(ST64, u64)
do_STV:
	if (!slow_store(&l, budget, x, s[x->a] + (s64)x->imm, 16, &s[x->b]))
		goto fault;
	NEXT;

	/* Rare ones: synchronise, call, and carry on or fault. */
#define MEMORY(sym, call)								\
do_##sym:										\
	loop_sync(&l, budget, x->c & 63);						\
	v = 0;										\
	if (!(call))									\
		goto fault;								\
	s[x->d] = v;									\
	NEXT;
	MEMORY(AMO, mem_amo(g, s[x->a], x->imm & 0xff, 1u << (x->imm >> 8), s[x->b], &v))
	MEMORY(LX, mem_lx(g, s[x->a], 1u << (x->imm >> 8), &v))
	MEMORY(SX, mem_sx(g, s[x->a], 1u << (x->imm >> 8), s[x->b], &v))
do_CAS:
	loop_sync(&l, budget, x->imm & 63);
	if (!mem_cas(g, s[x->a], 1u << (x->imm >> 16 & 0xff), s[x->b], s[x->c], &v))
		goto fault;
	s[x->d] = v;
	NEXT;
do_PROBE:
	loop_sync(&l, budget, x->c & 63);
	if (!mem_probe(g, s[x->a], (u32)x->imm, x->c >> 8 & MEM_WRITE ? ACCESS_WRITE : ACCESS_READ))
		goto fault;
	NEXT;
do_ZEROBLK:
	loop_sync(&l, budget, x->c & 63);
	if (!mem_zero(g, s[x->a], (u32)x->imm))
		goto fault;
	NEXT;
do_FENCE:
	atomic_thread_fence(memory_order_seq_cst);
	NEXT;

	/* ---- floating point ---- */
#define FLOAT(sym)									\
do_##sym:										\
	s[x->d] = ir_fp_eval(g, IR_##sym, s[x->a], s[x->b], s[x->c], (u32)x->imm);	\
	NEXT;
	FLOAT(FADD) FLOAT(FSUB) FLOAT(FMUL) FLOAT(FDIV) FLOAT(FSQRT) FLOAT(FMA)
	FLOAT(FMIN) FLOAT(FMAX) FLOAT(FCMP) FLOAT(FTOI) FLOAT(ITOF) FLOAT(FCVT)
	FLOAT(FRINT) FLOAT(FCLASS)

do_FFLAGS:
	s[x->d] = g->fp_flags;
	NEXT;
do_SETFFLAGS:
	g->fp_flags = (u8)s[x->a];
	NEXT;

	/* ---- vectors ---- */
#define OP(name, result, args, props)
#define BRANCH(name, cond)
#define SCALAR(name, result, args, props, expr)
#define INT1(name, expr)
#define INT2(name, expr)
#define INT3(name, expr)
#define VEC(name, args, props)								\
do_##name:										\
	vec_##name(&s[x->d], &s[x->a], &s[x->b], &s[x->c],				\
		   &(struct vec_arg){ .aux = (u8)x->imm, .imm = (u32)x->imm >> 8, .g = g }); \
	NEXT;
#include "engine/ir/ops.def"
#include "engine/ir/ops_undef.h"
do_VGET:
	s[x->d] = vec_get(&s[x->a], x->imm & 3, (u32)x->imm >> 8);
	NEXT;
do_VMOVMSK:
	s[x->d] = vec_movmsk(&s[x->a], x->imm & 3);
	NEXT;
}

const s32 *interp_labels(void)
{
	if (!label_table)
		loop_run(NULL, NULL, 0, false);
	return label_table;
}

enum slice_why interp_go(struct gcpu *g, s64 budget)
{
	return loop_run(g, NULL, budget, false);
}

enum slice_why interp_try(struct gcpu *g, struct block *b)
{
	return loop_run(g, b, b->insns, true);
}

enum slice_why interp_block(struct gcpu *g, struct block *b)
{
	enum slice_why why = interp_try(g, b);

	if (why != SLICE_RAISE)
		return why;
	g->isa->raise(g);
	return g->leave ? SLICE_LEAVE : SLICE_BUDGET;
}
