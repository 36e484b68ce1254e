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

#define VT_CODES	16
#define VT_CODE_BYTES	16

struct vt_cpu {
	/* set once; fetch: all segment registers to the state */
	void (*fetch)(struct vt_cpu *v);
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
	/* the instruction that is being carried out, and the device or port that it accesses */
	const struct x86_insn *insn;
	struct x86_access access;
	gpa_t device;
	const struct range *range;	/* that ->device is in, if any */
	/* instructions that the guest was left at, by RIP: see fetch.c */
	struct vt_code {
		u64 rip, cr3;
		const u8 *host;		/* where it was read, VT_CODE_BYTES in a page; or NULL */
		u64 head[2];		/* ... and what was there */
		u16 cs_attr;
		struct x86_insn insn;
	} code[VT_CODES];
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
 * fetch.c: the instruction at RIP, valid until the next call. Control registers, CS and the
 * privilege in SS have been fetched. NULL: it cannot be read, or is none.
 */
const struct x86_insn *vt_fetch(struct vt_cpu *v);
void vt_code_forget(struct vt_cpu *v);
/* A linear address, by the guest's own tables. False: a page fault with *error. */
bool vt_translate(struct vt_cpu *v, u64 va, enum access access, bool user, gpa_t *gpa, u32 *error);
bool vt_is_user(const struct x86_state *st);
/* RIP behind it. */
bool vt_skip(struct vt_cpu *v);
/* The same if it is known, with CR3 and CS's attributes as given: nothing need be fetched. */
bool vt_skip_known(struct vt_cpu *v, u64 cr3, u16 cs_attr);

/*
 * device.c: accesses to devices, under the same condition.
 * Emulate the instruction at RIP, which accessed @gpa, in @r or (NULL) where nothing is.
 */
enum vt_next vt_mmio(struct vt_cpu *v, gpa_t gpa, const struct range *r, struct exit *x);
/* IN, OUT, INS, OUTS of @len bytes at @port; @next: RIP behind it. */
enum vt_next vt_port(struct vt_cpu *v, u16 port, u32 len, bool in, bool string, u64 next,
		     struct exit *x);
