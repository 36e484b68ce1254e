/* ESR_EL2 in words (Arm ARM D19.2.39), for dumps. */
#pragma once

#include "kernel/base/fmt.h"

#define ESR_CLASS(esr)		((u32)BITS(esr, 31, 26))
#define ESR_FAULT(esr)		((u32)BITS(esr, 5, 0))

enum {
	ESR_SVC64 = 0x15, ESR_HVC64 = 0x16, ESR_SMC64 = 0x17,
	ESR_IABORT_LOW = 0x20, ESR_IABORT = 0x21,
	ESR_DABORT_LOW = 0x24, ESR_DABORT = 0x25, ESR_BRK64 = 0x3c,
};

const char *esr_class(u64 esr);		/* "data abort" */
/* "data abort: translation fault, level 3, write" */
void esr_print(u64 esr, struct sink *to);
