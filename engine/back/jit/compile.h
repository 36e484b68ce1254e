/* The translator as the code cache uses it: one per guest CPU. What is inside: jit.h. */
#pragma once

#include "engine/code.h"

/*
 * For guest CPU @g with @size bytes for host code, written at @rw and run at @rx; the code that
 * blocks share is written there. NULL: no memory.
 */
struct jit *jit_create(struct gcpu *g, u8 *rw, u8 *rx, size_t size);
void jit_destroy(struct jit *j);
size_t jit_shared_size(const struct jit *j);
/* Host code that leaves to @b, a block of the interpreter; NULL without a translator. */
const u8 *jit_leave_entry(const struct jit *j, const struct block *b);
/* Bytes that the block of @ir takes at most besides its host code. */
size_t jit_size(const struct ir_block *ir);
/*
 * Translate c->ir for the context of @g into @b, its code at offset @at of the host code, where
 * @room bytes are. The block's size and *@bytes of host code; 0 if they do not fit.
 */
u32 jit_compile(struct code_cache *c, const struct gcpu *g, struct block *b, size_t at, size_t room,
		u32 *bytes);
/* Let an exit go to @to while the stamp is what it is now, or (NULL) leave again. */
void jit_link(struct code_cache *c, struct jit_site *site, const struct block *to);
