/*
 * Names for code addresses, for panics and trap dumps. On bare metal the build makes the
 * table below from the linked image and links it in again (arch/bare/symtab.c searches
 * it); the hosted process reads the symbol table of its own executable instead.
 */
#pragma once

#include "kernel/base/types.h"

struct symtab_entry {
	u32 offset;		/* of the function, from symtab_base; ascending */
	u32 name;		/* of its name, from symtab_names */
};

extern const struct symtab_entry symtab[];
extern const u32 symtab_count;
extern const char symtab_names[];
extern uptr symtab_base;	/* where the image lies */

/* The function that holds @pc and the distance from its start; NULL if unknown. Takes no lock. */
const char *symtab_find(uptr pc, uptr *offset);
