/*
 * Where the other CPUs start: real mode, CS:IP = page:0. One step to long mode (SDM 3A,
 * 9.8.5). The code is copied to a page of its own and knows only what lies relative to that
 * page: its parameters, struct start of smp.c, two pages on.
 */
#define START		0x2000
#define START_ROOT	(START + 0)
#define START_CR3	(START + 8)
#define START_STACK	(START + 16)
#define START_ENTRY	(START + 24)
#define START_PERCPU	(START + 32)
#define START_GDTR	(START + 64)
#define START_FAR	(START + 72)

#define CR0_LONG	0x80010033	/* PG WP NE ET MP PE, caches on */

	.section .rodata.trampoline, "a"
	.balign 16
	.globl trampoline, trampoline_long, trampoline_end
	.code16
trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl START_GDTR
	movl $0x20, %eax		/* PAE */
	movl %eax, %cr4
	movl START_ROOT, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx		/* EFER: LME, NXE */
	rdmsr
	orl $0x900, %eax
	wrmsr
	movl $CR0_LONG, %eax
	movl %eax, %cr0
	ljmpl *START_FAR

	.code64
trampoline_long:
	leaq trampoline(%rip), %rbx
	movq START_CR3(%rbx), %rax
	movq %rax, %cr3
	movq START_STACK(%rbx), %rsp
	movq START_PERCPU(%rbx), %rdi
	xorl %ebp, %ebp
	call *START_ENTRY(%rbx)
trampoline_end:
	.section .note.GNU-stack, "", @progbits
