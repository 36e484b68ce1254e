/*
 * Reader for the host's flattened device tree, see fdt.h. All knowledge of the encoding is
 * in token_read(), which checks every bound; fdt_open() runs it over the whole tree.
 *
 * The surprise: "reg" is decoded with the *parent's* #address-cells and #size-cells, and
 * "ranges" with the node's own, the parent's and the node's own again.
 */
#include "boot/fdt.h"
#include "kernel/base/str.h"

#define FDT_MAGIC	0xd00dfeed
#define FDT_VERSION	17		/* the first with size_dt_struct */
#define FDT_HEADER	40

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_NOP = 4, FDT_END = 9 };

struct token {
	u32 kind, next;			/* next: offset of the token after this one */
	const char *name;		/* of a node or a property */
	const u8 *data;
	u32 len;
};

/* Length of the string at @s, or @cap if it does not end before. */
static u32 bounded_len(const char *s, u32 cap)
{
	u32 n = 0;

	while (n < cap && s[n])
		n++;
	return n;
}

static bool node_read(const struct fdt *f, u32 at, struct token *t)
{
	u32 n;

	t->name = (const char *)f->tree + at;
	n = bounded_len(t->name, f->tree_len - at);
	if (n == f->tree_len - at)
		return false;
	t->next = ALIGN_UP(at + n + 1, 4u);
	return true;
}

static bool prop_read(const struct fdt *f, u32 at, struct token *t)
{
	u32 name;

	if (f->tree_len - at < 8)
		return false;
	t->len = load_be32(f->tree + at);
	name = load_be32(f->tree + at + 4);
	at += 8;
	if (t->len > f->tree_len - at || name >= f->strings_len)
		return false;
	t->data = f->tree + at;
	t->name = f->strings + name;
	t->next = ALIGN_UP(at + t->len, 4u);
	return bounded_len(t->name, f->strings_len - name) < f->strings_len - name;
}

/* False: the token at @at is malformed or not wholly inside the structure block. */
static bool token_read(const struct fdt *f, u32 at, struct token *t)
{
	if (at > f->tree_len || f->tree_len - at < 4)
		return false;
	t->kind = load_be32(f->tree + at);
	t->next = at + 4;
	switch (t->kind) {
	case FDT_BEGIN_NODE:
		return node_read(f, at + 4, t);
	case FDT_PROP:
		return prop_read(f, at + 4, t);
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		return true;
	}
	return false;
}

/* One root, balanced nodes, properties before children, everything in bounds. */
static err_t tree_check(const struct fdt *f)
{
	struct token t = {0};
	u32 at = 0, depth = 0;
	bool props = false, root = false;

	for (;; at = t.next) {
		if (!token_read(f, at, &t))
			return ERRF(E_FORMAT, "device tree: bad token at %#x", at);
		switch (t.kind) {
		case FDT_BEGIN_NODE:
			if (depth == FDT_DEPTH || (depth == 0 && root))
				return ERRF(E_FORMAT, "device tree: nested too deeply at %#x", at);
			depth++;
			props = root = true;
			break;
		case FDT_PROP:
			if (!props)
				return ERRF(E_FORMAT, "device tree: stray property at %#x", at);
			break;
		case FDT_END_NODE:
			if (depth-- == 0)
				return ERRF(E_FORMAT, "device tree: unbalanced end at %#x", at);
			props = false;
			break;
		case FDT_END:
			if (!root || depth)
				return ERRF(E_FORMAT, "device tree: ends inside a node");
			return OK;
		}
	}
}

err_t fdt_open(struct fdt *f, const void *blob, u64 cap)
{
	const u8 *h = blob;
	u32 total, tree, strings;

	if (cap < FDT_HEADER || load_be32(h) != FDT_MAGIC)
		return ERRF(E_FORMAT, "device tree: no magic number");
	total = load_be32(h + 4);
	if (total < FDT_HEADER || total > cap || total > FDT_SIZE_MAX)
		return ERRF(E_FORMAT, "device tree: size of %u bytes is not plausible", total);
	if (load_be32(h + 20) < FDT_VERSION)
		return ERRF(E_FORMAT, "device tree: version %u, need %u", load_be32(h + 20),
			    FDT_VERSION);
	tree = load_be32(h + 8);
	strings = load_be32(h + 12);
	f->strings_len = load_be32(h + 32);
	f->tree_len = load_be32(h + 36);
	if (tree > total || f->tree_len > total - tree ||
	    strings > total || f->strings_len > total - strings)
		return ERRF(E_FORMAT, "device tree: blocks outside the blob");
	f->tree = h + tree;
	f->strings = (const char *)h + strings;
	return tree_check(f);
}

void fdt_start(struct fdt_walk *w, const struct fdt *f)
{
	*w = (struct fdt_walk){ .fdt = f, .depth = UINT32_MAX };
}

bool fdt_next(struct fdt_walk *w)
{
	struct token t = {0};

	while (token_read(w->fdt, w->next, &t) && t.kind != FDT_END) {
		w->next = t.next;
		if (t.kind == FDT_END_NODE)
			w->depth--;
		if (t.kind != FDT_BEGIN_NODE)
			continue;
		w->depth++;
		w->node[w->depth] = t.next;
		w->name[w->depth] = t.name;
		return true;
	}
	return false;
}

