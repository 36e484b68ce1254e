/*
 * Why the guest was left, one function for each reason (APM 2, appendix C), and what it is entered
 * with: events first, then what is asked to come back at the right moment.
 */
#include "arch/x86_64/svm/svm.h"
#include "engine/exit.h"
#include "kernel/base/fmt.h"

#define MSR_EFER	0xc0000080u
#define EFER_SVME	(1u << 12)
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11,
       EFER_FFXSR = 1 << 14 };
enum { RFLAGS_IF = 1 << 9 };
#define CR0_PG		(1ull << 31)

static enum vt_next leave(struct exit *x, enum exit_why why)
{
	x->why = why;
	return VT_LEAVE;
}

/* ---- before an entry ---- */

static void inject(struct svm_cpu *s, u32 type, u32 vector)
{
	s->vmcb->event = SVM_EVENT_VALID | type << 8 | vector;
}

static void inject_parked(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;

	if (st->event_type == X86_EVENT_EXCEPTION && st->event_vector == X86_V_PF)
		s->vmcb->cr2 = st->cr2;
	inject(s, st->event_type, st->event_vector);
	if (st->event_has_error)
		s->vmcb->event |= SVM_EVENT_ERROR | (u64)st->event_error << 32;
	st->event = false;
}

/* An exit as soon as interrupts can be taken: a virtual one, whose own delivery is intercepted. */
static void window_open(struct svm_cpu *s)
{
	s->vmcb->virq |= SVM_V_IRQ | SVM_V_PRIO | SVM_V_IGN_TPR;
	s->vmcb->intercept3 |= BIT(SVM_I_VINTR);
}

static void window_close(struct svm_cpu *s)
{
	s->vmcb->virq &= ~(u64)(SVM_V_IRQ | SVM_V_PRIO | SVM_V_IGN_TPR);
	s->vmcb->intercept3 &= ~(u32)BIT(SVM_I_VINTR);
}

static void nmi_unblock(struct svm_cpu *s)
{
	if (s->vt.st->nmi_blocked && s->iret_rip && s->iret_rip != s->vt.st->rip) {
		s->vt.st->nmi_blocked = false;
		s->iret_rip = 0;
	}
}

static bool nmi_take(struct svm_cpu *s)
{
	struct gcpu *g = s->vt.g;

	nmi_unblock(s);
	if (s->vt.st->nmi_blocked || s->vmcb->shadow & 1)
		return false;
	atomic_fetch_and(&g->lines, ~BIT(X86_LINE_NMI));
	s->vt.st->nmi_blocked = true;
	s->vmcb->intercept3 |= BIT(SVM_I_IRET);
	inject(s, X86_EVENT_NMI, 2);
	return true;
}

static void interrupt_take(struct svm_cpu *s)
{
	const struct x86_intc *intc = s->vt.g->intc;
	int vector;

	if (!(s->vt.st->rflags & RFLAGS_IF) || s->vmcb->shadow & 1) {
		window_open(s);
		return;
	}
	vector = intc->accept(s->vt.g->intc_ctl, s->vt.g->index);
	if (vector >= 0)
		inject(s, X86_EVENT_INTR, (u32)vector);
}

void svm_prepare(struct svm_cpu *s)
{
	struct gcpu *g = s->vt.g;
	const struct x86_intc *intc = g->intc;
	u64 lines = atomic_load(&g->lines);

	if (intc)
		s->vmcb->virq = (s->vmcb->virq & ~(u64)SVM_V_TPR) |
				intc->tpr(g->intc_ctl, g->index);
	if (s->vmcb->event & SVM_EVENT_VALID)
		return;
	if (s->vt.st->event) {
		inject_parked(s);
		return;
	}
	if (likely(!lines))
		return;
	if (lines & BIT(X86_LINE_NMI) && nmi_take(s))
		return;
	if (lines & BIT(X86_LINE_INTR))
		interrupt_take(s);
}

/* ---- after one ---- */

/* What was being delivered is delivered again, but for what its instruction raises once more. */
static void event_park(struct svm_cpu *s)
{
	struct x86_state *st = s->vt.st;
	u64 event = s->vmcb->exit_event;
	u32 type = event >> 8 & 7, vector = event & 0xff;

	if (!(event & SVM_EVENT_VALID) || type == X86_EVENT_SOFT ||
	    (type == X86_EVENT_EXCEPTION && (vector == 3 || vector == 4)))
		return;
	st->cr2 = s->vmcb->cr2;
	st->event = true;
	st->event_type = (u8)type;
	st->event_vector = (u8)vector;
	st->event_has_error = (event & SVM_EVENT_ERROR) != 0;
	st->event_error = (u32)(event >> 32);
}

