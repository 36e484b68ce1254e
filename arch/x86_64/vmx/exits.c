/*
 * Why the guest was left, one function for each reason (SDM 3D, appendix C; 3C, chapter 27), and
 * what it is entered with: events first, then what is asked to come back at the right moment.
 */
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/vmx/vmx.h"
#include "engine/exit.h"
#include "kernel/base/fmt.h"

enum { TF = 1 << 8, RF = 1 << 16 };
enum { EFER_LMA = 1 << 10 };
enum { RIGHTS_L = 1 << 13 };
enum { DR6_EVENTS = 0xe00f, DR7_GD = 1 << 13 };
#define MSR_EFER	0xc0000080u

static enum vt_next leave(struct exit *x, enum exit_why why)
{
	x->why = why;
	return VT_LEAVE;
}

/* ---- before an entry ---- */

static void inject(u32 type, u32 vector)
{
	vmcs_write(VMCS_ENTRY_EVENT, VMX_EVENT_VALID | type << 8 | vector);
}

/* Real mode has no error codes. */
static void inject_parked(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;

	st->event = false;
	if (st->event_type == X86_EVENT_NMI)
		vmcs_write(VMCS_BLOCKING, vmcs_read(VMCS_BLOCKING) & ~(u64)VMX_BLOCK_NMI);
	inject(st->event_type, st->event_vector);
	if (!st->event_has_error || !(vmcs_read(VMCS_GUEST_CR0) & 1))
		return;
	vmcs_write(VMCS_ENTRY_EVENT, vmcs_read(VMCS_ENTRY_EVENT) | VMX_EVENT_ERROR);
	vmcs_write(VMCS_ENTRY_ERROR, st->event_error);
}

/* That it is blocked from now on the CPU notes itself. */
static bool nmi_take(struct vmx_cpu *s)
{
	if (vmcs_read(VMCS_BLOCKING) & (VMX_BLOCK_NMI | VMX_BLOCK_SHADOW)) {
		vmx_demand(s, VMX_PROC_NMI_WINDOW, true);
		return false;
	}
	atomic_fetch_and(&s->vt.g->lines, ~BIT(X86_LINE_NMI));
	inject(X86_EVENT_NMI, 2);
	return true;
}

static void interrupt_take(struct vmx_cpu *s)
{
	const struct x86_intc *intc = s->vt.g->intc;
	int vector;

	if (!(s->vt.st->rflags & RFLAGS_IF) || vmcs_read(VMCS_BLOCKING) & VMX_BLOCK_SHADOW) {
		vmx_demand(s, VMX_PROC_INTERRUPT_WINDOW, true);
		return;
	}
	vector = intc->accept(s->vt.g->intc_ctl, s->vt.g->index);
	if (vector >= 0)
		inject(X86_EVENT_INTR, (u32)vector);
}

void vmx_prepare(struct vmx_cpu *s)
{
	struct gcpu *g = s->vt.g;
	u64 lines = atomic_load(&g->lines);

	if (likely(!lines && !s->vt.st->event))
		return;
	if (vmcs_read(VMCS_ENTRY_EVENT) & VMX_EVENT_VALID)
		return;
	if (s->vt.st->event) {
		inject_parked(s);
		return;
	}
	if (lines & BIT(X86_LINE_NMI) && nmi_take(s))
		return;
	if (lines & BIT(X86_LINE_INTR))
		interrupt_take(s);
}

/* ---- after one ---- */

/* What was being delivered is delivered again, but for what its instruction raises once more. */
static void event_park(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;
	u64 event = vmcs_read(VMCS_VECTORING);
	u32 type = event >> 8 & 7;

	if (!(event & VMX_EVENT_VALID) || type > X86_EVENT_EXCEPTION)
		return;
	st->event = true;
	st->event_type = (u8)type;
	st->event_vector = (u8)event;
	st->event_has_error = (event & VMX_EVENT_ERROR) != 0;
	st->event_error = st->event_has_error ? (u32)vmcs_read(VMCS_VECTORING_ERROR) : 0;
}

