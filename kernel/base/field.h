/* A list of fields describes plain state: what snapshots carry and dumps print. */
#pragma once

#include "kernel/base/types.h"

/* One row per piece of state. @count > 1 = array; a NULL name ends a list. */
struct field {
	const char *name;
	u32 offset;			/* in the struct described */
	u8 size;			/* bytes of one element */
	u32 count;
};
#define FIELD(type, member) \
	{ #member, offsetof(type, member), sizeof(((type *)0)->member), 1 }
#define FIELD_ARRAY(type, member) \
	{ #member, offsetof(type, member), sizeof(((type *)0)->member[0]), \
	  ARRAY_LEN(((type *)0)->member) }
