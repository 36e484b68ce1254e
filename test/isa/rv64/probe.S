/*
 * u64 probe(const struct regs *in, struct regs *out, u64 entry, u64 status): set every x and f
 * register and fcsr from @in, mret to @entry with mstatus = @status, and store all of them to
 * @out at the first trap of any kind. Returns its cause. One hart only. Layout: emit.h.
 */
	.macro each op, base
	.irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op x\n, 8 * \n(\base)
	.endr
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
	\op x\n, 8 * \n(\base)
	.endr
	.endm
	.macro each_f op, base
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	\op f\n, 256 + 8 * \n(\base)
	.endr
	.irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	\op f\n, 256 + 8 * \n(\base)
	.endr
	.endm

	.text
	.globl probe
probe:
	la t0, context
	each sd, t0				/* the caller's, whatever the ABI says */
	sd x30, 240(t0)
	sd x31, 248(t0)
	each_f fsd, t0
	csrrw t1, mscratch, t0
	sd t1, 512(t0)
	la t1, probe_trap
	csrrw t1, mtvec, t1
	sd t1, 520(t0)
	csrr t1, mstatus
	sd t1, 528(t0)
	frcsr t1
	sd t1, 536(t0)
	sd a1, 544(t0)
	csrw mepc, a2
	csrw mstatus, a3
	ld t1, 512(a0)
	fscsr t1
	mv x31, a0
	each_f fld, x31
	csrr x30, minstret
	sd x30, 552(t0)
	each ld, x31
	ld x30, 240(x31)
	ld x31, 248(x31)
	mret

	.balign 4
probe_trap:
	csrrw x31, mscratch, x31
	sd x30, 560(x31)
	csrr x30, minstret
	sd x30, 568(x31)
	ld x30, 544(x31)			/* out */
	each sd, x30
	ld x1, 560(x31)
	sd x1, 240(x30)
	csrr x1, mscratch
	sd x1, 248(x30)
	frcsr x1
	sd x1, 512(x30)
	csrr a0, mcause
	sd a0, 520(x30)
	csrr x1, mepc
	sd x1, 528(x30)
	csrr x1, mtval
	sd x1, 536(x30)
	csrr x1, mstatus
	sd x1, 544(x30)
	ld x1, 568(x31)
	ld x2, 552(x31)
	sub x1, x1, x2
	sd x1, 552(x30)
	ld x1, 528(x31)
	csrw mstatus, x1
	each_f fsd, x30
	mv t0, x31
	ld t1, 512(t0)
	csrw mscratch, t1
	ld t1, 520(t0)
	csrw mtvec, t1
	each_f fld, t0
	ld t1, 536(t0)
	fscsr t1
	.irp n, 1, 2, 3, 4, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
	ld x\n, 8 * \n(t0)
	.endr
	ret

	.bss
	.balign 64
context:
	.space 576
