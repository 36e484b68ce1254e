/*
 * What a decoded instruction does to memory or to a port, step by step, so that somebody who can
 * reach both (a runner, at an exit) may carry it out: reads, writes, port accesses, one element of
 * a string at a time. Registers, flags and rip follow.
 *
 *	step = x86_access_begin(&a, st, &insn);
 *	while (step != X86_DONE)
 *		step = x86_access_next(&a, st, (carry out a.step; what was read, or 0));
 *
 * The state changes in the last step only. So whoever finds half-way that a page is missing raises
 * that fault and forgets the access.
 */
#pragma once

#include "engine/front/x86/alu.h"
#include "engine/front/x86/decode.h"

enum x86_step {
	X86_DONE,		/* the state is that behind the instruction, or behind an element */
	X86_READ, X86_WRITE,	/* @width bytes of memory at linear address @va; write @value */
	X86_IN, X86_OUT,	/* @width bytes of port @va; out: @value */
	X86_REFUSED,		/* not emulated: @why says what it is; nothing was changed */
};

struct x86_form {		/* see access.c */
	u8 to, from, alu;
};

struct x86_access {
	enum x86_step step;
	u8 width;		/* bytes: 1, 2, 4, 8 */
	u8 seg;			/* enum x86_seg_index of a memory access */
	bool locked;		/* its read and its write are one: LOCK, XCHG */
	bool again;	/* done, but the string goes on: begin again, or let the guest do it */
	u64 va, value;
	const char *why;
	/* private */
	const struct x86_insn *insn;
	struct x86_form form;
	u8 have;
	u64 from, to, result, rflags;
};

/*
 * The first step of @i in @st, where rip is that of @i. Segment limits, canonical addresses, I/O
 * permission and TF's trap are the caller's: most of them the CPU has looked at before it left the
 * guest. @i must live as long as *@a.
 */
enum x86_step x86_access_begin(struct x86_access *a, struct x86_state *st,
			       const struct x86_insn *i);
/* The step after one that was carried out. @value: what was read, higher bits ignored. */
enum x86_step x86_access_next(struct x86_access *a, struct x86_state *st, u64 value);

/* The mode that @st is in, for x86_decode(). */
enum x86_mode x86_mode(const struct x86_state *st);
/* Effective address by ModRM or offset: within the segment, cut to the address size. */
u64 x86_effective(const struct x86_state *st, const struct x86_insn *i);
/* Linear address of offset @ea in segment @seg. */
u64 x86_linear(const struct x86_state *st, enum x86_mode mode, u32 seg, u64 ea);
/* Past an instruction of @len bytes: rip, and what lasts for one instruction only. */
void x86_skip(struct x86_state *st, u32 len);
