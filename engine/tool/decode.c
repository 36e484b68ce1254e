/*
 * The decode-table tool: a host program run by make. It reads a front end's instruction
 * table, checks it and writes decode.inc (a function per row, decision trees decode16() and
 * decode32()), rows.inc (ROW(...) of every row: disassembler, fuzzing), coverage.md. Syntax:
 *
 *	FORMAT(name, "operands", "immediate")
 *	I("picture", format, name, extension, meaning in IR-builder calls)
 *	S("picture", ...)		special case: wins over the wider row it lies in
 *
 * A picture has 16 or 32 bits, highest first: 0, 1, '-' (ignored) or the letter of a field.
 * Bits of letter i are put together as the format's immediate says: "-12|10:5|4:1|11" names
 * the value's bits in order of appearance, a leading '-' makes it signed. Every letter is a
 * variable in the meaning (s64 i, u32 others). A 3-bit d, s or t is a register 8..15.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1024
#define FORMATS_MAX 128

struct format {
	char *name, *operands, *imm;
	int bits;			/* of the immediate; sign included */
	int piece[32][2], pieces;	/* hi, lo in order of appearance */
	int top;			/* highest bit */
	int is_signed;
};

struct row {
	int special, line, width;
	char picture[33];		/* without spaces */
	uint32_t mask, value;
	struct format *format;
	char *name, *ext, *meaning, *id;
};

static struct row rows[ROWS_MAX];
static struct format formats[FORMATS_MAX];
static int row_count, format_count, line = 1, errors;
static const char *file;
static char *at;

static void complain(int where, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: ", file, where);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	errors++;
}

static void die(const char *what)
{
	complain(line, "%s", what);
	exit(1);
}

static char *copy(const char *from, size_t len)
{
	char *s = malloc(len + 1);

	if (!s)
		die("out of memory");
	memcpy(s, from, len);
	s[len] = 0;
	return s;
}

/* ---- reading ---- */

static void skip(void)
{
	for (;; at++) {
		if (at[0] == '/' && at[1] == '*') {
			for (at += 2; *at && !(at[0] == '*' && at[1] == '/'); at++)
				line += *at == '\n';
			if (!*at)
				die("unterminated comment");
			at++;
		} else if (*at == '\n') {
			line++;
		} else if (!isspace((unsigned char)*at)) {
			return;
		}
	}
}

static void expect(char c)
{
	skip();
	if (*at != c)
		die("syntax error");
	at++;
}

/* A quoted string, or text up to a comma or closing bracket outside of brackets. */
static char *argument(int rest)
{
	char *start;
	int depth = 0;

	skip();
	start = at;
	if (*at == '"' && !rest) {
		while (*++at != '"')
			if (!*at || *at == '\n')
				die("unterminated string");
		return copy(start + 1, (size_t)(at++ - start - 1));
	}
	for (; *at; at++) {
		line += *at == '\n';
		if (*at == '(' || *at == '{')
			depth++;
		else if (!depth && (*at == ')' || (*at == ',' && !rest)))
			return copy(start, (size_t)(at - start));
		else if (*at == ')' || *at == '}')
			depth--;
	}
	die("unterminated row");
	return NULL;
}

static void parse_immediate(struct format *f)
{
	const char *p = f->imm;

	f->is_signed = *p == '-';
	for (p += f->is_signed; *p;) {
		char *end;
		int hi = (int)strtol(p, &end, 10), lo = hi;

		if (*end == ':')
			lo = (int)strtol(end + 1, &end, 10);
		if (end == p || hi > 63 || lo > hi || f->pieces == 32) {
			complain(line, "format %s: bad immediate", f->name);
			return;
		}
		f->piece[f->pieces][0] = hi;
		f->piece[f->pieces++][1] = lo;
		f->bits += hi - lo + 1;
		f->top = hi > f->top ? hi : f->top;
		p = end + (*end == '|');
	}
}

static void parse_format(void)
{
	struct format *f = &formats[format_count++];

	if (format_count == FORMATS_MAX)
		die("too many formats");
	f->name = argument(0);
	expect(',');
	f->operands = argument(0);
	expect(',');
	f->imm = argument(0);
	parse_immediate(f);
}

