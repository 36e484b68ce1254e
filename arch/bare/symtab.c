/*
 * Search of the symbol table that the build makes from the linked image (linker/symtab.sh).
 * The image is linked twice: first with an empty table, then with the one of the first.
 */
#include "kernel/base/symtab.h"

const char *symtab_find(uptr pc, uptr *offset)
{
	uptr at = pc - symtab_base;
	u32 low = 0, high = symtab_count;

	/* Find the first entry beyond @at; the one before it holds @at. */
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (symtab[mid].offset > at)
			high = mid;
		else
			low = mid + 1;
	}
	/* A function has no recorded end: beyond the last one anything may lie. */
	if (low == 0 || low == symtab_count)
		return NULL;
	*offset = at - symtab[low - 1].offset;
	return symtab_names + symtab[low - 1].name;
}
