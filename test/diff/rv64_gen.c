/*
 * The generator. Instructions come from the table's rows with random fields, but so that a
 * program stays inside its pages: base registers (x2, x8, x9) point into the data and are
 * not written, jumps only lead forward to an instruction boundary, system instructions are
 * left out. One in thirty gets a fixed bit flipped, to meet undefined encodings. What needs
 * a predecessor comes with it: jumps through a register, store-conditionals.
 */
#include <stdlib.h>
#include <string.h>

#include "rv64_gen.h"

#define INSNS_MAX 43
#define NOT_THROUGH UINT32_MAX

struct row {
	const char *name, *ext;
	u32 bytes, mask, value;
	const char *picture, *operands, *imm;
};

static const struct row rows[] = {
#define ROW(name, ext, bytes, mask, value, picture, operands, imm, special) \
	{ name, ext, bytes, mask, value, picture, operands, imm },
#include "engine/front/rv64/rows.inc"
#undef ROW
};

static bool is(const struct row *r, const char *name) { return !strcmp(r->name, name); }
static bool is_jump(const struct row *r) { return strchr(r->operands, 'p') != NULL; }
static bool is_memory(const struct row *r) { return strchr(r->operands, '(') != NULL; }
static bool is_csr(const struct row *r) { return !strncmp(r->name, "csr", 3); }

/*
 * Instructions that qemu-user treats otherwise, or that leave the program. QEMU before 8.0
 * gets ctzw wrong (it looks at the upper half too); test/isa covers it.
 */
static bool unfit(const struct row *r)
{
	static const char *const ext[] = { "S", "Svinval", "Zawrs", "Zicond", "Zicbom", "Zicboz" };
	static const char *const name[] = {
		"ecall", "ebreak", "c.ebreak", "jalr", "c.jr", "c.jalr", "sc.w", "sc.d", "pause",
		"ctzw",
	};

	for (u32 i = 0; i < ARRAY_LEN(ext); i++)
		if (!strcmp(r->ext, ext[i]))
			return true;
	for (u32 i = 0; i < ARRAY_LEN(name); i++)
		if (is(r, name[i]))
			return true;
	return false;
}

static const struct row *row_of(u32 w)
{
	u32 bytes = (w & 3) == 3 ? 4 : 2;

	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++)
		if (r->bytes == bytes && (w & r->mask) == r->value)
			return r;
	return NULL;
}

/* ---- fields ---- */

static u32 field_bits(const struct row *r, char c)
{
	u32 n = 0;

	for (const char *p = r->picture; *p; p++)
		n += *p == c;
	return n;
}

static u32 field_set(const struct row *r, u32 w, char c, u32 v)
{
	u32 at = field_bits(r, c);

	for (u32 i = 0; r->picture[i]; i++)
		if (r->picture[i] == c) {
			u32 bit = 1u << (8 * r->bytes - 1 - i);

			w = v >> --at & 1 ? w | bit : w & ~bit;
		}
	return w;
}

/* Put the value @v into the immediate's bits, in the format's order. */
static u32 imm_set(const struct row *r, u32 w, s64 v)
{
	u32 bits = 0, n = 0;
	const char *p = r->imm + (*r->imm == '-');

	while (*p) {
		char *end;
		u32 hi = (u32)strtoul(p, &end, 10), lo = hi;

		if (*end == ':')
			lo = (u32)strtoul(end + 1, &end, 10);
		for (u32 b = hi + 1; b-- > lo; n++)
			bits = bits << 1 | (u32)(v >> b & 1);
		p = end + (*end == '|');
	}
	return field_set(r, w, 'i', bits);
}

static bool is_base(u32 reg) { return reg == 2 || reg == 8 || reg == 9; }

/* A register number for a destination field of @bits bits. */
static u32 pick_destination(struct rng *g, u32 bits)
{
	u32 n;

	if (bits == 3)
		return 2 + rng_below(g, 6);		/* x10..x15 */
	do
		n = rng_below(g, 32);
	while (is_base(n));
	return n;
}

static u32 pick_base(struct rng *g, u32 bits)
{
	static const u32 base[] = { 8, 9, 2 };

	return bits == 3 ? rng_below(g, 2) : base[rng_below(g, 3)];
}

