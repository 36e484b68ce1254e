/*
 * Exception vectors at EL2 (Arm ARM D1.3.1). Everything runs with SP_EL0 selected, so slots
 * 0-3 are the usual ones and find SP_EL2 = the CPU's exception stack; slots 4-7 are
 * exceptions inside a handler, where that stack may be the trouble: bit 13 of its addresses
 * is set, that of the guard below it is clear (host.h).
 *
 * struct frame of frame.h: x0..x30, sp, elr, spsr, esr, far.
 */
#define FRAME_SIZE	(36 * 8)

	.macro slot number
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	.if \number >= 4 && \number < 8
	add	sp, sp, x0		/* sp' = sp + x0, x0' = sp: swapped without a register */
	sub	x0, sp, x0
	tbz	x0, #13, stack_lost
	sub	x0, sp, x0
	sub	sp, sp, x0
	.endif
	stp	x0, x1, [sp]
	mov	x1, #\number
	b	trap_enter
	.endm

	.text
	.balign	2048
	.globl	vectors
vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	slot	\n
	.endr
	.irp	n, 8, 9, 10, 11		/* from a guest: el2/enter.S */
	.balign	128
	stp	x0, x1, [sp, #-16]!
	mov	x0, #\n
	b	guest_exit
	.endr
	.irp	n, 12, 13, 14, 15
	slot	\n
	.endr

	.balign	128
trap_enter:
	stp	x2, x3, [sp, #2 * 8]
	stp	x4, x5, [sp, #4 * 8]
	stp	x6, x7, [sp, #6 * 8]
	stp	x8, x9, [sp, #8 * 8]
	stp	x10, x11, [sp, #10 * 8]
	stp	x12, x13, [sp, #12 * 8]
	stp	x14, x15, [sp, #14 * 8]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #18 * 8]
	stp	x20, x21, [sp, #20 * 8]
	stp	x22, x23, [sp, #22 * 8]
	stp	x24, x25, [sp, #24 * 8]
	stp	x26, x27, [sp, #26 * 8]
	stp	x28, x29, [sp, #28 * 8]
	mrs	x2, sp_el0
	add	x3, sp, #FRAME_SIZE
	tst	x1, #4
	csel	x2, x2, x3, eq
	stp	x30, x2, [sp, #30 * 8]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [sp, #32 * 8]
	mrs	x4, esr_el2
	mrs	x5, far_el2
	stp	x4, x5, [sp, #34 * 8]
	mov	x0, sp
	mov	x30, x2			/* the frame chain goes on in what was interrupted */
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	trap_take
	add	sp, sp, #16

	ldp	x2, x3, [sp, #32 * 8]
	msr	elr_el2, x2
	msr	spsr_el2, x3
	ldp	x30, x2, [sp, #30 * 8]
	mrs	x4, spsr_el2
	tbnz	x4, #0, 1f		/* back into a handler: its sp is ours */
	msr	sp_el0, x2
1:	ldp	x28, x29, [sp, #28 * 8]
	ldp	x26, x27, [sp, #26 * 8]
	ldp	x24, x25, [sp, #24 * 8]
	ldp	x22, x23, [sp, #22 * 8]
	ldp	x20, x21, [sp, #20 * 8]
	ldp	x18, x19, [sp, #18 * 8]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x14, x15, [sp, #14 * 8]
	ldp	x12, x13, [sp, #12 * 8]
	ldp	x10, x11, [sp, #10 * 8]
	ldp	x8, x9, [sp, #8 * 8]
	ldp	x6, x7, [sp, #6 * 8]
	ldp	x4, x5, [sp, #4 * 8]
	ldp	x2, x3, [sp, #2 * 8]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

/* The exception stack overflowed: on the emergency stack, x0 lost, for a dump without return. */
stack_lost:
	adrp	x0, stack_emergency + 8192
	add	x0, x0, :lo12:stack_emergency + 8192
	mov	sp, x0
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x1, #4
	b	trap_enter

/*
 * bool probe_run(void (*attempt)(u64), u64 arg, struct probe *p): false if attempt faulted. The
 * callee-saved registers are kept in *p, from where trap.c restores them.
 */
	.globl	probe_run
probe_run:
	stp	x19, x20, [x2]
	stp	x21, x22, [x2, #16]
	stp	x23, x24, [x2, #32]
	stp	x25, x26, [x2, #48]
	stp	x27, x28, [x2, #64]
	stp	x29, x30, [x2, #80]
	mov	x3, sp
	str	x3, [x2, #96]
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	x3, x0
	mov	x0, x1
	blr	x3
	ldp	x29, x30, [sp], #16
	mov	x0, #1
	ret

	.bss
	.balign	16
stack_emergency:
	.skip	8192
