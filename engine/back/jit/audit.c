/*
 * The translator under audit: every block runs twice from the same state, in the interpreter and
 * as host code, and the guest goes on if registers, pc, flags, counters and the memory that was
 * stored to are the same afterwards. Much slower than either, for tests.
 *
 * The interpreter comes first, from a twin of the block whose accesses to memory are all noted in
 * a journal, which undoes its stores. What cannot be repeated runs there only: blocks that call
 * helpers, and those that turn out to touch a device. Guest CPUs take turns, a block each, so that
 * undoing takes nobody else's stores back. A store to the wrong place is noticed by its absence at
 * the right one, unless that held the value already.
 */
#include "engine/back/interp/interp.h"
#include "engine/back/jit/jit.h"
#include "engine/journal.h"
#include "engine/runner.h"
#include "kernel/base/field.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"
#include "kernel/base/log.h"
#include "kernel/base/str.h"

#define TRIES	4		/* devices and page-table walks may change memory in between */

/* All that a block without helpers may change but memory. The state's copy follows. */
struct outcome {
	u64 icount;
	u64 cause, value;		/* of the exception that is parked */
	void *monitor;
	u64 monitor_value;
	u32 monitor_len;
	bool pending;
	u8 fp_flags;
	u8 state[];
};

struct audit {
	struct journal journal;		/* gcpu.journal */
	struct outcome *start, *interp, *host;
};

static struct lock turn;

static struct audit *audit_of(const struct gcpu *g)
{
	return container_of(g->journal, struct audit, journal);
}

/* ---- a guest CPU's state, kept and brought back ---- */

static void outcome_keep(const struct gcpu *g, struct outcome *o)
{
	bool held = g->excl.host != NULL, pending = g->xcpt.pending;

	*o = (struct outcome){
		.icount = g->icount, .fp_flags = g->fp_flags, .pending = pending,
		.cause = pending ? g->xcpt.cause : 0, .value = pending ? g->xcpt.value : 0,
		.monitor = g->excl.host, .monitor_value = held ? g->excl.value[0] : 0,
		.monitor_len = held ? g->excl.len : 0,
	};
	memcpy(o->state, g->st, g->isa->state_size);
}

static void outcome_restore(struct gcpu *g, const struct outcome *o)
{
	g->icount = o->icount;
	g->fp_flags = o->fp_flags;
	g->xcpt.pending = false;
	g->excl.host = o->monitor;
	g->excl.value[0] = o->monitor_value;
	g->excl.len = o->monitor_len;
	memcpy(g->st, o->state, g->isa->state_size);
}

static bool outcomes_equal(const struct gcpu *g, const struct outcome *a, const struct outcome *b)
{
	return a->icount == b->icount && a->fp_flags == b->fp_flags && a->pending == b->pending &&
	       a->cause == b->cause && a->value == b->value && a->monitor == b->monitor &&
	       a->monitor_value == b->monitor_value && a->monitor_len == b->monitor_len &&
	       !memcmp(a->state, b->state, g->isa->state_size);
}

/* ---- the two runs ---- */

/* False: it cannot be repeated, what it did holds. */
static bool run_interpreted(struct gcpu *g, const struct block *b, enum slice_why *why)
{
	struct audit *a = audit_of(g);

	outcome_keep(g, a->start);
	journal_begin(&a->journal);
	*why = interp_try(g, b->twin);
	a->journal.on = false;
	return !a->journal.final;
}

/* With a budget for this block alone; its exits are never linked. */
static void run_host_code(struct gcpu *g, const struct block *b)
{
	struct jit_frame *f = jit_frame(g);
	const struct jit_site *site;

	f->end = g->icount + b->insns;
	f->budget = b->insns;
	switch (jit_enter(g, f, b)) {
	case JIT_LINK:
		site = code_at(g->code, f->site);
		gcpu_set_pc(g, site->arg);
		break;
	case JIT_BUDGET:		/* an indirect exit has found the next block */
		b = jit_site_block(code_at(g->code, f->site));
		gcpu_set_pc(g, b->pc);
		g->icount -= b->insns;
		break;
	case JIT_MISS: case JIT_CHECK: case JIT_RAISE: case JIT_LEAVE:
		break;
	}
}

/* ---- the report ---- */

static void report_line(const char *what, u64 at, u64 start, u64 interp, u64 host)
{
	if (interp != host)
		log_error("audit: %s%lld: %#llx before, %#llx interpreted, %#llx as host code",
			  what, (long long)at, (unsigned long long)start,
			  (unsigned long long)interp, (unsigned long long)host);
}

static u64 field_value(const u8 *state, const struct field *f, u32 i)
{
	u64 v = 0;

	memcpy(&v, state + f->offset + i * f->size, MIN(f->size, sizeof(v)));
	return v;
}

static void report_registers(const struct gcpu *g, const struct audit *a)
{
	const struct outcome *s = a->start, *x = a->interp, *y = a->host;

	for (const struct field *f = g->isa->fields; f && f->name; f++)
		for (u32 i = 0; i < f->count; i++)
			report_line(f->name, i, field_value(s->state, f, i),
				    field_value(x->state, f, i), field_value(y->state, f, i));
	report_line("icount", 0, s->icount, x->icount, y->icount);
	report_line("FP flags", 0, s->fp_flags, x->fp_flags, y->fp_flags);
	report_line("exception", 0, 0, x->pending, y->pending);
	report_line("its cause", 0, 0, x->cause, y->cause);
	report_line("its value", 0, 0, x->value, y->value);
	report_line("monitor", 0, (uptr)s->monitor, (uptr)x->monitor, (uptr)y->monitor);
	report_line("its value", 0, s->monitor_value, x->monitor_value, y->monitor_value);
}