/* A property of the ancestor at @level (the node itself: w->depth). */
static const u8 *level_prop(const struct fdt_walk *w, u32 level, const char *name, u32 *len)
{
	struct token t = {0};
	u32 at = w->node[level];

	for (; token_read(w->fdt, at, &t) && (t.kind == FDT_PROP || t.kind == FDT_NOP); at = t.next)
		if (t.kind == FDT_PROP && str_eq(t.name, name)) {
			*len = t.len;
			return t.data;
		}
	return NULL;
}

const u8 *fdt_prop(const struct fdt_walk *w, const char *name, u32 *len)
{
	return level_prop(w, w->depth, name, len);
}

const char *fdt_string(const struct fdt_walk *w, const char *name)
{
	u32 len;
	const u8 *p = fdt_prop(w, name, &len);

	return p && bounded_len((const char *)p, len) < len ? (const char *)p : NULL;
}

static u32 level_u32(const struct fdt_walk *w, u32 level, const char *name, u32 def)
{
	u32 len;
	const u8 *p = level_prop(w, level, name, &len);

	return p && len >= 4 ? load_be32(p) : def;
}

u32 fdt_u32(const struct fdt_walk *w, const char *name, u32 def)
{
	return level_u32(w, w->depth, name, def);
}

bool fdt_compatible(const struct fdt_walk *w, const char *want)
{
	u32 len, n;
	const char *p = (const char *)fdt_prop(w, "compatible", &len);

	for (; p && (n = bounded_len(p, len)) < len; p += n + 1, len -= n + 1)
		if (str_eq(p, want))
			return true;
	return false;
}

bool fdt_enabled(const struct fdt_walk *w)
{
	const char *s = fdt_string(w, "status");

	return !s || str_eq(s, "okay") || str_eq(s, "ok");
}

/* Does the component of @len bytes name the node, with or without its unit address? */
static bool component_is(const char *node, const char *part, u32 len)
{
	u32 i = 0;

	while (i < len && node[i] == part[i])
		i++;
	return i == len && (node[i] == '\0' || node[i] == '@');
}

static bool path_is(const struct fdt_walk *w, const char *path)
{
	u32 level = 0, len;

	for (; *path == '/'; path += len) {
		path++;
		for (len = 0; path[len] && path[len] != '/' && path[len] != ':'; len++)
			;
		if (len == 0)
			break;
		if (++level > w->depth || !component_is(w->name[level], path, len))
			return false;
	}
	return level == w->depth;
}

static bool path_find(struct fdt_walk *w, const struct fdt *f, const char *path)
{
	for (fdt_start(w, f); fdt_next(w);)
		if (path_is(w, path))
			return true;
	return false;
}

bool fdt_find(struct fdt_walk *w, const struct fdt *f, const char *path)
{
	char alias[32];
	u32 n = 0;
	const char *real;

	if (*path == '/')
		return path_find(w, f, path);
	while (n < sizeof(alias) - 1 && path[n] && path[n] != ':') {
		alias[n] = path[n];
		n++;
	}
	alias[n] = '\0';
	if (!path_find(w, f, "/aliases"))
		return false;
	real = fdt_string(w, alias);
	return real && *real == '/' && path_find(w, f, real);
}

/* @cells cells as a number; what does not fit in 64 bits (PCI's flags) is dropped at the top. */
static u64 cells_read(const u8 *p, u32 cells)
{
	u64 v = 0;

	while (cells--) {
		v = v << 32 | load_be32(p);
		p += 4;
	}
	return v;
}

static u32 level_cells(const struct fdt_walk *w, u32 level, const char *name, u32 def)
{
	return MIN(level_u32(w, level, name, def), 4u);
}

/* From the address space below the bus at @level to the one above it. */
static bool ranges_translate(const struct fdt_walk *w, u32 level, hpa_t *addr)
{
	u32 len = 0, child = level_cells(w, level, "#address-cells", 2);
	u32 parent = level_cells(w, level - 1, "#address-cells", 2);
	u32 size = level_cells(w, level, "#size-cells", 1);
	u32 row = 4 * (child + parent + size);
	const u8 *p = level_prop(w, level, "ranges", &len);

	if (!p)
		return false;
	if (len == 0)
		return true;
	for (; row && len >= row; p += row, len -= row) {
		u64 from = cells_read(p, child), to = cells_read(p + 4 * child, parent);

		if (*addr - from < cells_read(p + 4 * (child + parent), size)) {
			*addr = to + (*addr - from);
			return true;
		}
	}
	return false;
}

bool fdt_reg(const struct fdt_walk *w, u32 index, hpa_t *base, u64 *len)
{
	u32 have, ac, sc, row;
	const u8 *p = fdt_prop(w, "reg", &have);

	if (!p || w->depth == 0)
		return false;
	ac = level_cells(w, w->depth - 1, "#address-cells", 2);
	sc = level_cells(w, w->depth - 1, "#size-cells", 1);
	row = 4 * (ac + sc);
	if (row == 0 || index >= have / row)
		return false;
	*base = cells_read(p + index * row, ac);
	*len = cells_read(p + index * row + 4 * ac, sc);
	for (u32 level = w->depth - 1; level > 0; level--)
		if (!ranges_translate(w, level, base))
			return false;
	return true;
}
