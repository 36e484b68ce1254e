/* C: reserved forms are illegal, hints do nothing, immediates have their odd orders. */
#include "isa.h"

static void reserved(void)
{
	CHECK_EQ(TRAP_OF(INSN16(0x0000)), ILLEGAL);		/* all zero */
	CHECK_EQ(trap.tval, 0);
	CHECK_EQ(TRAP_OF(INSN16(0x0004)), ILLEGAL);		/* c.addi4spn 0 */
	CHECK_EQ(trap.tval, 4);
	CHECK_EQ(TRAP_OF(INSN16(0x8000)), ILLEGAL);		/* quadrant 0, funct3 4 */
	CHECK_EQ(TRAP_OF(INSN16(0x2005)), ILLEGAL);		/* c.addiw x0 */
	CHECK_EQ(TRAP_OF(INSN16(0x6101)), ILLEGAL);		/* c.addi16sp 0 */
	CHECK_EQ(TRAP_OF(INSN16(0x6281)), ILLEGAL);		/* c.lui t0, 0 */
	CHECK_EQ(TRAP_OF(INSN16(0x9c41)), ILLEGAL);		/* 100 1 11, funct2 10 */
	CHECK_EQ(TRAP_OF(INSN16(0x9c61)), ILLEGAL);
	CHECK_EQ(TRAP_OF(INSN16(0x4002)), ILLEGAL);		/* c.lwsp x0 */
	CHECK_EQ(TRAP_OF(INSN16(0x6002)), ILLEGAL);		/* c.ldsp x0 */
	CHECK_EQ(TRAP_OF(INSN16(0x8002)), ILLEGAL);		/* c.jr x0 */
	CHECK_EQ(TRAP_OF(INSN16(0x9002)), BREAKPOINT);		/* c.ebreak */
}

static void hints(void)
{
	u64 n = trap.count;

	INSN16(0x0001);						/* c.nop */
	INSN16(0x0005);						/* c.nop 1 */
	INSN16(0x0281);						/* c.addi t0, 0 */
	INSN16(0x4005);						/* c.li x0 */
	INSN16(0x6005);						/* c.lui x0 */
	INSN16(0x8016);						/* c.mv x0, t0 */
	INSN16(0x9016);						/* c.add x0, t0 */
	INSN16(0x0006);						/* c.slli x0 */
	INSN16(0x0282);						/* c.slli t0, 0 */
	INSN16(0x8001);						/* c.srli s0, 0 */
	INSN16(0x8401);						/* c.srai s0, 0 */
	CHECK_EQ(trap.count, n);
}

static void immediates(void)
{
	u64 v, sp;

	__asm__ volatile("c.lui %0, 0xfffe1" : "=r"(v));
	CHECK_EQ(v, 0xfffffffffffe1000);
	__asm__ volatile("c.li %0, -32" : "=r"(v));
	CHECK_EQ(v, -32);
	__asm__ volatile("mv %0, sp\n c.addi16sp sp, -512\n sub %0, %0, sp\n c.addi16sp sp, 496\n "
			 "addi sp, sp, 16"
			 : "=&r"(v));
	CHECK_EQ(v, 512);
	__asm__ volatile("c.addi4spn s0, sp, 1020\n mv %0, s0\n mv %1, sp"
			 : "=r"(v), "=r"(sp)
			 :
			 : "s0");
	CHECK_EQ(v - sp, 1020);
	__asm__ volatile("li s0, -1\n c.srli s0, 63\n mv %0, s0" : "=r"(v) : : "s0");
	CHECK_EQ(v, 1);
	__asm__ volatile("li s0, -2\n c.andi s0, -1\n c.addiw s0, 1\n mv %0, s0"
			 : "=r"(v)
			 :
			 : "s0");
	CHECK_EQ(v, -1);
}

void isa_main(void)
{
	reserved();
	hints();
	immediates();
}
