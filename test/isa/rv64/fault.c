/*
 * Every load, store and atomic at every alignment over the edge of two pages, of which one is
 * absent, read-only or execute-only, after the same code has run hot without faults: exact cause,
 * address and pc; nothing else changed, in no register and not in memory. Atomics must be aligned.
 */
#include "emit.h"

enum kind { LOAD, STORE, LR, SC, AMO };
struct insn {
	const char *name;
	enum kind kind;
	u32 size;
	bool fp, is_unsigned, compressed, sp;	/* sp: its base is x2 */
	u32 code;
	char amo;				/* + ^ & | = and m M u U */
};

#define AMOS(name, bits, op) \
	{ name ".w", AMO, 4, .code = (bits) | 0x202f, .amo = op }, \
	{ name ".d", AMO, 8, .code = (bits) | 0x302f, .amo = op }
static const struct insn insns[] = {
	{ "lb", LOAD, 1, .code = 0x3 }, { "lh", LOAD, 2, .code = 0x1003 },
	{ "lw", LOAD, 4, .code = 0x2003 }, { "ld", LOAD, 8, .code = 0x3003 },
	{ "lbu", LOAD, 1, .code = 0x4003, .is_unsigned = true },
	{ "lhu", LOAD, 2, .code = 0x5003, .is_unsigned = true },
	{ "lwu", LOAD, 4, .code = 0x6003, .is_unsigned = true },
	{ "flw", LOAD, 4, .code = 0x2007, .fp = true },
	{ "fld", LOAD, 8, .code = 0x3007, .fp = true },
	{ "sb", STORE, 1, .code = 0x23 }, { "sh", STORE, 2, .code = 0x1023 },
	{ "sw", STORE, 4, .code = 0x2023 }, { "sd", STORE, 8, .code = 0x3023 },
	{ "fsw", STORE, 4, .code = 0x2027, .fp = true },
	{ "fsd", STORE, 8, .code = 0x3027, .fp = true },
	{ "c.lw", LOAD, 4, .code = 0x4000, .compressed = true },
	{ "c.ld", LOAD, 8, .code = 0x6000, .compressed = true },
	{ "c.fld", LOAD, 8, .code = 0x2000, .compressed = true, .fp = true },
	{ "c.sw", STORE, 4, .code = 0xc000, .compressed = true },
	{ "c.sd", STORE, 8, .code = 0xe000, .compressed = true },
	{ "c.fsd", STORE, 8, .code = 0xa000, .compressed = true, .fp = true },
	{ "c.lwsp", LOAD, 4, .code = 0x4002, .compressed = true, .sp = true },
	{ "c.ldsp", LOAD, 8, .code = 0x6002, .compressed = true, .sp = true },
	{ "c.fldsp", LOAD, 8, .code = 0x2002, .compressed = true, .sp = true, .fp = true },
	{ "c.swsp", STORE, 4, .code = 0xc002, .compressed = true, .sp = true },
	{ "c.sdsp", STORE, 8, .code = 0xe002, .compressed = true, .sp = true },
	{ "c.fsdsp", STORE, 8, .code = 0xa002, .compressed = true, .sp = true, .fp = true },
	{ "lr.w", LR, 4, .code = 0x1000202f }, { "lr.d", LR, 8, .code = 0x1000302f },
	{ "sc.w", SC, 4, .code = 0x1800202f }, { "sc.d", SC, 8, .code = 0x1800302f },
	AMOS("amoadd", 0, '+'), AMOS("amoswap", 0x08000000, '='), AMOS("amoxor", 0x20000000, '^'),
	AMOS("amoand", 0x60000000, '&'), AMOS("amoor", 0x40000000, '|'),
	AMOS("amomin", 0x80000000, 'm'), AMOS("amomax", 0xa0000000, 'M'),
	AMOS("amominu", 0xc0000000, 'u'), AMOS("amomaxu", 0xe0000000, 'U'),
};

static u16 code[64] __attribute__((aligned(64)));
static u64 at_insn;			/* its address */
static u32 base_reg, data_reg, before_reg, after_reg;

static bool is_write(const struct insn *i) { return i->kind != LOAD && i->kind != LR; }
static bool is_atomic(const struct insn *i) { return i->kind >= LR; }

/* addi before, 1; the instruction; addi after, 1; ebreak. */
static void write_code(const struct insn *i)
{
	at = code;
	emit(addi(before_reg, before_reg, 1));
	at_insn = (u64)at;
	if (i->compressed && i->sp)
		emit16(i->code | data_reg << (i->kind == LOAD ? 7 : 2));
	else if (i->compressed)
		emit16(i->code | (base_reg & 7) << 7 | (data_reg & 7) << 2);
	else if (i->kind == LOAD || i->kind == LR)
		emit(i_type(i->code, data_reg, base_reg, 0));
	else if (i->kind == STORE)
		emit(s_type(i->code, base_reg, data_reg, 0));
	else
		emit(r_type(i->code, data_reg, base_reg, data_reg));
	emit(addi(after_reg, after_reg, 1));
	emit(EBREAK);
	fence_i();
}

/* Registers of variant @v: compressed ones have few, others any, also base == data. */
static void choose_registers(const struct insn *i, u32 v)
{
	static const u8 of[][2] = {
		{ 10, 11 }, { 31, 1 }, { 2, 30 }, { 15, 15 }, { 5, 9 }, { 10, 0 },
	};

	base_reg = of[v][0];
	data_reg = of[v][1];
	before_reg = 6 + 14 * (v & 1);
	after_reg = 7 + 20 * (v & 1);
	if (!i->compressed)
		return;
	base_reg = i->sp ? 2 : 8 + (v * 3 & 7);
	data_reg = i->sp ? (v == 3 ? 31 : 11 + v) : 8 + (v * 5 & 7);
}

/* 64 bytes on either side of the edge. */
static u8 pattern(u32 i) { return (u8)(i * 7 + 0x81); }
static u8 *byte(u64 va)
{
	u64 i = va - TEST_VA;

	return i < PAGE ? page[0] + i : page[2] + i - PAGE;
}
static void fill_pages(void)
{
	for (u32 i = 0; i < 128; i++)
		*byte(TEST_VA + PAGE - 64 + i) = pattern(i);
}
static u64 peek_bytes(u64 va, u32 n)
{
	u64 v = 0;

	for (u32 i = 0; i < n; i++)
		v |= (u64)*byte(va + i) << 8 * i;
	return v;
}

static u64 sext_size(u64 v, u32 size)
{
	u32 shift = 64 - 8 * size;

	return (u64)((s64)(v << shift) >> shift);
}

static u64 combine(char op, u64 a, u64 b, u32 size)
{
	u64 as = sext_size(a, size), bs = sext_size(b, size);
	u64 az = as << (64 - 8 * size), bz = bs << (64 - 8 * size);

	switch (op) {
	case '+': return a + b;
	case '^': return a ^ b;
	case '&': return a & b;
	case '|': return a | b;
	case 'm': return (s64)as < (s64)bs ? a : b;
	case 'M': return (s64)as > (s64)bs ? a : b;
	case 'u': return az < bz ? a : b;
	case 'U': return az > bz ? a : b;
	default: return b;
	}
}

/* The expected state and memory after a run without a fault. SC fails: nothing is reserved. */
static void apply(const struct insn *i, u64 va, struct regs *r, u8 *memory)
{
	u64 loaded_value = peek_bytes(va, i->size), v = i->fp ? r->f[data_reg] : r->x[data_reg];
	u64 result = i->is_unsigned ? loaded_value : sext_size(loaded_value, i->size);

	if (i->kind == AMO)
		v = combine(i->amo, loaded_value, v, i->size);
	if (i->kind == STORE || i->kind == AMO)
		for (u32 k = 0; k < i->size; k++)
			memory[k] = (u8)(v >> 8 * k);
	if (i->kind == SC)
		result = 1;
	if (i->kind != STORE && i->fp)
		r->f[data_reg] = i->size == 4 ? loaded_value | ~0ull << 32 : loaded_value;
	else if (i->kind != STORE)
		r->x[data_reg] = result;
	r->x[0] = 0;				/* a destination like any other until here */
	r->x[after_reg]++;
}

