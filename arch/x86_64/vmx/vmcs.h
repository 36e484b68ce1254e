/*
 * The virtual machine control structure of Intel VT-x: SDM 3D, appendix B (fields), 3C, chapters
 * 25 to 28 (bits), appendix C (reasons). It is not a structure in memory: fields have numbers and
 * are reached by VMREAD and VMWRITE, those of the VMCS that is current on this CPU.
 */
#pragma once

#include "kernel/base/types.h"

enum vmcs_field {
	/* 16 bits. Of segments: ES, CS, SS, DS, FS, GS, LDTR, TR follow each other by 2. */
	VMCS_VPID = 0x0, VMCS_GUEST_SELECTOR = 0x800,
	VMCS_HOST_ES = 0xc00, VMCS_HOST_CS = 0xc02, VMCS_HOST_SS = 0xc04, VMCS_HOST_DS = 0xc06,
	VMCS_HOST_FS = 0xc08, VMCS_HOST_GS = 0xc0a, VMCS_HOST_TR = 0xc0c,
	/* 64 bits */
	VMCS_MSR_BITMAP = 0x2004, VMCS_TSC_OFFSET = 0x2010, VMCS_EPTP = 0x201a,
	VMCS_GUEST_PHYSICAL = 0x2400, VMCS_LINK = 0x2800, VMCS_GUEST_DEBUGCTL = 0x2802,
	VMCS_GUEST_PAT = 0x2804, VMCS_GUEST_EFER = 0x2806, VMCS_GUEST_PDPTE = 0x280a,
	VMCS_HOST_PAT = 0x2c00, VMCS_HOST_EFER = 0x2c02,
	/* 32 bits */
	VMCS_PIN = 0x4000, VMCS_PROC = 0x4002, VMCS_EXCEPTIONS = 0x4004, VMCS_PF_MASK = 0x4006,
	VMCS_PF_MATCH = 0x4008, VMCS_CR3_TARGETS = 0x400a, VMCS_EXIT = 0x400c,
	VMCS_EXIT_MSR_STORES = 0x400e, VMCS_EXIT_MSR_LOADS = 0x4010, VMCS_ENTRY = 0x4012,
	VMCS_ENTRY_MSR_LOADS = 0x4014, VMCS_ENTRY_EVENT = 0x4016, VMCS_ENTRY_ERROR = 0x4018,
	VMCS_ENTRY_LENGTH = 0x401a, VMCS_PROC2 = 0x401e, VMCS_PLE_GAP = 0x4020,
	VMCS_PLE_WINDOW = 0x4022,
	VMCS_INSTRUCTION_ERROR = 0x4400, VMCS_REASON = 0x4402, VMCS_EXIT_EVENT = 0x4404,
	VMCS_EXIT_ERROR = 0x4406, VMCS_VECTORING = 0x4408, VMCS_VECTORING_ERROR = 0x440a,
	VMCS_LENGTH = 0x440c,
	VMCS_GUEST_LIMIT = 0x4800, VMCS_GUEST_GDTR_LIMIT = 0x4810, VMCS_GUEST_IDTR_LIMIT = 0x4812,
	VMCS_GUEST_RIGHTS = 0x4814, VMCS_BLOCKING = 0x4824, VMCS_ACTIVITY = 0x4826,
	VMCS_GUEST_SYSENTER_CS = 0x482a, VMCS_PREEMPTION = 0x482e, VMCS_HOST_SYSENTER_CS = 0x4c00,
	/* natural width */
	VMCS_CR0_MASK = 0x6000, VMCS_CR4_MASK = 0x6002, VMCS_CR0_SHADOW = 0x6004,
	VMCS_CR4_SHADOW = 0x6006, VMCS_QUALIFICATION = 0x6400,
	VMCS_GUEST_CR0 = 0x6800, VMCS_GUEST_CR3 = 0x6802, VMCS_GUEST_CR4 = 0x6804,
	VMCS_GUEST_BASE = 0x6806, VMCS_GUEST_GDTR_BASE = 0x6816, VMCS_GUEST_IDTR_BASE = 0x6818,
	VMCS_GUEST_DR7 = 0x681a, VMCS_GUEST_RSP = 0x681c, VMCS_GUEST_RIP = 0x681e,
	VMCS_GUEST_RFLAGS = 0x6820, VMCS_PENDING_DEBUG = 0x6822,
	VMCS_GUEST_SYSENTER_ESP = 0x6824, VMCS_GUEST_SYSENTER_EIP = 0x6826,
	VMCS_HOST_CR0 = 0x6c00, VMCS_HOST_CR3 = 0x6c02, VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_FS_BASE = 0x6c06, VMCS_HOST_GS_BASE = 0x6c08, VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c, VMCS_HOST_IDTR_BASE = 0x6c0e,
	VMCS_HOST_SYSENTER_ESP = 0x6c10, VMCS_HOST_SYSENTER_EIP = 0x6c12,
	VMCS_HOST_RSP = 0x6c14, VMCS_HOST_RIP = 0x6c16,
};

