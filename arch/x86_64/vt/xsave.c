/*
 * Extended registers (SDM 1, chapter 13). FVP's own code uses none, but translated code does, and
 * so does the next guest: a guest's go in when its turn begins and out when it ends. XCR0 follows
 * the guest; what it has not enabled is the host's mask, so no component is left behind.
 */
#include "arch/x86_64/sys/insn.h"
#include "arch/x86_64/vt/vt.h"
#include "host/features.h"

#define GUEST_XCR0	7		/* x87, SSE, AVX: what fpu_load() gives the host */

u64 vt_xcr0_mask(void)
{
	static u64 mask;

	if (!mask)
		mask = (host_xcr0() & GUEST_XCR0) | 1;
	return mask;
}

static bool has_xsave(void)
{
	return vt_xcr0_mask() != 1;
}

void vt_xsave_load(struct vt_cpu *v)
{
	u8 *image = v->st->xsave;

	if (!has_xsave()) {
		__asm__ volatile("fxrstor64 (%0)" :: "r"(image) : "memory");
		return;
	}
	v->host.xcr0 = vt_xcr0_mask();
	__asm__ volatile("xrstor64 (%0)" :: "r"(image), "a"((u32)v->host.xcr0), "d"(0)
			 : "memory");
	xcr0_write((u32)v->st->xcr0);
}

void vt_xsave_store(struct vt_cpu *v)
{
	static const u32 mxcsr_reset = 0x1f80;
	u8 *image = v->st->xsave;

	if (has_xsave()) {
		v->st->xcr0 = host_xcr0();	/* emulators do not intercept XSETBV */
		xcr0_write((u32)v->host.xcr0);
		__asm__ volatile("xsave64 (%0)" :: "r"(image), "a"((u32)v->host.xcr0), "d"(0)
				 : "memory");
	} else {
		__asm__ volatile("fxsave64 (%0)" :: "r"(image) : "memory");
	}
	__asm__ volatile("fninit; ldmxcsr %0" :: "m"(mxcsr_reset));
}

bool vt_xsetbv(struct vt_cpu *v)
{
	const u64 *gpr = v->st->gpr;
	u64 value = (u32)gpr[X86_RAX] | gpr[X86_RDX] << 32;

	if ((u32)gpr[X86_RCX] != 0 || !(value & 1) || value & ~vt_xcr0_mask() ||
	    (value & 6) == 4)
		return false;
	xcr0_write((u32)value);
	v->st->xcr0 = value;
	return true;
}
