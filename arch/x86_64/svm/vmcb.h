/* The virtual machine control block of AMD's SVM: APM volume 2, appendix B and chapter 15. */
#pragma once

#include "kernel/base/types.h"

struct vmcb_seg {
	u16 sel, attr;
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 cr_read, cr_write, dr_read, dr_write;	/* intercepts, a bit for each register */
	u32 exceptions;
	u32 intercept3, intercept4, intercept5;
	u8 reserved1[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 iopm, msrpm, tsc_offset;
	u32 asid;
	u8 tlb_control, reserved2[3];
	u64 virq;			/* V_TPR, V_IRQ ...: enum vmcb_virq */
	u64 shadow;
	u64 exit_code, exit_info1, exit_info2, exit_event;
	u64 nested_enable;
	u8 reserved3[0xa8 - 0x98];
	u64 event;
	u64 nested_cr3;
	u64 lbr_enable;
	u32 clean, reserved4;
	u64 next_rip;
	u8 fetched, bytes[15];
	u8 reserved5[0x400 - 0xe0];
	/* the save area */
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved6[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved7;
	u64 efer;
	u8 reserved8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved9[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved10[0x5f8 - 0x5e0];
	u64 rax, star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved11[0x668 - 0x648];
	u64 pat, debugctl;
	u8 reserved12[0x1000 - 0x678];
};
_Static_assert(offsetof(struct vmcb, iopm) == 0x40 && offsetof(struct vmcb, exit_code) == 0x70 &&
	       offsetof(struct vmcb, event) == 0xa8 && offsetof(struct vmcb, next_rip) == 0xc8 &&
	       offsetof(struct vmcb, es) == 0x400 && offsetof(struct vmcb, cpl) == 0x4cb &&
	       offsetof(struct vmcb, efer) == 0x4d0 && offsetof(struct vmcb, cr4) == 0x548 &&
	       offsetof(struct vmcb, rip) == 0x578 && offsetof(struct vmcb, rsp) == 0x5d8 &&
	       offsetof(struct vmcb, rax) == 0x5f8 && offsetof(struct vmcb, cr2) == 0x640 &&
	       offsetof(struct vmcb, pat) == 0x668 && sizeof(struct vmcb) == 0x1000, "VMCB");

/* Bits of intercept3, of intercept4. */
enum vmcb_intercept3 {
	SVM_I_INTR, SVM_I_NMI, SVM_I_SMI, SVM_I_INIT, SVM_I_VINTR, SVM_I_RDTSC = 14, SVM_I_RDPMC,
	SVM_I_CPUID = 18, SVM_I_RSM, SVM_I_IRET, SVM_I_INVD = 22, SVM_I_PAUSE, SVM_I_HLT,
	SVM_I_INVLPGA = 26, SVM_I_IO, SVM_I_MSR, SVM_I_TASK, SVM_I_FERR, SVM_I_SHUTDOWN,
};
enum vmcb_intercept4 {
	SVM_I_VMRUN, SVM_I_VMMCALL, SVM_I_VMLOAD, SVM_I_VMSAVE, SVM_I_STGI, SVM_I_CLGI,
	SVM_I_SKINIT, SVM_I_ICEBP = 8, SVM_I_WBINVD, SVM_I_MONITOR, SVM_I_MWAIT, SVM_I_MWAIT_ARMED,
	SVM_I_XSETBV,
};

enum vmcb_virq {
	SVM_V_TPR = 0xf, SVM_V_IRQ = 1 << 8, SVM_V_PRIO = 0xf << 16, SVM_V_IGN_TPR = 1 << 20,
	SVM_V_MASKING = 1 << 24,
};

enum { SVM_EVENT_ERROR = 1 << 11 };
#define SVM_EVENT_VALID	BIT(31)

enum svm_exit {
	SVM_X_CR_WRITE = 0x10, SVM_X_DR_READ = 0x20, SVM_X_DR_WRITE = 0x30,
	SVM_X_DR_END = 0x40, SVM_X_EXCEPTION = 0x40,
	SVM_X_INTR = 0x60, SVM_X_NMI = 0x61, SVM_X_SMI = 0x62, SVM_X_INIT = 0x63,
	SVM_X_VINTR = 0x64, SVM_X_RDPMC = 0x6f, SVM_X_CPUID = 0x72, SVM_X_IRET = 0x74,
	SVM_X_INVD = 0x76, SVM_X_PAUSE = 0x77, SVM_X_HLT = 0x78, SVM_X_INVLPGA = 0x7a,
	SVM_X_IO = 0x7b, SVM_X_MSR = 0x7c, SVM_X_TASK = 0x7d, SVM_X_SHUTDOWN = 0x7f,
	SVM_X_VMRUN = 0x80, SVM_X_VMMCALL = 0x81, SVM_X_VMLOAD, SVM_X_VMSAVE, SVM_X_STGI,
	SVM_X_CLGI, SVM_X_SKINIT, SVM_X_ICEBP = 0x88, SVM_X_WBINVD = 0x89, SVM_X_MONITOR,
	SVM_X_MWAIT, SVM_X_MWAIT_ARMED, SVM_X_XSETBV,
	SVM_X_END,
	SVM_X_NPF = 0x400,
	/* the state was refused: hardware has all 64 bits set, some emulators 32 */
	SVM_X_INVALID = -1,
};

/* EXITINFO1 of SVM_X_IO. */
enum { SVM_IO_IN = 1 << 0, SVM_IO_STRING = 1 << 2, SVM_IO_REP = 1 << 3, SVM_IO_SIZE = 7 << 4 };

/* CPUID 8000000a edx. */
enum { SVM_CPUID_NPT = 1 << 0, SVM_CPUID_NRIP = 1 << 3, SVM_CPUID_FLUSH_ASID = 1 << 6,
       SVM_CPUID_DECODE = 1 << 7 };