/*
 * The control words' bits: word, name, bit, NEED (no guest without it), WANT (if the CPU has it) or
 * OFF (must be 0: older CPUs cannot), words for what is missing.
 */
#define VMX_CONTROLS(X)									\
	X(PIN, INTERRUPT, 0, NEED, "external-interrupt exiting")			\
	X(PIN, NMI, 3, NEED, "NMI exiting")						\
	X(PIN, VIRTUAL_NMIS, 5, NEED, "virtual NMIs")					\
	X(PIN, PREEMPTION, 6, WANT, "VMX-preemption timer")				\
	X(PROC, INTERRUPT_WINDOW, 2, DEMAND, "interrupt-window exiting")		\
	X(PROC, TSC_OFFSET, 3, NEED, "TSC offsetting")					\
	X(PROC, HLT, 7, NEED, "HLT exiting")						\
	X(PROC, MWAIT, 10, NEED, "MWAIT exiting")					\
	X(PROC, RDPMC, 11, NEED, "RDPMC exiting")					\
	X(PROC, CR3_LOAD, 15, OFF, "CR3 without exits")					\
	X(PROC, CR3_STORE, 16, OFF, "CR3 without exits")				\
	X(PROC, CR8_LOAD, 19, NEED, "CR8-load exiting")					\
	X(PROC, CR8_STORE, 20, NEED, "CR8-store exiting")				\
	X(PROC, NMI_WINDOW, 22, DEMAND, "NMI-window exiting")				\
	X(PROC, MOV_DR, 23, DEMAND, "MOV-DR exiting")					\
	X(PROC, IO, 24, NEED, "unconditional I/O exiting")				\
	X(PROC, MSR_BITMAPS, 28, NEED, "MSR bitmaps")					\
	X(PROC, MONITOR, 29, NEED, "MONITOR exiting")					\
	X(PROC, SECONDARY, 31, NEED, "secondary controls")				\
	X(PROC2, EPT, 1, NEED, "extended page tables (EPT)")				\
	X(PROC2, RDTSCP, 3, WANT, "RDTSCP")						\
	X(PROC2, VPID, 5, WANT, "virtual-processor identifiers (VPID)")			\
	X(PROC2, WBINVD, 6, NEED, "WBINVD exiting")					\
	X(PROC2, UNRESTRICTED, 7, NEED, "unrestricted guests")				\
	X(PROC2, PAUSE_LOOP, 10, WANT, "PAUSE-loop exiting")				\
	X(PROC2, INVPCID, 12, WANT, "INVPCID")						\
	X(EXIT, DEBUG, 2, NEED, "saving of debug controls")				\
	X(EXIT, HOST64, 9, NEED, "64-bit hosts")					\
	X(EXIT, SAVE_PAT, 18, NEED, "saving of IA32_PAT")				\
	X(EXIT, LOAD_PAT, 19, NEED, "loading of IA32_PAT")				\
	X(EXIT, LOAD_EFER, 21, NEED, "loading of IA32_EFER")				\
	X(ENTRY, DEBUG, 2, NEED, "loading of debug controls")				\
	X(ENTRY, GUEST64, 9, DEMAND, "64-bit guests")					\
	X(ENTRY, PAT, 14, NEED, "loading of IA32_PAT on entry")				\
	X(ENTRY, EFER, 15, NEED, "loading of IA32_EFER on entry")

enum vmx_control {		/* bit numbers */
#define X(word, name, bit, need, text) VMX_##word##_##name = bit,
	VMX_CONTROLS(X)
#undef X
};
enum vmx_word { VMX_PIN, VMX_PROC, VMX_PROC2, VMX_EXIT, VMX_ENTRY, VMX_WORDS };

/* Events: VMCS_ENTRY_EVENT, VMCS_EXIT_EVENT, VMCS_VECTORING. Types 0 to 4: enum x86_event_type. */
enum { VMX_EVENT_ERROR = 1 << 11, VMX_EVENT_NMI_UNBLOCKED = 1 << 12 };
enum { VMX_TYPE_PRIVILEGED = 5, VMX_TYPE_SOFT_EXCEPTION = 6 };
#define VMX_EVENT_VALID	BIT(31)

