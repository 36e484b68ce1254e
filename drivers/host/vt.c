/*
 * The terminal behind the frame buffer console: see vt.h. ECMA-48 5th edition for the
 * sequences, Linux console_codes(4) for the habits.
 *
 * A line feed also returns to column 0: our own log writes bare line feeds, and guests write
 * CR LF anyway. What is not understood is swallowed whole, never printed.
 */
#include "drivers/host/vt.h"

#include "kernel/base/heap.h"
#include "kernel/base/str.h"

#define SIDE_MAX	1024
#define PARAM_MAX	9999
#define REPLACEMENT	0xfffd	/* for malformed UTF-8 */
#define FG		7
#define BG		0

static cell_t vt_blank(const struct vt *t)
{
	return cell_make(' ', FG, t->reverse ? BG : t->bg);
}

static cell_t vt_cell(const struct vt *t, u32 character)
{
	u32 fg = t->fg | (t->bright ? 8 : 0);

	return t->reverse ? cell_make(character, t->bg, fg & 7) : cell_make(character, fg, t->bg);
}

/* Blank cells [from, to) of the grid seen as one line. */
static void vt_erase(struct vt *t, u32 from, u32 to)
{
	for (u32 i = from; i < MIN(to, t->cols * t->rows); i++)
		t->cell[i] = vt_blank(t);
}

static void vt_line_feed(struct vt *t)
{
	u32 kept = (t->rows - 1) * t->cols;

	if (++t->y < t->rows)
		return;
	t->y = t->rows - 1;
	memmove(t->cell, t->cell + t->cols, kept * sizeof(cell_t));
	vt_erase(t, kept, kept + t->cols);
}

static void vt_put(struct vt *t, u32 character)
{
	if (t->x == t->cols) {
		t->x = 0;
		vt_line_feed(t);
	}
	t->cell[t->y * t->cols + t->x++] = vt_cell(t, character);
}

/* Move the cursor, cut to the grid; also takes back a pending wrap. */
static void vt_move(struct vt *t, s64 x, s64 y)
{
	t->x = (u32)MAX(0, MIN(x, (s64)t->cols - 1));
	t->y = (u32)MAX(0, MIN(y, (s64)t->rows - 1));
}

static void vt_reset_attributes(struct vt *t)
{
	t->fg = FG;
	t->bg = BG;
	t->bright = t->reverse = false;
}

static void vt_reset(struct vt *t)
{
	vt_reset_attributes(t);
	t->x = t->y = t->saved_x = t->saved_y = 0;
	t->cursor = true;
	vt_erase(t, 0, t->cols * t->rows);
}

static void vt_control(struct vt *t, u8 c)
{
	switch (c) {
	case '\b':
		vt_move(t, (s64)MIN(t->x, t->cols - 1) - 1, t->y);
		break;
	case '\t':
		vt_move(t, ALIGN_UP(t->x + 1, 8), t->y);
		break;
	case '\n': case '\v': case '\f':
		t->x = 0;
		vt_line_feed(t);
		break;
	case '\r':
		t->x = 0;
		break;
	case 0x18: case 0x1a:		/* CAN, SUB: give up the sequence */
		t->state = VT_TEXT;
		break;
	case 0x1b:
		t->state = VT_ESCAPE;
		break;
	}
}

/* One byte of text that is not a control: assemble UTF-8. */
static void vt_text(struct vt *t, u8 c)
{
	if (t->utf8_more && (c & 0xc0) == 0x80) {
		t->utf8 = t->utf8 << 6 | (c & 0x3f);
		if (!--t->utf8_more)
			vt_put(t, t->utf8);
		return;
	}
	if (t->utf8_more)
		vt_put(t, REPLACEMENT);
	t->utf8_more = c >= 0xf8 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	if (t->utf8_more)
		t->utf8 = c & MASK(6 - t->utf8_more);
	else
		vt_put(t, c < 0x80 ? c : REPLACEMENT);
}

/* SGR 38 and 48: a colour by index (5;n) or by value (2;r;g;b); the parameters that this took. */
static u32 vt_extended_colour(struct vt *t, u32 i, u8 *colour)
{
	u32 kind = i + 1 < t->params ? t->param[i + 1] : 0;

	if (kind == 5 && i + 2 < t->params && t->param[i + 2] < 16)
		*colour = t->param[i + 2] & 7;
	return kind == 5 ? 2 : kind == 2 ? 4 : t->params;
}

static void vt_attributes(struct vt *t)
{
	for (u32 i = 0; i < t->params; i++) {
		u32 p = t->param[i];

		switch (p) {
		case 0: vt_reset_attributes(t); break;
		case 1: t->bright = true; break;
		case 22: t->bright = false; break;
		case 7: t->reverse = true; break;
		case 27: t->reverse = false; break;
		case 30 ... 37: t->fg = (u8)(p - 30); break;
		case 38: i += vt_extended_colour(t, i, &t->fg); break;
		case 39: t->fg = FG; break;
		case 40 ... 47: t->bg = (u8)(p - 40); break;
		case 48: i += vt_extended_colour(t, i, &t->bg); break;
		case 49: t->bg = BG; break;
		case 90 ... 97: t->fg = (u8)(p - 90 + 8); break;
		case 100 ... 107: t->bg = (u8)(p - 100 + 8); break;
		}
	}
}

