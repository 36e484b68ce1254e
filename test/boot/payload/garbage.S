/*
 * A guest that reads and writes garbage at random offsets of every device, in every width,
 * then switches off through the test finisher. Whatever faults is skipped: all accesses are
 * 4-byte instructions. It must survive, and so must everybody else.
 */
	.option norvc
	.globl _start
_start:
	la	t0, skip
	csrw	mtvec, t0
	li	s0, 88172645463325252		/* generator */
	li	s1, 300000			/* rounds */
	la	s2, ranges
round:
	slli	t0, s0, 13
	xor	s0, s0, t0
	srli	t0, s0, 7
	xor	s0, s0, t0
	slli	t0, s0, 17
	xor	s0, s0, t0

	andi	t1, s0, 15			/* one of 16 ranges, base and mask */
	slli	t1, t1, 4
	add	t1, t1, s2
	ld	t2, 0(t1)
	ld	t3, 8(t1)
	srli	t4, s0, 8
	and	t4, t4, t3
	add	t2, t2, t4

	srli	t5, s0, 48
	andi	t5, t5, 7
	slli	t5, t5, 3
	la	t6, access
	add	t6, t6, t5
	srli	a0, s0, 11
	jr	t6
access:
	sb	a0, 0(t2)
	j	next
	sh	a0, 0(t2)
	j	next
	sw	a0, 0(t2)
	j	next
	sd	a0, 0(t2)
	j	next
	lb	a1, 0(t2)
	j	next
	lh	a1, 0(t2)
	j	next
	lw	a1, 0(t2)
	j	next
	ld	a1, 0(t2)
	j	next
next:
	addi	s1, s1, -1
	bnez	s1, round

	li	t0, 0x100000
	li	t1, 0x5555
	sw	t1, 0(t0)
1:	j	1b

	.balign	4
skip:
	csrr	gp, mepc
	addi	gp, gp, 4
	csrw	mepc, gp
	mret

	.balign	8
ranges:
	.dword	0x101000, 0xfff			/* RTC */
	.dword	0x2000000, 0xffff		/* CLINT */
	.dword	0xc000000, 0xfff		/* PLIC: priorities */
	.dword	0xc001000, 0xfff		/* pending */
	.dword	0xc002000, 0xfff		/* enables */
	.dword	0xc200000, 0xffff		/* thresholds, claims */
	.dword	0x10000008, 0xf7		/* UART but for its data */
	.dword	0x10001000, 0xfff		/* virtio */
	.dword	0x10002000, 0xfff
	.dword	0x10003000, 0xfff
	.dword	0x10004000, 0xfff
	.dword	0x10005000, 0xfff
	.dword	0x10006000, 0xfff
	.dword	0x10007000, 0xfff
	.dword	0x10008000, 0xfff
	.dword	0x30000000, 0xfffffff		/* nothing */
