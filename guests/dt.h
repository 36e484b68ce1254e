/*
 * Writer of flattened device trees (Devicetree Specification 0.4, chapter 5): nodes and
 * properties in the order of the calls, into a buffer of the caller's. It cannot read; the
 * boot code has a reader (boot/fdt.h) for the machine's own tree.
 *
 * Errors are sticky: a tree that outgrows its buffer swallows further calls, and dt_close()
 * says so, so a description reads as a plain list of calls.
 */
#pragma once

#include "kernel/base/err.h"

struct dt {
	u8 *buf;
	u32 cap;
	u32 at;			/* end of the structure block, which grows up ... */
	u32 names;		/* ... start of the strings block, which grows down from cap */
	u32 depth;		/* open nodes */
	u32 prop;		/* where the length of the open property is, 0: none open */
	bool full;
};

/* Begin a tree in @buf, 8-byte aligned, and its root node. */
struct dt dt_open(void *buf, u32 cap);
/* End the root node; *@len bytes of the buffer are the tree. E_RANGE: it did not fit. */
must_check err_t dt_close(struct dt *f, u32 *len);

void dt_node(struct dt *f, const char *name);
void dt_node_at(struct dt *f, const char *name, u64 unit);	/* "name@<unit in hex>" */
void dt_end(struct dt *f);

void dt_prop(struct dt *f, const char *name, const void *value, u32 len);
void dt_prop_flag(struct dt *f, const char *name);
void dt_prop_text(struct dt *f, const char *name, const char *text);
void dt_prop_u64(struct dt *f, const char *name, u64 value);
/* Cells in host order; dt_prop_cells(f, "reg", 0, base, 0, len). */
void dt_prop_array(struct dt *f, const char *name, const u32 *cell, u32 count);
#define dt_prop_cells(f, name, ...) \
	dt_prop_array(f, name, (const u32[]){ __VA_ARGS__ }, \
		      sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32))

/* A property that grows: begin, append, end; nothing else between. */
void dt_prop_begin(struct dt *f, const char *name);
void dt_prop_append(struct dt *f, const void *value, u32 len);
void dt_prop_append_text(struct dt *f, const char *text);	/* with its NUL: a string list */
void dt_prop_append_cell(struct dt *f, u32 cell);
void dt_prop_end(struct dt *f);