/* RIP behind the instruction. */
static bool skip(struct svm_cpu *s)
{
	if (s->vmcb->next_rip && svm_features() & SVM_CPUID_NRIP) {
		s->vt.st->rip = s->vmcb->next_rip;
	} else if (!vt_skip_known(&s->vt, s->vmcb->cr3, s->vmcb->cs.attr)) {
		svm_fetch_code(s);
		if (!vt_skip(&s->vt))
			return false;
	}
	s->vmcb->shadow = 0;
	return true;
}

static enum vt_next exit_none(struct svm_cpu *s, struct exit *x)
{
	return VT_AGAIN;
}

static enum vt_next exit_undefined(struct svm_cpu *s, struct exit *x)
{
	vt_raise(s->vt.st, X86_V_UD);
	return VT_AGAIN;
}

static enum vt_next exit_protection(struct svm_cpu *s, struct exit *x)
{
	vt_raise_error(s->vt.st, X86_V_GP, 0);
	return VT_AGAIN;
}

static enum vt_next exit_skip(struct svm_cpu *s, struct exit *x)
{
	skip(s);
	return VT_AGAIN;
}

static enum vt_next exit_window(struct svm_cpu *s, struct exit *x)
{
	window_close(s);
	return VT_AGAIN;
}

static enum vt_next exit_cpuid(struct svm_cpu *s, struct exit *x)
{
	s->vt.st->cr4 = s->vmcb->cr4;
	if (skip(s))
		vt_cpuid(&s->vt);
	return VT_AGAIN;
}

static enum vt_next exit_halt(struct svm_cpu *s, struct exit *x)
{
	skip(s);
	s->vt.g->halted = true;
	return leave(x, EXIT_HALT);
}

static enum vt_next exit_pause(struct svm_cpu *s, struct exit *x)
{
	skip(s);
	return leave(x, EXIT_YIELD);
}

static bool efer_write(struct svm_cpu *s, u64 val)
{
	u64 old = s->vmcb->efer;

	if (val & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR) ||
	    (s->vmcb->cr0 & CR0_PG && (val ^ old) & EFER_LME))
		return false;
	s->vmcb->efer = (val & ~(u64)EFER_LMA) | (old & EFER_LMA) | EFER_SVME;
	svm_flush(s);
	return true;
}

static enum vt_next exit_msr(struct svm_cpu *s, struct exit *x)
{
	u64 *gpr = s->vt.st->gpr, val = (u32)gpr[X86_RAX] | gpr[X86_RDX] << 32;
	u32 msr = (u32)gpr[X86_RCX];
	bool write = s->vmcb->exit_info1 & 1, ok;

	if (msr == MSR_EFER && !write)
		val = s->vmcb->efer & ~(u64)EFER_SVME, ok = true;
	else if (msr == MSR_EFER)
		ok = efer_write(s, val);
	else
		ok = write ? vt_msr_write(&s->vt, msr, val) : vt_msr_read(&s->vt, msr, &val);
	if (!ok)
		return exit_protection(s, x);
	if (!write) {
		gpr[X86_RAX] = (u32)val;
		gpr[X86_RDX] = val >> 32;
	}
	s->vmcb->tsc_offset = s->vt.tsc_offset;
	return exit_skip(s, x);
}

static enum vt_next exit_io(struct svm_cpu *s, struct exit *x)
{
	u64 info = s->vmcb->exit_info1;
	bool string = info & SVM_IO_STRING;

	if (string)
		svm_fetch_code(s);
	s->vmcb->shadow = 0;
	return vt_port(&s->vt, (u16)(info >> 16), (info & SVM_IO_SIZE) >> 4, info & SVM_IO_IN,
		       string, s->vmcb->exit_info2, x);
}

/* The guest writes CR8; its reads are served by V_TPR. */
static enum vt_next exit_cr8(struct svm_cpu *s, struct exit *x)
{
	const struct x86_intc *intc = s->vt.g->intc;
	const struct x86_insn *insn;

	svm_fetch_code(s);
	insn = vt_fetch(&s->vt);
	if (!insn || !intc)
		return exit_undefined(s, x);
	u64 val = s->vt.st->gpr[insn->rm];

	if (val > 15)
		return exit_protection(s, x);
	intc->set_tpr(s->vt.g->intc_ctl, s->vt.g->index, (u8)val);
	return exit_skip(s, x);
}

static enum vt_next exit_debug_register(struct svm_cpu *s, struct exit *x)
{
	svm_debug_take(s);
	return VT_AGAIN;
}

static enum vt_next exit_iret(struct svm_cpu *s, struct exit *x)
{
	s->vmcb->intercept3 &= ~(u32)BIT(SVM_I_IRET);
	s->iret_rip = s->vt.st->rip;
	return VT_AGAIN;
}

static enum vt_next exit_xsetbv(struct svm_cpu *s, struct exit *x)
{
	if (s->vmcb->cpl || !vt_xsetbv(&s->vt))
		return exit_protection(s, x);
	return exit_skip(s, x);
}

