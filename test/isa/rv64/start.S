/* Reset, trap vectors and the change of privilege of the ISA tests. */

	.section .text.start
	.globl _start
_start:
	la t0, m_vectors
	csrw mtvec, t0
	la t0, s_vectors
	csrw stvec, t0
	li t0, 0x6000			/* FS */
	csrs mstatus, t0
	la sp, stack_end
	csrr a0, mhartid
	slli t0, a0, 14
	sub sp, sp, t0
	call isa_start			/* hart 0 does not come back */
park:
	wfi
	j park

/* All but sp and a0. */
	.macro each_register op
	.irp n, 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16
	\op x\n, \n * 8(sp)
	.endr
	.irp n, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op x\n, \n * 8(sp)
	.endr
	.endm

/* Both handlers save every register, call trap_taken(frame, M or S, vector) and return. */
	.macro vectors name, level, ret, epc, cause, tval, status
	.balign 256
	.globl \name
\name:
	.option push
	.option norvc
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	j \name\()_\n
	.endr
	.option pop
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
\name\()_\n:
	addi sp, sp, -320
	sd a0, 80(sp)
	li a0, 4 * \n
	j \name\()_save
	.endr
\name\()_save:
	each_register sd
	mv a2, a0
	mv a0, sp
	csrr t0, \epc
	sd t0, 256(sp)
	csrr t0, \cause
	sd t0, 264(sp)
	csrr t0, \tval
	sd t0, 272(sp)
	csrr t0, \status
	sd t0, 280(sp)
	li a1, \level
	call trap_taken
	ld t0, 256(sp)
	csrw \epc, t0
	each_register ld
	ld a0, 80(sp)
	addi sp, sp, 320
	\ret
	.endm

	.text
	vectors m_vectors, 3, mret, mepc, mcause, mtval, mstatus
	vectors s_vectors, 1, sret, sepc, scause, stval, sstatus

/* u64 run_in(u64 priv, u64 (*fn)(u64), u64 arg): mret to fn, back through ecall with a7 = -1. */
	.globl run_in
run_in:
	addi sp, sp, -112
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	sd s\n, \n * 8(sp)
	.endr
	sd ra, 96(sp)
	la t0, back_sp
	sd sp, 0(t0)
	li t0, 3 << 11
	csrc mstatus, t0
	slli a0, a0, 11
	csrs mstatus, a0
	csrw mepc, a1
	la ra, run_in_end
	mv a0, a2
	mret
run_in_end:
	li a7, -1
	ecall
	/* trap_taken() sends the M handler here, in M-mode, a0 as fn left it */
	.globl run_in_back
run_in_back:
	la t0, back_sp
	ld sp, 0(t0)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	ld s\n, \n * 8(sp)
	.endr
	ld ra, 96(sp)
	addi sp, sp, 112
	ret

/* MPRV is on around one access only. */
	.globl access_load, access_store
access_load:				/* a0 = va, a1 = mstatus to set */
	mv a2, a0
	li a0, 0
	csrrw t1, mstatus, a1
	ld a0, 0(a2)
	csrw mstatus, t1
	ret
access_store:				/* a0 = va, a1 = mstatus to set, a2 = value */
	csrrw t1, mstatus, a1
	sd a2, 0(a0)
	csrw mstatus, t1
	ret

	.bss
	.balign 16
back_sp:
	.space 8
	.balign 16
	.space 4 * 16384
stack_end:
