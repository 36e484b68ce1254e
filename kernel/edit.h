/*
 * A line editor for a terminal at the end of a byte stream, without local echo: arrows, Home,
 * End, Delete, Ctrl-A E B F U K W L P N R, Tab, history. Knows nothing of commands: what Tab
 * offers comes from a callback.
 */
#pragma once

#include "kernel/base/fmt.h"

#define EDIT_LINE	256
#define EDIT_HISTORY	16
#define EDIT_WORDS	64

/* Words that can stand where the cursor is; they live as long as the callback's owner says. */
struct edit_words {
	const char *word[EDIT_WORDS];
	u32 count;
};

struct edit {
	/* set once */
	struct sink *to;
	const char *prompt;
	/* @line is cut at the cursor; @start is where its last word begins. */
	void (*complete)(const char *line, u32 start, struct edit_words *out);
	/* the editor's */
	char line[EDIT_LINE];
	u32 len, at;
	char history[EDIT_HISTORY][EDIT_LINE];
	u32 newest, recall; /* lines ever kept; how far back the shown one lies, 0: a new line */
	u8 escape;			/* 0, ESC seen, '[' or 'O' seen */
	u8 parameter;			/* the digit of ESC [ digit ~ */
	bool skip_lf;			/* the LF of a CR LF */
	char finished[EDIT_LINE];
};

void edit_init(struct edit *e, struct sink *to, const char *prompt);
/* Feed one byte. At the end of a line its text, valid until the next call; else NULL. */
const char *edit_key(struct edit *e, u8 key);
/* Print prompt and line again, as after other output. */
void edit_redraw(struct edit *e);
