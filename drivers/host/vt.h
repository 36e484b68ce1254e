/*
 * A write-only terminal on a grid of cells: text in UTF-8 and the part of ECMA-48 (CSI
 * sequences) that Linux, busybox and our monitor use for colour, cursor movement and
 * erasing. It draws nothing; see fbcon.c.
 */
#pragma once

#include "kernel/base/err.h"

#define VT_PARAMS	8

/* Character (21 bits), foreground and background (4 bits each, the usual 16 colours). */
typedef u32 cell_t;

static inline cell_t cell_make(u32 character, u32 fg, u32 bg)
{
	return (character & 0x1fffff) | fg << 21 | bg << 25;
}

static inline u32 cell_character(cell_t c) { return c & 0x1fffff; }
static inline u32 cell_fg(cell_t c) { return c >> 21 & 15; }
static inline u32 cell_bg(cell_t c) { return c >> 25 & 15; }

enum vt_state {
	VT_TEXT, VT_ESCAPE, VT_CHARSET, VT_CSI, VT_CSI_IGNORE, VT_STRING, VT_STRING_ESCAPE,
};

struct vt {
	u32 cols, rows;
	cell_t *cell;		/* rows * cols */
	u32 x, y;	/* x == cols: the last column is written, the next character wraps */
	u32 saved_x, saved_y;
	u8 fg, bg;
	bool bright, reverse, cursor;
	/* the parser */
	enum vt_state state;
	u32 param[VT_PARAMS], params;
	bool private;
	u32 utf8, utf8_more;	/* character under construction, bytes to come */
};

err_t vt_open(struct vt *t, u32 cols, u32 rows); /* E_NOMEM; E_RANGE for an empty or huge grid */
void vt_close(struct vt *t);
void vt_write(struct vt *t, const u8 *text, size_t len);