/* IRET had let NMIs in again, and faulted: it will be executed once more (27.2.3). */
static void nmi_block_again(void)
{
	if (!(vmcs_read(VMCS_VECTORING) & VMX_EVENT_VALID))
		vmcs_write(VMCS_BLOCKING, vmcs_read(VMCS_BLOCKING) | VMX_BLOCK_NMI);
}

static void shadow_end(void)
{
	u64 blocking = vmcs_read(VMCS_BLOCKING);

	if (blocking & VMX_BLOCK_SHADOW)
		vmcs_write(VMCS_BLOCKING, blocking & ~(u64)VMX_BLOCK_SHADOW);
}

/* RIP behind the instruction; a single step ends here. */
static void skip(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;

	st->rip += vmcs_read(VMCS_LENGTH);
	if (!(st->efer & EFER_LMA) ||
	    !(vmcs_read(VMCS_GUEST_RIGHTS + 2 * X86_CS) & RIGHTS_L))
		st->rip = (u32)st->rip;
	st->rflags &= ~(u64)RF;
	shadow_end();
	if (st->rflags & TF)
		vmcs_write(VMCS_PENDING_DEBUG, vmcs_read(VMCS_PENDING_DEBUG) | VMX_PENDING_BS);
}

static enum vt_next exit_none(struct vmx_cpu *s, struct exit *x)
{
	return VT_AGAIN;
}

static enum vt_next exit_undefined(struct vmx_cpu *s, struct exit *x)
{
	vt_raise(s->vt.st, X86_V_UD);
	return VT_AGAIN;
}

static enum vt_next exit_protection(struct vmx_cpu *s, struct exit *x)
{
	vt_raise_error(s->vt.st, X86_V_GP, 0);
	return VT_AGAIN;
}

static enum vt_next exit_skip(struct vmx_cpu *s, struct exit *x)
{
	skip(s);
	return VT_AGAIN;
}

static enum vt_next exit_interrupt_window(struct vmx_cpu *s, struct exit *x)
{
	vmx_demand(s, VMX_PROC_INTERRUPT_WINDOW, false);
	return VT_AGAIN;
}

static enum vt_next exit_nmi_window(struct vmx_cpu *s, struct exit *x)
{
	vmx_demand(s, VMX_PROC_NMI_WINDOW, false);
	return VT_AGAIN;
}

static enum vt_next exit_cpuid(struct vmx_cpu *s, struct exit *x)
{
	vmx_cr_fetch(s);
	vt_cpuid(&s->vt);
	return exit_skip(s, x);
}

static enum vt_next exit_halt(struct vmx_cpu *s, struct exit *x)
{
	skip(s);
	s->vt.g->halted = true;
	return leave(x, EXIT_HALT);
}

static enum vt_next exit_pause(struct vmx_cpu *s, struct exit *x)
{
	skip(s);
	return leave(x, EXIT_YIELD);
}

static enum vt_next msr_access(struct vmx_cpu *s, struct exit *x, bool write)
{
	u64 *gpr = s->vt.st->gpr, val = (u32)gpr[X86_RAX] | gpr[X86_RDX] << 32;
	u32 msr = (u32)gpr[X86_RCX];
	bool ok;

	if (msr == MSR_EFER && !write)
		val = s->vt.st->efer, ok = true;
	else if (msr == MSR_EFER)
		ok = vmx_efer_write(s, val);
	else
		ok = write ? vt_msr_write(&s->vt, msr, val) : vt_msr_read(&s->vt, msr, &val);
	if (!ok)
		return exit_protection(s, x);
	if (!write) {
		gpr[X86_RAX] = (u32)val;
		gpr[X86_RDX] = val >> 32;
	}
	vmcs_write(VMCS_TSC_OFFSET, s->vt.tsc_offset);
	return exit_skip(s, x);
}

static enum vt_next exit_rdmsr(struct vmx_cpu *s, struct exit *x)
{
	return msr_access(s, x, false);
}

