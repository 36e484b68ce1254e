/*
 * A guest for runners that let the hardware execute it: all that makes a CPU leave such a guest,
 * and what must have happened when it is back. It has the form of a Linux kernel (bzImage) and is
 * started like one: 64-bit, flat, the first 4 GiB mapped to themselves by tables at 0x2000.
 *
 * Prints "N checks passed" and switches the machine off, or "FAIL line N" and ends it through
 * isa-debug-exit. r15 counts; r14 is where to go on after an exception; [seen] says which it was.
 */
#include "test/boot/payload/x86/layout.h"

/* ---- the header: Documentation/arch/x86/boot.rst ---- */
	.text
	.code64
	.globl gdt, gdt_limit, back64
header:
	.org 0x1f1
	.byte 1				/* setup_sects */
	.word 0
	.long (end - code + 15) / 16	/* syssize */
	.org 0x1fe
	.word 0xaa55
	.byte 0xeb, 0x66		/* jump: how long the header is */
	.ascii "HdrS"
	.word 0x20f
	.org 0x211
	.byte 1				/* loadflags: LOADED_HIGH */
	.org 0x22c
	.long 0x7fffffff		/* initrd_addr_max */
	.org 0x236
	.word 1				/* xloadflags: XLF_KERNEL_64 */
	.long 255			/* cmdline_size */
	.org 0x258
	.quad BASE			/* pref_address */
	.long 0x20000			/* init_size */
	.long 0
	.org 0x400
code:
	.org 0x600
_start:
	leaq stack_end(%rip), %rsp
	xorl %r15d, %r15d
	jmp tables

/* ---- checks ---- */
	.macro CHECK cc, line
	j\cc 9f
	movl $\line, %edi
	jmp fail
9:	incl %r15d
	.endm
#define OK(cc) CHECK cc, __LINE__
#define IS(value, what) cmpl value, what; OK(e)
#define ISQ(value, what) cmpq value, what; OK(e)
/* The instruction raises that exception, and no other does. */
#define RAISES(vector, ...) leaq 8f(%rip), %r14; movl $-1, seen(%rip); __VA_ARGS__; 8: \
	IS($vector, seen(%rip))
#define QUIET(...) RAISES(-1, __VA_ARGS__)
#define RDMSR(msr) movl $msr, %ecx; rdmsr
#define WRMSR(msr, low, high) movl $msr, %ecx; movl $low, %eax; movl $high, %edx; wrmsr
/* ... up to label 1. */
#define INTEL_ONLY cmpl $0x756e6547, vendor(%rip); jne 1f
#define SET_GATE(n, to) leaq to(%rip), %rax; movl $n, %ecx; call gate_set

/* ---- descriptor tables ---- */
tables:
	lgdt gdt_register(%rip)
	pushq $0x10
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
1:	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	leaq tss(%rip), %rax		/* into its descriptor */
	leaq gdt_tss(%rip), %rdi
	movw %ax, 2(%rdi)
	shrq $16, %rax
	movb %al, 4(%rdi)
	movb %ah, 7(%rdi)
	leaq kernel_stack_end(%rip), %rax
	movq %rax, tss + 4(%rip)
	movl $0x20, %eax
	ltr %ax
	xorl %ecx, %ecx
	leaq entries(%rip), %rax
1:	call gate_set
	addq $16, %rax
	incl %ecx
	cmpl $32, %ecx
	jb 1b
	SET_GATE(0x40, timer_interrupt)
	SET_GATE(0x41, other_interrupt)
	SET_GATE(2, nmi_interrupt)
	SET_GATE(0x80, user_call)
	orb $0x60, idt + 16 * 0x80 + 5(%rip)
	lidt idt_register(%rip)

/* ---- CPUID ---- */
	xorl %eax, %eax
	cpuid
	movl %ebx, vendor(%rip)
	cmpl $0xd, %eax
	OK(ae)
	movl $1, %eax
	cpuid
	testl %ecx, %ecx			/* a hypervisor is there */
	OK(s)
	testl $1 << 5, %ecx			/* VMX is not */
	OK(z)
	testl $1 << 27, %ecx			/* OSXSAVE is off */
	OK(z)
	movl %ecx, features(%rip)
	movl $0x40000000, %eax
	cpuid
	IS($0x4b4d564b, %ebx)
	movl $0x80000001, %eax
	cpuid
	testl $1 << 2, %ecx			/* no SVM */
	OK(z)
	movl $0x3000, %eax
	cpuid
	orl %ebx, %eax
	OK(z)

