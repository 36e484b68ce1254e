/*
 * Reader for the flattened device tree that the host's firmware may hand over
 * (Devicetree Specification 0.4, chapter 5). fdt_open() checks the whole structure once;
 * after that walking cannot fail. Nothing is copied or allocated: results point into the
 * blob. Not the writer for guests' trees, which is guests/fdt.
 */
#pragma once

#include "kernel/base/err.h"

#define FDT_DEPTH	12		/* levels of nodes, the root included */
#define FDT_SIZE_MAX	MIB(2)		/* a larger blob is not believed */

struct fdt {
	const u8 *tree;			/* structure block */
	const char *strings;
	u32 tree_len, strings_len;
};

/* A place in the tree: the current node and its ancestors, root first. */
struct fdt_walk {
	const struct fdt *fdt;
	u32 next;			/* where the search for the next node goes on */
	u32 depth;			/* of the current node, 0 = root */
	u32 node[FDT_DEPTH];		/* where each level's properties begin */
	const char *name[FDT_DEPTH];	/* "pl011@9000000"; the root's is "" */
};

/* Check @blob, of which at most @cap bytes may be read; E_FORMAT with the reason. */
err_t fdt_open(struct fdt *f, const void *blob, u64 cap);

/* Visit every node, parents before children: start, then next until false. */
void fdt_start(struct fdt_walk *w, const struct fdt *f);
bool fdt_next(struct fdt_walk *w);

/*
 * Go to @path ("/soc/uart@0", unit addresses may be left out; an alias works too), which
 * ends at ':' or NUL.
 */
bool fdt_find(struct fdt_walk *w, const struct fdt *f, const char *path);

/* A property of the current node and its length, or NULL. */
const u8 *fdt_prop(const struct fdt_walk *w, const char *name, u32 *len);

/* The same as a string that is known to end, NULL otherwise. */
const char *fdt_string(const struct fdt_walk *w, const char *name);

/* The first cell of a property, or @def when it is missing or short. */
u32 fdt_u32(const struct fdt_walk *w, const char *name, u32 def);

/* Is @want one of the node's "compatible" strings? */
bool fdt_compatible(const struct fdt_walk *w, const char *want);

/* False for status = "disabled" and the like. */
bool fdt_enabled(const struct fdt_walk *w);

/* The @index-th pair of "reg", translated to the CPU's addresses through every "ranges" above. */
bool fdt_reg(const struct fdt_walk *w, u32 index, hpa_t *base, u64 *len);