static enum vt_next exit_wrmsr(struct vmx_cpu *s, struct exit *x)
{
	return msr_access(s, x, true);
}

static enum vt_next exit_io(struct vmx_cpu *s, struct exit *x)
{
	u64 info = vmcs_read(VMCS_QUALIFICATION);
	bool string = info & VMX_IO_STRING;

	if (string) {
		vmx_fetch_code(s);
		shadow_end();
	} else {
		skip(s);
	}
	return vt_port(&s->vt, (u16)(info >> 16), (info & VMX_IO_SIZE) + 1, info & VMX_IO_IN,
		       string, s->vt.st->rip, x);
}

/* ---- control and debug registers ---- */

static bool cr8_access(struct vmx_cpu *s, u64 *gpr, bool write)
{
	const struct x86_intc *intc = s->vt.g->intc;

	if (!intc || (write && *gpr > 15))
		return false;
	if (write)
		intc->set_tpr(s->vt.g->intc_ctl, s->vt.g->index, (u8)*gpr);
	else
		*gpr = intc->tpr(s->vt.g->intc_ctl, s->vt.g->index);
	return true;
}

/* The low four bits of CR0, as LMSW has it: PE can be set only. */
static u64 lmsw_value(u64 cr0, u64 info)
{
	u64 source = info >> 16 & 0xf;

	return (cr0 & ~0xeull) | source;
}

static enum vt_next exit_cr(struct vmx_cpu *s, struct exit *x)
{
	u64 info = vmcs_read(VMCS_QUALIFICATION), *gpr = &s->vt.st->gpr[info >> 8 & 15];
	enum vmx_cr_access access = info >> 4 & 3;
	u32 cr = info & 15;
	bool ok = false;

	vmx_fetch(&s->vt);
	if (cr == 8)
		ok = cr8_access(s, gpr, access == VMX_CR_TO);
	else if (cr == 0 && access == VMX_CR_TO)
		ok = vmx_cr0_write(s, *gpr);
	else if (cr == 0 && access == VMX_CR_LMSW)
		ok = vmx_cr0_write(s, lmsw_value(s->vt.st->cr0, info));
	else if (cr == 4 && access == VMX_CR_TO)
		ok = vmx_cr4_write(s, *gpr);
	return ok ? exit_skip(s, x) : exit_protection(s, x);
}

static enum vt_next exit_debug_register(struct vmx_cpu *s, struct exit *x)
{
	vmx_debug_take(s);
	return VT_AGAIN;
}

static enum vt_next exit_xsetbv(struct vmx_cpu *s, struct exit *x)
{
	return vt_xsetbv(&s->vt) ? exit_skip(s, x) : exit_protection(s, x);
}

/* ---- exceptions ---- */

/* What #DB does to DR6 and DR7 is left to us; bits 16 and 12 are 1 for "not" (27.2.1). */
static void debug_note(struct vmx_cpu *s)
{
	u64 dr6, info = vmcs_read(VMCS_QUALIFICATION);

	vmx_debug_take(s);
	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	dr6 = (dr6 & ~0xfull) | (info & DR6_EVENTS);
	__asm__ volatile("mov %0, %%dr6" :: "r"(dr6));
	vmcs_write(VMCS_GUEST_DR7, vmcs_read(VMCS_GUEST_DR7) & ~(u64)DR7_GD);
}

static void debug_raise(struct vmx_cpu *s, u32 type)
{
	if (type == VMX_TYPE_PRIVILEGED)
		s->vt.st->rip += vmcs_read(VMCS_LENGTH);	/* INT1 */
	else
		debug_note(s);
	vt_raise(s->vt.st, X86_V_DB);
}

static enum vt_next exit_exception(struct vmx_cpu *s, struct exit *x)
{
	u64 event = vmcs_read(VMCS_EXIT_EVENT);
	u32 vector = event & 0xff, type = event >> 8 & 7;

