/*
 * The table: every row decodes to itself, builds valid IR, needs its extension; reserved encodings
 * do not.
 */
#include "rig.h"
#include "kernel/base/str.h"

struct row {
	const char *name, *ext;
	u32 bytes, mask, value;
};

static const struct row rows[] = {
#define ROW(name, ext, bytes, mask, value, picture, operands, imm, special) \
	{ name, ext, bytes, mask, value },
#include "engine/front/rv64/rows.inc"
#undef ROW
};

#define CTX_ALL (PRIV_M | CTX_FP | CTX_FP_DIRTY | CTX_FRM | CTX_CBZE)

static struct ir_block block;

/* Translate one instruction; false if it raises an illegal-instruction exception. */
static bool translate(u32 w, u32 ctx, u32 features)
{
	u8 code[16] = { 0 };
	struct code_window win = {
		.pc = RAM_BASE, .bytes = code, .len = 4, .ctx = ctx, .features = features
	};
	char text[200];

	store_le32(code, w);
	ir_begin(&block, RAM_BASE, ctx, 1);
	assert_true(rv64_translate(&win, &block));
	assert_int_equal(block.bytes, (w & 3) == 3 ? 4 : 2);
	ir_finish(&block, RAM_BASE + block.bytes);
	if (ir_verify(&block, text, sizeof(text)))
		fail_msg("%08x: %s", w, text);
	for (u32 i = 1; i < block.count; i++)
		if (block.op[i].op == IR_EXCEPT && block.op[i].imm == CAUSE_ILLEGAL)
			return false;
	return true;
}

static bool disasm_is(u32 w, u32 bytes, const char *name)
{
	char text[100];
	u8 code[4];
	struct sink_buf b = sink_buf_init(text, sizeof(text));
	size_t n = strlen(name);

	store_le32(code, w);
	assert_int_equal(rv64_disasm(code, bytes, RAM_BASE, &b.sink), bytes);
	return !strncmp(text, name, n) && (text[n] == ' ' || !text[n]);
}

static const struct row *special_of(u32 w, const struct row *r)
{
	for (const struct row *s = rows; s < r; s++)
		if (s->bytes == r->bytes && (w & s->mask) == s->value)
			return s;
	return r;
}

/* C forms whose row covers reserved encodings, too: those are refused at zero immediates or rd. */
static bool may_be_reserved(const struct row *r)
{
	static const char *const names[] = { "c.addi4spn", "c.addiw", "c.lui", "c.addi16sp",
					     "c.lwsp",     "c.ldsp",  "c.jr" };

	for (u32 i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(r->name, names[i]))
			return true;
	return false;
}

static void every_row(void **unused)
{
	(void)unused;
	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		for (u32 k = 0; k < 50; k++) {
			u32 w = ((u32)rnd() & ~r->mask) | r->value, rm = w >> 12 & 7;
			const struct row *is;

			w = r->bytes == 2 ? (u16)w : w;
			is = special_of(w, r);
			assert_true(disasm_is(w, r->bytes, is->name));
			if (!(r->mask & 0x7000) && (w & 0x7f) >= 0x43 && (w & 0x7f) <= 0x53 &&
			    rm > 4 && rm < 7)
				assert_false(translate(w, CTX_ALL, ~0u));	/* rounding mode */
			else if (!translate(w, CTX_ALL, ~0u) && !may_be_reserved(is))
				fail_msg("%s: %08x is undefined", is->name, w);
		}
	}
}

static void extensions(void **unused)
{
	static const char *const optional[] = { "Zba",    "Zbb",    "Zbs",   "Zicond",
						"Zicbom", "Zicboz", "Zawrs", "Svinval" };

	(void)unused;
	for (const struct row *r = rows; r < rows + ARRAY_LEN(rows); r++) {
		bool fp = str_eq(r->ext, "F") || str_eq(r->ext, "D"), switchable = false;
		u32 w = r->value | (r->bytes == 2 ? 0x0894 & ~r->mask : 0);

		for (u32 i = 0; i < ARRAY_LEN(optional); i++)
			switchable |= str_eq(r->ext, optional[i]);
		if (special_of(w, r) != r)
			continue;
		if (translate(w, CTX_ALL, 0) == switchable)
			fail_msg("%s without %s", r->name, r->ext);
		if (translate(w, CTX_ALL & ~(CTX_FP | CTX_FP_DIRTY), ~0u) == fp)
			fail_msg("%s with FS off", r->name);
	}
}

