/*
 * The ways onto a CPU: boot_entry from the loader on the boot CPU, start_secondary from PSCI
 * on the others, both at EL2, and start_mmu, which both take to our translation tables.
 *
 * Code runs with SP_EL0, exceptions with SP_EL2 (vectors.S), so a stack that overflows does
 * not take its own obituary along.
 *
 * start_mmu leaves the old regime by way of MMU off: the only order that is right whatever
 * firmware had, even HCR_EL2.E2H = 1 where TCR_EL2 has another layout. It touches no memory
 * meanwhile, and the loader has cleaned the code to memory for the fetches.
 */
#include "arch/aarch64/sys/host.h"

	.section .text.entry, "ax"
	.globl	boot_entry
boot_entry:
	msr	daifset, #0xf
	mrs	x1, CurrentEL
	cmp	x1, #2 << 2
	b.ne	wrong_level
	mov	x19, x0
	adrp	x20, area_boot
	add	x20, x20, :lo12:area_boot
	add	x20, x20, #0x3, lsl #12		/* to 16 KiB: the image is only page aligned */
	and	x20, x20, #~0x3fff
	bl	cpu_setup
	mov	x0, x20
	bl	area_init
	msr	tpidr_el2, x0
	mov	x0, x19
	mov	x1, x20
	mov	x29, xzr
	mov	x30, xzr
	b	entry_main

/* The loader refuses anything but EL2 in words; this is for whoever enters otherwise. */
wrong_level:
	wfi
	b	wrong_level

	.text
	.globl	start_secondary
start_secondary:
	msr	daifset, #0xf
	mov	x19, x0
	ldr	x20, [x19, #5 * 8]
	bl	start_mmu
	bl	cpu_setup
	ldr	x1, [x19, #6 * 8]
	msr	tpidr_el2, x1
	mov	x0, x19
	mov	x29, xzr
	mov	x30, xzr
	b	smp_enter

/* Stacks of the area in x20, vectors, no traps of what the hypervisor uses. Clobbers x1, x2. */
cpu_setup:
	add	x1, x20, #(AREA_TRAP_TOP >> 12), lsl #12
	msr	spsel, #1
	mov	sp, x1
	msr	spsel, #0
	mov	w2, #AREA_STACK_TOP & 0xffff
	movk	w2, #AREA_STACK_TOP >> 16, lsl #16
	add	x1, x20, x2
	mov	sp, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el2, x1
	msr	daifclr, #0x4			/* SErrors from now on end in a dump */
	isb
	ret

	.globl	start_mmu
start_mmu:
	ldp	x1, x2, [x0]			/* mair, tcr */
	ldp	x3, x4, [x0, #16]		/* ttbr, sctlr */
	ldr	x5, [x0, #32]			/* hcr */
	mrs	x6, daif
	msr	daifset, #0xf
	dsb	sy
	mrs	x7, sctlr_el2
	bic	x7, x7, #1
	msr	sctlr_el2, x7
	isb
	msr	hcr_el2, x5
	isb
	mov	x7, #0x33ff			/* CPTR_EL2: FP and SIMD allowed, SVE trapped */
	msr	cptr_el2, x7
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	msr	cntvoff_el2, xzr
	msr	mair_el2, x1
	msr	tcr_el2, x2
	msr	ttbr0_el2, x3
	isb
	msr	fpcr, xzr			/* round to nearest, no traps */
	msr	fpsr, xzr
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x4
	isb
	msr	daif, x6
	ret

	.bss
	.balign	4096
	.globl	area_boot
area_boot:
	.skip	AREA_SIZE + 0x3000
