/*
 * Golden counts of host instructions: what each target of the translator makes of the snippets in
 * rv64.S, compared with a table, so that the code cannot become worse without anyone noticing.
 *
 *	golden CODE TABLE [update]	compare with the table, or write it anew
 *	golden CODE - NAME TARGET	the bytes of one snippet, for a disassembler
 *
 * Nothing is run, so every target is judged on every host. What is counted is the part of a block
 * that runs when nothing unusual happens, without what every block has: the row "block" tells how
 * much that is. A call of jit_slow() in it counts as a hundred.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/back/aarch64/aarch64.h"
#include "engine/back/jit/jit.h"
#include "engine/back/x86_64/x86_64.h"
#include "engine/front/rv64/rv64.h"
#include "kernel/base/str.h"

#define PC		0x80000100ull
#define SNIPPETS	400
#define UNKNOWN		INT32_MIN
#define CALL		100

extern const struct isa rv64_isa;
void gcpu_kick(struct gcpu *g) { (void)g; }

static u32 x86_count(const u8 *at, const u8 *end);
static u32 a64_count(const u8 *at, const u8 *end);

static const struct column {
	const char *name;
	const struct jit_target *target;
	u32 features;
	u32 (*count)(const u8 *at, const u8 *end);	/* UINT32_MAX: not whole instructions */
	bool views;
} columns[] = {
	{ "x86_64", &x86_64_target, ~0u, x86_count, false },
	{ "x86_64-view", &x86_64_target, ~0u, x86_count, true },
	{ "x86_64-base", &x86_64_target, 0, x86_count, false },
	{ "aarch64", &aarch64_target, A64_LSE, a64_count, false },
	{ "aarch64-view", &aarch64_target, A64_LSE, a64_count, true },
};
#define COLUMNS ARRAY_LEN(columns)

struct snippet {
	char where;		/* 'k' or 'u' */
	const char *name;
	const u8 *code;
	u32 len;
	s32 count[COLUMNS], want[COLUMNS];
};

static struct snippet snippets[SNIPPETS];
static u32 snippet_count;

/* ---- x86-64 instructions, as far as the translator writes them ---- */

/* Bytes of ModRM and what follows it but for an immediate. */
static u32 modrm_length(const u8 *p)
{
	u32 mod = p[0] >> 6, rm = p[0] & 7, n = 1;

	if (mod == 3)
		return 1;
	if (rm == 4)
		n += 1 + (mod == 0 && (p[1] & 7) == 5 ? 4 : 0);
	return n + (mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0);
}

/* Bytes of an immediate behind ModRM, whose register field is @digit. */
static u32 immediate_length(u32 map, u32 op, u32 digit, u32 full)
{
	if (map == 3)
		return 1;
	if (map == 1)
		return op == 0xba || op == 0xc2 || op == 0xc6 ? 1 : 0;
	if (map)
		return 0;
	switch (op) {
	case 0x6b: case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6:
		return 1;
	case 0x69: case 0x81: case 0xc7:
		return full;
	case 0xf6:
		return digit < 2 ? 1 : 0;
	case 0xf7:
		return digit < 2 ? full : 0;
	default:
		return 0;
	}
}

/* Bytes behind an opcode that has no ModRM; UINT32_MAX: it has. */
static u32 plain_length(u32 map, u32 op, bool wide)
{
	if (map == 1 && (op & 0xf0) == 0x80)
		return 4;			/* Jcc */
	if (map == 1 && (op & 0xf8) == 0xc8)
		return 0;			/* BSWAP */
	if (map)
		return UINT32_MAX;
	if ((op & 0xf8) == 0xb8)
		return wide ? 8 : 4;
	if ((op & 0xf0) == 0x70 || op == 0xeb)
		return 1;
	if (op == 0xe8 || op == 0xe9)
		return 4;
	return op == 0x99 || op == 0xc3 ? 0 : UINT32_MAX;
}

static u32 x86_length(const u8 *p)
{
	u32 n = 0, map = 0, op, plain;
	bool half = false, wide = false;

	for (; p[n] == 0x65 || p[n] == 0x66 || p[n] == 0xf0 || p[n] == 0xf2 || p[n] == 0xf3; n++)
		half |= p[n] == 0x66;
	if ((p[n] & 0xf0) == 0x40)
		wide = p[n++] >> 3 & 1;
	if (p[n] == 0xc4 || p[n] == 0xc5) {
		map = p[n] == 0xc4 ? p[n + 1] & 31 : 1;
		n += p[n] == 0xc4 ? 3 : 2;
	} else if (p[n] == 0x0f) {
		n++;
		map = p[n] == 0x38 ? 2 : p[n] == 0x3a ? 3 : 1;
		n += map > 1;
	}
	op = p[n++];
	plain = plain_length(map, op, wide);
	if (plain != UINT32_MAX)
		return n + plain;
	return n + modrm_length(p + n) +
	       immediate_length(map, op, p[n] >> 3 & 7, half ? 2 : 4);
}

static u32 x86_count(const u8 *at, const u8 *end)
{
	u32 n = 0;

	for (; at < end; at += x86_length(at))
		n += *at == 0xe8 ? CALL : 1;
	return at == end ? n : UINT32_MAX;
}

static u32 a64_count(const u8 *at, const u8 *end)
{
	u32 n = 0;

	for (; at < end; at += 4)
		n += load_le32(at) >> 26 == 0x25 ? CALL : 1;	/* BL */
	return at == end ? n : UINT32_MAX;
}

/* ---- translating ---- */

static u8 host[KIB(64)];		/* common code, then a block's */
static u8 memory[KIB(64)] aligned_to(64);	/* of the block */

/* Translate @s; the code lies between j->start, j->cold_at and j->at. */
static void translate(struct jit *j, const struct column *c, const struct snippet *s)
{
	static struct code_cache cache = { .rw = host, .memory = { memory },
					   .sector_size = sizeof(memory) };
	static struct ir_block ir;
	struct code_window w = { .pc = PC, .bytes = s->code, .len = s->len,
				 .ctx = PRIV_S | CTX_SBI, .features = rv64_isa.features };

	if (s->where == 'u')
		w.ctx = PRIV_U | CTX_FP | CTX_FP_DIRTY | CTX_FRM;
	ir_begin(&ir, w.pc, w.ctx, IR_INSNS_MAX);
	if (!rv64_isa.translate(&w, &ir)) {
		fprintf(stderr, "golden: no code in %s\n", s->name);
		exit(4);
	}
	ir_finish(&ir, w.pc + ir.bytes);
	memset(j, 0, sizeof(*j));
	jit_setup(j, c->target, c->features, &rv64_isa, &cache);
	j->start = j->at = host;
	j->end = host + sizeof(host);
	j->t->common(j);
	j->start = j->at;
	j->fp = s->where == 'u';
	j->views = j->in_view = c->views;
	memset(memory, 0, sizeof(memory));
	if (!jit_lower(j, &ir, (struct block *)memory)) {
		fprintf(stderr, "golden: no room for %s\n", s->name);
		exit(4);
	}
}

static s32 count(const struct column *c, const struct snippet *s)
{
	static struct jit j;
	u32 hot, cold;

	translate(&j, c, s);
	hot = c->count(j.start, j.cold_at);
	cold = c->count(j.cold_at, j.at);
	if (hot == UINT32_MAX || cold == UINT32_MAX) {
		fprintf(stderr, "golden: an instruction of unknown length in %s on %s\n", s->name,
			c->name);
		exit(4);
	}
	return (s32)hot;
}

/* ---- files ---- */

static char code[KIB(64)], table[KIB(64)];

/* The whole file, with a zero behind it. */
static char *file_read(const char *path, char text[KIB(64)])
{
	FILE *f = fopen(path, "rb");
	size_t len = f ? fread(text, 1, KIB(64), f) : 0;

	if (!f || ferror(f) || len == KIB(64)) {
		perror(path);
		exit(4);
	}
	text[len] = 0;
	fclose(f);
	return text;
}