/* ED and EL: 0 from the cursor on, 1 up to it, 2 all; of the cells [from, to). */
static void vt_erase_part(struct vt *t, u32 from, u32 to)
{
	u32 at = t->y * t->cols + MIN(t->x, t->cols - 1);

	switch (t->param[0]) {
	case 0: vt_erase(t, at, to); break;
	case 1: vt_erase(t, from, at + 1); break;
	case 2: vt_erase(t, from, to); break;
	}
}

static void vt_private_mode(struct vt *t, bool on)
{
	for (u32 i = 0; i < t->params; i++)
		if (t->param[i] == 25)
			t->cursor = on;
}

static void vt_restore(struct vt *t)
{
	vt_move(t, t->saved_x, t->saved_y);
}

static void vt_save(struct vt *t)
{
	t->saved_x = t->x;
	t->saved_y = t->y;
}

static void vt_csi_end(struct vt *t, u8 final)
{
	s64 n = MAX(t->param[0], 1u), x = MIN(t->x, t->cols - 1), y = t->y;
	u32 line = t->y * t->cols;

	switch (final) {
	case 'A': vt_move(t, x, y - n); break;
	case 'B': case 'e': vt_move(t, x, y + n); break;
	case 'C': case 'a': vt_move(t, x + n, y); break;
	case 'D': vt_move(t, x - n, y); break;
	case 'E': vt_move(t, 0, y + n); break;
	case 'F': vt_move(t, 0, y - n); break;
	case 'G': case '`': vt_move(t, n - 1, y); break;
	case 'd': vt_move(t, x, n - 1); break;
	case 'H': case 'f': vt_move(t, (s64)MAX(t->param[1], 1u) - 1, n - 1); break;
	case 'J': vt_erase_part(t, 0, t->cols * t->rows); break;
	case 'K': vt_erase_part(t, line, line + t->cols); break;
	case 'X': vt_erase(t, line + (u32)x, line + MIN((u32)(x + n), t->cols)); break;
	case 'm': vt_attributes(t); break;
	case 's': vt_save(t); break;
	case 'u': vt_restore(t); break;
	}
}

/* Parameters are counted even when they do not fit, and cut when they are absurd. */
static void vt_csi(struct vt *t, u8 c)
{
	u32 *p = &t->param[MIN(t->params, VT_PARAMS) - 1];

	if (c >= '0' && c <= '9') {
		if (t->params <= VT_PARAMS)
			*p = MIN(*p * 10 + c - '0', PARAM_MAX);
	} else if (c == ';' || c == ':') {
		t->params += t->params <= VT_PARAMS;
	} else if (c == '?') {
		t->private = true;
	} else if (c < 0x40) {
		t->state = VT_CSI_IGNORE;	/* intermediate bytes: nothing that we know */
	} else {
		t->state = VT_TEXT;
		t->params = MIN(t->params, VT_PARAMS);
		if (!t->private)
			vt_csi_end(t, c);
		else if (c == 'h' || c == 'l')
			vt_private_mode(t, c == 'h');
	}
}

static void vt_escape(struct vt *t, u8 c)
{
	t->state = VT_TEXT;
	switch (c) {
	case '[':
		memset(t->param, 0, sizeof(t->param));
		t->params = 1;
		t->private = false;
		t->state = VT_CSI;
		break;
	case ']': case 'P': case 'X': case '^': case '_':
		t->state = VT_STRING;
		break;
	case '(': case ')': case '*': case '+': case '#': case '%': case ' ':
		t->state = VT_CHARSET;
		break;
	case '7': vt_save(t); break;
	case '8': vt_restore(t); break;
	case 'D': vt_line_feed(t); break;
	case 'E': t->x = 0; vt_line_feed(t); break;
	case 'M': vt_move(t, MIN(t->x, t->cols - 1), (s64)t->y - 1); break;
	case 'c': vt_reset(t); break;
	}
}

/* Strings (window titles and the like) end with BEL or ESC \. */
static void vt_string(struct vt *t, u8 c)
{
	if (c == 0x07 || c == 0x18 || c == 0x1a)
		t->state = VT_TEXT;
	else if (c == 0x1b)
		t->state = VT_STRING_ESCAPE;
}

static void vt_byte(struct vt *t, u8 c)
{
	if (t->state == VT_STRING) {
		vt_string(t, c);
	} else if (c < 0x20) {
		t->utf8_more = 0;
		vt_control(t, c);
	} else if (c != 0x7f) {
		switch (t->state) {
		case VT_TEXT: vt_text(t, c); break;
		case VT_ESCAPE: vt_escape(t, c); break;
		case VT_CSI: vt_csi(t, c); break;
		case VT_CSI_IGNORE: t->state = c < 0x40 ? VT_CSI_IGNORE : VT_TEXT; break;
		case VT_STRING_ESCAPE: vt_escape(t, c); break;	/* a backslash is no sequence */
		case VT_CHARSET: case VT_STRING: t->state = VT_TEXT; break;
		}
	}
}

void vt_write(struct vt *t, const u8 *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		vt_byte(t, text[i]);
}

err_t vt_open(struct vt *t, u32 cols, u32 rows)
{
	*t = (struct vt){ .cols = cols, .rows = rows };
	if (!cols || !rows || cols > SIDE_MAX || rows > SIDE_MAX)
		return ERRF(E_RANGE, "terminal of %ux%u characters", cols, rows);
	t->cell = heap_alloc((size_t)cols * rows * sizeof(cell_t));
	if (!t->cell)
		return ERR(E_NOMEM);
	vt_reset(t);
	return OK;
}

void vt_close(struct vt *t)
{
	heap_free(t->cell);
	t->cell = NULL;
}
