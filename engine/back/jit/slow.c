/*
 * The slow paths of translated code: everything that it does not do inline comes here, with the
 * guest's registers in the state and the site's number in the frame.
 */
#include "engine/back/jit/jit.h"
#include "engine/ir/fp.h"
#include "engine/ir/vec.h"
#include "engine/mem.h"
#include "engine/tuning.h"
#include "kernel/base/panic.h"

/* Bring pc and icount in line as they are before the site's instruction; as in the interpreter. */
static void slow_sync(struct gcpu *g, struct jit_frame *f, const struct jit_site *s,
		      const struct block *b)
{
	gcpu_set_pc(g, b->pc + b->insn_pc[s->insn]);
	g->insns_left = (u8)(b->insns - s->insn);
	g->icount = f->end - f->budget;
}

static u64 slow_leave(struct gcpu *g, struct jit_frame *f, u32 not_done, enum jit_why why)
{
	f->budget += not_done;
	return (u64)why + 1;
}

static u64 slow_fault(struct gcpu *g, struct jit_frame *f)
{
	g->code->stats.faults++;
	return slow_leave(g, f, g->insns_left, JIT_RAISE);
}

/* ---- memory ---- */

static bool access_aligned(struct gcpu *g, u64 arg, gva_t va, u32 len, enum access access)
{
	if (!(arg >> ACC_MEM & MEM_ALIGNED) || !(va & (len - 1)))
		return true;
	g->isa->misaligned(g, va, access);
	return false;
}

/* The software TLB has just answered for @va: next time the inline path may. NULL: not memory. */
static const u8 *lpt_learn(struct gcpu *g, gva_t va, bool write, bool in_view)
{
	const u8 *host = write ? tlb_write(g->tlb, va) : tlb_read(g->tlb, &g->tlb->d, va);
	struct lpt *l = g->tlb->lpt;

	if (!host || !l || (engine_tuning.refuse && engine_tuning.refuse()))
		return host;
	if (in_view)
		lpt_fill_view(l, va, host, write || tlb_write(g->tlb, va));
	else
		lpt_fill(l, va, host, write);
	return host;
}

/* The same for a load or store, which may reach into a second page. */
static void access_learn(struct gcpu *g, struct jit_site *s, gva_t va, u32 len, bool write)
{
	bool in_view = jit_site_block(s)->in_view;
	bool memory = lpt_learn(g, va, write, in_view);

	if ((va ^ (va + len - 1)) & PAGE_MASK)
		memory &= lpt_learn(g, va + len - 1, write, in_view) != NULL;
	jit_access_went(g, s, memory);
}

static bool slow_load(struct gcpu *g, struct jit_frame *f, struct jit_site *s)
{
	u64 arg = s->arg;
	u32 len = arg & ACC_LEN;
	gva_t va = f->arg[0];
	u64 v = 0;

	if (!access_aligned(g, arg, va, len, ACCESS_READ) || !mem_read(g, va, len, &v))
		return false;
	f->ret = arg & ACC_SIGNED ? (u64)sext(v, 8 * len) : v;
	access_learn(g, s, va, len, false);
	return true;
}

static bool slow_store(struct gcpu *g, struct jit_frame *f, struct jit_site *s)
{
	u64 arg = s->arg;
	u32 len = arg & ACC_LEN;
	gva_t va = f->arg[0];

	if (!access_aligned(g, arg, va, len, ACCESS_WRITE) || !mem_write(g, va, len, &f->arg[1]))
		return false;
	access_learn(g, s, va, len, true);
	return true;
}

/* ---- operations ---- */

static void slow_state(struct gcpu *g, struct jit_frame *f, u32 op, u32 aux, s32 off)
{
	u8 *at = (u8 *)g->st + off;
	u32 len = 1u << (aux & 3);

	f->ret = 0;
	if (op == IR_LDS)
		__builtin_memcpy(&f->ret, at + (f->arg[0] << (aux & 3)), len);
	else
		__builtin_memcpy(at + (f->arg[0] << (aux & 3)), &f->arg[1], len);
}

static void slow_fp(struct gcpu *g, struct jit_frame *f, enum ir_opcode op, u32 aux, u32 imm)
{
	for (u32 n = 0; n < 3; n++)
		if (imm >> (SLOW_UNBOX + n) & 1)
			f->arg[n] = ir_eval(IR_UNBOX32, f->arg[n], 0, 0, 0);
	f->ret = ir_fp_eval(g, op, f->arg[0], f->arg[1], f->arg[2],
			    aux | (imm & MASK(SLOW_UNBOX)) << 8);
}

static bool slow_memory(struct gcpu *g, struct jit_frame *f, u32 op, u32 aux, u32 imm, s32 off)
{
	gva_t va = f->arg[0] + (s64)off;
	u32 len = 1u << (imm >> 8 & 0xff);
	bool write = op != IR_LX && (op != IR_PROBE || aux & MEM_WRITE), ok;

	switch (op) {
	case IR_AMO:	ok = mem_amo(g, va, imm & 0xff, len, f->arg[1], &f->ret); break;
	case IR_CAS:	ok = mem_cas(g, va, len, f->arg[1], f->arg[2], &f->ret); break;
	case IR_LX:	ok = mem_lx(g, va, len, &f->ret); break;
	case IR_SX:	ok = mem_sx(g, va, len, f->arg[1], &f->ret); break;
	case IR_ZEROBLK: ok = mem_zero(g, va, imm); break;
	default:
		ok = mem_probe(g, va, imm, write ? ACCESS_WRITE : ACCESS_READ);
		break;
	}
	if (ok)
		lpt_learn(g, va, write, false);
	return ok;
}

