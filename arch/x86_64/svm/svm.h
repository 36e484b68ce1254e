/* AMD's SVM as a runner: between svm.c (host, loop), state.c (load and store) and exits.c. */
#pragma once

#include "arch/x86_64/svm/vmcb.h"
#include "arch/x86_64/vt/vt.h"

struct svm_cpu {
	struct vt_cpu vt;		/* first */
	struct vmcb *vmcb;
	hpa_t vmcb_at;			/* physical address of ->vmcb */
	u32 host;			/* CPU that ->asid is of; CPU_MAX: none */
	u64 asid_generation;
	bool debug_live;		/* DR0 to DR3 are the guest's */
	u64 iret_rip;			/* NMIs are unblocked when RIP is no longer here */
};

/* state.c: the whole state to the control block, and back. */
void svm_load(struct svm_cpu *s);
void svm_store(struct svm_cpu *s);
/* vt_cpu.fetch: control and all segment registers. */
void svm_fetch(struct vt_cpu *v);
/* What finding it looks at: control registers, CS, and the privilege in SS. */
void svm_fetch_code(struct svm_cpu *s);
void svm_debug_take(struct svm_cpu *s);

/* exits.c */
enum vt_next svm_exit(struct svm_cpu *s, struct exit *x);
/* Events, windows and what else must be right before each entry. */
void svm_prepare(struct svm_cpu *s);

/* svm.c: from now on use another ASID, so that nothing of the old one is known. */
void svm_flush(struct svm_cpu *s);
/* CPUID 8000000a edx, of the CPU that booted. */
u32 svm_features(void);
