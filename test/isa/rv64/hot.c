/*
 * Integer instructions in hot loops over operands that hit every corner, with registers chosen so
 * that each of the 32 is source and destination of each format. Floating point: hotfp.c; many
 * instructions at once: mix.c.
 */
#include "intops.h"

static const u64 corner[] = {
	0, 1, 2, 3, -1ull, -2ull, 31, 32, 33, 63, 64, 65, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffff,
	0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0xffffffff80000000, 0xffffffff7fffffff,
	BIT(63) - 1, BIT(63), BIT(63) + 1, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa,
	0x123456789abcdef0, 0xfedcba9876543210, 0x8080808080808080, 0x00ff00ff00ff00ff,
};
#define CORNERS (sizeof(corner) / sizeof(corner[0]))
#define PAIRS (CORNERS * CORNERS)

static u16 code[256] __attribute__((aligned(64)));
static struct { u64 a, b; } input[PAIRS];
static u64 output[PAIRS];

static void inputs(void)
{
	for (u32 i = 0; i < PAIRS; i++) {
		input[i].a = corner[i / CORNERS];
		input[i].b = corner[i % CORNERS];
	}
}

/* The @nth register that is not one of the three. */
static u32 other(u32 nth, u32 a, u32 b, u32 c)
{
	u32 i = 31;

	for (;; i--)
		if (i != a && i != b && i != c && !nth--)
			return i;
}

/* for (p = in; p < end; p++, q++) { rs1 = p->a; rs2 = p->b; rd = op(rs1, rs2); *q = rd; } */
static void loop_emit(const struct op *o, u32 rd, u32 rs1, u32 rs2, u64 imm)
{
	u32 p = other(0, rd, rs1, rs2), q = other(1, rd, rs1, rs2), end = other(2, rd, rs1, rs2);
	u16 *loop;

	at = code;
	loop = at;
	emit(i_type(OP_LD, rs1, p, 0));
	emit(i_type(OP_LD, rs2, p, 8));
	op_emit(o, rd, rs1, rs2, imm);
	emit(s_type(OP_SD, q, rd, 0));
	emit(addi(p, p, 16));
	emit(addi(q, q, 8));
	emit(b_type(OP_BLTU, p, end, (s32)((loop - at) * 2)));
	emit(EBREAK);
	fence_i();
}

static u64 loop_wrong(const struct op *o, u32 n, u32 rd, u32 rs1, u32 rs2, u64 imm)
{
	u64 bad = 0;

	for (u32 i = 0; i < n; i++) {
		u64 a = rs1 == rs2 ? input[i].b : input[i].a, b = input[i].b, want;

		if (!rs1)
			a = 0;
		want = o->model(a, op_immediate(o) ? imm : rs2 ? b : 0);
		bad += output[i] != (rd ? want : 0);
	}
	return bad;
}

/* All of @n pairs of operands with these registers; everything else must stay as it was. */
static u64 loop_run(const struct op *o, u32 n, u32 rd, u32 rs1, u32 rs2, u64 imm)
{
	u32 p = other(0, rd, rs1, rs2), q = other(1, rd, rs1, rs2), end = other(2, rd, rs1, rs2);
	static struct regs in, out;
	u64 bad;

	loop_emit(o, rd, rs1, rs2, imm);
	regs_random(&in);
	in.x[p] = (u64)input;
	in.x[q] = (u64)output;
	in.x[end] = (u64)(input + n);
	for (u32 i = 0; i < n; i++)
		output[i] = 0x1111;
	bad = probe_in(M, &in, &out, (u64)code) != BREAKPOINT;
	bad += loop_wrong(o, n, rd, rs1, rs2, imm);
	for (u32 i = 1; i < 32; i++)
		if (i != rd && i != rs1 && i != rs2 && i != p && i != q)
			bad += in.x[i] != out.x[i];
	return bad;
}

static bool legal(const struct op *o, u32 rd, u32 rs1, u32 rs2)
{
	if (op_short(o) && (rd >> 3 != 1 || rs2 >> 3 != 1))
		return false;
	return !op_two(o) || (rd == rs1 && rd && (o->format != CR || rs2));
}

static void each_op(void)
{
	static const u8 fixed[][3] = {
		{ 10, 11, 12 }, { 10, 10, 10 }, { 10, 10, 11 }, { 10, 11, 10 }, { 10, 11, 11 },
		{ 0, 10, 11 }, { 10, 0, 11 }, { 10, 11, 0 }, { 10, 0, 0 }, { 31, 1, 2 },
		{ 1, 31, 3 }, { 8, 8, 15 }, { 15, 15, 8 }, { 2, 2, 1 }, { 30, 30, 28 },
	};

	for (u32 i = 0; i < INT_OPS_COUNT; i++) {
		const struct op *o = &int_ops[i];
		u64 bad = 0;

		for (u32 k = 0; k < 24; k++) {
			u64 bits = random(), imm = op_imm(o, k < CORNERS ? corner[k] : bits);
			u32 rd = bits & 31, rs1 = bits >> 5 & 31, rs2 = bits >> 10 & 31;

			if (k < sizeof(fixed) / sizeof(fixed[0]))
				rd = fixed[k][0], rs1 = fixed[k][1], rs2 = fixed[k][2];
			if (op_two(o) && k >= 15) {
				rd = rs1 = op_short(o) ? 8 + rd % 8 : rd ? rd : 1;
				rs2 = op_short(o) ? 8 + rs2 % 8 : rs2;
			}
			if (legal(o, rd, rs1, rs2))
				bad += loop_run(o, PAIRS, rd, rs1, rs2, imm);
		}
		check(__FILE__, __LINE__, o->name, bad, 0);
	}
}

