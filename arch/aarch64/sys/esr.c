/* Exception syndromes in words, see esr.h. What is not listed is printed as a number. */
#include "arch/aarch64/sys/esr.h"

const char *esr_class(u64 esr)
{
	static const char *const name[64] = {
		[0x00] = "undefined instruction",
		[0x01] = "trapped WFI or WFE",
		[0x07] = "trapped floating point or SIMD",
		[0x0d] = "branch target exception",
		[0x0e] = "illegal execution state",
		[0x15] = "SVC",
		[0x16] = "HVC",
		[0x17] = "SMC",
		[0x18] = "trapped system register",
		[0x19] = "trapped SVE",
		[0x20] = "instruction abort from a guest",
		[0x21] = "instruction abort",
		[0x22] = "misaligned program counter",
		[0x24] = "data abort from a guest",
		[0x25] = "data abort",
		[0x26] = "misaligned stack pointer",
		[0x2c] = "floating point exception",
		[0x2f] = "system error",
		[0x3c] = "breakpoint instruction",
	};
	const char *s = name[ESR_CLASS(esr)];

	return s ? s : "unlisted exception";
}

/* DFSC and IFSC share their numbers; the low two bits are the level for the first groups. */
static void fault_print(u32 code, struct sink *to)
{
	static const char *const levelled[8] = {
		"address size fault", "translation fault", "access flag fault", "permission fault",
		"external abort", "external abort on a table walk", NULL,
		"ECC error on a table walk",
	};
	u32 group = code >> 2;

	if (group < 4 || group == 5 || group == 7)
		sink_printf(to, "%s, level %u", levelled[group], code & 3);
	else if (code == 0x10)
		sink_puts(to, levelled[4]);
	else if (code == 0x21)
		sink_puts(to, "alignment fault");
	else if (code == 0x30)
		sink_puts(to, "TLB conflict");
	else
		sink_printf(to, "fault status %#x", code);
}

void esr_print(u64 esr, struct sink *to)
{
	u32 class = ESR_CLASS(esr);

	sink_puts(to, esr_class(esr));
	if (class == ESR_IABORT || class == ESR_IABORT_LOW || class == ESR_DABORT ||
	    class == ESR_DABORT_LOW) {
		sink_puts(to, ": ");
		fault_print(ESR_FAULT(esr), to);
	}
	if (class == ESR_DABORT || class == ESR_DABORT_LOW)
		sink_puts(to, esr & BIT(6) ? ", write" : ", read");
	if (class == ESR_BRK64)
		sink_printf(to, " #%#x", (u32)BITS(esr, 15, 0));
}
