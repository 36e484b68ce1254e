/* JSON writer, see json.h. Everything is written as it comes; nothing is kept but one flag. */
#include "kernel/json.h"
#include "kernel/base/str.h"
#include "kernel/utf8.h"

static void json_separate(struct json *j)
{
	if (j->comma)
		sink_puts(j->to, ",");
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	json_separate(j);
	sink_write(j->to, &bracket, 1);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	sink_write(j->to, &bracket, 1);
	j->comma = true;
}

static void json_escape(struct json *j, u8 c)
{
	static const char from[] = "\"\\\n\t", to[] = "\"\\nt";
	const char *known = c ? str_chr(from, (char)c) : NULL;

	if (known)
		sink_printf(j->to, "\\%c", to[known - from]);
	else
		sink_printf(j->to, "\\u%04x", c);
}

static void json_quote(struct json *j, const char *s)
{
	size_t left = str_len(s);

	sink_puts(j->to, "\"");
	while (left) {
		u32 n = utf8_len((const u8 *)s, left);

		if (!n)
			sink_puts(j->to, "\xef\xbf\xbd");
		else if ((u8)*s < ' ' || *s == '"' || *s == '\\' || *s == 0x7f)
			json_escape(j, (u8)*s);
		else
			sink_write(j->to, s, n);
		n += !n;
		s += n;
		left -= n;
	}
	sink_puts(j->to, "\"");
}

void json_key(struct json *j, const char *key)
{
	json_separate(j);
	json_quote(j, key);
	sink_puts(j->to, ":");
	j->comma = false;
}

void json_string(struct json *j, const char *s)
{
	json_separate(j);
	if (s)
		json_quote(j, s);
	else
		sink_puts(j->to, "null");
}

void json_number(struct json *j, u64 v)
{
	json_separate(j);
	sink_printf(j->to, "%llu", (unsigned long long)v);
}

void json_boolean(struct json *j, bool v)
{
	json_separate(j);
	sink_puts(j->to, v ? "true" : "false");
}
