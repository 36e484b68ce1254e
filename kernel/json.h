/*
 * A JSON writer (RFC 8259): commas, quotes and escapes; the caller keeps brackets and keys in
 * order.
 */
#pragma once

#include "kernel/base/fmt.h"

struct json {
	struct sink *to;
	bool comma;			/* the next key or value needs one before it */
};

static inline struct json json_begin(struct sink *to)
{
	return (struct json){ to, false };
}

void json_open(struct json *j, char bracket);	/* '{' or '[' */
void json_close(struct json *j, char bracket);	/* '}' or ']' */
void json_key(struct json *j, const char *key);
/* bytes that are not UTF-8 become U+FFFD; NULL: null */
void json_string(struct json *j, const char *s);
void json_number(struct json *j, u64 v);
void json_boolean(struct json *j, bool v);