static u32 gen_fields(struct rng *g, const struct row *r)
{
	u32 w = ((u32)rng_next(g) & ~r->mask) | r->value;

	if (field_bits(r, 'd') && !strchr(r->operands, 'D'))
		w = field_set(r, w, 'd', pick_destination(g, field_bits(r, 'd')));
	if (is_memory(r) && field_bits(r, 's'))
		w = field_set(r, w, 's', pick_base(g, field_bits(r, 's')));
	if (field_bits(r, 'm') && rng_below(g, 8))
		w = field_set(r, w, 'm', rng_below(g, 4) ? 7 : rng_below(g, 5));
	if (is_csr(r))
		w = field_set(r, w, 'c', 1 + rng_below(g, 3));
	if (is(r, "c.addi16sp"))
		w = imm_set(r, w, 16 * (1 + (s64)rng_below(g, 2)) * (rng_below(g, 2) ? 1 : -1));
	return w;
}

/*
 * QEMU before 8.0 loads and stores whole vector registers (vl*re*, vs*r) also where there is no V
 * extension. To us, and to later ones, they are illegal.
 */
static bool is_whole_vector(u32 w)
{
	u32 opcode = w & 0x7f, width = w >> 12 & 7;
	bool vector = (opcode == 0x07 || opcode == 0x27) && (width == 0 || width >= 5);

	return vector && (w >> 20 & 0x1f) == 8 && (w >> 26 & 3) == 0;
}

/* Flip a fixed bit; what then means something else that is unfit is taken back. */
static u32 mutate(struct rng *g, u32 w, const struct row *r)
{
	u32 m = w ^ 1u << rng_below(g, 8 * r->bytes);
	const struct row *now = row_of(m);

	if (((m ^ w) & 3 && (m & 3) == 3) || ((m & 3) != 3 && r->bytes == 4))
		return w;				/* another length */
	return now || is_whole_vector(m) ? w : m;
}

/* ---- programs ---- */

static u32 gen_insn(struct rng *g)
{
	const struct row *r;
	u32 w;

	do
		r = &rows[rng_below(g, ARRAY_LEN(rows))];
	while (unfit(r));
	w = gen_fields(g, r);
	if (row_of(w) != r && (!row_of(w) || unfit(row_of(w)) || is_base(w >> 7 & 31)))
		return gen_insn(g);		/* a special case of the row */
	if (!rng_below(g, 30))
		w = mutate(g, w, r);
	return w;
}

struct code {
	u32 n, at[INSNS_MAX + 1], w[INSNS_MAX];
	const struct row *row[INSNS_MAX];
	bool inner[INSNS_MAX];			/* not to be jumped to */
	u32 through[INSNS_MAX];			/* the auipc that this jump's target counts from */
};

static const struct row *row_named(const char *name)
{
	const struct row *r = rows;

	while (!is(r, name))
		r++;
	return r;
}

static u32 *add(struct code *p, u32 w, bool inner)
{
	p->w[p->n] = w;
	p->row[p->n] = row_of(w);
	p->inner[p->n] = inner;
	return &p->w[p->n++];
}

static void add_field(u32 *w, char c, u32 v)
{
	*w = field_set(row_of(*w), *w, c, v);
}

/* auipc and a jalr, or a c.jr or c.jalr behind an addi; link() fills in the distance. */
static void add_indirect(struct code *p, struct rng *g)
{
	static const char *const name[] = { "jalr", "c.jr", "c.jalr" };
	u32 kind = rng_below(g, 3), via, first = p->n;

	do
		via = pick_destination(g, 5);
	while (!via);
	add_field(add(p, row_named("auipc")->value, false), 'd', via);
	if (kind) {
		u32 *w = add(p, row_named("addi")->value, true);

		add_field(w, 'd', via);
		add_field(w, 's', via);
	}
	p->through[p->n - 1 + !kind] = first;
	u32 *w = add(p, field_set(row_named(name[kind]), row_named(name[kind])->value, 's', via),
		     true);
	if (!kind)
		add_field(w, 'd', pick_destination(g, 5));
}

/* lr and sc to the same place, and sometimes once more sc, which must fail. */
static void add_conditional(struct code *p, struct rng *g)
{
	bool wide = rng_below(g, 2);
	u32 lr = gen_fields(g, row_named(wide ? "lr.d" : "lr.w"));

	add(p, lr, false);
	for (u32 k = 1 + rng_below(g, 2); k; k--) {
		u32 *sc = add(p, gen_fields(g, row_named(wide ? "sc.d" : "sc.w")), true);

		add_field(sc, 's', lr >> 15 & 31);
	}
}

/* Where the jump at @i goes: to an instruction that may be entered. */
static u32 pick_target(const struct code *p, struct rng *g, u32 i)
{
	u32 to = i + 1 + rng_below(g, MIN(p->n - i, 8u));

	while (to < p->n && p->inner[to])
		to++;
	return to;
}