static void report_memory(const struct journal *j)
{
	for (u32 i = 0; i < j->count; i++) {
		u64 before = 0, after = 0, now = 0;
		u32 len = MIN(j->piece[i].len, 8u);

		memcpy(&before, j->piece[i].before, len);
		memcpy(&after, j->piece[i].after, len);
		memcpy(&now, j->piece[i].at, len);
		report_line("store", i, before, after, now);
	}
}

/* A sink that makes log lines. */
struct sink_log {
	struct sink sink;
	u32 len;
	char line[160];
};

static void sink_log_write(struct sink *s, const char *text, size_t len)
{
	struct sink_log *l = container_of(s, struct sink_log, sink);

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n' && l->len < sizeof(l->line) - 1) {
			l->line[l->len++] = text[i];
			continue;
		}
		l->line[l->len] = 0;
		log_error("audit: %s", l->line);
		l->len = 0;
	}
}

/* The guest's instructions and the IR, made once more. The CPU is as before the block. */
static void report_code(struct gcpu *g, const struct block *b)
{
	struct sink_log to = { .sink = { sink_log_write } };
	gva_t pc = b->pc;
	u32 insns = b->insns, at = 0;
	struct code_cache *c = g->code;

	if (!code_find_short(g, pc, insns))
		return;
	for (u32 i = 0; i < insns && at < c->ir->bytes; i++) {
		sink_printf(&to.sink, "%#llx: ", (unsigned long long)pc + at);
		at += g->isa->disasm(c->copy + at, c->ir->bytes - at, pc + at, &to.sink);
		sink_puts(&to.sink, "\n");
	}
	ir_print(c->ir, &to.sink);
}

static void report(struct gcpu *g, const struct block *b)
{
	struct audit *a = audit_of(g);
	gva_t pc = b->pc;

	log_error("audit: CPU %u, block at %#llx: host code and the interpreter differ", g->index,
		  (unsigned long long)pc);
	report_memory(&a->journal);
	report_registers(g, a);
	journal_restore(&a->journal);
	outcome_restore(g, a->start);
	report_code(g, b);
	g->exit->why = EXIT_FAIL;
	g->leave = true;
	fmt_buf(g->exit->text, sizeof(g->exit->text),
		"audit: host code of the block at %#llx is wrong", (unsigned long long)pc);
}

/* ---- a block at a time ---- */

static enum slice_why block_audit(struct gcpu *g, struct block *b)
{
	struct audit *a = audit_of(g);
	enum slice_why why;

	for (u32 i = 0; i < TRIES; i++) {
		if (!run_interpreted(g, b, &why)) {
			g->code->stats.unaudited++;
			return why;
		}
		outcome_keep(g, a->interp);
		journal_undo(&a->journal);
		outcome_restore(g, a->start);
		run_host_code(g, b);
		outcome_keep(g, a->host);
		if (outcomes_equal(g, a->interp, a->host) && !journal_difference(&a->journal)) {
			g->code->stats.audited++;
			return why;
		}
		if (i < TRIES - 1) {
			journal_restore(&a->journal);
			outcome_restore(g, a->start);
		}
	}
	report(g, b);
	return SLICE_LEAVE;
}

static enum slice_why block_run(struct gcpu *g, s64 slice)
{
	struct block *b = code_lookup(g->code, gcpu_pc(g));
	enum slice_why why = SLICE_RAISE;

	if (!b)
		b = code_find(g, gcpu_pc(g));
	if (b && slice < b->insns)
		return SLICE_BUDGET;
	if (b && b->repeatable) {
		why = block_audit(g, b);
	} else if (b) {
		why = interp_try(g, b->twin);
		g->code->stats.unaudited++;
	}
	if (why == SLICE_RAISE)
		g->isa->raise(g);
	return g->leave ? SLICE_LEAVE : why == SLICE_RAISE ? SLICE_CALLED : why;
}

static enum slice_why audit_go(struct gcpu *g, s64 slice)
{
	enum slice_why why;

	while (!lock_try(&turn))
		host_relax();
	why = block_run(g, slice);
	lock_drop(&turn);
	return why;
}

/* ---- the runner ---- */

static void audit_free(struct audit *a)
{
	heap_free(a->start);
	heap_free(a->interp);
	heap_free(a->host);
	heap_free(a);
}

static err_t audit_init(struct gcpu *g)
{
	struct audit *a = heap_alloc(sizeof(*a));
	size_t size = sizeof(struct outcome) + g->isa->state_size;
	err_t e;

	if (!a)
		return ERR(E_NOMEM);
	a->start = heap_alloc(size);
	a->interp = heap_alloc(size);
	a->host = heap_alloc(size);
	e = a->start && a->interp && a->host ? jit_open(g, 0) : ERR(E_NOMEM);
	if (e != OK) {
		audit_free(a);
		return e;
	}
	g->code->twins = true;
	g->journal = &a->journal;
	return OK;
}

static void audit_fini(struct gcpu *g)
{
	audit_free(audit_of(g));
	g->journal = NULL;
	jit_close(g);
}

static void audit_run(struct gcpu *g, struct exit *x)
{
	jit_slices(g, x, ENGINE_SLICE, audit_go);
}

const struct runner audit_runner = {
	.name = "audit", .translates = true, .probe = jit_probe, .init = audit_init,
	.run = audit_run, .fini = audit_fini,
};
