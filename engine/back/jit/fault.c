/*
 * Faults of translated code that accesses guest memory through a view (mmu/view.h). What is not
 * mapped there faults at the access, and the host asks here where to go on: in the cold code of
 * that access, as if a comparison had failed. It takes the slow path, which has the page mapped if
 * it is memory.
 *
 * What is not (devices, code that is watched) would fault each time. An access that is seen to do
 * that is overwritten with a jump to its cold code, until it arrives at memory again.
 */
#include "engine/back/jit/host.h"
#include "engine/back/jit/jit.h"
#include "host/cpu.h"
#include "kernel/base/cpu.h"

#define FAULTS_MAX	8		/* in a row, before an access is diverted */
#define DIVERTED	UINT8_MAX
#define FAULTS_COUNTED	16		/* before a block is judged */

uptr jit_fault(uptr pc)
{
	const struct jit *j = cpu_self ? cpu_self->jit : NULL;
	const struct block *b = j ? code_block_at(j->code, (const u8 *)pc) : NULL;
	const struct jit_site *s;

	if (!b)
		return 0;
	for (s = b->site; s < (const struct jit_site *)b->insn_pc; s++)
		if (s->kind == SITE_ACCESS && (uptr)b->entry + s->extra == pc)
			return (uptr)b->entry + s[-1].extra;
	return 0;
}

static void divert(const struct jit *j, const struct block *b, struct jit_site *access, u32 cold)
{
	const u8 *at_rx = b->entry + access->extra;
	u8 *at = j->code->rw + (at_rx - j->code->rx);

	__builtin_memcpy(&access->arg, at, j->t->divert_len);
	j->t->divert(at, at_rx, b->entry + cold);
	host_code_sync(at, at_rx, j->t->divert_len);
	access->insn = DIVERTED;
}

static void divert_no_more(const struct jit *j, const struct block *b, struct jit_site *access)
{
	const u8 *at_rx = b->entry + access->extra;
	u8 *at = j->code->rw + (at_rx - j->code->rx);

	__builtin_memcpy(at, &access->arg, j->t->divert_len);
	host_code_sync(at, at_rx, j->t->divert_len);
}

/*
 * A block that faults often does better without a view, if what is mapped is soon lost again. That
 * a program goes through its memory for the first time is no reason.
 */
static void fault_count(struct gcpu *g, struct block *b)
{
	u32 lost = lpt_lost(g->tlb->lpt);

	if (!b->faults++) {
		b->since = g->icount;
		b->lost = lost;
	}
	if (b->faults < FAULTS_COUNTED)
		return;
	if (g->icount - b->since < FAULTS_COUNTED * (u64)g->code->jit->fault_insns &&
	    lost - b->lost >= FAULTS_COUNTED / 2)
		code_use_tables(g, b);
	b->faults = 0;
}

void jit_access_went(struct gcpu *g, struct jit_site *s, bool to_memory)
{
	const struct jit *j = g->code->jit;
	struct block *b = jit_site_block(s);
	struct jit_site *access = s + 1;

	if (!b->in_view)
		return;
	if (to_memory) {
		if (access->insn == DIVERTED)
			divert_no_more(j, b, access);
		access->insn = 0;
		fault_count(g, b);
	} else if (access->insn != DIVERTED && ++access->insn == FAULTS_MAX) {
		divert(j, b, access, s->extra);
	}
}
