/*
 * u64 f(u64 a, u64 b): a + b by way of vector registers, to be copied and run by the self test.
 */
	.section .rodata.simd, "a"
	.balign	4
	.globl	simd_add, simd_end
simd_add:
	fmov	d0, x0
	fmov	d1, x1
	add	v0.2d, v0.2d, v1.2d
	fmov	x0, d0
	ret
simd_end:
