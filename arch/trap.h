/* Host contract: what the trap dump and panic need to know about this CPU. */
#pragma once

#include "kernel/base/fmt.h"

/* Return addresses of the current call chain, innermost first; the count. */
u32 arch_backtrace(uptr *pc, u32 max);

/* Stop every other CPU (panic): they spin with interrupts off and touch nothing more. */
void arch_stop_others(void);

/* Halt this CPU for good. */
_Noreturn void arch_halt(void);