#define OP(name, result, args, props)
#define SCALAR(name, result, args, props, expr)
#define INT1(name, expr)
#define INT2(name, expr)
#define INT3(name, expr)
#define BRANCH(name, cond)
#define VEC(name, args, props) [IR_##name] = vec_##name,
static void (*const vectors[IR_OP_COUNT])(u64 *d, const u64 *a, const u64 *b, const u64 *c,
					  const struct vec_arg *arg) = {
#include "engine/ir/ops.def"
};
#include "engine/ir/ops_undef.h"

/* @off: a vector result's place (LDV has its displacement in imm), else the displacement. */
static bool slow_op(struct gcpu *g, struct jit_frame *f, u64 arg, s32 off)
{
	enum ir_opcode op = arg & 0xffff;
	u32 aux = arg >> 16 & 0xff, imm = (u32)(arg >> 32);
	u64 *a = (u64 *)f->arg[0], *d = (u64 *)((u8 *)g->st + off);

	if (vectors[op]) {
		vectors[op](d, a, (u64 *)f->arg[1], (u64 *)f->arg[2],
			    &(struct vec_arg){ .aux = (u8)aux, .imm = imm, .g = g });
		return true;
	}
	if (ir_is_scalar(op)) {
		f->ret = ir_eval(op, f->arg[0], f->arg[1], f->arg[2], imm);
		return true;
	}
	if (op >= IR_FADD && op <= IR_FCLASS) {
		slow_fp(g, f, op, aux, imm);
		return true;
	}
	switch (op) {
	case IR_VGET:	f->ret = vec_get(a, aux & 3, imm); return true;
	case IR_VMOVMSK: f->ret = vec_movmsk(a, aux & 3); return true;
	case IR_LDS: case IR_STS:
		slow_state(g, f, op, aux, off);
		return true;
	case IR_LDV:
		return access_aligned(g, (u64)aux << ACC_MEM, f->arg[0] + (s64)(s32)imm, 16,
				      ACCESS_READ) &&
		       mem_read(g, f->arg[0] + (s64)(s32)imm, 16, d);
	case IR_STV:
		return access_aligned(g, (u64)aux << ACC_MEM, f->arg[0] + (s64)off, 16,
				      ACCESS_WRITE) &&
		       mem_write(g, f->arg[0] + (s64)off, 16, (void *)f->arg[1]);
	case IR_FFLAGS:
		f->ret = g->fp_flags;	/* jit_slow() has brought it up to date */
		return true;
	case IR_SETFFLAGS:
		g->fp_flags = (u8)f->arg[0];
		return true;
	case IR_FENCE:
		atomic_thread_fence(memory_order_seq_cst);
		return true;
	default:
		assert(op >= IR_PROBE && op <= IR_ZEROBLK);
		return slow_memory(g, f, op, aux, imm, off);
	}
}

static u64 slow_call(struct gcpu *g, struct jit_frame *f, u64 arg)
{
	const struct ir_helper *h = (const struct ir_helper *)(uptr)arg;

	f->ret = h->fn(g, f->arg[0], f->arg[1], f->arg[2]);
	if (unlikely(h->flags & H_FAULT && g->xcpt.pending))
		return slow_fault(g, f);
	if (unlikely(h->flags & H_LEAVE && g->leave))
		return slow_leave(g, f, g->insns_left - 1u, JIT_LEAVE);	/* the call is done */
	return 0;
}

u64 jit_slow(struct gcpu *g)
{
	struct jit_frame *f = jit_frame(g);
	struct jit_site *s = code_at(g->code, f->site);
	struct block *b = jit_site_block(s);
	struct code_stats *stats = &g->code->stats;
	bool ok;

	slow_sync(g, f, s, b);
	if (b->fp)
		g->fp_flags |= g->code->jit->t->fp_flags(&f->fp_state);
	switch ((enum jit_site_kind)s->kind) {
	case SITE_LOAD:
		stats->slow_memory++;
		ok = slow_load(g, f, s);
		break;
	case SITE_STORE:
		stats->slow_memory++;
		ok = slow_store(g, f, s);
		break;
	case SITE_OP:
		stats->slow_ops++;
		ok = slow_op(g, f, s->arg, (s32)s->extra);
		break;
	case SITE_CALL:
		stats->slow_calls++;
		return slow_call(g, f, s->arg);
	case SITE_EXCEPT:
		gcpu_raise(g, (u32)s->arg, f->arg[0]);
		return slow_fault(g, f);
	default:
		panic("slow path of kind %u", s->kind);
	}
	return ok ? 0 : slow_fault(g, f);
}
