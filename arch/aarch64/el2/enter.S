/*
 * u64 el2_enter(struct a64_state *st): into the guest and back, with the vector's number. The host
 * runs on SP_EL0, which is the guest's while it is in; what the way back needs, the state and the
 * host's sp, waits on the exception stack, which is empty otherwise.
 *
 * guest_exit is where vectors 8 to 11 come to (vectors.S): x0 and x1 on the stack, x0 = number.
 */
#define ST_SP_EL0	(31 * 8)
#define ST_PC		(33 * 8)
#define ST_PSTATE	(34 * 8)

	.text
	.globl	el2_enter
el2_enter:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x1, sp
	msr	spsel, #1
	stp	x0, x1, [sp, #-16]!
	ldr	x1, [x0, #ST_SP_EL0]
	ldr	x2, [x0, #ST_PC]
	ldr	x3, [x0, #ST_PSTATE]
	msr	sp_el0, x1
	msr	elr_el2, x2
	msr	spsr_el2, x3
	ldp	x2, x3, [x0, #2 * 8]
	ldp	x4, x5, [x0, #4 * 8]
	ldp	x6, x7, [x0, #6 * 8]
	ldp	x8, x9, [x0, #8 * 8]
	ldp	x10, x11, [x0, #10 * 8]
	ldp	x12, x13, [x0, #12 * 8]
	ldp	x14, x15, [x0, #14 * 8]
	ldp	x16, x17, [x0, #16 * 8]
	ldp	x18, x19, [x0, #18 * 8]
	ldp	x20, x21, [x0, #20 * 8]
	ldp	x22, x23, [x0, #22 * 8]
	ldp	x24, x25, [x0, #24 * 8]
	ldp	x26, x27, [x0, #26 * 8]
	ldp	x28, x29, [x0, #28 * 8]
	ldr	x30, [x0, #30 * 8]
	ldp	x0, x1, [x0]
	eret
	dsb	nsh			/* speculation ends here */
	isb

	.globl	guest_exit
guest_exit:
	ldr	x1, [sp, #16]
	stp	x2, x3, [x1, #2 * 8]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x1]
	stp	x4, x5, [x1, #4 * 8]
	stp	x6, x7, [x1, #6 * 8]
	stp	x8, x9, [x1, #8 * 8]
	stp	x10, x11, [x1, #10 * 8]
	stp	x12, x13, [x1, #12 * 8]
	stp	x14, x15, [x1, #14 * 8]
	stp	x16, x17, [x1, #16 * 8]
	stp	x18, x19, [x1, #18 * 8]
	stp	x20, x21, [x1, #20 * 8]
	stp	x22, x23, [x1, #22 * 8]
	stp	x24, x25, [x1, #24 * 8]
	stp	x26, x27, [x1, #26 * 8]
	stp	x28, x29, [x1, #28 * 8]
	str	x30, [x1, #30 * 8]
	mrs	x2, sp_el0
	str	x2, [x1, #ST_SP_EL0]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x1, #ST_PC]
	ldp	x2, x3, [sp], #16
	msr	spsel, #0
	mov	sp, x3
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