/* ---- exceptions without an exit, and such as the hypervisor raises ---- */
	RAISES(6, ud2)
	RAISES(3, int3)
	xorl %ecx, %ecx
	RAISES(0, divl %ecx)
	movl $0xfff0, %eax
	RAISES(13, movl %eax, %ds)
	IS($0xfff0, error(%rip))
	RAISES(13, movl $0x4b4d0000, %ecx; rdmsr)
	RAISES(13, movl $0x4b4d0000, %ecx; wrmsr)
	IS($0, error(%rip))
	RAISES(6, vmcall)
	RAISES(6, vmxoff)
	RAISES(6, vmresume)
	RAISES(6, vmmcall)
	RAISES(6, clgi)
	leaq value(%rip), %rax
	xorl %ecx, %ecx
	xorl %edx, %edx
	RAISES(6, monitor)
	RAISES(6, mwait)
	RAISES(13, movl $99, %ecx; rdpmc)
	QUIET(wbinvd)
	QUIET(invd)

/* ---- MSRs ---- */
	RDMSR(0xc0000080)
	IS($0x500, %eax)
	WRMSR(0xc0000080, 0xd01, 0)		/* SCE, NXE */
	RDMSR(0xc0000080)
	IS($0xd01, %eax)
	RAISES(13, WRMSR(0xc0000080, 0xc01, 0))	/* LME does not change while pages are on */
	RAISES(13, WRMSR(0xc0000080, 0xd01, 1))
	WRMSR(0xc0000082, 0x12345678, 1)
	WRMSR(0xc0000102, 0x87654000, 0)
	cpuid					/* an exit changes neither */
	RDMSR(0xc0000082)
	IS($0x12345678, %eax)
	IS($1, %edx)
	swapgs
	RDMSR(0xc0000101)
	IS($0x87654000, %eax)
	swapgs
	leaq value(%rip), %rax
	xorl %edx, %edx
	movl $0xc0000100, %ecx
	wrmsr
	movl $0x5eed, value(%rip)
	IS($0x5eed, %fs:0)
	WRMSR(0x277, 0x00070106, 0x00070106)
	RDMSR(0x277)
	IS($0x00070106, %eax)
	WRMSR(0x174, 0x10, 0)
	RDMSR(0x174)
	IS($0x10, %eax)
	WRMSR(0x200, 6, 1)			/* a variable MTRR */
	RDMSR(0x200)
	IS($1, %edx)
	rdtsc
	shlq $32, %rdx
	leaq (%rdx, %rax), %rbx
	RDMSR(0x10)
	shlq $32, %rdx
	addq %rdx, %rax
	cmpq %rbx, %rax
	OK(ae)
	WRMSR(0x10, 0, 0x1000)			/* the TSC can be set */
	rdtsc
	cmpl $0x1000, %edx
	OK(e)

/* ---- control registers ---- */
	movq %cr0, %rax
	IS($0x80000031, %eax)
	movq %cr4, %rax
	ISQ($0x20, %rax)
	INTEL_ONLY		/* an emulator of AMD's CPUs forgets these checks */
	orl $1 << 13, %eax
	RAISES(13, movq %rax, %cr4)		/* VMXE */
	movl $0, %eax
	RAISES(13, movq %rax, %cr4)		/* PAE is needed */
1:
	movl $0x6a0, %eax			/* PGE, OSFXSR, OSXMMEXCPT */
	QUIET(movq %rax, %cr4)
	movq %cr4, %rdx
	ISQ($0x6a0, %rdx)
	movl $0x6e0, %eax			/* MCE as well */
	QUIET(movq %rax, %cr4)
	movq %cr4, %rdx
	ISQ($0x6e0, %rdx)
	INTEL_ONLY
	movl $0x80000030, %eax
	RAISES(13, movq %rax, %cr0)		/* PG without PE */
	movl $0xa0000031, %eax
	RAISES(13, movq %rax, %cr0)		/* NW without CD */
	movl $0x00000031, %eax
	RAISES(13, movq %rax, %cr0)		/* no way out of 64-bit code */