static int letter_bits(const struct row *r, char c)
{
	int n = 0;

	for (const char *p = r->picture; *p; p++)
		n += *p == c;
	return n;
}

static void parse_picture(struct row *r, const char *text)
{
	char seen[256] = { 0 };

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		if (r->width == 32 || !(islower((unsigned char)*text) || strchr("01-", *text))) {
			complain(r->line, "%s: bad picture", r->name);
			return;
		}
		r->picture[r->width++] = *text;
	}
	if (r->width != 16 && r->width != 32) {
		complain(r->line, "%s: picture has %d bits", r->name, r->width);
		return;
	}
	for (int i = 0; i < r->width; i++) {
		unsigned char c = (unsigned char)r->picture[i];
		uint32_t bit = 1u << (r->width - 1 - i);

		r->mask |= c == '0' || c == '1' ? bit : 0;
		r->value |= c == '1' ? bit : 0;
		if (islower(c) && c != 'i' && seen[c] && r->picture[i - 1] != c)
			complain(r->line, "%s: field %c is in two pieces", r->name, c);
		seen[c] = 1;
	}
}

static void check_operands(const struct row *r)
{
	if (letter_bits(r, 'i') != r->format->bits)
		complain(r->line, "%s: picture has %d immediate bits, format %s has %d", r->name,
			 letter_bits(r, 'i'), r->format->name, r->format->bits);
	for (const char *p = r->format->operands; *p; p++)
		if (strchr("dstrDSTRim", *p) && !letter_bits(r, (char)tolower((unsigned char)*p)))
			complain(r->line, "%s: operand %c is not in the picture", r->name, *p);
}

static void parse_row(int special)
{
	struct row *r = &rows[row_count++];
	char *picture, *format;

	if (row_count == ROWS_MAX)
		die("too many rows");
	r->special = special;
	r->line = line;
	picture = argument(0);
	expect(',');
	format = argument(0);
	expect(',');
	r->name = argument(0);
	expect(',');
	r->ext = argument(0);
	expect(',');
	r->meaning = argument(1);
	parse_picture(r, picture);
	for (int i = 0; i < format_count; i++)
		if (!strcmp(formats[i].name, format))
			r->format = &formats[i];
	if (r->format)
		check_operands(r);
	else
		complain(r->line, "%s: no format %s", r->name, format);
}

static void parse(void)
{
	for (skip(); *at; skip()) {
		char *word = at;

		while (isalpha((unsigned char)*at))
			at++;
		word = copy(word, (size_t)(at - word));
		expect('(');
		if (!strcmp(word, "FORMAT"))
			parse_format();
		else if (!strcmp(word, "I") || !strcmp(word, "S"))
			parse_row(*word == 'S');
		else
			die("row must be FORMAT, I or S");
		expect(')');
		free(word);
	}
}

static char *slurp(const char *name)
{
	FILE *f = fopen(name, "rb");
	char *text = NULL;
	size_t len = 0, got;

	if (!f) {
		perror(name);
		exit(1);
	}
	do {
		text = realloc(text, len + 65536 + 1);
		if (!text)
			exit(1);
		got = fread(text + len, 1, 65536, f);
		len += got;
	} while (got);
	fclose(f);
	text[len] = 0;
	return text;
}

/* ---- checking ---- */

static int within(const struct row *inner, const struct row *outer)
{
	return inner->special && inner->mask != outer->mask &&
	       (inner->mask & outer->mask) == outer->mask;
}

static void check_overlaps(void)
{
	for (int i = 0; i < row_count; i++) {
		for (int j = i + 1; j < row_count; j++) {
			const struct row *a = &rows[i], *b = &rows[j];

			if (a->width != b->width || ((a->value ^ b->value) & a->mask & b->mask))
				continue;
			if (!within(a, b) && !within(b, a))
				complain(b->line, "%s overlaps %s (line %d)", b->name, a->name,
					 a->line);
		}
	}
}