static void reserved(void **unused)
{
	static const u32 word[] = {
		0x0000,     0x0004,     0x8000,     0x2005,     0x6101,     0x6281,     0x9c41,
		0x9c61,     0x4002,     0x6002,     0x8002,     0xffffffff, 0x0000007f, 0x0000707f,
		0x00007003, 0x00004023, 0x00002063, 0x0200151b, 0x4200551b, 0x1015202f, 0x00105053,
		0x00106053, 0x60301513, 0x0815c53b, 0x00004073, 0x30200173, 0x10500f73, 0x0030200f,
	};

	(void)unused;
	for (u32 i = 0; i < ARRAY_LEN(word); i++)
		if (translate(word[i], CTX_ALL, ~0u))
			fail_msg("%08x is defined", word[i]);
	assert_true(translate(0x00107053, CTX_ALL, ~0u));		/* dynamic rounding */
	assert_false(translate(0x00107053, CTX_ALL & ~CTX_FRM, ~0u));
	assert_true(translate(0x0045200f, CTX_ALL, ~0u));		/* cbo.zero */
	assert_false(translate(0x0045200f, CTX_ALL & ~CTX_CBZE, ~0u));
	/* sfence.w.inval */
	assert_false(translate(0x18000073, (CTX_ALL & ~CTX_PRIV) | PRIV_U, ~0u));
}

/* Random words never trip the builder or the verifier. */
static void anything(void **unused)
{
	(void)unused;
	for (u32 i = 0; i < 200000; i++)
		translate((u32)rnd(), (u32)rnd() & 0x7f & ~2u, (u32)rnd());
}

/* What does not fit is not begun; what follows an end is not translated. */
static void windows(void **unused)
{
	u8 code[] = { 0x01, 0x00, 0x13, 0x00, 0x00, 0x00, 0x6f, 0x00 };	/* c.nop; nop; half a jal */
	struct code_window w = { .pc = RAM_BASE, .bytes = code, .ctx = CTX_ALL };

	(void)unused;
	for (u32 len = 0; len <= sizeof(code); len++) {
		w.len = len;
		ir_begin(&block, RAM_BASE, CTX_ALL, IR_INSNS_MAX);
		assert_int_equal(rv64_translate(&w, &block), len >= 2);
		assert_int_equal(block.bytes, len < 2 ? 0 : len < 6 ? 2 : 6);
	}
	ir_begin(&block, RAM_BASE, CTX_ALL, 1);
	assert_true(rv64_translate(&w, &block));
	assert_int_equal(block.bytes, 2);
}

static void text(void **unused)
{
	static const struct { u32 w; const char *text;
	} row[] = {
		{ 0x00c58533, "add a0,a1,a2" },
		{ 0xff843783, "ld a5,-8(s0)" },
		{ 0x02f43027, "fsd fa5,32(s0)" },
		{ 0xfe0716e3, "bne a4,zero,0x7fffffec" },
		{ 0x12345537, "lui a0,0x12345" },
		{ 0x30051573, "csrrw a0,mstatus,a0" },
		{ 0x100027af, "lr.w a5,(zero)" },
		{ 0x02a7f7d3, "fadd.d fa5,fa5,fa0" },
		{ 0x1141, "c.addi sp,-16" },
		{ 0xe406, "c.sdsp ra,8(sp)" },
		{ 0x8082, "c.jr ra" },
		{ 0xbff5, "c.j 0x7ffffffc" },
		{ 0x0000, ".half 0x0000" },
		{ 0xffffffff, ".word 0xffffffff" },
	};

	(void)unused;
	for (u32 i = 0; i < ARRAY_LEN(row); i++) {
		char got[100];
		u8 code[4];
		struct sink_buf b = sink_buf_init(got, sizeof(got));

		store_le32(code, row[i].w);
		rv64_disasm(code, 4, RAM_BASE, &b.sink);
		assert_string_equal(got, row[i].text);
	}
}

static void isa_string(void **unused)
{
	char got[200];
	struct sink_buf b = sink_buf_init(got, sizeof(got));

	(void)unused;
	rv64_isa_string(0, &b.sink);
	assert_string_equal(got, "rv64imafdc_zicbop_zicntr_zicsr_zifencei_zihintpause");
	assert_false(rv64_isa.features & RV64_SVADU);
	assert_true(rv64_isa.features & RV64_SSTC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),  cmocka_unit_test(extensions),
		cmocka_unit_test(reserved),   cmocka_unit_test(anything),
		cmocka_unit_test(windows),    cmocka_unit_test(text),
		cmocka_unit_test(isa_string),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