1:
	movl $0xc0010033, %eax			/* CD, WP, MP */
	QUIET(movq %rax, %cr0)
	movq %cr0, %rdx
	ISQ(%rax, %rdx)
	movl $0x80010013, %eax			/* NE off */
	QUIET(movq %rax, %cr0)
	movq %cr0, %rdx
	ISQ(%rax, %rdx)
	smsw %eax
	IS($0x80010013, %eax)
	movl $0x8001003b, %eax
	QUIET(movq %rax, %cr0)
	RAISES(7, fnop)				/* TS */
	QUIET(clts)
	QUIET(fnop)
	movl $0xb, %eax
	QUIET(lmsw %ax)				/* TS once more */
	movq %cr0, %rax
	IS($0x8001003b, %eax)
	clts
	testl $1 << 26, features(%rip)		/* XSAVE */
	jz 1f
	movl $0x406e0, %eax
	QUIET(movq %rax, %cr4)
	movl $1, %eax
	cpuid
	testl $1 << 27, %ecx
	OK(nz)
	xorl %ecx, %ecx
	xgetbv
	IS($1, %eax)
	xorl %edx, %edx
	movl $3, %eax
	QUIET(xsetbv)
	xgetbv
	IS($3, %eax)
1:
/* ---- ports ---- */
	movl $SCRATCH, %edx
	movl $0x11223344, %eax
	outb %al, %dx
	movl $0x55667788, %eax
	inb %dx, %al
	IS($0x55667744, %eax)
	movl $0x600 + 8, %edx
	movq $-1, %rax
	inl %dx, %eax				/* the ACPI timer has 24 bits */
	shrq $24, %rax
	OK(z)
	movl $0x5555, %edx			/* nothing is there */
	xorl %eax, %eax
	inw %dx, %ax
	IS($0xffff, %eax)
	movb $0x0f, %al
	outb %al, $0x70
	movb $0xa5, %al
	outb %al, $0x71
	inb $0x71, %al
	cmpb $0xa5, %al
	OK(e)
	leaq text(%rip), %rsi		/* strings: forth, back, none, a page that is not there */
	movl $5, %ecx
	movl $SCRATCH, %edx
	cld
	rep outsb
	inb %dx, %al
	cmpb $'o', %al
	OK(e)
	orl %ecx, %ecx
	OK(z)
	leaq value(%rip), %rdi
	movl $3, %ecx
	rep insb
	IS($0x006f6f6f, value(%rip))
	movl $5, %ecx
	std
	rep outsb
	cld
	inb %dx, %al
	cmpb $'e', %al
	OK(e)
	rep insb
	movq $1 << 33, %rdi
	movl $3, %ecx
	RAISES(14, rep insb)
	IS($3, %ecx)
	IS($2, error(%rip))

/* ---- devices in memory, in many forms ---- */
	movl $LAPIC, %ebx
	movl 0x30(%rbx), %eax			/* version */
	cmpb $0x10, %al
	OK(ae)
	movl $0x1ff, 0xf0(%rbx)			/* on; spurious: 255 */
	IS($0x1ff, 0xf0(%rbx))
	andl $~0x100, 0xf0(%rbx)
	orl $0x100, 0xf0(%rbx)
	movl 0xf0(%rbx), %r9d
	IS($0x1ff, %r9d)
	movl $0x200, %ecx
	movl $0x20, 0x80(%rbx, %rcx, 1) 	/* reserved */
	movl $0x50, 0x80(%rbx)			/* TPR */
	movq %cr8, %rax
	ISQ($5, %rax)
	movl $7, %eax
	movq %rax, %cr8
	IS($0x70, 0x80(%rbx))
	testl $0x70, 0x80(%rbx)
	OK(nz)
	movl $16, %eax
	RAISES(13, movq %rax, %cr8)
	movl $0x10, %eax
	xchgl %eax, 0x80(%rbx)
	IS($0x70, %eax)
	addl $0x10, 0x80(%rbx)
	movl 0x80(%rbx), %eax
	IS($0x20, %eax)
	xorl %eax, %eax
	movq %rax, %cr8
	movabsl LAPIC + 0xf0, %eax
	IS($0x1ff, %eax)
	movabsl %eax, LAPIC + 0xf0
	leaq 0x80(%rbx), %rdi
	movl $0x30, value(%rip)
	leaq value(%rip), %rsi
	movsl
	leaq 0x80(%rbx), %rsi
	leaq value + 4(%rip), %rdi
	movsl
	IS($0x30, value + 4(%rip))
	leaq 0x80(%rbx), %rdi
	xorl %eax, %eax
	stosl
	movl $IOAPIC, %ebx
	movl $1, (%rbx)				/* its version */
	movl 0x10(%rbx), %eax
	cmpb $0x11, %al
	OK(ae)
	movl $0x10, (%rbx)			/* the first entry: masked */
	movl $0x10041, 0x10(%rbx)
	movl 0x10(%rbx), %eax
	IS($0x10041, %eax)
	movl $0xd0000000, %ebx			/* nothing there */
	movl $1, (%rbx)
	movq (%rbx), %rax
	incq %rax
	OK(z)
	movzbl (%rbx), %eax
	IS($0xff, %eax)
	movswl 2(%rbx), %eax
	IS($-1, %eax)
	movl $0xe0000, %ebx			/* memory that cannot be written */
	movl (%rbx), %eax
	leal 1(%rax), %ecx
	QUIET(movl %ecx, (%rbx))
	IS(%eax, (%rbx))

