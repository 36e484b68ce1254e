/* A translator's life: creation with its host's common code, translation of a block, links. */
#include "engine/back/jit/compile.h"

#include "engine/back/jit/jit.h"
#include "arch/clock.h"
#include "arch/mem.h"
#include "host/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/str.h"

/* What a fault and mapping a page cost, in guest instructions: through a kernel, or not. */
#define FAULT_INSNS		40000
#define FAULT_INSNS_CHEAP	3000

struct jit *jit_create(struct gcpu *g, u8 *rw, u8 *rx, size_t size)
{
	struct jit *j = heap_alloc(sizeof(*j));

	if (!j)
		return NULL;
	jit_setup(j, jit_host, jit_host_features(), g->isa, g->code);
	j->start = j->at = rw;
	j->end = rw + size;
	j->common_rx = rx;
	j->t->common(j);
	j->common.size = (u32)(j->at - j->start);
	host_code_sync(rw, rx, j->common.size);
	return j;
}

static void pins_choose(const struct jit *j, struct jit_pins *p, bool fp)
{
	memset(p->reg, NO_REG, sizeof(p->reg));
	memset(p->freg, NO_REG, sizeof(p->freg));
	memset(p->fp, 0, sizeof(p->fp));
	for (u32 i = 0; j->isa->hot[i] && i < j->t->pins; i++)
		p->reg[j->isa->hot[i] / 8] = j->t->pin[i];
	for (u32 i = 0; fp && j->isa->hot_fp[i]; i++) {
		p->fp[j->isa->hot_fp[i] / 8] = true;
		if (i < j->t->fpins)
			p->freg[j->isa->hot_fp[i] / 8] = j->t->fpin[i];
	}
}

void jit_setup(struct jit *j, const struct jit_target *t, u32 features, const struct isa *isa,
	       struct code_cache *c)
{
	j->t = t;
	j->isa = isa;
	j->code = c;
	j->frame = jit_frame_at(isa);
	j->jumps = gcpu_jumps_at(isa);
	j->pc_off = isa->pc_offset;
	j->lpt_bits = LPT_BITS_MIN;
	j->fault_insns = arch_views_are_cheap() ? FAULT_INSNS_CHEAP : FAULT_INSNS;
	j->features = features;
	pins_choose(j, &j->pins_of[false], false);
	pins_choose(j, &j->pins_of[true], true);
}

ns_t jit_write_cost(struct jit *j)
{
	u8 *rw = j->code->rw + j->common.nothing;
	const u8 *rx = j->common_rx + j->common.nothing;
	ns_t best = NS_NEVER;

	for (u32 i = 0; i < 8; i++) {
		ns_t start = arch_clock_ns();

		*(volatile u8 *)rw = *(volatile u8 *)rw;
		host_code_sync(rw, rx, 4);
		((void (*)(void))(uptr)rx)();
		best = MIN(best, arch_clock_ns() - start);
	}
	return best;
}

void jit_destroy(struct jit *j)
{
	heap_free(j);
}

size_t jit_shared_size(const struct jit *j)
{
	return j->common.size;
}

const u8 *jit_leave_entry(const struct jit *j, const struct block *b)
{
	return j ? j->common_rx + j->common.unknown[(b->ctx & j->isa->ctx_fp) != 0] : NULL;
}

size_t jit_size(const struct ir_block *ir)
{
	return sizeof(struct block) + (2 * ir->count + 2) * sizeof(struct jit_site) +
	       ALIGN_UP((ir->insns + 1) * sizeof(u16), (size_t)16);
}

static u32 block_finish(struct jit *j, const struct ir_block *ir, struct block *b)
{
	b->insn_pc = (u16 *)(b->site + j->sites);
	memcpy(b->insn_pc, ir->insn_pc, b->insns * sizeof(u16));
	return (u32)ALIGN_UP((size_t)((u8 *)(b->insn_pc + b->insns) - (u8 *)b), (size_t)16);
}

u32 jit_compile(struct code_cache *c, const struct gcpu *g, struct block *b, size_t at, size_t room,
		u32 *bytes)
{
	struct jit *j = c->jit;

	j->start = j->at = c->rw + at;
	j->end = j->start + room;
	j->fp = (g->ctx & j->isa->ctx_fp) != 0;
	j->fp_rm = g->fp_rm;
	j->views = g->tlb->lpt && g->tlb->lpt->now->view;
	j->in_view = j->views && jit_may_view(g) && !code_uses_tables(c, c->ir->pc);
	*b = (struct block){ .pc = c->ir->pc, .ctx = g->ctx, .insns = (u16)c->ir->insns,
			     .bytes = (u16)c->ir->bytes, .fp = j->fp,
			     .in_view = j->in_view, .entry = c->rx + at };
	if (!jit_lower(j, c->ir, b))
		return 0;
	*bytes = (u32)(j->at - j->start);
	host_code_sync(j->start, b->entry, *bytes);
	return block_finish(j, c->ir, b);
}

void jit_link(struct code_cache *c, struct jit_site *site, const struct block *to)
{
	u8 *at = c->rw + site->extra;
	const u8 *at_rx = c->rx + site->extra;
	u32 stamp = (u32)c->stamp[site->arg >> 63];
	u32 changed = c->jit->t->link(at, at_rx, to ? to->entry : NULL, stamp,
				      site->kind == SITE_GUARDED);

	host_code_sync(at, at_rx, changed);
}
