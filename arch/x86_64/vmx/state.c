/*
 * Between struct x86_state and the current VMCS's guest area (SDM 3C, 24.4). CR2, DR0 to DR3, DR6
 * and some MSRs have no place there: they are in the CPU's own registers. EFER and CR2 in the state
 * are exact all the time.
 */
#include <cpuid.h>

#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/vmx/vmx.h"

enum { RFLAGS_TF = 1 << 8 };

static u64 rights_of(const struct x86_seg *s)
{
	u64 attr = s->attr;

	if (attr & X86_SEG_UNUSABLE)
		return VMX_RIGHTS_UNUSABLE | (attr & X86_SEG_DPL);
	return (attr & 0xff) | (attr & 0xf00) << 4;
}

static void seg_put(u32 index, const struct x86_seg *s)
{
	u64 rights = rights_of(s);

	if (index == X86_TR)	/* must be usable and busy, says 26.3.1.2 */
		rights = (rights & ~(u64)VMX_RIGHTS_UNUSABLE) | X86_SEG_P | 3;
	vmcs_write(VMCS_GUEST_SELECTOR + 2 * index, s->sel);
	vmcs_write(VMCS_GUEST_BASE + 2 * index, s->base);
	vmcs_write(VMCS_GUEST_LIMIT + 2 * index, s->limit);
	vmcs_write(VMCS_GUEST_RIGHTS + 2 * index, rights);
}

/* Of an unusable segment DPL remains: of SS it is the CPL. */
static void seg_get(u32 index, struct x86_seg *s)
{
	u64 rights = vmcs_read(VMCS_GUEST_RIGHTS + 2 * index);
	u64 attr = (rights & 0xff) | (rights >> 4 & 0xf00);

	if (rights & VMX_RIGHTS_UNUSABLE)
		attr = X86_SEG_UNUSABLE | (rights & X86_SEG_DPL);
	*s = (struct x86_seg){ .sel = (u16)vmcs_read(VMCS_GUEST_SELECTOR + 2 * index),
			       .base = vmcs_read(VMCS_GUEST_BASE + 2 * index),
			       .limit = (u32)vmcs_read(VMCS_GUEST_LIMIT + 2 * index),
			       .attr = (u16)attr };
}

/* Field and member. RIP, RSP and RFLAGS are exchanged at each entry. */
#define PLAIN(X)									\
	X(GUEST_DR7, dr7) X(GUEST_DEBUGCTL, debugctl) X(GUEST_PAT, pat)			\
	X(GUEST_SYSENTER_CS, sysenter_cs) X(GUEST_SYSENTER_ESP, sysenter_esp)		\
	X(GUEST_SYSENTER_EIP, sysenter_eip) X(GUEST_GDTR_BASE, gdtr.base)		\
	X(GUEST_IDTR_BASE, idtr.base) X(GUEST_GDTR_LIMIT, gdtr.limit)			\
	X(GUEST_IDTR_LIMIT, idtr.limit)
/* MSR and member: the guest's stay in the CPU until the turn ends; FVP itself uses none. */
#define SWAPPED(X)									\
	X(0xc0000081, star) X(0xc0000082, lstar) X(0xc0000083, cstar) X(0xc0000084, sfmask)	\
	X(0xc0000102, kernel_gs_base)
#define MSR_TSC_AUX	0xc0000103u

static bool has_tsc_aux(void)
{
	u32 a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1 << 27;
}

/* ---- debug registers: the guest's only once it has asked for them ---- */

#define DEBUG_READ(n, to)	__asm__ volatile("mov %%dr" #n ", %0" : "=r"(to))
#define DEBUG_WRITE(n, from)	__asm__ volatile("mov %0, %%dr" #n :: "r"(from))

void vmx_debug_take(struct vmx_cpu *s)
{
	const struct x86_state *st = s->vt.st;

	if (s->debug_live)
		return;
	DEBUG_WRITE(0, st->dr[0]);
	DEBUG_WRITE(1, st->dr[1]);
	DEBUG_WRITE(2, st->dr[2]);
	DEBUG_WRITE(3, st->dr[3]);
	DEBUG_WRITE(6, st->dr6);
	vmx_demand(s, VMX_PROC_MOV_DR, false);
	s->debug_live = true;
}