/* ---- pages ---- */
	movq $1 << 39, %rbx
	RAISES(14, movl (%rbx), %eax)
	ISQ(%rbx, address(%rip))
	IS($0, error(%rip))
	RAISES(14, movl %eax, 8(%rbx))
	IS($2, error(%rip))
	movl $USER, %ebx			/* read-only, WP is set */
	movl $0xfeed, (%rbx)
	andq $~2, PD + 8 * 2
	invlpg (%rbx)
	RAISES(14, movl %eax, (%rbx))
	IS($3, error(%rip))
	QUIET(movl (%rbx), %eax)
	orq $2, PD + 8 * 2
	invlpg (%rbx)
	QUIET(movl %ecx, (%rbx))
	btsq $63, PD + 8 * 2			/* not to be executed */
	invlpg (%rbx)
	RAISES(14, call *%rbx)
	IS($0x11, error(%rip))
	btrq $63, PD + 8 * 2
	movl $7, %ecx				/* user's */
	orq %rcx, 0x2000
	orq %rcx, 0x3000
	orq %rcx, PD + 8 * 2
	movq %cr3, %rax
	movq %rax, %cr3

/* ---- user mode ---- */
	leaq user(%rip), %rsi
	movl $USER, %edi
	movl $user_end - user, %ecx
	rep movsb
	movq $4, user_calls(%rip)
	movq %rsp, kernel_rsp(%rip)
	leaq 1f(%rip), %rax
	movq %rax, user_back(%rip)
	pushq $0x43
	pushq $USER + 0x1000
	pushq $2
	pushq $0x3b
	pushq $USER
	iretq
1:	IS($0x0d0e0d0d, user_seen(%rip))
	IS($5, user_error(%rip))

/* ---- debugging ---- */
	movl $0, steps(%rip)
	leaq value(%rip), %rax
	movq %rax, %dr0
	movl $0x000d0702, %eax			/* writes of 4 bytes */
	movq %rax, %dr7
	movl $1, %eax
	cpuid					/* exits change nothing */
	movl $1, value(%rip)
	IS($1, steps(%rip))
	movq %dr7, %rax
	ISQ($0x000d0702, %rax)
	INTEL_ONLY		/* emulated SVM forgets it before such an exit */
	movq %dr6, %rax
	testb $1, %al
	OK(nz)
1:	movl $0x400, %eax
	movq %rax, %dr7
	movl $0xffff0ff0, %eax
	movq %rax, %dr6
	movl $2, value(%rip)
	IS($1, steps(%rip))
	movl $0, steps(%rip)
	pushfq
	orl $0x100, (%rsp)
	popfq
	nop
	nop
	pushfq
	andl $~0x100, (%rsp)
	popfq
	cmpl $4, steps(%rip)
	OK(ae)
	INTEL_ONLY
	movq %dr6, %rax
	testl $1 << 14, %eax
	OK(nz)
1:

/* ---- interrupts ---- */
	movl $LAPIC, %ebx
	movl $0x4041, %ecx			/* to itself: 0x41 */
	orl $0x40000, %ecx
	movl $0, others(%rip)
	movl %ecx, 0x300(%rbx)
	IS($0, others(%rip))			/* masked */
	sti
	nop
	cli
	IS($1, others(%rip))
	movl %ecx, 0x300(%rbx)
	sti
	cli					/* in STI's shadow: never */
	IS($1, others(%rip))
	sti
	hlt					/* woken by what is pending */
	cli
	IS($2, others(%rip))
	movl $15, %eax
	movq %rax, %cr8
	movl %ecx, 0x300(%rbx)
	sti
	nop
	nop
	IS($2, others(%rip))
	xorl %eax, %eax
	movq %rax, %cr8
	nop
	cli
	IS($3, others(%rip))
	movl $0, nmis(%rip)
	movl $0, 0x310(%rbx)
	movl $0x4400, %ecx			/* an NMI: its handler sends another one */
	movl %ecx, 0x300(%rbx)
