/*
 * What the translator must know of the host that it runs on; arch/<host> defines it. Everything
 * else about a host is in its target, which writes code for it wherever it runs itself.
 */
#pragma once

#include "kernel/base/types.h"

struct jit_target;

extern const struct jit_target *const jit_host;	/* the target for this CPU */
u32 jit_host_features(void);			/* which of its features the CPU has */
/*
 * This CPU is about to run translated code that adds its guest addresses, or offsets in RAM, to
 * @base. For targets that reach memory through something of the host's that is no register of
 * theirs (a segment).
 */
void jit_host_ram(const u8 *base);

/*
 * fault.c: for the host to ask when an access to memory faulted at @pc: where to go on, with all
 * registers as they are; 0: it was not translated code's.
 */
uptr jit_fault(uptr pc);
