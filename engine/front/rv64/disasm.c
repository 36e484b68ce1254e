/*
 * One RV64 instruction as text, from the rows that engine/tool/decode.c lists: the most
 * special row that matches, its operands printed letter by letter (see decode.c).
 */
#include "engine/front/rv64/rv64.h"
#include "kernel/base/str.h"

struct row {
	const char *name;
	u32 mask, value;
	const char *picture, *operands, *imm;
	u8 bytes;
};

static const struct row rows[] = {
#define ROW(name, ext, bytes, mask, value, picture, operands, imm, special) \
	{ name, mask, value, picture, operands, imm, bytes },
#include "engine/front/rv64/rows.inc"
#undef ROW
};

static const char *const x_names[] = {
	"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
	"a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
	"t5", "t6",
};

static const char *const f_names[] = {
	"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2",
	"fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",
	"fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

const char *rv64_x_name(u32 i)
{
	return x_names[i & 31];
}

/* The field of letter @c; a 3-bit one is a register 8..15. */
static u32 field(const struct row *r, u32 w, char c)
{
	u32 v = 0, bits = 0;

	for (u32 i = 0; r->picture[i]; i++)
		if (r->picture[i] == c) {
			v = v << 1 | (w >> (8 * r->bytes - 1 - i) & 1);
			bits++;
		}
	return bits == 3 ? v + 8 : v;
}

/* The number at *p, which moves behind it. */
static u32 number(const char **p)
{
	u32 n = 0;

	while (**p >= '0' && **p <= '9')
		n = 10 * n + (u32)(*(*p)++ - '0');
	return n;
}

static s64 immediate(const struct row *r, u32 w)
{
	const char *p = r->imm;
	u32 at = 0, top = 0, bits = 8 * r->bytes;
	bool is_signed = *p == '-';
	u64 v = 0;

	for (p += is_signed; *p; p += *p == '|') {
		u32 hi = number(&p), lo = hi;

		if (*p == ':')
			p++, lo = number(&p);
		top = MAX(top, hi);
		for (u32 bit = hi + 1; bit-- > lo; at++) {
			while (r->picture[at] != 'i')
				at++;
			v |= (u64)(w >> (bits - 1 - at) & 1) << bit;
		}
	}
	return is_signed ? sext(v, top + 1) : (s64)v;
}

static void print_csr(struct sink *to, u32 csr)
{
	const char *name = rv64_csr_name(csr);

	if (name)
		sink_puts(to, name);
	else
		sink_printf(to, "0x%x", csr);
}

static void print_operand(const struct row *r, u32 w, gva_t pc, char c, struct sink *to)
{
	switch (c) {
	case 'd': case 's': case 't': case 'r':
		sink_puts(to, x_names[field(r, w, c) & 31]);
		break;
	case 'D': case 'S': case 'T': case 'R':
		sink_puts(to, f_names[field(r, w, (char)(c | 0x20)) & 31]);
		break;
	case 'i':
		sink_printf(to, "%lld", (long long)immediate(r, w));
		break;
	case 'U':
		sink_printf(to, "0x%llx", (unsigned long long)BITS(immediate(r, w), 31, 12));
		break;
	case 'p':
		sink_printf(to, "0x%llx", (unsigned long long)(pc + (u64)immediate(r, w)));
		break;
	case 'u':
		sink_printf(to, "%u", field(r, w, c));
		break;
	case 'c':
		print_csr(to, field(r, w, c));
		break;
	case '$':
		sink_puts(to, "sp");
		break;
	default:
		sink_write(to, &c, 1);
	}
}

u32 rv64_disasm(const u8 *bytes, u32 len, gva_t pc, struct sink *to)
{
	u32 size = len < 2 ? len : (bytes[0] & 3) == 3 ? 4 : 2;
	u32 w = len < size || len < 2 ? 0 : size == 4 ? load_le32(bytes) : load_le16(bytes);

	for (const struct row *r = rows; w && r < rows + ARRAY_LEN(rows); r++) {
		if (r->bytes != size || (w & r->mask) != r->value)
			continue;
		sink_printf(to, "%s%s", r->name, *r->operands ? " " : "");
		for (const char *p = r->operands; *p; p++)
			print_operand(r, w, pc, *p, to);
		return size;
	}
	sink_printf(to, size == 4 ? ".word 0x%08x" : ".half 0x%04x", w);
	return MIN(size, len);
}
