/*
 * Random loops of integer instructions, loads, stores and forward branches over all registers, run
 * hot and, for comparison, by a model in C: every register, the memory and the count of
 * instructions must agree. One instruction at a time is hot.c.
 */
#include "intops.h"

#define ITEMS 40
#define BYTES 256
enum kind { OPERATION, LOAD, STORE, SKIP, SKIP_SHORT, JUMP };
struct item {
	enum kind kind;
	const struct op *op;
	u32 rd, rs1, rs2, over;		/* over: items that a branch leads across */
	u64 imm;
};

static struct item item[ITEMS];
static u32 items, base_reg, count_reg;
static u16 code[1024] __attribute__((aligned(64)));
static u8 memory[BYTES], model_memory[BYTES];

/* Any register that the program may write. */
static u32 any(bool low)
{
	u32 r;

	do
		r = (u32)random() & (low ? 7 : 31);
	while ((r | (low ? 8 : 0)) == base_reg || (r | (low ? 8 : 0)) == count_reg);
	return low ? r | 8 : r;
}

static void choose_operation(struct item *t)
{
	const struct op *o;

	do
		o = &int_ops[random() % INT_OPS_COUNT];
	while (on_qemu && o->format == RR && o->code == 0x6010101b);
	t->op = o;
	t->rd = any(op_short(o));
	t->rs1 = any(op_short(o));
	t->rs2 = any(op_short(o));
	if (op_two(o)) {
		while (!t->rd)
			t->rd = any(op_short(o));
		while (!t->rs2)
			t->rs2 = any(op_short(o));
		t->rs1 = t->rd;
	}
	t->imm = op_imm(o, random());
}

static void choose(void)
{
	base_reg = 1 + (u32)random() % 31;
	do
		count_reg = 1 + (u32)random() % 31;
	while (count_reg == base_reg);
	items = 5 + (u32)random() % (ITEMS - 5);
	for (u32 i = 0; i < items; i++) {
		struct item *t = &item[i];
		u32 dice = (u32)random() % 16;

		t->kind = dice < 9 ? OPERATION : dice < 11 ? LOAD : dice < 13 ? STORE :
			  dice == 13 ? SKIP : dice == 14 ? SKIP_SHORT : JUMP;
		t->over = (u32)random() % 4;
		if (t->over >= items - i)
			t->over = 0;
		t->rd = any(false);
		t->rs1 = any(t->kind == SKIP_SHORT);
		t->rs2 = any(false);
		t->imm = random() % (BYTES - 8);
		if (random() & 1)
			t->imm &= ~7ull;
		t->op = &int_ops[random() % INT_OPS_COUNT];
		if (t->kind == OPERATION)
			choose_operation(t);
		else if (t->kind == SKIP)
			while (t->op->format != BRANCH)
				t->op = &int_ops[random() % INT_OPS_COUNT];
	}
}

/* lb lh lw ld lbu lhu lwu, or sb sh sw sd, by rs2. */
static u32 access_kind(const struct item *t)
{
	return t->kind == LOAD ? t->rs2 % 7 : t->rd % 4;
}

/* A branch of @t to @to, at @from. */
static u32 branch_to(const struct item *t, const u16 *from, const u16 *to)
{
	s32 d = (s32)((to - from) * 2);
	u32 i = (u32)d;

	if (t->kind == SKIP)
		return b_type(t->op->code, t->rs1, t->rs2, d);
	if (t->kind == JUMP)
		return cj_type(d);
	return 0xc001 | (t->rs2 & 1) << 13 | (t->rs1 & 7) << 7 | (i >> 8 & 1) << 12 |
	       (i >> 3 & 3) << 10 | (i >> 6 & 3) << 5 | (i >> 1 & 3) << 3 | (i >> 5 & 1) << 2;
}

static void write_code(void)
{
	u16 *start[ITEMS + 1];

	at = code;
	for (u32 i = 0; i < items; i++) {
		struct item *t = &item[i];

		start[i] = at;
		if (t->kind == OPERATION)
			op_emit(t->op, t->rd, t->rs1, t->rs2, t->imm);
		else if (t->kind == LOAD)
			emit(i_type(0x3 | access_kind(t) << 12, t->rd, base_reg, (u32)t->imm));
		else if (t->kind == STORE)
			emit(s_type(0x23 | access_kind(t) << 12, base_reg, t->rs2, (u32)t->imm));
		else if (t->kind == SKIP)
			emit(0);
		else
			emit16(0);
	}
	start[items] = at;
	for (u32 i = 0; i < items; i++)
		if (item[i].kind >= SKIP) {
			u32 w = branch_to(&item[i], start[i], start[i + 1 + item[i].over]);

			start[i][0] = (u16)w;
			if (item[i].kind == SKIP)
				start[i][1] = (u16)(w >> 16);
		}
	emit(addi(count_reg, count_reg, -1));
	emit(b_type(OP_BNE, count_reg, 0, (s32)((code - at) * 2)));
	emit(EBREAK);
	fence_i();
}

static void model_access(const struct item *t, struct regs *r)
{
	u32 kind = access_kind(t), size = 1u << (kind & 3), shift = 64 - 8 * size;
	u8 *p = model_memory + t->imm;
	u64 v = 0;

	if (t->kind == STORE) {
		for (u32 i = 0; i < size; i++)
			p[i] = (u8)(r->x[t->rs2] >> 8 * i);
		return;
	}
	for (u32 i = 0; i < size; i++)
		v |= (u64)p[i] << 8 * i;
	r->x[t->rd] = kind > 3 ? v : (u64)((s64)(v << shift) >> shift);
}

/* One item; returns the number of the next. */
static u32 model_step(u32 i, struct regs *r)
{
	const struct item *t = &item[i];
	u64 a = r->x[t->rs1], b = r->x[t->rs2];
	bool taken = true;

	r->instret++;
	switch (t->kind) {
	case OPERATION:
		r->x[t->rd] = t->op->model(a, op_immediate(t->op) ? t->imm : b);
		if (t->op->format == BRANCH)
			r->instret += r->x[t->rd] ? 1 : 2;
		r->x[0] = 0;
		return i + 1;
	case LOAD: case STORE:
		model_access(t, r);
		r->x[0] = 0;
		return i + 1;
	case SKIP: taken = t->op->model(a, b); break;
	case SKIP_SHORT: taken = t->rs2 & 1 ? a != 0 : a == 0; break;
	case JUMP: break;
	}
	return i + 1 + (taken ? t->over : 0);
}

static u64 run(u32 rounds)
{
	static struct regs in, want, out;
	u64 bad = 0;

	choose();
	write_code();
	regs_random(&in);
	for (u32 i = 1; i < 32; i++)
		if (random() % 4 == 0)
			in.x[i] = (u64)((s64)random() >> 60);
	in.x[base_reg] = (u64)memory;
	in.x[count_reg] = rounds;
	for (u32 i = 0; i < BYTES; i++)
		memory[i] = model_memory[i] = (u8)random();
	want = in;
	want.instret = 0;
	while (want.x[count_reg]) {
		for (u32 i = 0; i < items;)
			i = model_step(i, &want);
		want.x[count_reg]--;
		want.instret += 2;
	}
	bad += probe_in(M, &in, &out, (u64)code) != BREAKPOINT;
	for (u32 i = 1; i < 32; i++)
		bad += out.x[i] != want.x[i];
	for (u32 i = 0; i < 32; i++)
		bad += out.f[i] != want.f[i];
	for (u32 i = 0; i < BYTES; i++)
		bad += memory[i] != model_memory[i];
	return bad + (!on_qemu && out.instret != want.instret);
}

void isa_main(void)
{
	for (u32 i = 0; i < 700; i++) {
		u64 start = seed;

		if (run(i % 12 ? 30 : 1200))
			CHECK_EQ(start, 0);		/* the seed that shows it */
	}
	CHECK(true);
}
