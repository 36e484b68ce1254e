/*
 * Birth, end and outside events of a guest CPU. Only the runner that executes it touches its
 * state; everybody else leaves a bit in ->lines or ->requests, sets ->attention and has the
 * kernel kick the host CPU concerned.
 */
#include "engine/gcpu.h"
#include "engine/isa.h"
#include "engine/runner.h"
#include "kernel/base/heap.h"

const char *exit_name(enum exit_why why)
{
	static const char *const names[EXIT_COUNT] = {
#define X(name, text) [EXIT_##name] = #name,
		EXIT_REASONS(X)
#undef X
	};

	return (u32)why < EXIT_COUNT ? names[why] : "?";
}

err_t gcpu_init(struct gcpu *g)
{
	err_t e;

	g->st = heap_alloc_aligned(gcpu_jumps_at(g->isa) + CODE_JUMPS * sizeof(struct code_jump),
				   64);
	g->tlb = heap_alloc_aligned(sizeof(*g->tlb), 64);
	if (!g->st || !g->tlb) {
		e = ERRF(E_NOMEM, "no memory for the state of CPU %u", g->index);
	} else {
		tlb_context(g->tlb, 0, 0, 0);
		e = g->runner->init(g);
		if (e == OK) {
			g->isa->reset(g);
			return OK;
		}
	}
	heap_free(g->st);
	heap_free(g->tlb);
	g->st = NULL;
	g->tlb = NULL;
	return e;
}

void gcpu_fini(struct gcpu *g)
{
	if (!g->st)
		return;
	timer_cancel(&g->timer);
	g->runner->fini(g);
	heap_free(g->st);
	heap_free(g->tlb);
	g->st = NULL;
	g->tlb = NULL;
}

static void gcpu_attend(struct gcpu *g)
{
	atomic_store(&g->attention, 1);
	gcpu_kick(g);
}

void gcpu_line(struct gcpu *g, u32 bit, bool level)
{
	if (!level)
		atomic_fetch_and(&g->lines, ~BIT(bit));
	else if (!(atomic_fetch_or(&g->lines, BIT(bit)) & BIT(bit)))
		gcpu_attend(g);		/* only an edge is news */
}

void gcpu_request(struct gcpu *g, u32 requests)
{
	atomic_fetch_or(&g->requests, requests);
	gcpu_attend(g);
}

void gcpu_request_wait(struct gcpu *g, u32 requests)
{
	gcpu_request(g, requests);
	while (atomic_load(&g->in_guest) && (atomic_load(&g->requests) & requests))
		host_relax();
}
