/*
 * Line editor, see edit.h. The sequences are ECMA-48's and xterm's. After every change the
 * line is written anew from its start: 256 characters at most, and the only terminal
 * functions needed are CR, erase to end of line and cursor left.
 */
#include "kernel/edit.h"
#include "kernel/base/str.h"

#define CTRL(c)	((c) & 31)
#define ESC	27
#define DEL	127

void edit_init(struct edit *e, struct sink *to, const char *prompt)
{
	memset(e, 0, sizeof(*e));
	e->to = to;
	e->prompt = prompt;
}

void edit_redraw(struct edit *e)
{
	sink_printf(e->to, "\r%s%.*s\x1b[K", e->prompt, (int)e->len, e->line);
	if (e->at < e->len)
		sink_printf(e->to, "\x1b[%uD", e->len - e->at);
}

/* ---- changing the line ------------------------------------------------------------------- */

static void edit_delete(struct edit *e, u32 from, u32 to)
{
	memmove(e->line + from, e->line + to, e->len - to);
	e->len -= to - from;
	e->at = from;
}

static void edit_insert(struct edit *e, const char *text, size_t len)
{
	len = MIN(len, EDIT_LINE - 1 - e->len);
	memmove(e->line + e->at + len, e->line + e->at, e->len - e->at);
	memcpy(e->line + e->at, text, len);
	e->at += (u32)len;
	e->len += (u32)len;
}

static u32 edit_word_start(const struct edit *e)
{
	u32 i = e->at;

	while (i && e->line[i - 1] != ' ')
		i--;
	return i;
}

static void edit_delete_word(struct edit *e)
{
	u32 end = e->at;

	while (e->at && e->line[e->at - 1] == ' ')
		e->at--;
	edit_delete(e, edit_word_start(e), end);
}

/* ---- history ----------------------------------------------------------------------------- */

static char *edit_past(struct edit *e, u32 back)
{
	return e->history[(e->newest - back) % EDIT_HISTORY];
}

static void edit_recall(struct edit *e, u32 back)
{
	if (back > MIN(e->newest, EDIT_HISTORY))
		return;
	e->recall = back;
	e->len = 0;
	e->at = 0;
	if (back)
		edit_insert(e, edit_past(e, back), str_len(edit_past(e, back)));
}

static void edit_remember(struct edit *e)
{
	if (!e->len || (e->newest && str_eq(edit_past(e, 1), e->finished)))
		return;
	memcpy(e->history[e->newest++ % EDIT_HISTORY], e->finished, e->len + 1);
}

/* ---- completion -------------------------------------------------------------------------- */

/* How many characters all the words begin with. */
static size_t words_common(const struct edit_words *w)
{
	size_t n = str_len(w->word[0]);

	for (u32 i = 1; i < w->count; i++)
		for (size_t j = 0; j < n; j++)
			if (w->word[i][j] != w->word[0][j])
				n = j;
	return n;
}

static void edit_list(struct edit *e, const struct edit_words *w)
{
	sink_puts(e->to, "\r\n");
	for (u32 i = 0; i < w->count; i++)
		sink_printf(e->to, "%s%s", i ? "  " : "", w->word[i]);
	sink_puts(e->to, "\r\n");
}

/* Keep the offers that begin with what is typed already. */
static void words_filter(struct edit_words *w, const char *typed, size_t len)
{
	u32 kept = 0;

	for (u32 i = 0; i < w->count; i++)
		if (str_len(w->word[i]) >= len && memcmp(w->word[i], typed, len) == 0)
			w->word[kept++] = w->word[i];
	w->count = kept;
}

static void edit_complete(struct edit *e)
{
	struct edit_words w = { .count = 0 };
	u32 start = edit_word_start(e);
	size_t typed = e->at - start, common;
	char line[EDIT_LINE];

	if (!e->complete)
		return;
	memcpy(line, e->line, e->at);
	line[e->at] = '\0';
	e->complete(line, start, &w);
	words_filter(&w, line + start, typed);
	if (!w.count)
		return;
	common = words_common(&w);
	edit_insert(e, w.word[0] + typed, common - typed);
	if (w.count == 1)
		edit_insert(e, " ", 1);
	else if (common == typed)
		edit_list(e, &w);
}