/* Point the jump at @i to @to. */
static void link(struct code *p, struct rng *g, u32 i, u32 to)
{
	const struct row *r = p->row[i];
	u32 from = p->through[i];

	if (from != NOT_THROUGH)
		p->w[i] = imm_set(r, p->w[i], (s64)p->at[to] - p->at[from] + rng_below(g, 2));
	else if (r && is_jump(r))
		p->w[i] = imm_set(r, p->w[i], (s64)p->at[to] - p->at[i]);
}

static void gen_code(struct diff_case *c, struct rng *g)
{
	static const u32 ebreak = 0x00100073;
	u32 n = 1 + rng_below(g, INSNS_MAX - 3);
	struct code p = { .n = 0 };

	memset(p.through, 0xff, sizeof(p.through));
	while (p.n < n)
		switch (rng_below(g, 24)) {
		case 0:
			add_indirect(&p, g);
			break;
		case 1:
			add_conditional(&p, g);
			break;
		default:
			add(&p, gen_insn(g), false);
		}
	for (u32 i = 0; i < p.n; i++)
		p.at[i + 1] = p.at[i] + ((p.w[i] & 3) == 3 ? 4 : 2);
	for (u32 i = 0; i < p.n; i++) {
		link(&p, g, i, pick_target(&p, g, i));
		memcpy(c->code + p.at[i], &p.w[i], p.at[i + 1] - p.at[i]);
	}
	memcpy(c->code + p.at[p.n], &ebreak, 4);
	c->code_len = p.at[p.n] + 4;
}

static u64 gen_integer(struct rng *g)
{
	static const u64 special[] = {
		0, 1, 2, ~0ull, ~1ull, 1ull << 63, ~(1ull << 63), 0x80000000, 0x7fffffff,
		0xffffffff80000000, 0xffffffff, 0x100000000, 63, 64, 31, 32, 0x8080808080808080,
	};
	u64 v = rng_next(g);

	switch (rng_below(g, 4)) {
	case 0: return special[rng_below(g, ARRAY_LEN(special))];
	case 1: return v >> rng_below(g, 64);
	case 2: return (u64)(s32)v;
	default: return v;
	}
}

static u64 gen_double(struct rng *g)
{
	static const u64 special[] = {
		0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000,
		0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000001, 0x7ff0000000000001, 1,
		0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0x41dfffffffc00000,
		0x41efffffffe00000, 0x43e0000000000000, 0x43f0000000000000, 0x3fe0000000000000,
		0x36a0000000000000, 0x3810000000000000, 0x380fffffffffffff, 0x47efffffe0000000,
	};
	u64 v = rng_next(g);

	switch (rng_below(g, 3)) {
	case 0: return special[rng_below(g, ARRAY_LEN(special))];
	case 1: return (v & ~(0x7ffull << 52)) | (u64)(1000 + rng_below(g, 50)) << 52;
	default: return v;
	}
}

static u64 gen_single(struct rng *g)
{
	static const u32 special[] = {
		0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000,
		0xffc00001, 0x7f800001, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4effffff,
		0x4f000000, 0x4f800000, 0x5f000000, 0x5f800000, 0x3f000000,
	};
	u32 v = (u32)rng_next(g);

	switch (rng_below(g, 3)) {
	case 0: v = special[rng_below(g, ARRAY_LEN(special))]; break;
	case 1: v = (v & 0x807fffff) | (115 + rng_below(g, 30)) << 23; break;
	}
	return rng_below(g, 12) ? 0xffffffff00000000 | v : v;
}

void gen_case(struct diff_case *c, u64 seed)
{
	struct rng g = { (seed + 1) * 0x9e3779b97f4a7c15ull };
	struct diff_state *in = &c->in;

	memset(c, 0, sizeof(*c));
	rng_next(&g);
	for (u32 i = 1; i < 32; i++)
		in->x[i] = is_base(i) ? DIFF_DATA + DIFF_DATA_SIZE / 2 + 8 * rng_below(&g, 16) :
					gen_integer(&g);
	for (u32 i = 0; i < 32; i++)
		in->f[i] = rng_below(&g, 2) ? gen_double(&g) : gen_single(&g);
	in->fcsr = rng_below(&g, 256);
	if (rng_below(&g, 4))
		in->fcsr = (in->fcsr & 31) | rng_below(&g, 5) << 5;	/* a valid rounding mode */
	for (u32 i = 0; i < DIFF_DATA_SIZE / 8; i++) {
		u64 v = rng_below(&g, 2) ? gen_double(&g) : gen_integer(&g);

		memcpy(in->data + 8 * i, &v, 8);
	}
	gen_code(c, &g);
}

u32 gen_insn_len(const struct diff_case *c, u32 at)
{
	return (c->code[at] & 3) == 3 ? 4 : 2;
}
