/*
 * Lines of "MODE HEX" (MODE: 16, 32 or 64) in, lines with the length of the instruction that HEX
 * begins with out: what x86_decode() returns. For lengths.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/front/x86/decode.h"

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		char *p = line;
		unsigned long bits = strtoul(p, &p, 10);
		u8 bytes[32];
		u32 n = 0;
		unsigned b;

		while (*p == ' ')
			p++;
		for (; n < sizeof(bytes) && sscanf(p, "%2x", &b) == 1; p += 2)
			bytes[n++] = (u8)b;
		printf("%d\n", x86_insn_length(bytes, n, bits == 64 ? X86_MODE64 :
					       bits == 32 ? X86_MODE32 : X86_MODE16));
	}
	return 0;
}