/* ---- keys -------------------------------------------------------------------------------- */

static const char *edit_enter(struct edit *e)
{
	memcpy(e->finished, e->line, e->len);
	e->finished[e->len] = '\0';
	edit_remember(e);
	e->len = e->at = e->recall = 0;
	sink_puts(e->to, "\r\n");
	return e->finished;
}

static void edit_move(struct edit *e, char key)
{
	switch (key) {
	case 'A':
		edit_recall(e, e->recall + 1);
		break;
	case 'B':
		if (e->recall)
			edit_recall(e, e->recall - 1);
		break;
	case 'C':
		e->at += e->at < e->len;
		break;
	case 'D':
		e->at -= e->at > 0;
		break;
	case 'H':
		e->at = 0;
		break;
	case 'F':
		e->at = e->len;
		break;
	case 'X':
		if (e->at < e->len)
			edit_delete(e, e->at, e->at + 1);
	}
}

/* A byte after ESC; ESC [ A, ESC O A, ESC [ 3 ~. */
static void edit_escape(struct edit *e, u8 key)
{
	/* of ESC [ digit ~: 1 and 7 Home, 3 Delete, 4 and 8 End */
	static const char moves[] = "?H?XF??HF?";

	if (e->escape == ESC) {
		e->escape = key == '[' || key == 'O' ? key : 0;
		e->parameter = 0;
		return;
	}
	if (key >= '0' && key <= '9') {
		e->parameter = key - '0';
		return;
	}
	e->escape = 0;
	edit_move(e, key == '~' ? moves[e->parameter] : (char)key);
	edit_redraw(e);
}

static void edit_control(struct edit *e, u8 key)
{
	static const char from[] = { CTRL('P'), CTRL('N'), CTRL('F'), CTRL('B'),
				     CTRL('A'), CTRL('E'), CTRL('D'), 0 };
	static const char moves[] = "ABCDHFX";
	const char *known = key ? str_chr(from, (char)key) : NULL;

	if (known)
		edit_move(e, moves[known - from]);
	else if (key == CTRL('H') || key == DEL)
		edit_delete(e, e->at - (e->at > 0), e->at);
	else if (key == CTRL('U'))
		edit_delete(e, 0, e->at);
	else if (key == CTRL('K'))
		e->len = e->at;
	else if (key == CTRL('W'))
		edit_delete_word(e);
	else if (key == CTRL('C'))
		e->len = e->at = e->recall = 0;
	else if (key == CTRL('L'))
		sink_puts(e->to, "\x1b[H\x1b[2J");
	else if (key == '\t')
		edit_complete(e);
}

/* A character of the line itself; at its end it is simply shown, and true. */
static bool edit_type(struct edit *e, char c)
{
	u32 len = e->len;

	edit_insert(e, &c, 1);
	if (e->at != e->len || e->len == len)
		return false;
	sink_write(e->to, &c, 1);
	return true;
}

const char *edit_key(struct edit *e, u8 key)
{
	bool lf_of_crlf = e->skip_lf && key == '\n';

	e->skip_lf = key == '\r';
	if (lf_of_crlf)
		return NULL;
	if (key == '\r' || key == '\n')
		return edit_enter(e);
	if (e->escape) {
		edit_escape(e, key);
		return NULL;
	}
	if (key == ESC) {
		e->escape = ESC;
		return NULL;
	}
	if (key == CTRL('C'))
		sink_puts(e->to, "^C\r\n");
	if (key < ' ' || key == DEL)
		edit_control(e, key);
	else if (edit_type(e, (char)key))
		return NULL;
	edit_redraw(e);
	return NULL;
}
