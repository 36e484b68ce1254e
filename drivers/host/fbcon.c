/*
 * Frame buffer console: draws the cells of a terminal (vt.c) with a PC screen font (psf.c).
 *
 * Frame buffers are slow to write and terrible to read, so nothing is ever read back: `shown`
 * remembers what is on the screen. A write first goes through the terminal as a whole, then
 * the cells that differ are drawn; a burst that scrolls ten lines draws once.
 */
#include "drivers/host/fbcon.h"

#include "drivers/host/psf.h"
#include "drivers/host/vt.h"
#include "kernel/base/heap.h"
#include "kernel/base/lock.h"

#define NOT_SHOWN	UINT32_MAX	/* no cell looks like this */
#define BIG_SCREEN	1600		/* pixels: from here on the big font */

struct fbcon {
	struct chr chr;
	u32 *fb;
	u32 width, height, stride;	/* pixels */
	u32 colour[16];			/* as pixels */
	struct psf font;
	struct lock lock;
	struct vt vt;
	cell_t *shown;
};

/* The console's usual palette, 0xRRGGBB. */
static const u32 palette[16] = {
	0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x3050d0, 0xaa00aa, 0x00aaaa, 0xb8b8b8,
	0x606060, 0xff5555, 0x55ff55, 0xffff55, 0x7090ff, 0xff55ff, 0x55ffff, 0xffffff,
};

static u32 pixel_make(u32 rgb, bool bgr)
{
	return bgr ? rgb : (rgb & 0xff) << 16 | (rgb & 0xff00) | rgb >> 16;
}

static void fbcon_draw(struct fbcon *f, u32 x, u32 y, cell_t c)
{
	const struct psf *p = &f->font;
	const u8 *row = p->bitmap + (size_t)psf_glyph(p, cell_character(c)) * p->stride * p->height;
	u32 *at = f->fb + (size_t)y * p->height * f->stride + x * p->width;
	u32 fg = f->colour[cell_fg(c)], bg = f->colour[cell_bg(c)];

	for (u32 i = 0; i < p->height; i++, row += p->stride, at += f->stride)
		for (u32 j = 0; j < p->width; j++)
			at[j] = row[j / 8] & 0x80 >> j % 8 ? fg : bg;
}

/* Draw what changed. The cursor is its cell in reverse. */
static void fbcon_show(struct fbcon *f)
{
	struct vt *t = &f->vt;
	u32 cursor = t->cursor ? t->y * t->cols + MIN(t->x, t->cols - 1) : NOT_SHOWN;

	for (u32 y = 0, i = 0; y < t->rows; y++) {
		for (u32 x = 0; x < t->cols; x++, i++) {
			cell_t c = t->cell[i];

			if (i == cursor)
				c = cell_make(cell_character(c), cell_bg(c), cell_fg(c));
			if (c == f->shown[i])
				continue;
			f->shown[i] = c;
			fbcon_draw(f, x, y, c);
		}
	}
}

static size_t fbcon_write(struct chr *c, const u8 *buf, size_t len)
{
	struct fbcon *f = container_of(c, struct fbcon, chr);

	lock_take(&f->lock);
	vt_write(&f->vt, buf, len);
	fbcon_show(f);
	lock_drop(&f->lock);
	return len;
}

static size_t fbcon_read(struct chr *c, u8 *buf, size_t len)
{
	return 0;
}

static const struct chr_ops fbcon_ops = { .write = fbcon_write, .read = fbcon_read };

/* The margins that hold no whole character, too. */
static void fbcon_clear(struct fbcon *f)
{
	for (u32 y = 0; y < f->height; y++)
		for (u32 x = 0; x < f->width; x++)
			f->fb[(size_t)y * f->stride + x] = f->colour[0];
}

static err_t fbcon_init(struct fbcon *f, bool bgr)
{
	bool big = f->width >= BIG_SCREEN;
	const u8 *font = big ? font_16x32 : font_8x16, *end = big ? font_16x32_end : font_8x16_end;
	size_t cells;
	err_t e = psf_parse(&f->font, font, (size_t)(end - font));

	if (!e)
		e = vt_open(&f->vt, f->width / f->font.width, f->height / f->font.height);
	if (e)
		return e;
	for (u32 i = 0; i < ARRAY_LEN(palette); i++)
		f->colour[i] = pixel_make(palette[i], bgr);
	cells = (size_t)f->vt.cols * f->vt.rows;
	f->shown = heap_alloc(cells * sizeof(cell_t));
	if (!f->shown)
		return ERR(E_NOMEM);
	for (size_t i = 0; i < cells; i++)
		f->shown[i] = NOT_SHOWN;
	fbcon_clear(f);
	fbcon_show(f);
	return OK;
}

struct chr *fbcon_open(void *fb, u32 width, u32 height, u32 stride_pixels, bool bgr)
{
	struct fbcon *f = heap_alloc(sizeof(*f));

	if (!f)
		return NULL;
	f->chr = (struct chr){ .ops = &fbcon_ops, .name = "screen" };
	f->fb = fb;
	f->width = width;
	f->height = height;
	f->stride = stride_pixels;
	if (fbcon_init(f, bgr) == OK)
		return &f->chr;
	fbcon_close(&f->chr);
	return NULL;
}

void fbcon_close(struct chr *c)
{
	struct fbcon *f = container_of(c, struct fbcon, chr);

	vt_close(&f->vt);
	heap_free(f->shown);
	heap_free(f);
}