static void name_rows(void)
{
	for (int i = 0; i < row_count; i++) {
		struct row *r = &rows[i];
		size_t len = strlen(r->name);
		int twice = 0;

		for (int j = 0; j < row_count; j++)
			twice |= j != i && !strcmp(rows[j].name, r->name);
		if (twice && strcmp(r->name, "reserved"))
			complain(r->line, "%s: name is used twice", r->name);
		r->id = copy(r->name, len + 12);
		if (twice)
			sprintf(r->id + len, "_%d", r->line);
		for (char *p = r->id; *p; p++)
			*p = *p == '.' ? '_' : *p;
	}
}

/* ---- writing: the rows' functions ---- */

static FILE *out;

static void emit_immediate(const struct row *r)
{
	const struct format *f = r->format;
	int bit = 0, left = 0;

	fprintf(out, "\ts64 i = %s(0", f->is_signed ? "sext" : "(s64)");
	for (int p = 0; p < f->pieces;) {
		int lo;

		/* One run in the picture may hold several pieces, and one piece several runs. */
		left = left ? left : f->piece[p][0] - f->piece[p][1] + 1;
		while (r->picture[bit] != 'i')
			bit++;
		for (lo = bit; lo - bit < left && r->picture[lo] == 'i'; lo++)
			;
		left -= lo - bit;
		fprintf(out, " | BITS(w, %d, %d) << %d", r->width - 1 - bit, r->width - lo,
			f->piece[p][1] + left);
		bit = lo;
		p += !left;
	}
	fprintf(out, f->is_signed ? ", %d);\n" : ");\n", f->top + 1);
	fprintf(out, "\t(void)i;\n");
}

static void emit_fields(const struct row *r)
{
	for (int hi = 0; hi < r->width; hi++) {
		char c = r->picture[hi];
		int lo = hi;

		if (!islower((unsigned char)c) || c == 'i' || (hi && r->picture[hi - 1] == c))
			continue;
		while (r->picture[lo + 1] == c)
			lo++;
		fprintf(out, "\tu32 %c = (u32)BITS(w, %d, %d)%s;\n\t(void)%c;\n", c,
			r->width - 1 - hi, r->width - 1 - lo,
			lo - hi == 2 && strchr("dst", c) ? " + 8" : "", c);
	}
	if (r->format->pieces)
		emit_immediate(r);
}

static void emit_rows(void)
{
	for (int i = 0; i < row_count; i++) {
		const struct row *r = &rows[i];

		fprintf(out, "static inline bool row_%s(struct translation *tr, u32 w)\n{\n",
			r->id);
		fprintf(out, "\tif (!HAS_%s)\n\t\treturn false;\n", r->ext);
		emit_fields(r);
		if (letter_bits(r, 'm'))
			fprintf(out, "\tif (!ROUNDING_VALID(m))\n\t\treturn false;\n");
		fprintf(out, "#line %d \"%s\"\n\t%s;\n\treturn true;\n}\n\n", r->line, file,
			r->meaning);
	}
}

/* ---- writing: the decision tree ---- */

static void emit_indent(int depth)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', out);
}

static int by_specificity(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;

	return __builtin_popcount(y->mask) - __builtin_popcount(x->mask);
}

/* Nothing left that tells all rows apart: ask for each, the most special first. */
static void emit_chain(struct row **set, int n, uint32_t tested, int depth)
{
	qsort(set, (size_t)n, sizeof(*set), by_specificity);
	for (int i = 0; i < n; i++) {
		uint32_t rest = set[i]->mask & ~tested;

		emit_indent(depth);
		if (rest)
			fprintf(out, "if ((w & 0x%x) == 0x%x)\n", rest, set[i]->value & rest);
		if (rest)
			emit_indent(depth + 1);
		fprintf(out, "return row_%s(tr, w);\n", set[i]->id);
		if (!rest)
			return;
	}
	emit_indent(depth);
	fprintf(out, "return false;\n");
}

/* The longest run of bits in @common: *lo and its length. */
static int longest_run(uint32_t common, int *lo)
{
	int best = 0;

	for (int i = 0; i < 32;) {
		int n = 0;

		while (i + n < 32 && common >> (i + n) & 1)
			n++;
		if (n > best) {
			best = n;
			*lo = i;
		}
		i += n ? n : 1;
	}
	return best;
}

