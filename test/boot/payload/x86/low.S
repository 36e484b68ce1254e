/*
 * What vt.S copies below 1 MiB. To LOW: from 32-bit compatibility mode down to real mode and up
 * again through PAE paging; at each floor an exit, and a mark that it came back. To AP: what
 * another CPU starts with. Addresses are those of the copies.
 */
#include "test/boot/payload/x86/layout.h"

	.globl low, low_size, ap, ap_size, at_modes32, at_modes16, at_modespae, at_ap_here
	.text
	.balign 32
	.code32
low:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $LOW + 0xff0, %esp
	movl %cr0, %eax
	andl $0x7fffffff, %eax			/* paging off: no long mode any more */
	movl %eax, %cr0
	movl $0xc0000080, %ecx
	rdmsr
	andl $0x400, %eax
	jnz low_fail
	movl $1, %eax
	cpuid					/* an exit in here */
	movb $0x32, LOW + modes32 - low
	ljmp $0x48, $LOW + low16 - low
	.code16
low16:
	movl %cr0, %eax
	andb $0xfe, %al
	movl %eax, %cr0
	ljmp $0, $LOW + real - low
real:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $LOW + 0xff0, %sp
	movl $1, %eax
	cpuid
	movw $SCRATCH, %dx
	movb $0x77, %al
	outb %al, %dx
	xorb %al, %al
	inb %dx, %al
	cmpb $0x77, %al
	jne low_fail16
	movw $0x20 * 4, %di			/* INT 20h by the real mode's own table */
	movw $LOW + real_interrupt - low, (%di)
	movw $0, 2(%di)
	int $0x20
	movw $6 * 4, %di			/* #UD */
	movw $LOW + real_undefined - low, (%di)
	movw $0, 2(%di)
	.byte 0x0f, 0x01, 0xc1			/* VMCALL, 3 bytes */
	cmpb $3, LOW + real_count - low
	jne low_fail16
	movb $0x16, LOW + modes16 - low
	lgdtl LOW + gdt_low - low
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $0x30, $LOW + up32 - low
real_interrupt:
	incb LOW + real_count - low
	iretw
real_undefined:
	addb $2, LOW + real_count - low
	movw %sp, %bp
	addw $3, (%bp)
	iretw
low_fail16:
	movb $2, %al
	outb %al, $0xf4
	.code32
up32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $0xc0000080, %ecx			/* PAE paging: LME off, the same directories */
	rdmsr
	andl $~0x100, %eax
	wrmsr
	movl $tables32 - low + LOW, %edi
	movl $PD + 1, (%edi)
	movl $PD + 0x1001, 8(%edi)
	movl $PD + 0x2001, 16(%edi)
	movl $PD + 0x3001, 24(%edi)
	movl %edi, %cr3
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	movl LAPIC + 0xf0, %eax
	cmpl $0x1ff, %eax
	jne low_fail
	movl $1, %eax
	cpuid
	movb $0x36, LOW + modespae - low
	movl %cr0, %eax
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	movl $0x2000, %eax			/* and long mode again */
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	ljmp $0x10, $LOW + up64 - low
	.code64
up64:
	jmp *back64
	.code32
low_fail:
	movb $3, %al
	outb %al, $0xf4
	.balign 32
tables32: .fill 32, 1, 0
gdt_low: .word gdt_limit
	.long gdt
modes32: .long 0
modes16: .long 0
modespae: .long 0
real_count: .long 0
	.set low_size, . - low
	.set at_modes32, LOW + modes32 - low
	.set at_modes16, LOW + modes16 - low
	.set at_modespae, LOW + modespae - low

/* ---- for AP ---- */
	.code16
ap:
	movl $0xa9, %cs:(ap_here - ap)
1:	cli
	hlt
	jmp 1b
ap_here: .long 0
	.set ap_size, . - ap
	.set at_ap_here, AP + ap_here - ap