/* The records: see rv64.S. The first snippet is the block without anything in it. */
static void snippets_read(const char *path)
{
	const u8 *p = (u8 *)file_read(path, code);
	static const u8 nop[] = { 0x13, 0, 0, 0 };

	snippets[snippet_count++] = (struct snippet){ .where = 'k', .name = "block", .code = nop,
						      .len = sizeof(nop) };
	while (load_le32(p)) {
		struct snippet *s = &snippets[snippet_count++];

		s->len = load_le32(p);
		s->where = (char)p[4];
		s->name = (const char *)p + 5;
		s->code = p + ALIGN_UP(5 + strlen(s->name) + 1, (size_t)4);
		p = s->code + s->len;
	}
	for (u32 i = 0; i < snippet_count; i++)
		for (u32 c = 0; c < COLUMNS; c++) {
			snippets[i].count[c] = count(&columns[c], &snippets[i]);
			snippets[i].count[c] -= i ? snippets[0].count[c] : 0;
			snippets[i].want[c] = UNKNOWN;
		}
}

static struct snippet *snippet_find(const char *name)
{
	for (u32 i = 0; i < snippet_count; i++)
		if (!strcmp(snippets[i].name, name))
			return &snippets[i];
	return NULL;
}

/* Rows of a name and a number for each column. True if every row is of a snippet. */
static bool table_read(const char *path)
{
	bool good = true;

	for (char *line = strtok(file_read(path, table), "\n"); line; line = strtok(NULL, "\n")) {
		char name[64], *p = line;
		struct snippet *s;
		int n;

		if (*line == '#' || sscanf(p, "%63s%n", name, &n) != 1)
			continue;
		s = snippet_find(name);
		for (u32 c = 0; s && c < COLUMNS; c++)
			s->want[c] = (s32)strtol(p + n, &p, 10), n = 0;
		if (!s)
			printf("    %s: in the table only\n", name);
		good &= s != NULL;
	}
	return good;
}

static void table_write(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		exit(4);
	}
	fprintf(f, "# Host instructions for each snippet of rv64.S: see golden.c. Written by "
		"`make golden UPDATE=1`.\n#");
	for (u32 c = 0; c < COLUMNS; c++)
		fprintf(f, " %s", columns[c].name);
	fprintf(f, "\n");
	for (u32 i = 0; i < snippet_count; i++) {
		fprintf(f, "%-16s", snippets[i].name);
		for (u32 c = 0; c < COLUMNS; c++)
			fprintf(f, " %4d", snippets[i].count[c]);
		fprintf(f, "\n");
	}
	fclose(f);
}

/* ---- judging ---- */

static bool judge(u32 c, bool good)
{
	s32 total = 0;

	for (u32 i = 0; i < snippet_count; i++) {
		const struct snippet *s = &snippets[i];

		total += s->count[c];
		if (s->count[c] == s->want[c])
			continue;
		good = false;
		if (s->want[c] == UNKNOWN)
			printf("    %s on %s: %d instructions, not in the table\n", s->name,
			       columns[c].name, s->count[c]);
		else
			printf("    %s on %s: %d instructions, the table says %d\n", s->name,
			       columns[c].name, s->count[c], s->want[c]);
	}
	printf("%s golden/%s: %u snippets, %d instructions\n", good ? "PASS" : "FAIL",
	       columns[c].name, snippet_count, total);
	return good;
}

static int compare(const char *path)
{
	bool known = table_read(path), good = true;

	for (u32 c = 0; c < COLUMNS; c++)
		good &= judge(c, known);
	if (!good)
		printf("    Worse code is a fault. If it is better, or worse for a reason: "
		       "make golden UPDATE=1\n");
	return !good;
}

static int show(const char *name, const char *target)
{
	static struct jit j;
	const struct snippet *s = snippet_find(name);

	for (u32 c = 0; s && c < COLUMNS; c++) {
		if (strcmp(columns[c].name, target))
			continue;
		translate(&j, &columns[c], s);
		for (const u8 *p = j.start; p < j.at; p++)
			printf("%s0x%02x ", p == j.cold_at ? "\n" : "", *p);
		printf("\n");
		return 0;
	}
	fprintf(stderr, "golden: no snippet %s, or no target %s\n", name, target);
	return 64;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: golden CODE TABLE [update]\n");
		return 64;
	}
	snippets_read(argv[1]);
	if (argc == 5)
		return show(argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[3], "update"))
		table_write(argv[2]);
	return compare(argv[2]);
}