	if (type == X86_EVENT_NMI) {
		__asm__ volatile("int $2");	/* the host's own */
		return VT_AGAIN;
	}
	if (vector == X86_V_MC)
		__asm__ volatile("int $18");	/* the same: nothing can go on */
	if (event & VMX_EVENT_NMI_UNBLOCKED)
		nmi_block_again();
	if (vector == X86_V_DB)
		debug_raise(s, type);
	else if (event & VMX_EVENT_ERROR)
		vt_raise_error(s->vt.st, vector, (u32)vmcs_read(VMCS_EXIT_ERROR));
	else
		vt_raise(s->vt.st, vector);
	return VT_AGAIN;
}

static enum vt_next exit_task(struct vmx_cpu *s, struct exit *x)
{
	fmt_buf(x->text, sizeof(x->text), "task switches are not emulated");
	return leave(x, EXIT_FAIL);
}

static enum vt_next exit_triple(struct vmx_cpu *s, struct exit *x)
{
	fmt_buf(x->text, sizeof(x->text), "triple fault at %#llx",
		(unsigned long long)s->vt.st->rip);
	return leave(x, EXIT_SHUTDOWN);
}

/* ---- memory ---- */

static enum vt_next device_access(struct vmx_cpu *s, gpa_t gpa, const struct range *r,
				  struct exit *x)
{
	vmx_fetch_code(s);
	shadow_end();
	return vt_mmio(&s->vt, gpa, r, x);
}

static enum vt_next exit_violation(struct vmx_cpu *s, struct exit *x)
{
	u64 info = vmcs_read(VMCS_QUALIFICATION);
	gpa_t gpa = vmcs_read(VMCS_GUEST_PHYSICAL);
	enum access access = info & VMX_EPT_FETCH ? ACCESS_FETCH :
			     info & VMX_EPT_WRITE ? ACCESS_WRITE : ACCESS_READ;
	const struct range *r = space_find(s->vt.g->space, gpa);

	if (info & VMX_EPT_NMI_UNBLOCKED)
		nmi_block_again();
	if (r && r->kind == RANGE_MMIO)
		return device_access(s, gpa, r, x);
	switch (nested_fault(s->vt.nested, gpa, access)) {
	case NESTED_MAPPED:
		return VT_AGAIN;
	case NESTED_MMIO:
	case NESTED_READONLY:
		return device_access(s, gpa, r, x);
	case NESTED_NOMEM:
		break;
	}
	fmt_buf(x->text, sizeof(x->text), "no memory to map %#llx", (unsigned long long)gpa);
	return leave(x, EXIT_FAIL);
}

static enum vt_next exit_misconfigured(struct vmx_cpu *s, struct exit *x)
{
	fmt_buf(x->text, sizeof(x->text), "the CPU finds an error in the tables, at %#llx",
		(unsigned long long)vmcs_read(VMCS_GUEST_PHYSICAL));
	return leave(x, EXIT_FAIL);
}

/* ---- entries that fail ---- */

static const char *const instruction_errors[] = {	/* SDM 3C, 30.4 */
	[1] = "VMCALL in VMX root operation", [2] = "VMCLEAR of a bad address",
	[3] = "VMCLEAR of the VMXON region", [4] = "VMLAUNCH of a VMCS that is not clear",
	[5] = "VMRESUME of a VMCS that has not been launched", [6] = "VMRESUME after VMXOFF",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields", [9] = "VMPTRLD of a bad address",
	[10] = "VMPTRLD of the VMXON region", [11] = "VMPTRLD with another revision",
	[12] = "access to a VMCS field that does not exist", [13] = "VMWRITE to a read-only field",
	[15] = "VMXON in VMX root operation",
	[26] = "VM entry with events blocked by MOV SS", [28] = "bad operand of INVEPT or INVVPID",
};