static void debug_give(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;

	if (!s->debug_live)
		return;
	DEBUG_READ(0, st->dr[0]);
	DEBUG_READ(1, st->dr[1]);
	DEBUG_READ(2, st->dr[2]);
	DEBUG_READ(3, st->dr[3]);
	DEBUG_READ(6, st->dr6);
	vmx_demand(s, VMX_PROC_MOV_DR, true);
	s->debug_live = false;
}

void vmx_demand(struct vmx_cpu *s, enum vmx_control bit, bool on)
{
	u32 proc = on ? s->proc | 1u << bit : s->proc & ~(1u << bit);

	if (proc == s->proc)
		return;
	s->proc = proc;
	vmcs_write(VMCS_PROC, proc);
}

/* ---- all of it ---- */

/* Blocked by STI is only who may be interrupted (26.3.1.5). */
static void blocking_put(const struct x86_state *st)
{
	u64 blocking = st->nmi_blocked ? VMX_BLOCK_NMI : 0;

	if (st->shadow)
		blocking |= st->shadow & VMX_BLOCK_STI && st->rflags & RFLAGS_IF ?
				    VMX_BLOCK_STI : VMX_BLOCK_MOV_SS;
	vmcs_write(VMCS_BLOCKING, blocking);
	vmcs_write(VMCS_PENDING_DEBUG, st->shadow && st->rflags & RFLAGS_TF ? VMX_PENDING_BS : 0);
}

void vmx_load(struct vmx_cpu *s)
{
	const struct x86_state *st = s->vt.st;

	for (u32 i = 0; i < X86_SEGS; i++)
		seg_put(i, &st->seg[i]);
	vmx_cr_load(s);
#define PUT(field, member) vmcs_write(VMCS_##field, st->member);
	PLAIN(PUT)
#undef PUT
#define PUT(msr, member) msr_write(msr, st->member);
	SWAPPED(PUT)
#undef PUT
	if (has_tsc_aux())
		msr_write(MSR_TSC_AUX, st->tsc_aux);
	blocking_put(st);
	vmcs_write(VMCS_ENTRY_EVENT, 0);
	vmcs_write(VMCS_TSC_OFFSET, s->vt.tsc_offset);
	vmx_demand(s, VMX_PROC_MOV_DR, true);
	if (st->dr7 & 0xff)
		vmx_debug_take(s);
}

void vmx_fetch_code(struct vmx_cpu *s)
{
	struct x86_seg *seg = s->vt.st->seg;

	seg_get(X86_CS, &seg[X86_CS]);
	seg_get(X86_SS, &seg[X86_SS]);
	vmx_cr_fetch(s);
}

void vmx_fetch(struct vt_cpu *v)
{
	for (u32 i = 0; i < X86_SEGS; i++)
		seg_get(i, &v->st->seg[i]);
	vmx_cr_fetch(container_of(v, struct vmx_cpu, vt));
}

/* An event that was to be injected and has not been. */
static void event_take_back(struct x86_state *st)
{
	u64 event = vmcs_read(VMCS_ENTRY_EVENT);

	if (!(event & VMX_EVENT_VALID))
		return;
	st->event = true;
	st->event_vector = (u8)event;
	st->event_type = event >> 8 & 7;
	st->event_has_error = (event & VMX_EVENT_ERROR) != 0;
	st->event_error = st->event_has_error ? (u32)vmcs_read(VMCS_ENTRY_ERROR) : 0;
}

void vmx_store(struct vmx_cpu *s)
{
	struct x86_state *st = s->vt.st;
	u64 blocking = vmcs_read(VMCS_BLOCKING);

	vmx_fetch(&s->vt);
#define GET(field, member) st->member = (__typeof__(st->member))vmcs_read(VMCS_##field);
	PLAIN(GET)
#undef GET
#define GET(msr, member) st->member = msr_read(msr);
	SWAPPED(GET)
#undef GET
	if (has_tsc_aux())
		st->tsc_aux = msr_read(MSR_TSC_AUX);
	st->shadow = blocking & VMX_BLOCK_SHADOW;
	st->nmi_blocked = (blocking & VMX_BLOCK_NMI) != 0;
	event_take_back(st);
	debug_give(s);
}