1:	movl 0x30(%rbx), %eax			/* SVM has no window for NMIs: exits are one */
	cmpl $2, nmis(%rip)
	jne 1b
	IS($1, nested(%rip))
	movl $0x40, 0x320(%rbx)			/* timer, once */
	movl $0xb, 0x3e0(%rbx)
	movl $20000, 0x380(%rbx)
	movl $0, ticks(%rip)
1:	sti
	hlt
	cli
	cmpl $0, ticks(%rip)
	je 1b
	IS($1, ticks(%rip))
	movl $0x20040, 0x320(%rbx)		/* again and again, while it computes */
	movl $2000000, 0x380(%rbx)
	sti
1:	cmpl $4, ticks(%rip)
	jb 1b
	pause
	cli
	movl $0x10040, 0x320(%rbx)
	cmpl $4, ticks(%rip)
	OK(ae)
	movl $0x40, 0x320(%rbx)
	movl $100000, 0x380(%rbx)		/* ends with IF off, too */
1:	cmpl $0, 0x390(%rbx)
	jne 1b
	sti
	nop
	cli

/* ---- the other modes ---- */
	leaq low(%rip), %rsi
	movl $LOW, %edi
	movl $low_size, %ecx
	rep movsb
	leaq 1f(%rip), %rax
	movq %rax, back64(%rip)
	movq %rsp, kernel_rsp(%rip)
	lidt idt_real(%rip)
	pushq $0x30				/* 32-bit code */
	pushq $LOW
	lretq
1:	movq kernel_rsp(%rip), %rsp
	lgdt gdt_register(%rip)
	lidt idt_register(%rip)
	IS($0x32, at_modes32)		/* it was there */
	IS($0x16, at_modes16)
	IS($0x36, at_modespae)
	RDMSR(0xc0000080)
	IS($0xd01, %eax)
	RAISES(6, ud2)
	RAISES(13, WRMSR(0xc0000080, 0xc01, 0))

/* ---- a second CPU ---- */
	leaq ap(%rip), %rsi
	movl $AP, %edi
	movl $ap_size, %ecx
	rep movsb
	movl $LAPIC, %ebx
	movl $1 << 24, 0x310(%rbx)
	movl $0x4500, 0x300(%rbx)
	movl $1 << 24, 0x310(%rbx)
	movl $0x4600 | AP >> 12, 0x300(%rbx)
1:	pause
	cmpl $0xa9, at_ap_here
	jne 1b
	incl %r15d

	movl %r15d, %eax
	call print_number
	leaq passed(%rip), %rsi
	call print
	movl $0x604, %edx			/* off */
	movl $0x2000, %eax
	outw %ax, %dx
1:	hlt

fail:
	cli
	pushq %rdi
	leaq failed(%rip), %rsi
	call print
	popq %rax
	call print_number
	leaq saw(%rip), %rsi
	call print
	movl seen(%rip), %eax
	call print_number
	leaq newline(%rip), %rsi
	call print
	movb $1, %al
	outb %al, $0xf4
1:	hlt
	jmp 1b

/* ---- printing ---- */
print:
	movl $COM1 + 5, %edx
1:	inb %dx, %al
	testb $0x20, %al
	jz 1b
	movl $COM1, %edx
	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp print
2:	ret

print_number:
	leaq number_end(%rip), %rsi
	movl $10, %ecx
1:	xorl %edx, %edx
	divl %ecx
	addb $'0', %dl
	decq %rsi
	movb %dl, (%rsi)
	testl %eax, %eax
	jnz 1b
	jmp print

/* ---- exceptions and interrupts ---- */
gate_set:				/* %rax: handler, %ecx: vector */
	pushq %rax
	leaq idt(%rip), %rdi
	movl %ecx, %edx
	shll $4, %edx
	addq %rdx, %rdi
	movw %ax, (%rdi)
	movw $0x10, 2(%rdi)
	movw $0x8e00, 4(%rdi)
	shrq $16, %rax
	movw %ax, 6(%rdi)
	shrq $16, %rax
	movl %eax, 8(%rdi)
	popq %rax
	ret

	.balign 16
