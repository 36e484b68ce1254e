/*
 * What a native x86 guest CPU needs whoever makes the hardware: CPUID and MSR policies, extended
 * registers, accesses to devices. The vendors' folders (svm, vmx) hold control blocks, entry and
 * exit; nothing here knows them.
 *
 * While a turn lasts the CPU is *loaded*: general registers, RIP and RFLAGS in the state are exact
 * after each exit, the rest is in the vendor's control block until it is fetched.
 */
#pragma once

#include "engine/front/x86/access.h"
#include "engine/front/x86/state.h"
#include "mmu/nested.h"

struct vt_cpu {
	/* set once */
	struct gcpu *g;
	struct x86_state *st;
	struct nested *nested;		/* the machine's */
	/* owning CPU only */
	u64 nested_seen;
	bool loaded;
	u64 tsc_offset;			/* guest TSC = host TSC + this */
	struct vt_host {		/* what the guest's takes the place of */
		u64 xcr0, tsc_aux;
	} host;
	/* what the kernel has been asked for: a step of an instruction, or IN's */
	enum vt_pending { VT_IDLE, VT_STEP, VT_IN } pending;
	struct x86_insn insn;
	struct x86_access access;
	gpa_t device;			/* that the instruction accesses, or its port */
	u32 in_len;
};

/*
 * machine.c: what the CPUs of a machine share. The first that joins makes the tables, with leaves
 * of up to @leaf_level. NULL: no memory.
 */
struct nested *vt_join(struct gcpu *g, const struct nested_format *fmt, u32 leaf_level,
		       bool tracked);
void vt_part(struct gcpu *g);

/* What becomes of an exit. */
enum vt_next {
	VT_AGAIN,			/* go on with the guest */
	VT_LEAVE,			/* run() returns: the exit is filled in */
};

/* cpuid.c: the guest executes CPUID: its registers in, its registers out. */
void vt_cpuid(const struct vt_cpu *v);

/* msr.c. False: #GP. Those that the guest accesses without an exit are not asked for. */
bool vt_msr_read(struct vt_cpu *v, u32 msr, u64 *val);
bool vt_msr_write(struct vt_cpu *v, u32 msr, u64 val);
/* Call @pass for each MSR that the guest may access without an exit. */
void vt_msr_each_passed(void (*pass)(void *ctx, u32 msr), void *ctx);

/* xsave.c: the guest's extended registers take the place of the host's, and back. */
void vt_xsave_load(struct vt_cpu *v);
void vt_xsave_store(struct vt_cpu *v);
/* The guest executes XSETBV. False: #GP. */
bool vt_xsetbv(struct vt_cpu *v);
/* Components that guests may have: bits of XCR0. */
u64 vt_xcr0_mask(void);

/* time.c */
void vt_tsc_load(struct vt_cpu *v);
u64 vt_tsc(const struct vt_cpu *v);

/* pvclock.c: KVM's clock; the guest has written one of these. */
enum { VT_MSR_WALL_CLOCK = 0x4b564d00, VT_MSR_SYSTEM_TIME = 0x4b564d01 };
void vt_pvclock_write(struct vt_cpu *v, u32 msr, u64 val);

/* event.c: park an event for the next entry. */
void vt_raise(struct x86_state *st, u32 vector);
void vt_raise_error(struct x86_state *st, u32 vector, u32 error);
enum { X86_V_DB = 1, X86_V_UD = 6, X86_V_GP = 13, X86_V_PF = 14, X86_V_AC = 17, X86_V_MC = 18 };

/*
 * fetch.c: the instruction at RIP. The state's control and segment registers have been fetched.
 * False: it cannot be read, or is none.
 */
bool vt_fetch(struct vt_cpu *v, struct x86_insn *insn);
/* A linear address, by the guest's own tables. False: a page fault with *error. */
bool vt_translate(struct vt_cpu *v, u64 va, enum access access, bool user, gpa_t *gpa, u32 *error);
bool vt_is_user(const struct x86_state *st);
/* RIP behind it. */
bool vt_skip(struct vt_cpu *v);

/*
 * device.c: accesses to devices, under the same condition.
 * Emulate the instruction at RIP, which accessed @gpa where no memory is.
 */
enum vt_next vt_mmio(struct vt_cpu *v, gpa_t gpa, struct exit *x);
/* IN, OUT, INS, OUTS of @len bytes at @port; @next: RIP behind it. */
enum vt_next vt_port(struct vt_cpu *v, u16 port, u32 len, bool in, bool string, u64 next,
		     struct exit *x);
/* The kernel has answered: finish what was pending, or ask for the next. */
enum vt_next vt_resume(struct vt_cpu *v, struct exit *x);
