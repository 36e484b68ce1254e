/*
 * Entry of the core on x86-64, from the UEFI loader: RCX points to boot_info, long mode,
 * firmware's identity page tables, interrupts off. The boot CPU leaves firmware's stack,
 * which lies in memory that is already free, at once.
 */
	.section .text.entry, "ax"
	.globl boot_entry
	.type boot_entry, @function
boot_entry:
	cli
	cld
	movq %rcx, %rdi
	leaq percpu_boot + 17 * 4096(%rip), %rsp
	xorl %ebp, %ebp
	call x86_start
	ud2
	.size boot_entry, . - boot_entry
	.section .note.GNU-stack, "", @progbits