/* What may be done with a page: none, read, execute, all. */
static const u64 grants[] = { 0, PTE_V | PTE_R | PTE_A | PTE_D, PTE_V | PTE_X | PTE_A, PTE_RWX };
static bool granted(const struct insn *i, u32 g) { return g == 3 || (g == 1 && !is_write(i)); }

static void map(u32 first, u32 second)
{
	pte[0] = PTE(page[0], grants[first]);
	pte[1] = PTE(page[2], grants[second]);
	sfence();
}

/* The trap that an access must meet; its address in *tval. */
static u64 expected(const struct insn *i, u64 va, u32 first, u32 second, u64 *tval)
{
	bool write = is_write(i), over = va + i->size > TEST_VA + PAGE, below = va < TEST_VA + PAGE;

	*tval = va;
	if (is_atomic(i) && va % i->size)
		return write ? STORE_MISALIGNED : LOAD_MISALIGNED;
	if (!granted(i, below ? first : second))
		return write ? STORE_PAGE : LOAD_PAGE;
	*tval = TEST_VA + PAGE;
	if (below && over && !granted(i, second))
		return write ? STORE_PAGE : LOAD_PAGE;
	return BREAKPOINT;
}

/* One run; what is wrong with it, in bits. */
static u64 one(const struct insn *i, u64 va, u32 first, u32 second)
{
	static struct regs in, want, out;
	u8 memory[128];
	u64 tval, cause, bad = 0, target = expected(i, va, first, second, &tval);

	regs_random(&in);
	in.x[base_reg] = va;
	want = in;
	want.x[before_reg]++;
	for (u32 k = 0; k < 128; k++)
		memory[k] = pattern(k);
	if (target == BREAKPOINT)
		apply(i, va, &want, memory + (va - (TEST_VA + PAGE - 64)));
	cause = probe_in(S, &in, &out, (u64)code);
	bad |= cause != target;
	bad |= (u64)(target != BREAKPOINT && (out.epc != at_insn || out.tval != tval)) << 1;
	for (u32 k = 0; k < 32; k++)
		bad |= (u64)(k && out.x[k] != want.x[k]) << 2 | (u64)(out.f[k] != want.f[k]) << 3;
	for (u32 k = 0; k < 128; k++)
		bad |= (u64)(*byte(TEST_VA + PAGE - 64 + k) != memory[k]) << 4;
	fill_pages();
	if (!on_qemu)
		bad |= (u64)(out.instret != (target == BREAKPOINT ? 3 : 1)) << 5;
	return bad | (u64)(out.fcsr != in.fcsr) << 6;
}

/* QEMU 7.2 reports a failing AMO or SC as a load. */
static bool known(const struct insn *i, u32 first, u32 second)
{
	return on_qemu && is_atomic(i) && (i->kind != LR) && (first != 3 || second != 3);
}

static void each_edge(const struct insn *i)
{
	u64 bad = 0, edge = TEST_VA + PAGE;

	for (u64 va = edge - i->size - 1; va < edge + 2; va++) {
		if (is_atomic(i) && on_qemu && va % i->size)
			continue;
		for (u32 g = 0; g < 3; g++) {
			map(3, 3);
			for (u32 k = 0; k < 8; k++)
				bad |= one(i, va, 3, 3);
			if (known(i, g, 3))
				continue;
			map(g, 3);
			bad |= one(i, va, g, 3);
			map(3, g);
			bad |= one(i, va, 3, g);
			map(g, g);
			bad |= one(i, va, g, g);
		}
	}
	check(__FILE__, __LINE__, i->name, bad, 0);
}

void isa_main(void)
{
	paging_on();
	fill_pages();
	for (u32 k = 0; k < sizeof(insns) / sizeof(insns[0]); k++)
		for (u32 v = 0; v < 6; v++) {
			u64 bad = 0;

			choose_registers(&insns[k], v);
			write_code(&insns[k]);
			map(3, 3);
			for (u32 n = 0; n < 200; n++)
				bad |= one(&insns[k], TEST_VA + PAGE - 64 + n % 4 * 8, 3, 3);
			check(__FILE__, __LINE__, insns[k].name, bad, 0);
			each_edge(&insns[k]);
		}
	paging_off();
}
