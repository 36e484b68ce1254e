/* Command output as text or JSON, see report.h. */
#include "kernel/report.h"
#include "kernel/base/str.h"

void size_text(char *buf, size_t cap, u64 bytes)
{
	static const char units[] = "\0KMGT";
	u32 u = 0;

	while (u < 4 && (bytes >= 10240 || (bytes && bytes % 1024 == 0))) {
		bytes /= 1024;
		u++;
	}
	fmt_buf(buf, cap, u ? "%llu%c" : "%llu", (unsigned long long)bytes, units[u]);
}

void report_begin(struct report *r, struct sink *to, bool as_json)
{
	*r = (struct report){ .to = to, .as_json = as_json, .json = json_begin(to) };
}

static void report_open(struct report *r)
{
	if (!r->opened)
		json_open(&r->json, '{');
	r->opened = true;
}

static void report_key(struct report *r, const char *key)
{
	report_open(r);
	json_key(&r->json, key);
}

void report_end(struct report *r)
{
	if (!r->as_json)
		return;
	report_open(r);
	json_close(&r->json, '}');
	sink_puts(r->to, "\n");
}

void report_list(struct report *r, const char *key)
{
	r->table = true;
	r->rows = 0;
	if (!r->as_json)
		return;
	report_key(r, key);
	json_open(&r->json, '[');
}

void report_list_end(struct report *r)
{
	r->table = false;
	if (r->as_json)
		json_close(&r->json, ']');
}

void report_row(struct report *r)
{
	r->heading_len = r->line_len = 0;
	r->heading[0] = r->line[0] = '\0';
	if (r->as_json)
		json_open(&r->json, '{');
}

void report_row_end(struct report *r)
{
	if (r->as_json) {
		json_close(&r->json, '}');
		return;
	}
	if (r->table && !r->rows++)
		sink_printf(r->to, "%s\n", r->heading);
	sink_printf(r->to, "%s\n", r->line);
}

/* Append a cell, cut to what the row can hold. */
static void row_cell(char *row, size_t cap, u32 *len, u32 width, const char *text)
{
	*len += (u32)fmt_buf(row + *len, cap - *len, width ? "%-*s " : "%*s", (int)width, text);
	*len = MIN(*len, (u32)cap - 1);
}

static void report_cell(struct report *r, const char *key, u32 width, const char *text)
{
	if (!r->table) {
		sink_printf(r->to, "%-14s %s\n", key, text);
		return;
	}
	row_cell(r->heading, sizeof(r->heading), &r->heading_len, width, key);
	row_cell(r->line, sizeof(r->line), &r->line_len, width, text);
}

void report_text(struct report *r, const char *key, u32 width, const char *fmt, ...)
{
	char text[256];
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(&b.sink, fmt, ap);
	va_end(ap);
	if (!r->as_json) {
		report_cell(r, key, width, text);
		return;
	}
	report_key(r, key);
	json_string(&r->json, text);
}

void report_number(struct report *r, const char *key, u32 width, u64 v)
{
	char text[24];

	if (r->as_json) {
		report_key(r, key);
		json_number(&r->json, v);
		return;
	}
	fmt_buf(text, sizeof(text), "%llu", (unsigned long long)v);
	report_cell(r, key, width, text);
}

void report_size(struct report *r, const char *key, u32 width, u64 bytes)
{
	char text[24];

	if (r->as_json) {
		report_number(r, key, width, bytes);
		return;
	}
	size_text(text, sizeof(text), bytes);
	report_cell(r, key, width, text);
}

void report_lines(struct report *r, const char *key, const char *text)
{
	if (!r->as_json) {
		sink_puts(r->to, text);
		return;
	}
	report_key(r, key);
	json_string(&r->json, text);
}

void report_remark(struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->as_json)
		return;
	va_start(ap, fmt);
	sink_vprintf(r->to, fmt, ap);
	va_end(ap);
}

void report_error(struct sink *to, bool as_json, const char *code, const char *text)
{
	struct json j = json_begin(to);

	if (!as_json) {
		sink_printf(to, "error: %s\n", text);
		return;
	}
	json_open(&j, '{');
	json_key(&j, "error");
	json_string(&j, text);
	json_key(&j, "code");
	json_string(&j, code);
	json_close(&j, '}');
	sink_puts(to, "\n");
}
