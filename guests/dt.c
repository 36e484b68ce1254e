/*
 * Flattened device tree writer. Layout in the buffer: header, an empty reservation map, the
 * structure block growing up, the strings block growing down from the buffer's end; closing
 * moves the strings next to the structure. Everything is big-endian.
 *
 * The length of an open property is the one thing written after the fact: it stays zero, and
 * its place is remembered in prop, until dt_prop_end().
 */
#include "guests/dt.h"

#include "kernel/base/fmt.h"
#include "kernel/base/panic.h"
#include "kernel/base/str.h"

enum {
	FDT_MAGIC_VALUE = 0xd00dfeed,
	FDT_BEGIN_NODE_TOKEN = 1,
	FDT_END_NODE_TOKEN = 2,
	FDT_PROP_TOKEN = 3,
	FDT_END_TOKEN = 9,
	FDT_HEADER_SIZE = 40,
	FDT_RESERVE_SIZE = 16,		/* the terminating entry alone */
	FDT_STRUCT_START = FDT_HEADER_SIZE + FDT_RESERVE_SIZE,
	FDT_VERSION_VALUE = 17,
	FDT_COMPATIBLE_VERSION = 16,
};

static void store_be32(u8 *at, u32 v)
{
	store_le32(at, __builtin_bswap32(v));
}

/* Room for @len more bytes of structure, or NULL and full from now on. */
static u8 *dt_room(struct dt *f, u32 len)
{
	u8 *at = f->buf + f->at;

	if (f->full || len > f->names - f->at) {
		f->full = true;
		return NULL;
	}
	f->at += len;
	return at;
}

static void dt_put(struct dt *f, const void *data, u32 len)
{
	u8 *at = dt_room(f, len);

	if (at)
		memcpy(at, data, len);
}

static void dt_put_u32(struct dt *f, u32 v)
{
	u8 *at = dt_room(f, 4);

	if (at)
		store_be32(at, v);
}

/* Zeroes up to the next multiple of four. */
static void dt_pad(struct dt *f)
{
	dt_put(f, "\0\0\0", -f->at % 4);
}

struct dt dt_open(void *buf, u32 cap)
{
	struct dt f = { .buf = buf, .cap = cap, .at = FDT_STRUCT_START, .names = cap };

	assert((uptr)buf % 8 == 0);
	f.full = cap < FDT_STRUCT_START;
	if (!f.full)
		memset(buf, 0, FDT_STRUCT_START);
	dt_node(&f, "");
	return f;
}

void dt_node(struct dt *f, const char *name)
{
	dt_put_u32(f, FDT_BEGIN_NODE_TOKEN);
	dt_put(f, name, (u32)str_len(name) + 1);
	dt_pad(f);
	f->depth++;
}

void dt_node_at(struct dt *f, const char *name, u64 unit)
{
	char full[48];

	assert(fmt_buf(full, sizeof(full), "%s@%llx", name, (unsigned long long)unit) <
	       sizeof(full));
	dt_node(f, full);
}

void dt_end(struct dt *f)
{
	assert(f->depth > 0);
	dt_put_u32(f, FDT_END_NODE_TOKEN);
	f->depth--;
}

/* Where @name is in the strings block, from its end: the block grows at its beginning. */
static u32 dt_name(struct dt *f, const char *name)
{
	u32 len = (u32)str_len(name) + 1;

	for (u32 at = f->names; at < f->cap; at += (u32)str_len((char *)f->buf + at) + 1)
		if (str_eq((char *)f->buf + at, name))
			return f->cap - at;
	if (f->full || len > f->names - f->at) {
		f->full = true;
		return 0;
	}
	f->names -= len;
	memcpy(f->buf + f->names, name, len);
	return f->cap - f->names;
}

void dt_prop_begin(struct dt *f, const char *name)
{
	u32 from_end = dt_name(f, name);

	assert(!f->prop);
	dt_put_u32(f, FDT_PROP_TOKEN);
	f->prop = f->at;
	dt_put_u32(f, 0);
	dt_put_u32(f, from_end);	/* dt_close() turns it round */
}

void dt_prop_append(struct dt *f, const void *value, u32 len)
{
	assert(f->prop);
	dt_put(f, value, len);
}

void dt_prop_append_text(struct dt *f, const char *text)
{
	dt_prop_append(f, text, (u32)str_len(text) + 1);
}

void dt_prop_append_cell(struct dt *f, u32 cell)
{
	dt_put_u32(f, cell);
}

void dt_prop_end(struct dt *f)
{
	assert(f->prop);
	if (!f->full)
		store_be32(f->buf + f->prop, f->at - f->prop - 8);
	f->prop = 0;
	dt_pad(f);
}

void dt_prop(struct dt *f, const char *name, const void *value, u32 len)
{
	dt_prop_begin(f, name);
	dt_prop_append(f, value, len);
	dt_prop_end(f);
}

void dt_prop_flag(struct dt *f, const char *name)
{
	dt_prop(f, name, "", 0);
}

void dt_prop_text(struct dt *f, const char *name, const char *text)
{
	dt_prop(f, name, text, (u32)str_len(text) + 1);
}

void dt_prop_u64(struct dt *f, const char *name, u64 value)
{
	dt_prop_cells(f, name, (u32)(value >> 32), (u32)value);
}

void dt_prop_array(struct dt *f, const char *name, const u32 *cell, u32 count)
{
	dt_prop_begin(f, name);
	for (u32 i = 0; i < count; i++)
		dt_prop_append_cell(f, cell[i]);
	dt_prop_end(f);
}

/* Name offsets were counted from the strings' end; a tree counts from their start. */
static void dt_turn_names(struct dt *f)
{
	u32 at = FDT_STRUCT_START;

	while (at < f->at) {
		u32 token = load_be32(f->buf + at);

		at += 4;
		if (token == FDT_BEGIN_NODE_TOKEN) {
			at += ALIGN_UP((u32)str_len((char *)f->buf + at) + 1, 4u);
		} else if (token == FDT_PROP_TOKEN) {
			u8 *name = f->buf + at + 4;

			store_be32(name, f->cap - f->names - load_be32(name));
			at += 8 + ALIGN_UP(load_be32(f->buf + at), 4u);
		}
	}
}

err_t dt_close(struct dt *f, u32 *len)
{
	u32 names_len = f->cap - f->names;

	dt_end(f);
	assert(!f->depth && !f->prop);
	dt_put_u32(f, FDT_END_TOKEN);
	if (f->full)
		return ERRF(E_RANGE, "device tree does not fit into %u bytes", f->cap);
	dt_turn_names(f);
	memmove(f->buf + f->at, f->buf + f->names, names_len);
	*len = f->at + names_len;

	const u32 header[] = {
		FDT_MAGIC_VALUE, *len, FDT_STRUCT_START, f->at, FDT_HEADER_SIZE, FDT_VERSION_VALUE,
		FDT_COMPATIBLE_VERSION, 0 /* boot CPU */, names_len, f->at - FDT_STRUCT_START,
	};

	for (u32 i = 0; i < ARRAY_LEN(header); i++)
		store_be32(f->buf + 4 * i, header[i]);
	return OK;
}