/* Every destination with every first and, scrambled, every second source. */
static void all_registers(void)
{
	for (u32 i = 0; i < INT_OPS_COUNT; i++) {
		const struct op *o = &int_ops[i];
		u64 bad = 0;

		if (i % 4 && o->format < CA)			/* it costs */
			continue;
		for (u32 rd = 0; rd < 32; rd++)
			for (u32 rs1 = 0; rs1 < 32; rs1++) {
				u32 rs2 = (rd * 7 + rs1 * 13 + i) % 32;
				u64 imm = op_imm(o, rd + 9 * rs1);

				if (legal(o, rd, rs1, rs2))
					bad += loop_run(o, 40, rd, rs1, rs2, imm);
			}
		check(__FILE__, __LINE__, o->name, bad, 0);
	}
}

/* lui, auipc, jal, jalr and c.lui: each destination, hot because called often. */
static void upper(void)
{
	static struct regs in, out;
	u64 bad = 0;

	regs_random(&in);
	for (u32 rd = 0; rd < 32; rd++)
		for (u32 k = 0; k < 20; k++) {
			u32 imm = (u32)random() & 0xfffff000;
			u32 rs = rd % 31 + 1;
			u64 want_lui = sx(imm), want_pc = (u64)code + sx(imm);

			at = code;
			emit(OP_AUIPC | rd << 7 | imm);
			emit(OP_AUIPC | rs << 7);		/* jalr rd, 12(rs) */
			emit(i_type(0x67, rd, rs, 12));
			emit(EBREAK);
			emit(j_type(rs, 4));
			emit(EBREAK);
			fence_i();
			for (u32 n = 0; n < 10; n++) {
				bad += probe_in(M, &in, &out, (u64)code) != BREAKPOINT;
				bad += out.epc != (u64)code + 20 || out.x[rs] != (u64)code + 20;
				bad += rd && out.x[rd] != (u64)code + 12;
			}
			at = code;
			emit(OP_LUI | rd << 7 | imm);
			emit(OP_AUIPC | rs << 7 | imm);
			emit(EBREAK);
			fence_i();
			for (u32 n = 0; n < 10; n++) {
				probe_in(M, &in, &out, (u64)code);
				bad += out.x[rd] != (rd ? want_lui : 0);
				bad += out.x[rs] != want_pc + 4;
			}
		}
	CHECK_EQ(bad, 0);
}

/* CSR instructions of every form on sscratch. */
static void csrs(void)
{
	static const u32 form[] = { 0x1073, 0x2073, 0x3073, 0x5073, 0x6073, 0x7073 };
	static struct regs in, out;
	u64 bad = 0;

	for (u32 k = 0; k < 6 * 20; k++) {
		u64 bits = random();
		u32 rd = bits & 31, rs = bits >> 5 & (k % 3 ? 31 : 0), f = k % 6;

		if (k % 5 == 0)
			rd = rs;
		at = code;
		emit(i_type(form[f], rd, rs, 0x140));
		emit(EBREAK);
		fence_i();
		for (u32 n = 0; n < 100; n++) {
			u64 old = random(), v, new;

			regs_random(&in);
			v = f < 3 ? in.x[rs] : rs;
			new = f % 3 == 0 ? v : f % 3 == 1 ? old | v : old & ~v;
			write_csr(sscratch, old);
			bad += probe_in(M, &in, &out, (u64)code) != BREAKPOINT;
			bad += read_csr(sscratch) != new || out.x[rd] != (rd ? old : 0);
		}
	}
	CHECK_EQ(bad, 0);
}

/* What the count says after a hot loop, and a loop whose body is one block of no-ops. */
static void counts(void)
{
	static struct regs in, out;
	u64 before, after;

	if (on_qemu)
		return;
	loop_emit(&int_ops[0], 10, 11, 12, 0);
	in.x[31] = (u64)input;
	in.x[30] = (u64)output;
	in.x[29] = (u64)(input + PAIRS);
	for (u32 i = 0; i < 20; i++) {
		probe_in(M, &in, &out, (u64)code);
		CHECK_EQ(out.instret, 7 * PAIRS);
	}
	at = code;						/* in the middle of a block */
	for (u32 i = 0; i < 8; i++)
		emit(i_type(0x2073, 10 + i, 0, 0xb02));
	emit(addi(5, 5, -1));
	emit(b_type(OP_BNE, 5, 0, -36));
	emit(EBREAK);
	fence_i();
	in.x[5] = 3000;
	probe_in(M, &in, &out, (u64)code);
	CHECK_EQ(out.instret, 30000);
	for (u32 i = 1; i < 8; i++)
		CHECK_EQ(out.x[10 + i], out.x[10] + i);
	before = read_csr(minstret);
	__asm__ volatile("li t0, 100000\n1: addi t0, t0, -1\n bnez t0, 1b" : : : "t0");
	after = read_csr(minstret);
	CHECK_EQ((after - before) / 16, 200002 / 16);
}

void isa_main(void)
{
	inputs();
	each_op();
	all_registers();
	upper();
	csrs();
	counts();
}
