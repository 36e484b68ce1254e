/*
 * u32 vmx_enter(u64 *gpr, bool launched): into the guest and back, interrupts masked. The general
 * registers are exchanged with @gpr (in the order of enum x86_reg) but for RSP, which is in the
 * VMCS. What VM exits load of the host's is in the VMCS too; the stack pointer is put there now,
 * vmx_left always. Returns 0; 1 if there is no current VMCS (VMfailInvalid); 2 if it was refused
 * (VMfailValid).
 */
	.set VMCS_HOST_RSP, 0x6c14

	.text
	.globl vmx_enter
	.type vmx_enter, @function
vmx_enter:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi
	movl $VMCS_HOST_RSP, %eax
	vmwrite %rsp, %rax
	testb %sil, %sil
	movq 0 * 8(%rdi), %rax
	movq 1 * 8(%rdi), %rcx
	movq 2 * 8(%rdi), %rdx
	movq 3 * 8(%rdi), %rbx
	movq 5 * 8(%rdi), %rbp
	movq 6 * 8(%rdi), %rsi
	movq 8 * 8(%rdi), %r8
	movq 9 * 8(%rdi), %r9
	movq 10 * 8(%rdi), %r10
	movq 11 * 8(%rdi), %r11
	movq 12 * 8(%rdi), %r12
	movq 13 * 8(%rdi), %r13
	movq 14 * 8(%rdi), %r14
	movq 15 * 8(%rdi), %r15
	movq 7 * 8(%rdi), %rdi
	jnz 1f
	vmlaunch
	jmp 2f
1:	vmresume
2:	setz %al
	movzbl %al, %eax
	incl %eax
	popq %rdi
	jmp 3f

	.globl vmx_left
vmx_left:
	pushq %rdi
	movq 8(%rsp), %rdi
	movq %rax, 0 * 8(%rdi)
	movq %rcx, 1 * 8(%rdi)
	movq %rdx, 2 * 8(%rdi)
	movq %rbx, 3 * 8(%rdi)
	movq %rbp, 5 * 8(%rdi)
	movq %rsi, 6 * 8(%rdi)
	movq %r8, 8 * 8(%rdi)
	movq %r9, 9 * 8(%rdi)
	movq %r10, 10 * 8(%rdi)
	movq %r11, 11 * 8(%rdi)
	movq %r12, 12 * 8(%rdi)
	movq %r13, 13 * 8(%rdi)
	movq %r14, 14 * 8(%rdi)
	movq %r15, 15 * 8(%rdi)
	popq 7 * 8(%rdi)
	popq %rdi
	xorl %eax, %eax
3:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size vmx_enter, . - vmx_enter
	.section .note.GNU-stack, "", @progbits
