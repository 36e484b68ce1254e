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
 * This CPU is about to run translated code whose guest memory begins at @ram. For targets that
 * reach it through something of the host's that is no register of theirs (a segment).
 */
void jit_host_ram(const u8 *ram);
