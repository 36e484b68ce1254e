/*
 * The parser for FVP's subset of TOML 1.0: [tables] with bare dotted names, bare keys,
 * "basic strings" with the escapes \" \\ \n \t \uXXXX, integers that are not negative,
 * booleans, arrays of strings (also over several lines), comments. Anything else of TOML is
 * refused by name. Knows no keys: what it finds goes to callbacks, in order.
 *
 * Strings are decoded in place, so it needs a private, writable copy of the text and the
 * values point into that copy.
 */
#pragma once

#include "kernel/config.h"

enum toml_type { TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_ARRAY };

struct toml_pos {
	u32 line, column;		/* from 1; a column is a character, not a byte */
};

struct toml_value {
	enum toml_type type;
	struct toml_pos pos;
	const char *string;
	u64 integer;
	bool boolean;
	struct strlist array;
};

struct toml {
	/* set by the caller */
	const char *file;		/* for messages */
	char *text;			/* text[len] is 0 */
	size_t len;
	void *ctx;
	err_t (*table)(struct toml *t, struct toml_pos pos, const char *name);
	err_t (*value)(struct toml *t, struct toml_pos pos, const char *key,
		       const struct toml_value *v);
	/* the parser's */
	size_t at;
	struct toml_pos pos;
};

err_t toml_parse(struct toml *t);

/* E_CONFIG with the message "file:line:column: ...". */
err_t toml_error(const struct toml *t, struct toml_pos pos, const char *fmt, ...) printf_like(3, 4);

/* "a string", "an array" ... for messages. */
const char *toml_type_name(enum toml_type type);
