/*
 * Guest memory as translated code and helpers see it: by virtual address, with faults. The
 * slow path behind the inline TLB lookup; any alignment, page crossings all-or-nothing,
 * devices. False or NULL: an exception is parked in g->xcpt.
 */
#pragma once

#include "engine/isa.h"

bool mem_read(struct gcpu *g, gva_t va, u32 len, void *out);
bool mem_write(struct gcpu *g, gva_t va, u32 len, const void *in);
/* Fault as an access of @len bytes would, touching nothing. */
bool mem_probe(struct gcpu *g, gva_t va, u32 len, enum access access);
/* Host address of a naturally aligned piece of RAM to read and write atomically. */
void *mem_atomic(struct gcpu *g, gva_t va, u32 len);
/*
 * Host and guest physical address of the code byte at @va, and how many bytes from there may be
 * fetched.
 */
bool mem_fetch(struct gcpu *g, gva_t va, const u8 **host, gpa_t *gpa, u32 *len);

/* Atomic read-modify-write; @amo = enum ir_amo, @len 1..8; *old zero-extended. */
bool mem_amo(struct gcpu *g, gva_t va, u32 amo, u32 len, u64 val, u64 *old);
bool mem_cas(struct gcpu *g, gva_t va, u32 len, u64 expect, u64 val, u64 *old);
/* Load-exclusive and store-exclusive; *failed is 0 or 1. */
bool mem_lx(struct gcpu *g, gva_t va, u32 len, u64 *val);
bool mem_sx(struct gcpu *g, gva_t va, u32 len, u64 val, u64 *failed);
/* The naturally aligned block of @len bytes around @va; a fault reports @va. */
bool mem_zero(struct gcpu *g, gva_t va, u32 len);
