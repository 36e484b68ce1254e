/* The console fonts: Spleen, unpacked from Debian's package fonts-spleen by font.mk. */
	.section .rodata.font, "a"
	.globl font_8x16, font_8x16_end, font_16x32, font_16x32_end
	.balign 4
font_8x16:
	.incbin "build/gen/spleen-8x16.psf"
font_8x16_end:
	.balign 4
font_16x32:
	.incbin "build/gen/spleen-16x32.psf"
font_16x32_end:
	.section .note.GNU-stack, "", %progbits