entries:
	.set vector, 0
	.rept 32
	.balign 16
	.if vector < 32 && (0x60227d00 >> vector) & 1
	.else
	pushq $0
	.endif
	pushq $vector
	jmp exception
	.set vector, vector + 1
	.endr

exception:
	cmpl $1, (%rsp)
	je debug
	pushq %rax
	movq 8(%rsp), %rax
	movl %eax, seen(%rip)
	movq 16(%rsp), %rax
	movl %eax, error(%rip)
	movq %cr2, %rax
	movq %rax, address(%rip)
	movq %r14, 24(%rsp)
	andl $~0x10100, 40(%rsp)
	popq %rax
	addq $16, %rsp
	iretq
debug:
	incl steps(%rip)
	addq $16, %rsp
	iretq

timer_interrupt:
	incl ticks(%rip)
	jmp 1f
other_interrupt:
	incl others(%rip)
1:	pushq %rax
	movl $LAPIC, %eax
	movl $0, 0xb0(%rax)
	popq %rax
	iretq

nmi_interrupt:
	incl nmis(%rip)
	cmpl $2, nmis(%rip)
	je 1f
	pushq %rax
	movl $LAPIC, %eax
	movl $0x4400, 0x300(%rax)
	pushq %rbx
	pushq %rcx
	pushq %rdx
	movl $1, %eax
	cpuid
	popq %rdx
	popq %rcx
	popq %rbx
	movl nmis(%rip), %eax			/* blocked until IRET */
	movl %eax, nested(%rip)
	popq %rax
1:	iretq

/* From user mode: which exception was before it is noted, from the last byte down to the first. */
user_call:
	leaq user_seen(%rip), %rdx
	movq user_calls(%rip), %rcx
	movl seen(%rip), %eax
	movb %al, -1(%rdx, %rcx)
	cmpl $14, %eax
	jne 1f
	movl error(%rip), %eax
	movl %eax, user_error(%rip)
1:	decq user_calls(%rip)
	jz 2f
	iretq
2:	movq kernel_rsp(%rip), %rsp
	movl $0x18, %eax
	movl %eax, %ss
	jmp *user_back(%rip)

/* At USER, ring 3. */
user:
	movl $1, %eax
	cpuid					/* allowed */
	leaq 1f(%rip), %r14
	cli
1:	int $0x80
	leaq 1f(%rip), %r14
	movl BASE, %eax
1:	int $0x80
	leaq 1f(%rip), %r14
	hlt
1:	int $0x80
	leaq 1f(%rip), %r14
	movl $SCRATCH, %edx
	inb %dx, %al
1:	int $0x80
user_end:

/* ---- data ---- */
	.balign 16
gdt:	.quad 0, 0
	.quad 0x00af9b000000ffff	/* 10h: 64-bit code */
	.quad 0x00cf93000000ffff	/* 18h: data */
gdt_tss: .quad 0x0000890000000067, 0	/* 20h */
	.quad 0x00cf9b000000ffff	/* 30h: 32-bit code */
	.quad 0x00affb000000ffff	/* 3bh: the user's code */
	.quad 0x00cff3000000ffff	/* 43h: the user's data */
	.quad 0x000f9b000000ffff	/* 48h: 16-bit code */
gdt_end:
	.set gdt_limit, gdt_end - gdt - 1
gdt_register: .word gdt_limit
	.quad gdt
idt_register: .word 16 * 256 - 1
	.quad idt
idt_real: .word 0x3ff
	.quad 0
text:	.ascii "hello"
passed:	.asciz " checks passed\r\n"
failed:	.asciz "FAIL line "
saw:	.asciz ", exception "
newline: .asciz "\r\n"
	.fill 12, 1, 0
number_end: .byte 0
	.balign 16
value:	.quad 0
seen:	.long -1
error:	.long 0
address: .quad 0
user_calls: .quad 0
user_seen: .long 0
user_error: .long 0
user_back: .quad 0
kernel_rsp: .quad 0
back64:	.quad 0
features: .long 0
vendor: .long 0
steps:	.long 0
ticks:	.long 0
others:	.long 0
nmis:	.long 0
nested:	.long 0
	.balign 16
tss:	.fill 0x68, 1, 0
	.balign 16
idt:	.fill 16 * 256, 1, 0
	.fill 2048, 1, 0
kernel_stack_end:
	.fill 4096, 1, 0
stack_end:
	.balign 16
end:
