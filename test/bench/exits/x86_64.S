/*
 * What exits cost a guest, as a kernel for bzImage loaders: each kind a thousand times between two
 * looks at the TSC. Lines "exit NAME TICKS" for the thousand on COM1, then the machine ends.
 */
#define COM1		0x3f8
#define SCRATCH		0x3ff
#define IOAPIC		0xfec00000
#define DEBUG_EXIT	0xf4
#define TIMES		1000

	.text
	.globl	_start
_start:
	.org	0x1f1
	.byte	1			/* sectors of setup */
	.org	0x1f4
	.long	(end - code) / 16
	.org	0x1fe
	.word	0xaa55
	.byte	0xeb, 0x66
	.ascii	"HdrS"
	.word	0x20f
	.org	0x22c
	.long	0x7fffffff
	.org	0x236
	.word	1			/* 64-bit entry */
	.long	255
	.org	0x258
	.quad	0x200000
	.long	0x100000
	.org	1024
code:
	.org	1024 + 0x200
	.code64
	leaq	stack_top(%rip), %rsp

	.macro	measure name, body:vararg
	leaq	1f(%rip), %rdi
	call	print
	movl	$TIMES, %ebp
	rdtsc
	shlq	$32, %rdx
	leaq	(%rax,%rdx), %r12
	.balign	16
2:	\body
	decl	%ebp
	jnz	2b
	rdtsc
	shlq	$32, %rdx
	leaq	(%rax,%rdx), %rdi
	subq	%r12, %rdi
	call	number
	jmp	3f
1:	.asciz	"exit \name "
3:
	.endm

	/* A statement ends at a semicolon, so what takes two has a name. */
	.macro	do_cpuid
	xorl	%eax, %eax
	cpuid
	.endm
	.macro	do_out
	movl	%r15d, %edx
	outb	%al, %dx
	.endm
	.macro	do_in
	movl	%r15d, %edx
	inb	%dx, %al
	.endm

	movl	$SCRATCH, %r15d
	movl	$IOAPIC, %r14d
	measure	nothing, nop
	measure	cpuid, do_cpuid
	movl	$0x17, %ecx
	measure	rdmsr, rdmsr
	measure	out, do_out
	measure	in, do_in
	measure	store, movl $0, (%r14)
	measure	load, movl (%r14), %eax
	movl	$0, %eax
	movw	$DEBUG_EXIT, %dx
	outl	%eax, %dx
4:	hlt
	jmp	4b

/* The text at rdi. */
print:
	movw	$COM1, %dx
1:	movb	(%rdi), %al
	testb	%al, %al
	jz	2f
	outb	%al, %dx
	incq	%rdi
	jmp	1b
2:	ret

/* rdi in decimal, and a line's end. */
number:
	leaq	digits_end(%rip), %rsi
	movq	%rdi, %rax
	movl	$10, %ecx
1:	xorl	%edx, %edx
	divq	%rcx
	addb	$'0', %dl
	decq	%rsi
	movb	%dl, (%rsi)
	testq	%rax, %rax
	jnz	1b
	movq	%rsi, %rdi
	jmp	print

	.space	24
digits_end:
	.asciz	"\r\n"
	.balign	16
	.space	512
stack_top:
	.balign	16
end:
