/*
 * Tokenizer and parser of the TOML subset described in toml.h (TOML 1.0.0, toml.io). The text
 * is first checked as a whole (UTF-8, no control characters), so that everything after that
 * may look at bytes.
 */
#include "kernel/toml.h"
#include "kernel/base/str.h"
#include "kernel/utf8.h"

#define NAME_MAX_LEN 64

err_t toml_error(const struct toml *t, struct toml_pos pos, const char *fmt, ...)
{
	char text[160];
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	va_list ap;

	va_start(ap, fmt);
	sink_vprintf(&b.sink, fmt, ap);
	va_end(ap);
	return ERRF(E_CONFIG, "%s:%u:%u: %s", t->file, pos.line, pos.column, text);
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = { "a string", "a number", "a boolean", "an array" };

	return names[type];
}

/* ---- characters ------------------------------------------------------------------------ */

static char toml_peek(const struct toml *t)
{
	return t->at < t->len ? t->text[t->at] : '\0';
}

static void toml_advance(struct toml *t)
{
	char c = t->text[t->at++];

	if (c == '\n')
		t->pos = (struct toml_pos){ t->pos.line + 1, 1 };
	else if (((u8)c & 0xc0) != 0x80)
		t->pos.column++;
}

static bool toml_skip(struct toml *t, char c)
{
	if (t->at >= t->len || t->text[t->at] != c)
		return false;
	toml_advance(t);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
	       c == '-';
}

static err_t toml_check_text(struct toml *t)
{
	if (t->len >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0)
		t->at = 3;		/* a byte order mark, as editors on FAT's home leave it */
	size_t start = t->at;

	while (t->at < t->len) {
		u8 c = t->text[t->at];
		u32 n = utf8_len((const u8 *)t->text + t->at, t->len - t->at);

		if (!n)
			return toml_error(t, t->pos, "byte 0x%02x is not valid UTF-8", c);
		bool crlf = c == '\r' && t->at + 1 < t->len && t->text[t->at + 1] == '\n';

		if ((c < ' ' && c != '\t' && c != '\n' && !crlf) || c == 0x7f)
			return toml_error(t, t->pos, "control character 0x%02x", c);
		while (n--)
			toml_advance(t);
	}
	t->at = start;
	t->pos = (struct toml_pos){ 1, 1 };
	return OK;
}

/* What stands at the parser's position, for messages. */
static err_t toml_unexpected(struct toml *t, const char *wanted)
{
	char c = toml_peek(t);

	if (t->at >= t->len)
		return toml_error(t, t->pos, "expected %s, found the end of the file", wanted);
	if (c == '\n' || c == '\r')
		return toml_error(t, t->pos, "expected %s, found the end of the line", wanted);
	return toml_error(t, t->pos, "expected %s, found '%.*s'", wanted,
			  (int)utf8_len((const u8 *)t->text + t->at, t->len - t->at),
			  t->text + t->at);
}

static void toml_skip_blanks(struct toml *t)
{
	while (toml_peek(t) == ' ' || toml_peek(t) == '\t')
		toml_advance(t);
}

static void toml_skip_comment(struct toml *t)
{
	toml_skip_blanks(t);
	if (toml_peek(t) == '#')
		while (t->at < t->len && toml_peek(t) != '\n')
			toml_advance(t);
	toml_skip(t, '\r');
}

/* Blanks, comments and line ends, as allowed inside an array. */
static void toml_skip_lines(struct toml *t)
{
	do
		toml_skip_comment(t);
	while (toml_skip(t, '\n'));
}

static err_t toml_line_end(struct toml *t, const char *after)
{
	char wanted[48];

	toml_skip_comment(t);
	if (t->at >= t->len || toml_skip(t, '\n'))
		return OK;
	fmt_buf(wanted, sizeof(wanted), "the end of the line after %s", after);
	return toml_unexpected(t, wanted);
}

/*
 * A bare word of name characters (and @also); longer ones are refused by the caller's keys anyway.
 */
