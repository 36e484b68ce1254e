/*
 * Privileged x86-64 instructions as functions (SDM volume 2), and the registers' bits that we use.
 */
#pragma once

#include "kernel/base/types.h"

enum { CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5, CR0_WP = 1 << 16 };
enum { CR4_DE = 1 << 3, CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_OSFXSR = 1 << 9,
       CR4_OSXMMEXCPT = 1 << 10, CR4_LA57 = 1 << 12, CR4_OSXSAVE = 1 << 18 };
enum { XCR0_X87 = 1 << 0, XCR0_SSE = 1 << 1, XCR0_AVX = 1 << 2 };
enum { RFLAGS_IF = 1 << 9 };

enum { MSR_APIC_BASE = 0x1b, MSR_PAT = 0x277, MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC = 0x800 };
#define MSR_EFER	0xc0000080u
#define MSR_FS_BASE	0xc0000100u
#define MSR_GS_BASE	0xc0000101u
enum { EFER_NXE = 1 << 11 };

static inline u8 in8(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u16 in16(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 in32(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void out8(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" :: "a"(v), "Nd"(port));
}

static inline void out16(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" :: "a"(v), "Nd"(port));
}

static inline void out32(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" :: "a"(v), "Nd"(port));
}

static inline u64 msr_read(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void msr_write(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" :: "a"((u32)v), "d"((u32)(v >> 32)), "c"(msr) : "memory");
}

static inline void xcr0_write(u32 v)
{
	__asm__ volatile("xsetbv" :: "c"(0), "a"(v), "d"(0) : "memory");
}

static inline void invlpg(u64 va)
{
	__asm__ volatile("invlpg (%0)" :: "r"(va) : "memory");
}

#define CONTROL_REGISTER(name)							\
	static inline u64 name##_read(void)					\
	{									\
		u64 v;								\
										\
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v));		\
		return v;							\
	}									\
	static inline void name##_write(u64 v)					\
	{									\
		__asm__ volatile("mov %0, %%" #name :: "r"(v) : "memory");	\
	}
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)

static inline u64 rflags_read(void)
{
	u64 v;

	__asm__ volatile("pushfq; popq %0" : "=r"(v));
	return v;
}

/* Ordinary loads and stores to device registers, exactly as wide as written. */
static inline u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}

static inline void mmio_write32(volatile void *p, u32 v)
{
	*(volatile u32 *)p = v;
}
