/*
 * What exits cost a guest, as an arm64 Image: each kind a thousand times between two looks at the
 * virtual counter. Lines "exit NAME TICKS" for the thousand on the PL011, then the machine ends.
 */
#define UART		0x09000000
#define IBRD		0x24		/* of the UART: a register that remembers */
#define TIMES		1000
#define PSCI_VERSION	0x84000000
#define SYSTEM_OFF	0x84000008

	.text
	.globl	_start
_start:
	b	entry
	.word	0
	.quad	0			/* text_offset */
	.quad	0x10000			/* image_size */
	.quad	0
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.word	0
entry:
	adr	x19, stack_top
	mov	sp, x19
	movz	x20, #UART >> 16, lsl #16

	.macro	measure name, body:vararg
	adr	x0, 1f
	bl	print
	mov	w21, #TIMES
	isb
	mrs	x22, cntvct_el0
2:	\body
	subs	w21, w21, #1
	b.ne	2b
	isb
	mrs	x0, cntvct_el0
	sub	x0, x0, x22
	bl	number
	b	3f
1:	.asciz	"exit \name "
	.balign	4
3:
	.endm

	/* A statement ends at a semicolon, so what takes two has a name. */
	.macro	do_hvc
	mov	w0, w23
	hvc	#0
	.endm

	movz	w23, #PSCI_VERSION >> 16, lsl #16
	measure	nothing, nop
	measure	hvc, do_hvc
	measure	idreg, mrs x0, id_aa64isar0_el1
	measure	store, str wzr, [x20, #IBRD]
	measure	load, ldr w0, [x20, #IBRD]
	movz	w0, #SYSTEM_OFF >> 16, lsl #16
	movk	w0, #SYSTEM_OFF & 0xffff
	hvc	#0
4:	wfi
	b	4b

/* The text at x0. */
print:
	ldrb	w1, [x0], #1
	cbz	w1, 1f
	str	w1, [x20]
	b	print
1:	ret

/* x0 in decimal, and a line's end. */
number:
	adr	x1, digits_end
	mov	x2, #10
1:	udiv	x3, x0, x2
	msub	x4, x3, x2, x0
	add	w4, w4, #'0'
	strb	w4, [x1, #-1]!
	mov	x0, x3
	cbnz	x0, 1b
	mov	x0, x1
	b	print

	.balign	16
	.space	24
digits_end:
	.asciz	"\r\n"
	.balign	16
	.space	512
stack_top:
