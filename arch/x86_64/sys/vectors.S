/*
 * The 256 interrupt stubs, 16 bytes each, and their common tail; and the probes, functions
 * whose one risky instruction has a row in the fixup table. The tail pushes a second copy of
 * the return address under RBP, so that a backtrace walks through the trap.
 */
	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	/* The CPU itself pushes an error code for 8, 10..14, 17, 21, 29 and 30. */
	.if vector < 32 && (0x60227d00 >> vector) & 1
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_tail
	.set vector, vector + 1
	.endr

	.type trap_tail, @function
trap_tail:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	pushq 17 * 8(%rdi)		/* rip */
	pushq %rbp
	movq %rsp, %rbp
	/* The CPU aligned the stack to 16 and 24 words are on it. */
	call trap_take
	leaq 16(%rsp), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq
	.size trap_tail, . - trap_tail

/* A fault at the instruction @at goes on at @to. */
	.macro FIXUP at, to
	.section .data.rel.ro.fixup, "aw"
	.quad \at, \to
	.text
	.endm

	.section .data.rel.ro.fixup, "aw"
	.balign 8
	.globl fixups
fixups:
	.text

	.globl probe_store
	.type probe_store, @function
probe_store:
	movl $1, %eax
1:	movb %sil, (%rdi)
	ret
	FIXUP 1b, probe_failed
	.size probe_store, . - probe_store

	.globl probe_call
	.type probe_call, @function
probe_call:
	subq $8, %rsp
	call *%rdi
1:	addq $8, %rsp
	movl $1, %eax
	ret
2:	addq $8, %rsp
	xorl %eax, %eax
	ret
	FIXUP 1b, 2b			/* a fetch fault is looked up by its return address */
	.size probe_call, . - probe_call

	.globl probe_msr_read
	.type probe_msr_read, @function
probe_msr_read:
	movl %edi, %ecx
1:	rdmsr
	movl %eax, (%rsi)
	movl %edx, 4(%rsi)
	movl $1, %eax
	ret
	FIXUP 1b, probe_failed
	.size probe_msr_read, . - probe_msr_read

probe_failed:
	xorl %eax, %eax
	ret

	.section .data.rel.ro.fixup, "aw"
	.globl fixups_end
fixups_end:
	.section .note.GNU-stack, "", @progbits
