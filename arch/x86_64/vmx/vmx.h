/* Intel's VT-x as a runner: between vmx.c (host, loop), caps.c, state.c, cr.c and exits.c. */
#pragma once

#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vt/vt.h"

struct vmx_cpu {
	struct vt_cpu vt;		/* first */
	void *vmcs;			/* a page; see turn_begin() */
	bool filled;			/* with what never changes */
	bool launched;
	bool debug_live;		/* DR0 to DR3 and DR6 are the guest's */
	u32 proc;			/* VMCS_PROC as it is */
	u32 host;			/* CPU that knows nothing stale of it; CPU_MAX: none */
};

/* caps.c: what the CPU that booted can; the others are expected to be of its kind. */
struct vmx_caps {
	u32 word[VMX_WORDS];		/* controls, those on demand off */
	u64 ept;			/* IA32_VMX_EPT_VPID_CAP */
	u64 cr0_fixed0, cr4_fixed0, cr4_fixed1;
	u32 revision;			/* what a VMCS begins with */
	u32 preemption_shift;		/* TSC ticks of one tick of the timer: 2^this */
	const char *missing;		/* NULL: it can run guests */
};
/* The CPU has VMX. */
const struct vmx_caps *vmx_caps(void);
static inline bool vmx_can(enum vmx_word word, enum vmx_control bit)
{
	return vmx_caps()->word[word] >> bit & 1;
}

/* state.c: the whole state to the current VMCS, and back. */
void vmx_load(struct vmx_cpu *s);
void vmx_store(struct vmx_cpu *s);
/* vt_cpu.fetch: control and all segment registers. */
void vmx_fetch(struct vt_cpu *v);
/* What finding an instruction looks at: control registers, CS, and the privilege in SS. */
void vmx_fetch_code(struct vmx_cpu *s);
void vmx_debug_take(struct vmx_cpu *s);
/* Primary controls that come and go. */
void vmx_demand(struct vmx_cpu *s, enum vmx_control bit, bool on);

/* cr.c: control registers and EFER, what the guest sees and what is. False: #GP. */
void vmx_cr_load(struct vmx_cpu *s);
void vmx_cr_fetch(struct vmx_cpu *s);
bool vmx_cr0_write(struct vmx_cpu *s, u64 val);
bool vmx_cr4_write(struct vmx_cpu *s, u64 val);
bool vmx_efer_write(struct vmx_cpu *s, u64 val);

/* exits.c */
enum vt_next vmx_exit(struct vmx_cpu *s, struct exit *x);
/* VMLAUNCH or VMRESUME did not take the VMCS. */
enum vt_next vmx_refused(u32 how, struct exit *x);
/* Events, windows and what else must be right before each entry. */
void vmx_prepare(struct vmx_cpu *s);

/* vmx.c: forget the guest's translations before the next entry. */
void vmx_flush(struct vmx_cpu *s);
