/*
 * The translator as runners: "jit" translates every block before it runs, "hybrid" what has run
 * some times in the interpreter. Both are the same loop: find the block at pc, enter it, and see
 * why it came back.
 */
#include "engine/back/interp/interp.h"
#include "engine/back/jit/jit.h"
#include "engine/runner.h"
#include "engine/tuning.h"
#include "kernel/base/cpu.h"
#include "kernel/base/heap.h"
#include "kernel/base/log.h"

#define JIT_SLICE	(4 * ENGINE_SLICE)

bool jit_probe(const struct isa *isa, const char **why)
{
	*why = "there is no translation of that instruction set yet";
	return isa->translate != NULL && isa->hot != NULL;
}

err_t jit_open(struct gcpu *g, u32 hot)
{
	err_t e = code_init(g, engine_tuning.block_cache, engine_tuning.host_cache, hot);
	struct jit_frame *f = jit_frame(g);

	if (e != OK)
		return e;
	f->g = g;
	g->code->jit->t->setup(f);
	return OK;
}

static err_t jit_init(struct gcpu *g)
{
	return jit_open(g, 0);
}

/*
 * Runs after which a translation pays. On a host that itself is emulated, each piece of new code
 * costs a thousand times as much as on a real one, so that is measured.
 */
#define HOT		16
#define HOT_EMULATED	3000
#define EMULATED_NS	4000

static err_t hybrid_init(struct gcpu *g)
{
	err_t e = jit_open(g, HOT);

	if (e == OK && g->hot)
		g->code->hot = g->hot;
	else if (e == OK && jit_write_cost(g->code->jit) > EMULATED_NS)
		g->code->hot = HOT_EMULATED;
	return e;
}

void jit_close(struct gcpu *g)
{
	struct lpt *l = g->tlb->lpt;

	if (l) {
		lpt_fini(l);
		heap_free(l);
		g->tlb->lpt = NULL;
	}
	code_fini(g);
}

/* ---- guest memory: the largest range of RAM is what translated code reaches inline ---- */

static const struct range *largest_ram(const struct space *s)
{
	const struct range *best = NULL;

	for (u32 i = 0; i < s->count; i++)
		if (s->range[i].kind == RANGE_RAM && (!best || s->range[i].len > best->len))
			best = &s->range[i];
	return best;
}

/*
 * Code takes what it once accessed to be in the view (jit_view_check()); without translation the
 * guest may access whatever is in the space.
 */
static bool space_fits_view(const struct space *s)
{
	const struct range *last = s->count ? &s->range[s->count - 1] : NULL;

	return !last || (last->base < VIEW_SIZE / 2 && last->len <= VIEW_SIZE / 2 - last->base);
}

static err_t memory_tables(const struct gcpu *g, struct lpt *l, const struct range *ram)
{
	u8 *host = ram ? ram->host : NULL;
	u64 len = ram ? ram->len : 0;

	if (g->views && space_fits_view(g->space) && lpt_init(l, host, len, true) == OK)
		return OK;
	if (g->views)
		log_warn("CPU %u: no room for views: memory-mode is \"lpt\"", g->index);
	return lpt_init(l, host, len, false);
}

/* Follow the address space, which changes only between turns. */
static err_t memory_follow(struct gcpu *g, struct jit_frame *f)
{
	const struct range *ram = largest_ram(g->space);
	struct lpt *l = g->tlb->lpt;
	err_t e;

	if (l)
		lpt_fini(l);
	else
		l = heap_alloc(sizeof(*l));
	g->tlb->lpt = NULL;
	if (!l)
		return ERRF(E_NOMEM, "no memory for page tables of translated code");
	e = memory_tables(g, l, ram);
	if (e != OK) {
		heap_free(l);
		return e;
	}
	g->tlb->lpt = l;
	f->ram = l->ram;
	f->ram_size = l->ram_size;
	g->code->jit->lpt_bits = l->bits;	/* no older code runs: slices_run() drops it */
	return OK;
}

/* ---- the loop ---- */

/* Translated code is about to use the present slot. */
static void memory_enter(struct jit *j, struct jit_frame *f, struct lpt *l)
{
	f->lpt = l->now->table;
	f->lpt_write = f->lpt + lpt_write_offset(l) / sizeof(*f->lpt);
	if (!l->now->view) {
		f->memory[0] = (uptr)f->lpt;
		f->memory[1] = (uptr)f->lpt_write;
		jit_host_ram(f->ram);
		return;
	}
	f->memory[0] = VIEW_SIZE / 2;
	f->memory[1] = (uptr)view_origin(l->now->view);
	cpu_self->jit = j;
	/* What uses the table in spite of views needs no base, and changing it may be slow. */
	if (jit_may_view(f->g))
		jit_host_ram(view_origin(l->now->view));
}

