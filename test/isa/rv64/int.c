/* RV64IM: division, high products, shifts, 32-bit forms, jumps, x0. */
#include "isa.h"

#define R(insn, a, b) ({ u64 r_; __asm__ volatile(insn " %0, %1, %2" : "=r"(r_) \
			 : "r"((u64)(a)), "r"((u64)(b))); r_; })
#define MIN64 BIT(63)

static void divide(void)
{
	CHECK_EQ(R("div", 7, 0), ~0ull);
	CHECK_EQ(R("divu", 7, 0), ~0ull);
	CHECK_EQ(R("rem", 7, 0), 7);
	CHECK_EQ(R("remu", MIN64, 0), MIN64);
	CHECK_EQ(R("div", MIN64, -1), MIN64);
	CHECK_EQ(R("rem", MIN64, -1), 0);
	CHECK_EQ(R("div", -7, 2), -3);
	CHECK_EQ(R("rem", -7, 2), -1);
	CHECK_EQ(R("divw", 0x180000000, 0), ~0ull);
	CHECK_EQ(R("divuw", 5, 0x100000000), ~0ull);
	CHECK_EQ(R("remw", 0xffffffff80000001, 0), 0xffffffff80000001);
	CHECK_EQ(R("remuw", 0x80000001, 0), 0xffffffff80000001);
	CHECK_EQ(R("divw", 0x80000000, -1), 0xffffffff80000000);
	CHECK_EQ(R("remw", 0x80000000, -1), 0);
	CHECK_EQ(R("divuw", 0x80000000, 1), 0xffffffff80000000);
}

static void multiply(void)
{
	CHECK_EQ(R("mulhsu", -1, -1), ~0ull);
	CHECK_EQ(R("mulhsu", 1, -1), 0);
	CHECK_EQ(R("mulhsu", -1, 1), ~0ull);
	CHECK_EQ(R("mulhu", -1, -1), ~1ull);
	CHECK_EQ(R("mulh", -1, -1), 0);
	CHECK_EQ(R("mulh", MIN64, MIN64), BIT(62));
	CHECK_EQ(R("mulw", 0x10000, 0x8000), 0xffffffff80000000);
}

static void shift(void)
{
	CHECK_EQ(R("sll", 1, 64), 1);
	CHECK_EQ(R("sll", 1, 127), MIN64);
	CHECK_EQ(R("sraw", 0x80000000, 32), 0xffffffff80000000);
	CHECK_EQ(R("srlw", 0xffffffff80000000, 31), 1);
	CHECK_EQ(R("sllw", 1, 31), 0xffffffff80000000);
	CHECK_EQ(R("addw", 0x7fffffff, 1), 0xffffffff80000000);
	CHECK_EQ(R("subw", 0x80000000, 1), 0x7fffffff);
	CHECK_EQ(TRAP_OF(INSN(0x0200151b)), ILLEGAL);	/* slliw with shamt 32 */
	CHECK_EQ(trap.tval, 0x0200151b);
	CHECK_EQ(TRAP_OF(INSN(0x0200551b)), ILLEGAL);	/* srliw */
	CHECK_EQ(TRAP_OF(INSN(0x4200551b)), ILLEGAL);	/* sraiw */
}

static void jump(void)
{
	u64 a, b;

	/* rd = rs1: the target is computed first; bit 0 of it is ignored */
	__asm__ volatile("la %0, 1f\n addi %0, %0, 1\n jalr %0, 0(%0)\n li %1, 1\n j 2f\n"
			 ".balign 4\n 1: li %1, 2\n 2:" : "=&r"(a), "=&r"(b));
	CHECK_EQ(b, 2);
	CHECK(a & ~1ull);
	/* a target that is only 2-byte aligned is fine with C */
	__asm__ volatile(".balign 4\n c.nop\n j 1f\n .balign 4\n c.nop\n 1: li %0, 3" : "=r"(b));
	CHECK_EQ(b, 3);
}

static void zero(void)
{
	u64 v;

	__asm__ volatile("li x0, 5\n add x0, %1, %1\n mv %0, x0" : "=r"(v) : "r"(7ull));
	CHECK_EQ(v, 0);
	CHECK_EQ(TRAP_OF(__asm__ volatile("ld x0, 0(%0)" : : "r"(0x8ull))), LOAD_ACCESS);
	CHECK_EQ(trap.tval, 8);
	v = 40;
	__asm__ volatile("amoadd.d x0, %1, (%0)" : : "r"(&v), "r"(2ull) : "memory");
	CHECK_EQ(v, 42);
}

static void undefined(void)
{
	CHECK_EQ(TRAP_OF(INSN(0xffffffff)), ILLEGAL);
	CHECK_EQ(trap.tval, 0xffffffff);
	CHECK_EQ(TRAP_OF(INSN(0x0000707f)), ILLEGAL);
	CHECK_EQ(TRAP_OF(INSN(0x00007003)), ILLEGAL);	/* load, funct3 7 */
	CHECK_EQ(TRAP_OF(INSN(0x00004023)), ILLEGAL);	/* store, funct3 4 */
	CHECK_EQ(TRAP_OF(INSN(0x00002063)), ILLEGAL);	/* branch, funct3 2 */
	CHECK_EQ(TRAP_OF(INSN(0x1015202f)), ILLEGAL);	/* lr.w with rs2 */
	CHECK_EQ(TRAP_OF(INSN(0x0100000f)), NO_TRAP);	/* pause */
}

static void fences(void)
{
	CHECK_EQ(TRAP_OF(INSN(0x8330000f)), NO_TRAP);	/* fence.tso */
	CHECK_EQ(TRAP_OF(INSN(0x5ff0000f)), NO_TRAP);	/* unknown fm: a full fence */
	CHECK_EQ(TRAP_OF(INSN(0x0ff10f8f)), NO_TRAP);	/* reserved rd, rs1 */
}

void isa_main(void)
{
	divide();
	multiply();
	shift();
	jump();
	zero();
	undefined();
	fences();
}
