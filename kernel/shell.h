/*
 * The monitor: `noun verb object` commands, every one with --json. It reads and writes its own
 * console channel from CPU 0's loop; unit tests and later machine interfaces call
 * shell_execute() themselves.
 */
#pragma once

#include "kernel/config.h"
#include "kernel/edit.h"
#include "kernel/report.h"

#define SHELL_WORDS 16

struct call {			/* of one command */
	struct report report;
	const char *arg[SHELL_WORDS];	/* after noun and verb; NULL where there is none */
	struct config *config;
};

struct verb {
	const char *noun, *verb, *args, *help;
	err_t (*run)(struct call *c);
};
extern const struct verb verbs[];	/* NULL noun ends; shell.def */

void shell_init(struct config *config);
/* Take what was typed, run finished lines. CPU 0's loop. */
void shell_poll(void);
/* Run one line. */
void shell_execute(const char *line, struct sink *to);
/* What Tab may offer for the word at @start of @line. */
void shell_complete(const char *line, u32 start, struct edit_words *out);

#define VERB(noun, verb, args, function, help) err_t verb_##function(struct call *c);
#include "kernel/shell.def"
#undef VERB