enum jit_why jit_enter(struct gcpu *g, struct jit_frame *f, const struct block *b)
{
	struct jit *j = g->code->jit;
	struct lpt *l = g->tlb->lpt;
	u32 (*go)(void *st, const u8 *entry) =
		(u32 (*)(void *, const u8 *))(uptr)(j->common_rx + j->common.enter[b->fp]);
	u32 why;

	if (l->now->key != g->tlb->key)
		lpt_select(l, g->tlb->key);
	memory_enter(j, f, l);
	f->stamp[0] = (u32)g->code->stamp[0];
	f->stamp[1] = (u32)g->code->stamp[1];
	if (b->fp)
		f->fp_state = j->t->fp_state(g->fp_rm);
	g->code->stats.entered++;
	why = go(g->st, b->entry);
	cpu_self->jit = NULL;
	if (b->fp)
		g->fp_flags |= j->t->fp_flags(&f->fp_state);
	g->icount = f->end - f->budget;
	g->insns_left = 0;
	return (enum jit_why)why;
}

/* A block to enter at pc; NULL: *why says how the slice goes on. */
static struct block *block_at_pc(struct gcpu *g, struct jit_frame *f, enum slice_why *why)
{
	gva_t pc = gcpu_pc(g);
	struct block *b = code_lookup(g->code, pc);

	if (!b)
		b = code_find(g, pc);
	while (b && !b->entry) {
		*why = interp_go(g, (s64)f->budget);
		f->budget = f->end - g->icount;
		if (*why != SLICE_HOT)
			return NULL;
		b = code_compile(g, gcpu_pc(g));
	}
	*why = SLICE_HOT;
	return b;
}

/* Take the parked exception; true if the slice may go on. */
static bool raise_and_go_on(struct gcpu *g, enum slice_why *why)
{
	g->isa->raise(g);
	*why = g->leave ? SLICE_LEAVE : SLICE_CALLED;
	if (g->leave || atomic_load_explicit(&g->attention, memory_order_relaxed))
		return false;
	code_stamp(g);
	return true;
}

static struct jit_site *site_left(struct gcpu *g, const struct jit_frame *f)
{
	return code_at(g->code, f->site);
}

static enum slice_why jit_go(struct gcpu *g, s64 slice)
{
	struct jit_frame *f = jit_frame(g);
	struct jit_site *from = NULL;
	enum slice_why why;

	f->end = g->icount + (u64)slice;
	f->budget = (u64)slice;
	for (;;) {
		u64 evicted = g->code->stats.evicted;
		struct block *b = block_at_pc(g, f, &why);

		if (!b && why != SLICE_HOT)
			return why;
		if (!b) {
			from = NULL;
			if (!raise_and_go_on(g, &why))
				return why;
			continue;
		}
		if (from && from->arg == b->pc && evicted == g->code->stats.evicted)
			code_link(g, jit_site_block(from), from, b);
		from = NULL;
		switch (jit_enter(g, f, b)) {
		case JIT_LINK:
			from = site_left(g, f);
			gcpu_set_pc(g, from->arg);
			break;
		case JIT_MISS:
			break;
		case JIT_BUDGET:
			b = jit_site_block(site_left(g, f));
			gcpu_set_pc(g, b->pc);
			f->budget += b->insns;
			g->icount = f->end - f->budget;
			return SLICE_BUDGET;
		case JIT_CHECK:
			return SLICE_CHECK;
		case JIT_RAISE:
			if (!raise_and_go_on(g, &why))
				return why;
			break;
		case JIT_LEAVE:
			return SLICE_LEAVE;
		}
	}
}

void jit_slices(struct gcpu *g, struct exit *x, s64 length,
		enum slice_why (*go)(struct gcpu *g, s64 slice))
{
	struct jit_frame *f = jit_frame(g);

	if (unlikely(!g->tlb->lpt || g->code->space_generation != g->space->generation)) {
		err_t e = memory_follow(g, f);

		if (e != OK) {
			x->why = EXIT_FAIL;
			fmt_buf(x->text, sizeof(x->text), "%s", err_text(e));
			return;
		}
	}
	lpt_adopt(g->tlb->lpt);
	slices_run(g, x, length, go);
}

static void jit_run(struct gcpu *g, struct exit *x)
{
	jit_slices(g, x, JIT_SLICE, jit_go);
}

const struct runner jit_runner = {
	.name = "jit", .translates = true, .probe = jit_probe, .init = jit_init, .run = jit_run,
	.fini = jit_close,
};

const struct runner hybrid_runner = {
	.name = "hybrid", .translates = true, .probe = jit_probe, .init = hybrid_init,
	.run = jit_run, .fini = jit_close,
};