enum vt_next vmx_refused(u32 how, struct exit *x)
{
	u64 error = how == 2 ? vmcs_read(VMCS_INSTRUCTION_ERROR) : 0;
	const char *why = how == 1 ? "no VMCS is current" :
			  error < ARRAY_LEN(instruction_errors) && instruction_errors[error] ?
			  instruction_errors[error] : "unknown";

	fmt_buf(x->text, sizeof(x->text), "the CPU refuses the entry: %s (%llu)", why,
		(unsigned long long)error);
	return leave(x, EXIT_FAIL);
}

static enum vt_next exit_state(struct vmx_cpu *s, struct exit *x)
{
	static const char *const detail[] = { [2] = ", PDPTEs", [3] = ", NMI while blocked",
					      [4] = ", VMCS link" };
	u64 info = vmcs_read(VMCS_QUALIFICATION);
	bool known = info < ARRAY_LEN(detail) && detail[info];

	vmx_cr_fetch(s);
	fmt_buf(x->text, sizeof(x->text),
		"the CPU refuses its state%s: cr0 %llx cr4 %llx efer %llx cs %llx rflags %llx "
		"event %llx", known ? detail[info] : "", (unsigned long long)s->vt.st->cr0,
		(unsigned long long)s->vt.st->cr4, (unsigned long long)s->vt.st->efer,
		(unsigned long long)vmcs_read(VMCS_GUEST_RIGHTS + 2 * X86_CS),
		(unsigned long long)s->vt.st->rflags,
		(unsigned long long)vmcs_read(VMCS_ENTRY_EVENT));
	return leave(x, EXIT_FAIL);
}

/* ---- the table ---- */

typedef enum vt_next exit_fn(struct vmx_cpu *s, struct exit *x);

static exit_fn *const exits[VMX_X_END] = {
	[VMX_X_EXCEPTION] = exit_exception, [VMX_X_INTERRUPT] = exit_none,
	[VMX_X_TRIPLE] = exit_triple, [VMX_X_INIT] = exit_none, [VMX_X_IO_SMI] = exit_none,
	[VMX_X_SMI] = exit_none, [VMX_X_INTERRUPT_WINDOW] = exit_interrupt_window,
	[VMX_X_NMI_WINDOW] = exit_nmi_window, [VMX_X_TASK] = exit_task,
	[VMX_X_CPUID] = exit_cpuid, [VMX_X_GETSEC] = exit_undefined, [VMX_X_HLT] = exit_halt,
	[VMX_X_INVD] = exit_skip, [VMX_X_RDPMC] = exit_protection,
	[VMX_X_VMCALL ... VMX_X_VMXON] = exit_undefined, [VMX_X_CR] = exit_cr,
	[VMX_X_DR] = exit_debug_register, [VMX_X_IO] = exit_io, [VMX_X_RDMSR] = exit_rdmsr,
	[VMX_X_WRMSR] = exit_wrmsr, [VMX_X_STATE] = exit_state, [VMX_X_MWAIT] = exit_undefined,
	[VMX_X_MONITOR] = exit_undefined, [VMX_X_PAUSE] = exit_pause,
	[VMX_X_EPT_VIOLATION] = exit_violation, [VMX_X_EPT_MISCONFIGURED] = exit_misconfigured,
	[VMX_X_INVEPT] = exit_undefined, [VMX_X_PREEMPTION] = exit_none,
	[VMX_X_INVVPID] = exit_undefined, [VMX_X_WBINVD] = exit_skip, [VMX_X_XSETBV] = exit_xsetbv,
	[VMX_X_VMFUNC] = exit_undefined,
};

enum vt_next vmx_exit(struct vmx_cpu *s, struct exit *x)
{
	u64 reason = vmcs_read(VMCS_REASON), basic = reason & VMX_REASON_BASIC;

	if (!(reason & VMX_REASON_FAILED))
		event_park(s);
	if (basic < VMX_X_END && exits[basic])
		return exits[basic](s, x);
	fmt_buf(x->text, sizeof(x->text), "exit of an unknown kind, %#llx",
		(unsigned long long)reason);
	return leave(x, EXIT_FAIL);
}
