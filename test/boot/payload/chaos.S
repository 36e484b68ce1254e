/*
 * A guest gone mad: memory full of random bytes, everywhere mapped, writable and executable, that
 * S and U mode jump into. Whatever traps, and a timer, leads to M-mode code that PMP protects:
 * it chooses new registers, modes, page tables and a place to go on, for ever. It ends with its
 * budget; it must end nothing else, and FVP must not grow.
 */
	.option norvc
	.equ	OWN, 0x10000			/* bytes of this program, at the start of RAM */
	.equ	RAM, 0xfff000			/* mask of an offset in 16 MiB, page by page */
	.globl _start
_start:
	csrr	t0, mhartid			/* each hart its own generator, one RAM for all */
	li	s0, 88172645463325252
	slli	t0, t0, 7
	xor	s0, s0, t0
	la	t0, trap
	csrw	mtvec, t0
	li	t0, (0x80000000 + OWN) >> 2	/* nothing below for S and U, all RAM above */
	csrw	pmpaddr0, t0
	li	t0, 0x81000000 >> 2
	csrw	pmpaddr1, t0
	li	t0, 0x0f08
	csrw	pmpcfg0, t0
	li	t0, 0x80			/* MTIE */
	csrw	mie, t0
	li	t0, -1
	csrw	mcounteren, t0
	csrw	scounteren, t0
	csrw	0x30a, t0			/* menvcfg */
	csrw	mscratch, s0
	csrr	t0, mhartid
	bnez	t0, trap
	li	s1, 0x80000000 + OWN
	li	s2, 0x81000000
fill:
	jal	a6, bytes
	sd	a0, 0(s1)
	addi	s1, s1, 8
	bne	s1, s2, fill
	j	tables

/* s0 = the next random number; spoils t0. Called with a7. */
random:
	slli	t0, s0, 13
	xor	s0, s0, t0
	srli	t0, s0, 7
	xor	s0, s0, t0
	slli	t0, s0, 17
	xor	s0, s0, t0
	jr	a7

/* a0 = 8 random bytes, of which half are two instructions of known opcodes. Called with a6. */
bytes:
	jal	a7, random
	mv	a0, s0
	bgez	s0, 1f
	la	t1, opcodes
	srli	t0, s0, 40
	andi	t0, t0, 31
	add	t0, t0, t1
	lbu	t2, 0(t0)
	srli	t0, s0, 45
	andi	t0, t0, 31
	add	t0, t0, t1
	lbu	t3, 0(t0)
	slli	t3, t3, 32
	or	t2, t2, t3
	li	t3, 0x7f0000007f
	not	t3, t3
	and	a0, a0, t3
	or	a0, a0, t2
1:	jr	a6
opcodes:
	.byte	0x13, 0x33, 0x3b, 0x1b, 0x03, 0x23, 0x63, 0x6f, 0x67, 0x2f, 0x73, 0x0f, 0x53, 0x43
	.byte	0x47, 0x4b, 0x4f, 0x07, 0x27, 0x37, 0x17, 0x13, 0x33, 0x03, 0x23, 0x63, 0x53, 0x13
	.byte	0x13, 0x33, 0x3b, 0x1b

/*
 * The root page table, at the first page behind this program: most entries show RAM, with
 * random U, A, D and G, some are random altogether, some tables of random entries.
 */
tables:
	li	s1, 0x80000000 + OWN
	li	s2, 512
1:	jal	a7, random
	andi	t0, s0, 15
	beqz	t0, 2f
	andi	t1, s0, 0xf0
	ori	t1, t1, 0xf			/* RWXV */
	li	t2, 0x80000000 >> 2
	or	t1, t1, t2
	li	t3, 1
	bne	t0, t3, 3f
	li	t2, RAM
	and	t1, s0, t2
	srli	t1, t1, 2
	li	t2, (0x80000000 >> 2) + 1	/* a table somewhere */
	add	t1, t1, t2
	j	3f
2:	mv	t1, s0
3:	sd	t1, 0(s1)
	addi	s1, s1, 8
	addi	s2, s2, -1
	bnez	s2, 1b
	sfence.vma
	jal	a7, random
	csrw	mscratch, s0
	li	t1, 8 << 60 | (0x80000000 + OWN) >> 12
	srli	t0, s0, 48
	slli	t0, t0, 44
	srli	t2, s0, 30
	andi	t2, t2, 7
	beqz	t2, 4f				/* bare, now and then */
	or	t1, t1, t0
	csrw	satp, t1
	j	trap
4:	csrw	satp, zero

	.balign	4
trap:
	csrr	s0, mscratch			/* where random() was; the guest cannot reach it */
	jal	a7, random
	andi	t0, s0, 255
	bnez	t0, 2f
	jal	a7, random
	csrw	mscratch, s0
	j	tables
2:	andi	t0, s0, 0x70
	bnez	t0, 4f
	jal	a7, random			/* one page of fresh bytes */
	li	t1, RAM
	and	t1, t1, s0
	li	t2, 0x80000000
	add	t1, t1, t2
	li	t2, 0x80000000 + OWN
	bltu	t1, t2, 4f
	li	t2, 512
	mv	s1, t1
	mv	s2, t2
3:	jal	a6, bytes
	sd	a0, 0(s1)
	addi	s1, s1, 8
	addi	s2, s2, -1
	bnez	s2, 3b
	fence.i
4:	jal	a7, random			/* the next timer interrupt: within 100 us */
	li	t1, 0x200bff8
	ld	t2, 0(t1)
	andi	t3, s0, 1023
	add	t2, t2, t3
	li	t1, 0x2004000
	csrr	t3, mhartid
	slli	t3, t3, 3
	add	t1, t1, t3
	sd	t2, 0(t1)
	jal	a7, random			/* FS, SUM, MXR, TVM, TW, TSR, S or U */
	li	t1, 0x7c6800
	csrc	mstatus, t1
	and	t1, t1, s0
	csrs	mstatus, t1
	li	t1, 0x1000
	csrc	mstatus, t1
	jal	a7, random			/* where to go on: anywhere, or behind the trap */
	csrr	t1, mepc
	addi	t1, t1, 2
	andi	t2, s0, 3
	beqz	t2, 5f
	li	t1, RAM | 0xffe
	and	t1, t1, s0
	srli	t2, s0, 30
	slli	t2, t2, 30
	li	t3, 0x80000000
	or	t1, t1, t3
	andi	t3, s0, 0x10
	beqz	t3, 5f
	or	t1, t1, t2			/* at another address of it */
	slli	t1, t1, 25
	srai	t1, t1, 25
5:	csrw	mepc, t1
	.irp	n, 1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24
	jal	a7, random
	li	x\n, RAM | 0xff8
	and	x\n, x\n, s0
	li	t0, 0x80000000
	or	x\n, x\n, t0
	bgez	s0, 6f				/* half of them addresses in RAM */
	mv	x\n, s0
6:
	.endr
	jal	a7, random
	csrw	mscratch, s0
	srli	s0, s0, 9
	mret
