/*
 * System registers and barriers at EL2 (Arm ARM, DDI 0487, D19). Names and bit names are the
 * manual's. Only the non-VHE layout (HCR_EL2.E2H = 0) is used, so FEAT_VHE is not needed.
 */
#pragma once

#include "kernel/base/types.h"

#define sysreg_read(name) ({				\
	u64 v_;						\
	__asm__ volatile("mrs %0, " #name : "=r"(v_));	\
	v_;						\
})
#define sysreg_write(name, value)			\
	__asm__ volatile("msr " #name ", %x0" :: "rZ"((u64)(value)) : "memory")

/* The GIC's CPU interface, by encoding: assemblers name these only with an extension. */
#define ICC_PMR_EL1	s3_0_c4_c6_0
#define ICC_IAR1_EL1	s3_0_c12_c12_0
#define ICC_EOIR1_EL1	s3_0_c12_c12_1
#define ICC_BPR1_EL1	s3_0_c12_c12_3
#define ICC_CTLR_EL1	s3_0_c12_c12_4
#define ICC_IGRPEN1_EL1	s3_0_c12_c12_7
#define ICC_SGI1R_EL1	s3_0_c12_c11_5
#define ICC_SRE_EL2	s3_4_c12_c9_5

/* A macro's value is the register's name: expand before stringising. */
#define sysreg_read_named(name)		sysreg_read(name)
#define sysreg_write_named(name, value)	sysreg_write(name, value)

#define SCTLR_EL2_RES1	(BIT(29) | BIT(28) | BIT(23) | BIT(22) | BIT(18) | BIT(16) | BIT(11) | \
			 BIT(5) | BIT(4))
#define SCTLR_EL2_M	BIT(0)
#define SCTLR_EL2_C	BIT(2)
#define SCTLR_EL2_SA	BIT(3)
#define SCTLR_EL2_I	BIT(12)
#define SCTLR_EL2_WXN	BIT(19)

#define HCR_EL2_FMO	BIT(3)		/* IMO, FMO, AMO: take physical IRQ, FIQ, SError at EL2 */
#define HCR_EL2_IMO	BIT(4)
#define HCR_EL2_AMO	BIT(5)
#define HCR_EL2_RW	BIT(31)

#define CNT_CTL_ENABLE	BIT(0)
#define CNT_CTL_ISTATUS	BIT(2)

/* The affinity fields of MPIDR_EL1, which name a CPU in every table. */
#define MPIDR_AFFINITY	0xff00ffffffull

static inline void barrier_isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void barrier_dsb(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

static inline u32 mmio_read32(hpa_t at)
{
	u32 v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(at) : "memory");
	return v;
}

static inline void mmio_write32(hpa_t at, u32 v)
{
	__asm__ volatile("str %w0, [%1]" :: "rZ"(v), "r"(at) : "memory");
}

static inline u64 mmio_read64(hpa_t at)
{
	u64 v;

	__asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(at) : "memory");
	return v;
}

static inline void mmio_write64(hpa_t at, u64 v)
{
	__asm__ volatile("str %x0, [%1]" :: "rZ"(v), "r"(at) : "memory");
}
