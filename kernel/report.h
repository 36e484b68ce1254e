/*
 * What a monitor command has to say, written once and printed either for people (aligned
 * columns) or as one JSON value. The same calls do both; in text a list is a table whose
 * heading comes from the first row's keys, outside a list every item is a line "key  value".
 */
#pragma once

#include "kernel/json.h"

struct report {
	struct sink *to;
	bool as_json;
	/* the report's */
	struct json json;
	bool opened; /* the JSON object; with the first item, so that an error can come instead */
	bool table;
	u32 rows;
	char heading[160], line[320];
	u32 heading_len, line_len;
};

void report_begin(struct report *r, struct sink *to, bool as_json);
void report_end(struct report *r);

void report_list(struct report *r, const char *key);
void report_list_end(struct report *r);
void report_row(struct report *r);
void report_row_end(struct report *r);

/* @width: of the column in a table (0: the last one); ignored elsewhere. */
void report_text(struct report *r, const char *key, u32 width, const char *fmt, ...)
	printf_like(4, 5);
void report_number(struct report *r, const char *key, u32 width, u64 v);
/* Bytes in JSON, "512M" in text. */
void report_size(struct report *r, const char *key, u32 width, u64 bytes);
/* Lines of text: printed as they are, a string in JSON. */
void report_lines(struct report *r, const char *key, const char *text);
/* Only for people. */
void report_remark(struct report *r, const char *fmt, ...) printf_like(2, 3);
/* The only thing said: {"error": ..., "code": ...}. */
void report_error(struct sink *to, bool as_json, const char *code, const char *text);

/* "512M", "1536K", "7": the largest unit that loses nothing, or rounded down to four digits. */
void size_text(char *buf, size_t cap, u64 bytes);