static err_t toml_name(struct toml *t, char also, char name[NAME_MAX_LEN])
{
	struct toml_pos pos = t->pos;
	size_t n = 0;

	for (char c; is_bare(c = toml_peek(t)) || (c && c == also); toml_advance(t)) {
		if (n == NAME_MAX_LEN - 1)
			return toml_error(t, pos, "name longer than %d characters",
					  NAME_MAX_LEN - 1);
		name[n++] = c;
	}
	name[n] = '\0';
	return OK;
}

/* ---- values ---------------------------------------------------------------------------- */

/*
 * The four digits of \uXXXX. NUL would cut a string short and surrogates are no characters: both
 * refused.
 */
static err_t toml_unicode(struct toml *t, struct toml_pos pos, u32 *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++, toml_advance(t)) {
		char c = toml_peek(t), lower = c | 0x20;

		if (is_digit(c))
			*code = *code << 4 | (u32)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			*code = *code << 4 | (u32)(lower - 'a' + 10);
		else
			return toml_error(t, pos, "\\u needs four hexadecimal digits");
	}
	if (*code == 0 || (*code >= 0xd800 && *code < 0xe000))
		return toml_error(t, pos, "\\u%04x is not a character", *code);
	return OK;
}

/*
 * One escape, its backslash already taken; the decoded bytes go to text[*out...], which lies
 * behind ->at.
 */
static err_t toml_escape(struct toml *t, struct toml_pos pos, size_t *out)
{
	static const char from[] = "\"\\nt", to[] = "\"\\\n\t";
	char c = toml_peek(t);
	const char *known = c ? str_chr(from, c) : NULL;
	u32 code;
	err_t e;

	if (known) {
		t->text[(*out)++] = to[known - from];
		toml_advance(t);
		return OK;
	}
	if (c != 'u')
		return toml_error(t, pos, "unknown escape; there are \\\" \\\\ \\n \\t \\uXXXX");
	toml_advance(t);
	e = toml_unicode(t, pos, &code);
	if (e == OK)
		*out += utf8_put(t->text + *out, code);
	return e;
}

static err_t toml_string(struct toml *t, struct toml_value *v)
{
	struct toml_pos start = t->pos;
	size_t out;
	err_t e;

	toml_advance(t);
	if (t->at + 1 < t->len && t->text[t->at] == '"' && t->text[t->at + 1] == '"')
		return toml_error(t, start, "multi-line strings are not supported; use \\n");
	out = t->at;
	v->type = TOML_STRING;
	v->string = t->text + out;
	for (;;) {
		struct toml_pos pos = t->pos;
		char c = toml_peek(t);

		if (t->at >= t->len || c == '\n' || c == '\r')
			return toml_error(t, start, "string without closing quote");
		toml_advance(t);
		if (c == '"')
			break;
		if (c != '\\')
			t->text[out++] = c;
		else if ((e = toml_escape(t, pos, &out)) != OK)
			return e;
	}
	t->text[out] = '\0';	/* at the latest where the closing quote was */
	return OK;
}

static err_t toml_array(struct toml *t, struct toml_value *v)
{
	struct toml_value item;
	struct toml_pos start = t->pos;
	err_t e;

	toml_advance(t);
	v->type = TOML_ARRAY;
	v->array.count = 0;
	for (;;) {
		toml_skip_lines(t);
		if (toml_skip(t, ']'))
			return OK;
		if (t->at >= t->len)
			return toml_error(t, start, "array without closing bracket");
		if (toml_peek(t) != '"')
			return toml_unexpected(t, "a string in double quotes or ']'");
		if (v->array.count == CONFIG_LIST_MAX)
			return toml_error(t, t->pos, "more than %d items", CONFIG_LIST_MAX);
		if ((e = toml_string(t, &item)) != OK)
			return e;
		v->array.item[v->array.count++] = item.string;
		toml_skip_lines(t);
		if (!toml_skip(t, ',') && toml_peek(t) != ']' && t->at < t->len)
			return toml_unexpected(t, "',' or ']'");
	}
}