/* VMCS_BLOCKING. The first two are those of x86_state.shadow. */
enum { VMX_BLOCK_STI = 1 << 0, VMX_BLOCK_MOV_SS = 1 << 1, VMX_BLOCK_NMI = 1 << 3,
       VMX_BLOCK_SHADOW = VMX_BLOCK_STI | VMX_BLOCK_MOV_SS };
enum { VMX_RIGHTS_UNUSABLE = 1 << 16 };
enum { VMX_PENDING_BS = 1 << 14 };

/* VMCS_QUALIFICATION of I/O, control registers, EPT violations. */
enum { VMX_IO_SIZE = 7, VMX_IO_IN = 1 << 3, VMX_IO_STRING = 1 << 4 };
enum vmx_cr_access { VMX_CR_TO, VMX_CR_FROM, VMX_CR_CLTS, VMX_CR_LMSW };
enum { VMX_EPT_WRITE = 1 << 1, VMX_EPT_FETCH = 1 << 2, VMX_EPT_NMI_UNBLOCKED = 1 << 12 };

enum vmx_reason {
	VMX_X_EXCEPTION, VMX_X_INTERRUPT, VMX_X_TRIPLE, VMX_X_INIT, VMX_X_SIPI,
	VMX_X_IO_SMI, VMX_X_SMI, VMX_X_INTERRUPT_WINDOW, VMX_X_NMI_WINDOW, VMX_X_TASK,
	VMX_X_CPUID, VMX_X_GETSEC, VMX_X_HLT, VMX_X_INVD, VMX_X_INVLPG, VMX_X_RDPMC, VMX_X_RDTSC,
	VMX_X_RSM, VMX_X_VMCALL, VMX_X_VMCLEAR, VMX_X_VMLAUNCH, VMX_X_VMPTRLD, VMX_X_VMPTRST,
	VMX_X_VMREAD, VMX_X_VMRESUME, VMX_X_VMWRITE, VMX_X_VMXOFF, VMX_X_VMXON, VMX_X_CR,
	VMX_X_DR, VMX_X_IO, VMX_X_RDMSR, VMX_X_WRMSR, VMX_X_STATE, VMX_X_MSR_LOAD,
	VMX_X_MWAIT = 36, VMX_X_MONITOR = 39, VMX_X_PAUSE, VMX_X_ENTRY_MC,
	VMX_X_EPT_VIOLATION = 48, VMX_X_EPT_MISCONFIGURED, VMX_X_INVEPT, VMX_X_RDTSCP,
	VMX_X_PREEMPTION, VMX_X_INVVPID, VMX_X_WBINVD, VMX_X_XSETBV, VMX_X_VMFUNC = 59,
	VMX_X_ENCLS, VMX_X_END,
};
#define VMX_REASON_BASIC	0xffffu
#define VMX_REASON_FAILED	BIT(31)		/* the entry has, not the guest been left */

/* MSRs: SDM 3D, appendix A. */
enum { MSR_FEATURE_CONTROL = 0x3a, MSR_VMX_BASIC = 0x480, MSR_VMX_PIN, MSR_VMX_PROC, MSR_VMX_EXIT,
       MSR_VMX_ENTRY, MSR_VMX_MISC, MSR_VMX_CR0_FIXED0, MSR_VMX_CR0_FIXED1, MSR_VMX_CR4_FIXED0,
       MSR_VMX_CR4_FIXED1, MSR_VMX_PROC2 = 0x48b, MSR_VMX_EPT_VPID, MSR_VMX_TRUE_PIN,
       MSR_VMX_TRUE_PROC, MSR_VMX_TRUE_EXIT, MSR_VMX_TRUE_ENTRY };
enum { FEATURE_LOCKED = 1 << 0, FEATURE_VMX = 1 << 2 };
#define VMX_BASIC_TRUE		BIT(55)
#define VMX_EPT_WALK_4		BIT(6)
#define VMX_EPT_WB		BIT(14)
#define VMX_EPT_2M		BIT(16)
#define VMX_EPT_1G		BIT(17)
#define VMX_EPT_INVEPT		BIT(20)
#define VMX_EPT_AD		BIT(21)
#define VMX_EPT_INVEPT_ONE	BIT(25)

/* vmx.c: the field does not exist, or no VMCS is current. */
_Noreturn void vmcs_broken(u64 field);

static inline u64 vmcs_read(u64 field)
{
	bool bad;
	u64 v;

	__asm__ volatile("vmread %2, %1" : "=@ccbe"(bad), "=r"(v) : "r"(field));
	if (unlikely(bad))
		vmcs_broken(field);
	return v;
}

static inline void vmcs_write(u64 field, u64 v)
{
	bool bad;

	__asm__ volatile("vmwrite %2, %1" : "=@ccbe"(bad) : "r"(field), "r"(v));
	if (unlikely(bad))
		vmcs_broken(field);
}
