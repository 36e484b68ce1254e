/*
 * u64 f(u64 a, u64 b): a + b by way of vector registers, to be copied and run by the self test.
 * The AVX one sends a through the upper half of a YMM register.
 */
	.section .rodata.simd, "a"
	.globl simd_sse, simd_avx, simd_end
simd_sse:
	movq %rdi, %xmm0
	movq %rsi, %xmm1
	paddq %xmm1, %xmm0
	movq %xmm0, %rax
	ret
simd_avx:
	vmovq %rdi, %xmm0
	vinsertf128 $1, %xmm0, %ymm0, %ymm0
	vextractf128 $1, %ymm0, %xmm0
	vmovq %rsi, %xmm1
	vpaddq %xmm1, %xmm0, %xmm0
	vmovq %xmm0, %rax
	vzeroupper
	ret
simd_end:
	.section .note.GNU-stack, "", @progbits
