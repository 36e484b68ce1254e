/*
 * Second-level tables of a machine, and the flush that they ask for: every CPU of it leaves the
 * guest and flushes its own translations before it goes in again.
 */
#include "arch/x86_64/vt/vt.h"
#include "kernel/base/heap.h"
#include "kernel/base/panic.h"

#define TABLES_MAX	65536		/* 256 MiB: what maps 128 GiB in 4 KiB pages */
#define IPA_BITS	48

struct vt_machine {
	struct nested nested;
	u32 cpus;
	struct gcpu *cpu[];
};

static void machine_flush(void *ctx, const struct nested_flush *f)
{
	struct vt_machine *m = ctx;

	for (u32 i = 0; i < m->cpus; i++)
		gcpu_request_wait(m->cpu[i], REQ_TLB);
}

static struct vt_machine *machine_make(struct gcpu *g, const struct nested_format *fmt,
				       u32 leaf_level, bool tracked)
{
	struct vt_machine *m = heap_alloc(sizeof(*m) + g->cpus * sizeof(m->cpu[0]));
	struct nested_setup setup = { .ipa_bits = IPA_BITS, .leaf_level = leaf_level,
				      .tracked = tracked, .tables = TABLES_MAX,
				      .flush = machine_flush, .ctx = m };

	if (m && nested_init(&m->nested, fmt, g->space, &setup) == OK)
		return m;
	heap_free(m);
	return NULL;
}

struct nested *vt_join(struct gcpu *g, const struct nested_format *fmt, u32 leaf_level,
		       bool tracked)
{
	struct vt_machine *m = g->space->accel;

	if (!m)
		m = g->space->accel = machine_make(g, fmt, leaf_level, tracked);
	if (!m)
		return NULL;
	assert(m->cpus < g->cpus);
	m->cpu[m->cpus++] = g;
	return &m->nested;
}

void vt_part(struct gcpu *g)
{
	struct vt_machine *m = g->space->accel;

	if (--m->cpus)
		return;
	g->space->accel = NULL;
	nested_fini(&m->nested);
	heap_free(m);
}