static void emit_tree(struct row **set, int n, uint32_t tested, int depth)
{
	uint32_t common = ~tested, field;
	int lo = 0, len;

	for (int i = 0; i < n; i++)
		common &= set[i]->mask;
	len = longest_run(common, &lo);
	if (!len || n == 1) {
		emit_chain(set, n, tested, depth);
		return;
	}
	field = (len == 32 ? ~0u : (1u << len) - 1) << lo;
	emit_indent(depth);
	fprintf(out, "switch (w >> %d & 0x%x) {\n", lo, field >> lo);
	for (int i = 0; i < n;) {
		struct row **part = set + i;
		int m = 0;

		for (int j = i; j < n; j++) {
			if (!((set[j]->value ^ part[0]->value) & field)) {
				struct row *r = set[j];

				set[j] = part[m];
				part[m++] = r;
			}
		}
		emit_indent(depth);
		fprintf(out, "case 0x%x:\n", (part[0]->value & field) >> lo);
		emit_tree(part, m, tested | field, depth + 1);
		i += m;
	}
	emit_indent(depth);
	fprintf(out, "default:\n");
	emit_indent(depth + 1);
	fprintf(out, "return false;\n");
	emit_indent(depth);
	fprintf(out, "}\n");
}

static void emit_decoder(int width)
{
	struct row *set[ROWS_MAX];
	int n = 0;

	for (int i = 0; i < row_count; i++)
		if (rows[i].width == width)
			set[n++] = &rows[i];
	if (!n)
		return;
	fprintf(out, "/* Append the meaning of @w; false if it is undefined. */\n");
	fprintf(out, "static bool decode%d(struct translation *tr, u32 w)\n{\n", width);
	emit_tree(set, n, 0, 1);
	fprintf(out, "}\n\n");
}

/* ---- writing: lists ---- */

static void emit_list(void)
{
	fprintf(out, "/* ROW(name, extension, bytes, mask, value, picture, operands, "
		"immediate, special) */\n");
	for (int special = 1; special >= 0; special--)
		for (int i = 0; i < row_count; i++) {
			const struct row *r = &rows[i];

			if (r->special == special)
				fprintf(out, "ROW(\"%s\", \"%s\", %d, 0x%xu, 0x%xu, "
					"\"%s\", \"%s\", \"%s\", %d)\n",
					r->name, r->ext, r->width / 8, r->mask, r->value,
					r->picture, r->format->operands, r->format->imm, special);
		}
}

static void emit_coverage(void)
{
	fprintf(out, "# Instructions, by extension\n\nMade from %s by engine/tool/decode.c.\n",
		file);
	for (int i = 0; i < row_count; i++) {
		int first = 1;

		for (int j = 0; j < i; j++)
			first &= strcmp(rows[j].ext, rows[i].ext) != 0;
		if (!first)
			continue;
		fprintf(out, "\n## %s\n", rows[i].ext);
		for (int j = i; j < row_count; j++)
			if (!strcmp(rows[j].ext, rows[i].ext) && strcmp(rows[j].name, "reserved"))
				fprintf(out, "%s`%s`", first ? (first = 0, "") : ", ",
					rows[j].name);
		fprintf(out, "\n");
	}
}

static void open_output(const char *dir, const char *name)
{
	char path[512];

	if (out && fclose(out)) {
		perror(dir);
		exit(1);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	out = fopen(path, "w");
	if (!out) {
		perror(path);
		exit(1);
	}
	if (strstr(name, ".inc"))
		fprintf(out, "/* Made from %s by engine/tool/decode.c; do not edit. */\n\n", file);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: decode TABLE OUTPUT-DIRECTORY\n");
		return 64;
	}
	file = argv[1];
	at = slurp(file);
	parse();
	name_rows();
	check_overlaps();
	if (errors)
		return 1;
	open_output(argv[2], "decode.inc");
	emit_rows();
	emit_decoder(16);
	emit_decoder(32);
	open_output(argv[2], "rows.inc");
	emit_list();
	open_output(argv[2], "coverage.md");
	emit_coverage();
	return fclose(out) ? 1 : 0;
}