static enum vt_next exit_exception(struct svm_cpu *s, struct exit *x)
{
	u32 vector = (u32)(s->vmcb->exit_code - SVM_X_EXCEPTION);

	if (vector == X86_V_MC)
		__asm__ volatile("int $18");	/* the host's own: nothing can go on */
	if (vector == X86_V_AC)
		vt_raise_error(s->vt.st, vector, (u32)s->vmcb->exit_info1);
	else
		vt_raise(s->vt.st, vector);
	return VT_AGAIN;
}

static enum vt_next exit_task(struct svm_cpu *s, struct exit *x)
{
	fmt_buf(x->text, sizeof(x->text), "task switches are not emulated");
	return leave(x, EXIT_FAIL);
}

static enum vt_next exit_shutdown(struct svm_cpu *s, struct exit *x)
{
	fmt_buf(x->text, sizeof(x->text), "triple fault at %#llx",
		(unsigned long long)s->vt.st->rip);
	return leave(x, EXIT_SHUTDOWN);
}

static enum vt_next device_access(struct svm_cpu *s, gpa_t gpa, const struct range *r,
				  struct exit *x)
{
	svm_fetch_code(s);
	s->vmcb->shadow = 0;
	return vt_mmio(&s->vt, gpa, r, x);
}

static enum vt_next exit_page(struct svm_cpu *s, struct exit *x)
{
	u64 info = s->vmcb->exit_info1;
	gpa_t gpa = s->vmcb->exit_info2;
	enum access access = info & 16 ? ACCESS_FETCH : info & 2 ? ACCESS_WRITE : ACCESS_READ;
	const struct range *r = space_find(s->vt.g->space, gpa);

	if (r && r->kind == RANGE_MMIO)
		return device_access(s, gpa, r, x);
	switch (nested_fault(s->vt.nested, gpa, access)) {
	case NESTED_MAPPED:
		return VT_AGAIN;
	case NESTED_MMIO:
	case NESTED_READONLY:
		return device_access(s, gpa, r, x);
	default:
		fmt_buf(x->text, sizeof(x->text), "no memory to map %#llx",
			(unsigned long long)gpa);
		return leave(x, EXIT_FAIL);
	}
}

static enum vt_next exit_invalid(struct svm_cpu *s, struct exit *x)
{
	const struct vmcb *c = s->vmcb;

	fmt_buf(x->text, sizeof(x->text),
		"the CPU refuses its state: cr0 %llx cr4 %llx efer %llx cs %x rflags %llx",
		(unsigned long long)c->cr0, (unsigned long long)c->cr4,
		(unsigned long long)c->efer, c->cs.attr, (unsigned long long)c->rflags);
	return leave(x, EXIT_FAIL);
}

typedef enum vt_next exit_fn(struct svm_cpu *s, struct exit *x);

static exit_fn *const exits[SVM_X_END] = {
	[SVM_X_CR_WRITE + 8] = exit_cr8,
	[SVM_X_DR_READ ... SVM_X_DR_END - 1] = exit_debug_register,
	[SVM_X_EXCEPTION ... SVM_X_EXCEPTION + 31] = exit_exception,
	[SVM_X_INTR] = exit_none, [SVM_X_NMI] = exit_none, [SVM_X_SMI] = exit_none,
	[SVM_X_INIT] = exit_none, [SVM_X_VINTR] = exit_window,
	[SVM_X_RDPMC] = exit_protection, [SVM_X_CPUID] = exit_cpuid, [SVM_X_IRET] = exit_iret,
	[SVM_X_INVD] = exit_skip, [SVM_X_PAUSE] = exit_pause, [SVM_X_HLT] = exit_halt,
	[SVM_X_INVLPGA] = exit_undefined, [SVM_X_IO] = exit_io, [SVM_X_MSR] = exit_msr,
	[SVM_X_TASK] = exit_task, [SVM_X_SHUTDOWN] = exit_shutdown,
	[SVM_X_VMRUN ... SVM_X_SKINIT] = exit_undefined, [SVM_X_ICEBP] = exit_undefined,
	[SVM_X_WBINVD] = exit_skip, [SVM_X_MONITOR ... SVM_X_MWAIT_ARMED] = exit_undefined,
	[SVM_X_XSETBV] = exit_xsetbv,
};

enum vt_next svm_exit(struct svm_cpu *s, struct exit *x)
{
	u64 code = s->vmcb->exit_code;

	event_park(s);
	if (code == SVM_X_NPF)
		return exit_page(s, x);
	if ((u32)code == (u32)SVM_X_INVALID)
		return exit_invalid(s, x);
	if (code < SVM_X_END && exits[code])
		return exits[code](s, x);
	fmt_buf(x->text, sizeof(x->text), "exit of an unknown kind, %#llx",
		(unsigned long long)code);
	return leave(x, EXIT_FAIL);
}
