/* Zba, Zbb, Zbs, Zicond. */
#include "isa.h"

#define R(f7, f3, op, a, b) ({ u64 r_; \
	__asm__ volatile(".insn r " #op ", " #f3 ", " #f7 ", %0, %1, %2" \
			 : "=r"(r_) : "r"((u64)(a)), "r"((u64)(b))); r_; })
#define UN(imm, f3, op, a) ({ u64 r_; __asm__ volatile(".insn i " #op ", " #f3 ", %0, %1, " #imm \
			      : "=r"(r_) : "r"((u64)(a))); r_; })

static void address(void)
{
	CHECK_EQ(R(4, 0, 0x3b, 0xffffffff00000001, 2), 3);		/* add.uw */
	CHECK_EQ(R(0x10, 2, 0x33, 3, 5), 11);				/* sh1add */
	CHECK_EQ(R(0x10, 4, 0x33, 3, 5), 17);
	CHECK_EQ(R(0x10, 6, 0x33, 3, 5), 29);
	CHECK_EQ(R(0x10, 2, 0x3b, 0xf80000000, 5), 0x100000005);	/* sh1add.uw */
	CHECK_EQ(R(0x10, 4, 0x3b, 0xf80000000, 5), 0x200000005);
	CHECK_EQ(R(0x10, 6, 0x3b, 0xf80000000, 5), 0x400000005);
	CHECK_EQ(UN(0x0a4, 1, 0x1b, 0xffffffff80000000), 0x80000000ull << 36);	/* slli.uw 36 */
}

static void count(void)
{
	CHECK_EQ(UN(0x600, 1, 0x13, 0), 64);
	CHECK_EQ(UN(0x600, 1, 0x13, 1), 63);
	CHECK_EQ(UN(0x601, 1, 0x13, 0), 64);
	CHECK_EQ(UN(0x601, 1, 0x13, BIT(63)), 63);
	CHECK_EQ(UN(0x602, 1, 0x13, ~0ull), 64);
	CHECK_EQ(UN(0x600, 1, 0x1b, 0xffffffff00000000), 32);
	CHECK_EQ(UN(0x600, 1, 0x1b, 0xffffffff00000001), 31);
	if (!on_qemu)				/* QEMU before 8.0 looks at the upper half too */
		CHECK_EQ(UN(0x601, 1, 0x1b, 0xffffffff00000000), 32);
	CHECK_EQ(UN(0x601, 1, 0x1b, 0x80000000), 31);
	CHECK_EQ(UN(0x602, 1, 0x1b, ~0ull), 32);
}

static void rearrange(void)
{
	CHECK_EQ(R(0x30, 1, 0x33, 0x8000000000000001, 65), 3);		/* rol */
	CHECK_EQ(R(0x30, 1, 0x33, 5, 0), 5);
	CHECK_EQ(R(0x30, 5, 0x33, 3, 65), 0x8000000000000001);		/* ror */
	CHECK_EQ(R(0x30, 1, 0x3b, 0x80000001, 1), 3);			/* rolw */
	CHECK_EQ(R(0x30, 1, 0x3b, 0x180000000, 0), 0xffffffff80000000);
	CHECK_EQ(R(0x30, 5, 0x3b, 3, 33), 0xffffffff80000001);		/* rorw */
	CHECK_EQ(UN(0x287, 5, 0x13, 0x0100800000ff0010), 0xff00ff0000ff00ff);	/* orc.b */
	CHECK_EQ(UN(0x6b8, 5, 0x13, 0x0102030405060708), 0x0807060504030201);	/* rev8 */
	CHECK_EQ(UN(0x604, 1, 0x13, 0x180), 0xffffffffffffff80);		/* sext.b */
	CHECK_EQ(UN(0x605, 1, 0x13, 0x18000), 0xffffffffffff8000);		/* sext.h */
	CHECK_EQ(UN(0x080, 4, 0x3b, ~0ull), 0xffff);		/* zext.h */
}

static void minmax(void)
{
	CHECK_EQ(R(5, 4, 0x33, -1, 1), -1);
	CHECK_EQ(R(5, 5, 0x33, -1, 1), 1);
	CHECK_EQ(R(5, 6, 0x33, -1, 1), 1);
	CHECK_EQ(R(5, 7, 0x33, -1, 1), -1);
	CHECK_EQ(R(0x20, 7, 0x33, 0xff, 0x0f), 0xf0);		/* andn */
	CHECK_EQ(R(0x20, 6, 0x33, 0, 0xf), ~0xfull);		/* orn */
	CHECK_EQ(R(0x20, 4, 0x33, 5, 5), ~0ull);		/* xnor */
}

static void single(void)
{
	CHECK_EQ(R(0x24, 1, 0x33, ~0ull, 64), ~1ull);		/* bclr */
	CHECK_EQ(R(0x24, 5, 0x33, BIT(63), 127), 1);		/* bext */
	CHECK_EQ(R(0x34, 1, 0x33, 0, 63), BIT(63));		/* binv */
	CHECK_EQ(R(0x14, 1, 0x33, 0, 32), BIT(32));		/* bset */
	CHECK_EQ(UN(0x4bf, 1, 0x13, ~0ull), ~BIT(63));
	CHECK_EQ(UN(0x2bf, 1, 0x13, 0), BIT(63));
	CHECK_EQ(UN(0x6a0, 1, 0x13, 0), BIT(32));
	CHECK_EQ(UN(0x4a0, 5, 0x13, BIT(32)), 1);
}

static void conditional(void)
{
	CHECK_EQ(R(7, 5, 0x33, 5, 0), 0);			/* czero.eqz */
	CHECK_EQ(R(7, 5, 0x33, 5, BIT(40)), 5);
	CHECK_EQ(R(7, 7, 0x33, 5, 0), 5);			/* czero.nez */
	CHECK_EQ(R(7, 7, 0x33, 5, BIT(40)), 0);
}

void isa_main(void)
{
	address();
	count();
	rearrange();
	minmax();
	single();
	if (!on_qemu)
		conditional();
	CHECK_EQ(TRAP_OF(INSN(0x60301513)), ILLEGAL);		/* clz group, rs2 = 3 */
	CHECK_EQ(TRAP_OF(INSN(0x0815c53b)), ILLEGAL);	/* zext.h with rs2 = 1 */
}
