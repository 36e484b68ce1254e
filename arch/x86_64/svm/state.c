/* Between struct x86_state and the VMCB's save area (APM 2, 15.5.1 and appendix B). */
#include "arch/x86_64/svm/svm.h"
#include "arch/x86_64/sys/insn.h"

#define EFER_SVME	(1u << 12)
#define MSR_TSC_AUX	0xc0000103u

static void seg_put(struct vmcb_seg *d, const struct x86_seg *s)
{
	*d = (struct vmcb_seg){ .sel = s->sel, .limit = s->limit, .base = s->base,
				.attr = s->attr & X86_SEG_UNUSABLE ? 0 : s->attr & 0xfff };
}

static void seg_get(struct x86_seg *s, const struct vmcb_seg *d)
{
	*s = (struct x86_seg){ .sel = d->sel, .limit = d->limit, .base = d->base,
			       .attr = d->attr & X86_SEG_P ? d->attr & 0xfff :
							     X86_SEG_UNUSABLE };
}

static void table_put(struct vmcb_seg *d, const struct x86_table *t)
{
	*d = (struct vmcb_seg){ .limit = t->limit, .base = t->base };
}

static void table_get(struct x86_table *t, const struct vmcb_seg *d)
{
	*t = (struct x86_table){ .limit = d->limit, .base = d->base };
}

/* A member of the save area for each segment. */
#define SEGMENTS(X) X(es, X86_ES) X(cs, X86_CS) X(ss, X86_SS) X(ds, X86_DS) X(fs, X86_FS) \
	X(gs, X86_GS) X(ldtr, X86_LDTR) X(tr, X86_TR)
/* What has the same name in both. RIP and RFLAGS are exchanged at each entry. */
#define PLAIN(X) X(cr0) X(cr2) X(cr3) X(cr4) X(dr6) X(dr7) X(star) X(lstar) \
	X(cstar) X(sfmask) X(kernel_gs_base) X(sysenter_cs) X(sysenter_esp) X(sysenter_eip) X(pat) \
	X(debugctl)

/* ---- debug registers: the guest's only once it has asked for them ---- */

#define ALL_DEBUG	0xffff

void svm_debug_take(struct svm_cpu *s)
{
	const u64 *dr = s->vt.st->dr;

	__asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3"
			 :: "r"(dr[0]), "r"(dr[1]), "r"(dr[2]), "r"(dr[3]));
	s->vmcb->dr_read = s->vmcb->dr_write = 0;
	s->debug_live = true;
}

static void debug_give(struct svm_cpu *s)
{
	u64 *dr = s->vt.st->dr;

	if (!s->debug_live)
		return;
	__asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
			 : "=r"(dr[0]), "=r"(dr[1]), "=r"(dr[2]), "=r"(dr[3]));
	s->vmcb->dr_read = s->vmcb->dr_write = ALL_DEBUG;
	s->debug_live = false;
}

/* ---- all of it ---- */

void svm_load(struct svm_cpu *s)
{
	const struct x86_state *st = s->vt.st;
	struct vmcb *c = s->vmcb;

#define PUT(member, index) seg_put(&c->member, &st->seg[index]);
	SEGMENTS(PUT)
#undef PUT
#define PUT(member) c->member = st->member;
	PLAIN(PUT)
#undef PUT
	table_put(&c->gdtr, &st->gdtr);
	table_put(&c->idtr, &st->idtr);
	c->cpl = st->seg[X86_SS].attr >> 5 & 3;
	c->efer = st->efer | EFER_SVME;
	c->shadow = st->shadow != 0;
	c->event = 0;
	c->dr_read = c->dr_write = ALL_DEBUG;
	c->tsc_offset = s->vt.tsc_offset;
	msr_write(MSR_TSC_AUX, st->tsc_aux);
	if (st->dr7 & 0xff)
		svm_debug_take(s);
}

void svm_fetch_code(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;
	const struct vmcb *c = s->vmcb;
	struct x86_seg *ss = &st->seg[X86_SS];

	st->cr0 = c->cr0;
	st->cr3 = c->cr3;
	st->cr4 = c->cr4;
	st->efer = c->efer & ~(u64)EFER_SVME;
	seg_get(&st->seg[X86_CS], &c->cs);
	/* SYSRET and its like leave something else in the descriptor. */
	ss->attr = (u16)((ss->attr & ~X86_SEG_DPL) | c->cpl << 5);
}

void svm_fetch(struct vt_cpu *v)
{
	struct svm_cpu *s = container_of(v, struct svm_cpu, vt);
	struct x86_state *st = v->st;
	const struct vmcb *c = s->vmcb;

#define GET(member, index) seg_get(&st->seg[index], &c->member);
	SEGMENTS(GET)
#undef GET
	svm_fetch_code(s);
}

/* An event that was to be injected and has not been. */
static void event_take_back(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;
	u64 event = s->vmcb->event;

	if (!(event & SVM_EVENT_VALID))
		return;
	st->event = true;
	st->event_vector = (u8)event;
	st->event_type = event >> 8 & 7;
	st->event_has_error = (event & SVM_EVENT_ERROR) != 0;
	st->event_error = (u32)(event >> 32);
	s->vmcb->event = 0;
}

void svm_store(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;
	const struct vmcb *c = s->vmcb;

	svm_fetch(&s->vt);
#define GET(member) st->member = c->member;
	PLAIN(GET)
#undef GET
	table_get(&st->gdtr, &c->gdtr);
	table_get(&st->idtr, &c->idtr);
	st->shadow = c->shadow & 1;
	st->tsc_aux = msr_read(MSR_TSC_AUX);
	event_take_back(s);
	debug_give(s);
}