static err_t toml_integer(struct toml *t, const char *word, struct toml_value *v)
{
	v->type = TOML_INTEGER;
	if (word[0] == '-')
		return toml_error(t, v->pos, "%s: numbers must not be negative", word);
	if (word[0] == '0' && is_digit(word[1]))
		return toml_error(t, v->pos, "%s: a number must not begin with 0", word);
	if (str_to_u64(word, &v->integer))
		return OK;
	if (str_to_size(word, &v->integer))
		return toml_error(t, v->pos, "a size with a unit is a string: \"%s\"", word);
	return toml_error(t, v->pos, "%s is not a whole number of at most 64 bits", word);
}

/* Numbers, true, false; and words that somebody forgot to quote. */
static err_t toml_word(struct toml *t, struct toml_value *v)
{
	char word[NAME_MAX_LEN];
	err_t e = OK;

	if (toml_peek(t) == '+') {	/* not a name character, and means nothing */
		toml_advance(t);
		if (!is_digit(toml_peek(t)))
			return toml_unexpected(t, "a digit after '+'");
	}
	e = toml_name(t, '.', word);
	if (e != OK)
		return e;
	if (!word[0])
		return toml_unexpected(t, "a value");
	if (is_digit(word[0]) || word[0] == '-')
		return toml_integer(t, word, v);
	v->type = TOML_BOOLEAN;
	v->boolean = str_eq(word, "true");
	if (!v->boolean && !str_eq(word, "false"))
		return toml_error(t, v->pos, "strings need quotes: \"%s\"", word);
	return OK;
}

static err_t toml_value(struct toml *t, struct toml_value *v)
{
	v->pos = t->pos;
	switch (toml_peek(t)) {
	case '"':
		return toml_string(t, v);
	case '[':
		return toml_array(t, v);
	case '\'':
		return toml_error(t, v->pos, "strings need double quotes");
	case '{':
		return toml_error(t, v->pos, "inline tables are not supported; write a [table]");
	default:
		return toml_word(t, v);
	}
}

/* ---- lines ----------------------------------------------------------------------------- */

static err_t toml_table(struct toml *t)
{
	struct toml_pos start = t->pos;
	char name[NAME_MAX_LEN];
	err_t e;

	toml_advance(t);
	if (toml_peek(t) == '[')
		return toml_error(t, start, "arrays of tables are not supported");
	toml_skip_blanks(t);
	e = toml_name(t, '.', name);
	if (e != OK)
		return e;
	toml_skip_blanks(t);
	if (!name[0])
		return toml_unexpected(t, "a table name");
	if (!toml_skip(t, ']'))
		return toml_unexpected(t, "']' after the table name");
	e = toml_line_end(t, "the table name");
	return e == OK ? t->table(t, start, name) : e;
}

static err_t toml_pair(struct toml *t)
{
	struct toml_pos start = t->pos;
	struct toml_value v = { 0 };
	char key[NAME_MAX_LEN];
	err_t e;

	if (toml_peek(t) == '"' || toml_peek(t) == '\'')
		return toml_error(t, start, "keys are not quoted");
	e = toml_name(t, '\0', key);
	if (e != OK)
		return e;
	if (!key[0])
		return toml_unexpected(t, "a key, a [table] or a comment");
	if (toml_peek(t) == '.')
		return toml_error(t, start, "dotted keys are not supported; write a [table]");
	toml_skip_blanks(t);
	if (!toml_skip(t, '='))
		return toml_unexpected(t, "'=' after the key");
	toml_skip_blanks(t);
	e = toml_value(t, &v);
	if (e != OK)
		return e;
	e = toml_line_end(t, "the value");
	return e == OK ? t->value(t, start, key, &v) : e;
}

err_t toml_parse(struct toml *t)
{
	err_t e;

	t->at = 0;
	t->pos = (struct toml_pos){ 1, 1 };
	e = toml_check_text(t);
	while (e == OK) {
		toml_skip_lines(t);
		toml_skip_blanks(t);
		if (t->at >= t->len)
			break;
		e = toml_peek(t) == '[' ? toml_table(t) : toml_pair(t);
	}
	return e;
}
