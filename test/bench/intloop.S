/*
 * An integer loop for the figures: bare metal at 0x80000000, machine mode, no devices but the
 * test finisher. A xorshift generator drives sums, a table walk and data-dependent branches.
 * The loop body is 20 instructions (of which one branch skips one every other time).
 */
	.globl _start
_start:
	li	s0, 12345		/* generator */
	li	s1, 0			/* checksum */
	li	s2, 20000000		/* rounds */
	la	s3, table
loop:
	slli	t0, s0, 13
	xor	s0, s0, t0
	srli	t0, s0, 7
	xor	s0, s0, t0
	slli	t0, s0, 17
	xor	s0, s0, t0
	andi	t1, s0, 0x3f8
	add	t2, s3, t1
	ld	t3, 0(t2)
	add	t3, t3, s0
	sd	t3, 0(t2)
	add	s1, s1, t3
	srli	t4, s1, 3
	addw	t5, t4, s0
	andi	t6, s0, 1
	beqz	t6, even
	sub	s1, s1, t5
even:
	or	t0, t5, t4
	addi	s2, s2, -1
	bnez	s2, loop
	li	t0, 0x100000		/* sifive,test0 */
	li	t1, 0x5555
	sw	t1, 0(t0)
1:	j	1b
	.bss
	.balign 4096		/* not in the page of the code */
table:	.space 1024
